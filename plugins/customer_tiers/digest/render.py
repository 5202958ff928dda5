"""Turn a digest into a mail's subject, text part, HTML part and attached table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from customer_tiers.digest import attachment
from customer_tiers.digest.model import KINDS, Digest
from customer_tiers.digest.view import view
from customer_tiers.digest.wording import words

SIGNED = re.compile(r"[+\-][^\s\d&;<>+\-]{1,4}\u00a0?\d[\d,.]*")
"""An amount with its sign and currency, as in +€12,300."""


@dataclass(frozen=True)
class Rendered:
    """A mail's content; an attachment is its file name, its bytes and its type."""

    subject: str
    text: str
    html: str
    attachments: tuple[tuple[str, bytes, str], ...] = ()


def render(digest: Digest) -> Rendered:
    """Return the mail of a digest in the recipient's language.

    Raises:
        ValueError: No mail exists for the digest's kind.
    """
    if digest.kind not in KINDS:
        raise ValueError(f"no mail exists for kind {digest.kind!r}")
    language = words(digest.locale, digest.base_currency, digest.tier_names)
    files = []
    if digest.items:
        name = attachment.file_name(digest, language)
        files.append((name, attachment.table(digest, language), "text/csv"))
    said = view(digest, language, attachment=files[0][0] if files else None)
    return Rendered(
        subject=said.subject,
        text=_environment().get_template("digest.txt.j2").render(view=said),
        html=_environment().get_template("digest.html.j2").render(view=said),
        attachments=tuple(files),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment


def _unbroken(text: str) -> Markup:
    """Return text for HTML in which no line ends between a sign and its amount."""
    kept = r'<span style="white-space:nowrap;">\g<0></span>'
    return Markup(SIGNED.sub(kept, str(escape(text))))  # noqa: S704 - it was escaped
