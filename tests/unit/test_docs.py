"""What README and docs name exists: commands with their options, and files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from customer_tiers import settings
from customer_tiers.cli import app

PAGES = [settings.PROJECT / "README.md", *sorted((settings.PROJECT / "docs").glob("*.md"))]


def commands() -> list[tuple[str, list[str]]]:
    """Page and words of every indented or quoted command line that begins with `tiers`."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = re.findall(r"(?:^    |`)tiers ([^`\n#]+)", text, re.MULTILINE)
        found += [(page.name, line.split()) for line in lines]
    return found


def test_every_command_and_option_that_is_named_exists():
    assert len(commands()) > 50
    for page, words in commands():
        node = typer.main.get_command(app)
        while words and hasattr(node, "commands") and re.fullmatch(r"[a-z-]+", words[0]):
            assert words[0] in node.commands, f"{page}: tiers {' '.join(words)}"
            node, words = node.commands[words[0]], words[1:]
        options = {name for parameter in node.params for name in parameter.opts} | {"--help"}
        for word in words:
            if re.match(r"--[a-z]", word):
                assert word.strip("[],;.").split("=")[0] in options, f"{page}: {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target
