"""Load all entities of one business system in the contract's order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from customer_tiers import connections
from customer_tiers.contract import Contract, Entity
from customer_tiers.load.entity import Load, load_entity
from customer_tiers.sources.definition import Source
from customer_tiers.sources.extract import Extract

OpenExtract = Callable[[Entity], "Extract | None"]

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
    with (
        psycopg.connect(
            load.warehouse_url, autocommit=True, options="-c datestyle=ISO,YMD -c timezone=UTC"
        ) as warehouse,
        _opened(source, system, path) as open_extract,
    ):
        for entity in contract.of_system(system):
            for line in load_entity(load, warehouse, entity, open_extract(entity)):
                log.info(line)
                lines.append(line)
    return lines


@contextmanager
def _opened(source: Source, system: str, path: str | None) -> Iterator[OpenExtract]:
    """Connect to the system and yield what opens an entity's SELECT on it."""
    if system not in source.systems:
        yield lambda entity: None
        return
    definition = source.systems[system]
    if definition.kind == "files":
        from customer_tiers.sources import files

        with files.connect(definition, path) as folder:
            yield (
                lambda entity: (
                    files.FileExtract(folder, definition, path, entity, query)
                    if (query := source.query(entity.name)) is not None
                    else None
                )
            )
        return
    from customer_tiers.sources import postgres

    url = connections.system(definition.connection, definition.options.get("embedded_database"))
    with postgres.connect(source.name, system, definition.connection, url) as database:
        yield (
            lambda entity: (
                postgres.PostgresExtract(database, source.name, entity, query)
                if (query := source.query(entity.name)) is not None
                else None
            )
        )
