# /// script
# requires-python = ">=3.11"
# dependencies = ["playwright>=1.50"]
# ///
"""Make the pictures of docs/digests.md: real mails of the newest night, as a browser shows them.

    .uv/bin/uv run docs/make_pictures.py     # after `make run`; needs Chromium, a Chinese font

The mails are rendered by `tiers digest preview`; nothing is sent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
TIERS = DOCS.parent / ".venv" / "bin" / "tiers"

MAILS = {
    "daily_en": ("U001", "daily", "en"),
    "daily_zh": ("U001", "daily", "zh_CN"),
    "monthly_en": ("sales_director", "monthly", "en"),
    "monthly_zh": ("sales_director", "monthly", "zh_CN"),
}
"""Name of a picture -> recipient in the sample company, kind of mail, and language."""

VIEWS = {
    "phone": (390, "light"),
    "phone_dark": (390, "dark"),
    "wide": (1000, "light"),
    "wide_dark": (1000, "dark"),
}
"""Name of a view -> its width in pixels, and the colour scheme of the mail program."""

HEIGHT = 1700
"""Pixels from the top that a picture shows at most."""


def main() -> None:
    """Render each mail and take a picture of each view of it."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("make_pictures: no chromium or google-chrome is installed")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    (DOCS / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox"] if is_root else []
        )
        for name, (recipient, kind, locale) in MAILS.items():
            html = Path(folder) / f"{name}.html"
            options = ["--kind", kind, "--locale", locale, "--out", html]
            subprocess.run([TIERS, "digest", "preview", recipient, *options], check=True)
            for view, (width, scheme) in VIEWS.items():
                page = browser.new_page(
                    viewport={"width": width, "height": 800},
                    color_scheme=scheme,  # type: ignore[arg-type]
                )
                take(page, html, DOCS / "pictures" / f"{name}_{view}.png", width)
                page.close()
        browser.close()


def take(page: Page, html: Path, picture: Path, width: int) -> None:
    """Take one picture; a mail that is wider than its window is a fault."""
    page.goto(html.as_uri())
    size = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    if size[0] > width:
        sys.exit(f"{picture.name}: {size[0]} pixels wide, but the window has {width}")
    height = min(size[1], HEIGHT)
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    page.screenshot(path=picture, clip=clip, full_page=True)  # type: ignore[arg-type]
    print(f"{picture.relative_to(DOCS.parent)}: {width} x {height}")


if __name__ == "__main__":
    main()
