"""Load all entities of one business system in the contract's order."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

import psycopg

from customer_tiers import stopwatch
from customer_tiers.contract import Contract, Entity
from customer_tiers.identity import rings
from customer_tiers.load import ledger
from customer_tiers.load.entity import OVERLAP, Load, load_entity
from customer_tiers.sources import opening
from customer_tiers.sources.definition import Source

log = logging.getLogger(__name__)


def load_system(
    load: Load, contract: Contract, source: Source, system: str, path: str | None
) -> list[str]:
    """Load a system and return what happened, in lines.

    Args:
        load: The run.
        contract: Says which entities there are and in what order.
        source: The company's folder.
        system: erp or crm; one that the source does not have leaves a ledger row per entity.
        path: The folder of a source of files, if not the one in source.yml.

    Raises:
        UserError: The first entity that cannot be loaded; those before it are loaded.
    """
    lines = []
    if system in source.systems:
        load = replace(load, reconcile_days=source.systems[system].reconcile_days)
    with (
        psycopg.connect(
            load.warehouse_url, autocommit=True, options="-c datestyle=ISO,YMD -c timezone=UTC"
        ) as warehouse,
        opening.opened(source, system, path) as open_extract,
    ):
        for entity in contract.of_system(system):
            with stopwatch.part(entity.name):
                query = source.query(entity.name)
                found = []
                if ledger.forget_other_select(warehouse, entity, query):
                    found.append(
                        f"{entity.name}: its SELECT is another, so it is read whole and compared"
                    )
                extract = open_extract(entity, _since(warehouse, entity))
                found += load_entity(load, warehouse, entity, extract)
                found += rings.note(warehouse, source.name, entity, load.run_id)
                ledger.remember_select(warehouse, entity, query)
            for line in found:
                log.info(line)
            lines += found
    return lines


def _since(warehouse: psycopg.Connection, entity: Entity) -> datetime | None:
    """From which change on an API is asked for rows."""
    row = warehouse.execute(
        "select cursor_at - %s from ops.watermark where entity = %s", [OVERLAP, entity.name]
    ).fetchone()
    return row[0] if row else None
