"""Fill a mail with its content; the headers that name sender and recipient are the caller's."""

from __future__ import annotations

from email.message import EmailMessage

from customer_tiers.digest.clean import clean
from customer_tiers.digest.model import Digest
from customer_tiers.digest.render import render

SUBJECT_LENGTH = 200


def fill(message: EmailMessage, digest: Digest, key: str) -> None:
    """Set the subject, the text part, the HTML part and the attached table of a mail.

    Args:
        message: A mail with headers but no content yet.
        digest: What it says.
        key: Makes the boundaries between its parts, so that the same digest always gives the same
            bytes; the library's own would be random.

    Raises:
        ValueError: No mail exists for the digest's kind.
    """
    content = render(digest)
    message["Subject"] = clean(content.subject, SUBJECT_LENGTH)
    # Quoted-printable keeps European text readable in the raw mail; Chinese is shorter in base64.
    encoding = "quoted-printable" if _mostly_ascii(content.text) else "base64"
    message.set_content(content.text, cte=encoding)
    message.add_alternative(content.html, subtype="html", cte=encoding)
    message.set_boundary(f"=_{key}")
    for name, data, kind in content.attachments:
        maintype, _, subtype = kind.partition("/")
        message.add_attachment(
            data, maintype=maintype, subtype=subtype, filename=name, params={"charset": "utf-8"}
        )
        message.set_boundary(f"=_{key}_mixed")


def _mostly_ascii(text: str) -> bool:
    return len(text.encode("ascii", "ignore")) > len(text) * 0.8
