"""The errors that a user sees: a line with what is wrong, where, and what to do."""

from __future__ import annotations


class UserError(Exception):
    """A fault that the reader can mend; its text is one line and needs no traceback.

    Say what is wrong, where (source, entity, column, file) and what to do, in that order.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class TryLater(UserError):
    """A fault that time may mend, such as a mail server that is busy: the step is tried again."""
