"""What others typed breaks no mail, header or table: the whole message, read back."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import re
from email.message import EmailMessage
from email.policy import SMTPUTF8
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_tiers.digest.attachment import COLUMNS, safe
from customer_tiers.digest.message import fill
from customer_tiers.digest.model import Digest
from helpers.digests import Reader, item, one, warning

HOSTILE = [
    '<script>alert("x")</script>\r\nBcc: thief@example.com\u202e <img src=x onerror=y>',
    "=cmd|' /C calc'!A0",
    "+1+1;=2",
    "-2+3\t=4",
    '@SUM(1)",=HYPERLINK("http://evil.example")',
    "\uff1d1+1",
    " \t=1",
    "x\r\n\r\n--=_boundary\r\nContent-Type: text/html\r\n\r\n<b>",
    "\u202e\u2066\u200f\u061c\u200b\ufeff",
    "👩‍🚀🏴‍☠️" * 40,
    "n" * 500,
    "\x01\x07\x1b[31m\x7f\x85\u2028\u2029",
    "{{ 7 * 7 }} {name} %s ${x}",
    "שלום عالم",
]

TYPED = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=80),
    st.text(alphabet="=+-@\t\r\n<>&\"',;\u202e\uff1d", max_size=20),
)


def written(digest: Digest) -> EmailMessage:
    """The message as a mail program gets it: sent, and read back."""
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = "tiers@example.com"
    message["To"] = "anna@example.com"
    fill(message, digest, "key")
    read = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def parts(message: EmailMessage) -> tuple[str, str, list[list[str]]]:
    """Text, HTML and the rows of the table; there is nothing else in the message."""
    types = [part.get_content_type() for part in message.walk()]
    assert types == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/csv",
    ]
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    (table,) = (part.get_content() for part in message.iter_attachments())
    data = table if isinstance(table, bytes) else table.encode()
    assert data.startswith("\ufeff".encode())
    return text, html, list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@settings(max_examples=40, deadline=None)
@given(
    name=TYPED,
    code=TYPED,
    locale=st.sampled_from(["en", "zh_CN"]),
    kind=st.sampled_from(["daily", "weekly", "policy_notice"]),
)
def test_what_others_typed_is_only_text(name: str, code: str, locale: str, kind: str) -> None:
    typed = {"customer_name": name, "owner_name": name, "policy_id": code, "direction": code}
    row = item("C1", **typed, from_tier=code, cause=code, reason_code=code, main_driver=code)
    warned = warning("C2", customer_name=name, subject=name, cause=code, warning_cause=code)
    handed = warning("C3", topic="hand_over", cause="hand_over", previous_owner_name=name)
    risk = warning("C4", topic="risk", cause=code, recommended_step=code)
    aside = item("C5", section="appendix", **typed)
    digest = one(
        *(row, warned, handed, risk, aside),
        recipient_name=name,
        role="manager",
        locale=locale,
        kind=kind,
        source=name,
        base_currency=code,
        substitutes_for=name,
        tier_names=[{"tier": "regular", "name_en": name, "name_zh": name}],
    )
    message = written(digest)
    text, html, rows = parts(message)
    assert set(message.keys()) <= {"From", "To", "Subject", "MIME-Version", "Content-Type"}
    seen = Reader(html)
    assert not {"script", "img", "b", "a"} & set(seen.tags)
    assert not any(attribute.startswith("on") for attribute, _ in seen.attributes)
    for said in (str(message["Subject"]), text, html):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]", said)
        assert not re.search(r"^(bcc|--=_boundary)", said, re.MULTILINE | re.IGNORECASE)
    assert len(str(message["Subject"])) <= 200
    assert [len(cells) for cells in rows] == [len(COLUMNS)] * 6
    for cells in rows[1:]:
        for cell in cells:
            assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]", cell) or is_amount(cell)
            assert "\n" not in cell
            assert "\r" not in cell


def is_amount(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None


@pytest.mark.parametrize(
    ("typed", "written_"),
    [
        ("=1+1", "'=1+1"),
        ("  @x", "  '@x"),
        ("a;=1", "a;'=1"),
        ('a",=1', "a\",'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("Smith-Jones & Co. (=2)", "Smith-Jones & Co. (=2)"),
    ],
)
def test_no_cell_starts_a_formula(typed: str, written_: str) -> None:
    assert safe(typed) == written_


def test_the_table_keeps_numbers_numbers_and_long_names_whole() -> None:
    digest = one(item("C1", customer_name="n" * 300, owner_name="某人"), locale="zh_CN")
    _, _, (head, row) = parts(written(digest))
    cells = dict(zip(COLUMNS, row, strict=True))
    assert head[0] == "客户编号"
    assert cells["contribution_12m_change"] == "-12300.10"
    assert cells["amount_at_stake"] == "12300.10"
    assert cells["customer_name"] == "n" * 300
    assert cells["owner_name"] == "某人"
    assert cells["currency"] == "EUR"


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_the_same_digest_always_gives_the_same_bytes(locale: str) -> None:
    def made() -> bytes:
        message = EmailMessage(policy=SMTPUTF8)
        fill(message, one(item("C1"), locale=locale), "key")
        return message.as_bytes()

    assert made() == made()


def test_a_mail_without_customers_has_no_table() -> None:
    message: Any = written(one().as_correction("abc"))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
