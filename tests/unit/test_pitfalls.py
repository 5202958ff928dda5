"""Every trap of docs/pitfalls.md has a test named after it, and every test that it names exists."""

from __future__ import annotations

import re

from customer_tiers import settings

TRAPS = {*range(10, 19), 21, 22, *range(26, 31)}
"""Numbers of the traps that sources and data hold."""


def test_every_trap_has_a_test_that_exists():
    text = (settings.PROJECT / "docs" / "pitfalls.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| P(\d+) \|.*\| (.+) \|$", text, re.MULTILINE)
    assert {int(number) for number, _ in rows} >= TRAPS
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for folder, kind in (("tests", "*.py"), ("dbt_project", "*.yml"))
        for path in (settings.PROJECT / folder).rglob(kind)
    )
    for number, cell in rows:
        names = re.findall(r"`(\w+)`", cell)
        assert names, f"P{number}"
        assert names[0].removeprefix("test_").startswith(f"p{number}_"), names[0]
        for name in names:
            assert re.search(rf"(def|name:) {name}\b", tests), f"P{number}: {name}"
