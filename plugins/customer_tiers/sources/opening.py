"""Open a business system, of whatever kind, so that its entities' SELECTs can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from customer_tiers import connections
from customer_tiers.contract import Entity
from customer_tiers.sources.definition import Source, System
from customer_tiers.sources.extract import Extract

OpenExtract = Callable[[Entity, "datetime | None"], "Extract | None"]
"""Opens an entity's SELECT, or returns None if the source does not deliver it. The moment says from
which change on rows are wanted; only an API is asked for less than everything by it."""


@contextmanager
def opened(
    source: Source, system: str, path: str | None, *, keeps: bool = True
) -> Iterator[OpenExtract]:
    """Connect to a system and yield what opens an entity's SELECT on it.

    Args:
        source: The company.
        system: erp or crm; one that the source does not have delivers nothing.
        path: The folder of a source of files, if not the one in source.yml.
        keeps: What is read goes to the archive of a source that has one.

    Raises:
        UserError: The system cannot be reached, or its connection or files are not right.
    """
    if system not in source.systems:
        yield lambda entity, since: None
        return
    kinds: dict[str, Callable[..., AbstractContextManager[OpenQuery]]]
    kinds = {"files": _files, "rest": _rest, "sql": _database}
    definition = source.systems[system]
    with kinds[definition.kind](source, definition, path, keeps) as open_query:

        def open_extract(entity: Entity, since: datetime | None) -> Extract | None:
            query = source.query(entity.name)
            return None if query is None else open_query(entity, query, since)

        yield open_extract


OpenQuery = Callable[[Entity, str, "datetime | None"], Extract]


@contextmanager
def _files(source: Source, system: System, path: str | None, keeps: bool) -> Iterator[OpenQuery]:
    from customer_tiers.sources import files

    queries = "\n".join(
        source.query(entity) or "" for entity in source.queries if entity.startswith(system.name)
    )
    with files.connect(system, path, queries, keeps=keeps) as folder:
        yield lambda entity, query, since: files.FileExtract(folder, source.name, entity, query)


@contextmanager
def _rest(source: Source, system: System, *_: object) -> Iterator[OpenQuery]:
    from customer_tiers.sources import rest

    with rest.connect(system) as api:
        yield lambda entity, query, since: rest.RestExtract(api, source.name, entity, query, since)


@contextmanager
def _database(source: Source, system: System, *_: object) -> Iterator[OpenQuery]:
    url = connections.system(system.connection, system.options.get("embedded_database"))
    if url.startswith(("postgresql://", "postgres://")):
        from customer_tiers.sources import postgres

        with postgres.connect(source.name, system.name, system.connection, url) as server:
            yield lambda entity, query, since: postgres.PostgresExtract(
                server, source.name, entity, query
            )
        return
    from customer_tiers.sources import database

    with database.connect(source.name, system.name, system.connection, url) as other:
        yield lambda entity, query, since: database.DatabaseExtract(
            other, source.name, entity, query
        )
