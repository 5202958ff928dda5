"""The time zone in which a company's days begin and end."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from customer_tiers import settings
from customer_tiers.errors import UserError


def zone() -> ZoneInfo:
    """The zone of the schedule, and of the day that a run begins on.

    Raises:
        UserError: There is none of that name.
    """
    try:
        return ZoneInfo(settings.TIMEZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"CUSTOMER_TIERS_TIMEZONE={settings.TIMEZONE}: there is no such time zone; "
            "give a name such as Asia/Shanghai or Europe/Berlin"
        ) from None
