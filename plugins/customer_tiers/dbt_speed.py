"""What spares dbt work that nobody needs while it runs inside this process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SWEEPS = (100_000, 20, 100)
"""Thresholds of the garbage collector; Python's own sweep after 700 new objects."""


@contextmanager
def seldom_swept() -> Iterator[None]:
    """Keep Python's garbage collector from sweeping through the parsed project again and again.

    It took a seventh of dbt's time; without any sweep a night would hold 120 MB more.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SWEEPS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def unspoken() -> Iterator[None]:
    """Keep dbt from writing the messages of its debug log, some 25 per node, which nobody reads.

    They took an eighth of dbt's time.
    """
    from dbt_common.events import event_manager_client as client
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    class OnlyWhatIsRead(EventManager):
        def fire_event(
            self, e: BaseEvent, level: EventLevel | None = None, *args: Any, **kwargs: Any
        ) -> None:
            is_debug = (level or e.level_tag()) == EventLevel.DEBUG
            if not is_debug or type(e).__name__ == "NodeFinished":
                super().fire_event(e, level, *args, **kwargs)

    before = client.get_event_manager()
    client.ctx_set_event_manager(OnlyWhatIsRead())
    try:
        yield
    finally:
        client.ctx_set_event_manager(before)
