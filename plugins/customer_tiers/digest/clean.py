"""Make text that other people typed safe to print in a mail: one line, no tricks, not too long."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

NAME_LENGTH = 60
"""Longest name that is printed whole; a longer one would push the amounts off the first screen."""

JOINERS = "\u200c\u200d"
"""Invisible characters that some scripts need to spell words; all other format characters go."""


@lru_cache(maxsize=8192)
def clean(text: object, length: int = NAME_LENGTH) -> str:
    """Return text as one short line.

    Line breaks and control characters become spaces; bidirectional controls and other invisible
    format characters, which can make a name read as another one, are dropped. Web addresses lose
    their scheme's colon-slashes, so that mail programs do not turn a customer's name into a link.
    """
    kept = []
    for character in unicodedata.normalize("NFC", str(text)):
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp", "Cs"):
            kept.append(" ")
        elif category != "Cf" or character in JOINERS:
            kept.append(character)
    line = " ".join("".join(kept).split()).replace("://", ": //")
    if len(line) <= length:
        return line
    cut = length - 1
    while cut > 0 and unicodedata.combining(line[cut]):
        cut -= 1
    return line[:cut].rstrip(JOINERS + " ") + "…"
