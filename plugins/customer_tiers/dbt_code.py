"""What the models are, in one word: tables that others have made are not continued."""

from __future__ import annotations

import hashlib
from typing import Any

PROJECT = "customer_tiers"
"""The dbt project's name."""


def digest(manifest: Any) -> str:
    """Return a hash of all models and macros of a parsed project, as they are run.

    A kept table follows from its model, the models above it and the macros of all of them; which
    these are is not asked, since a table too many made anew costs a night some minutes.
    """
    texts = [
        f"{node.name} {node.config.meta} {node.raw_code}"
        for node in manifest.nodes.values()
        if node.resource_type == "model"
    ]
    texts += [
        macro.macro_sql for macro in manifest.macros.values() if macro.package_name == PROJECT
    ]
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
