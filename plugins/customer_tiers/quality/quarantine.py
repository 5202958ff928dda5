"""Rows that may not come in: set aside whole, with the rule they broke, and let in once they can.

GX says which rules are broken and by how many rows; the SQL here finds those rows, keeps them in
`quarantine.rows` and takes them out of the stage table, in the caller's transaction. A row that
breaks two rules has two entries. `row_key` is the row's key; where the key does not identify the
row (a part is null, or several rows share it) a hash of the row is added.

Known limit: a row that waits in quarantine and is deleted at an incremental source waits on, and
may come in, until its entity is compared with the source again.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.quality import rows
from customer_tiers.quality.check import failed_rules
from customer_tiers.quality.predicates import bad_rows, repeated
from customer_tiers.quality.results import Outcome

KEEP = """
insert into quarantine.rows as held (
    entity, row_key, rule, column_name, reason, row_data, first_seen_run, last_seen_run,
    last_seen_at
)
select distinct on (row_key, rule)
    %(entity)s, row_key, rule, column_name, reason, row_data, %(run)s, %(run)s, now()
from bad_row inner join bad_key using (row_at)
on conflict (entity, row_key, rule) do update set
    column_name = excluded.column_name,
    reason = excluded.reason,
    row_data = excluded.row_data,
    last_seen_run = excluded.last_seen_run,
    last_seen_at = excluded.last_seen_at,
    resolved_run = case when {is_given_up} then held.resolved_run end,
    resolved_at = case when {is_given_up} then held.resolved_at end,
    dropped_by = case when {is_given_up} then held.dropped_by end,
    drop_reason = case when {is_given_up} then held.drop_reason end
""".format(is_given_up="held.dropped_by is not null and held.row_data = excluded.row_data")
"""One entry per bad row and rule: the first run that saw it stays, the last one moves on. What a
person gave up stays given up while the source sends it unchanged. `now()` is the moment at which
the transaction began, and so names it: what it has seen is told from the rest without a clock."""


RESOLVE = """
update quarantine.rows as held
set resolved_run = {run}, resolved_at = clock_timestamp()
where held.entity = {entity} and held.resolved_run is null and (entity, row_key, rule) in (
    select waiting.entity, waiting.row_key, waiting.rule
    from quarantine.rows as waiting
    cross join lateral jsonb_populate_record(null::{table}, waiting.row_data) as raw
    left join {table} as staged on {same_key}
    where
        waiting.entity = {entity}
        and waiting.resolved_run is null
        and (staged.{first_key} is not null or (waiting.last_seen_at <> now() and {complete_where}))
)
"""
"""Close what is staged now under its key, and of what the stage holds all rows of what this
transaction did not confirm."""


class Moved(dict[str, int]):
    """Rule -> rows that broke it; `rows` counts each row once."""

    rows: int = 0


@stopwatch.part("collapse")
def collapse_duplicates(connection: psycopg.Connection, entity: Entity, stage_table: str) -> int:
    """Delete rows that are there twice, equal in every column; return how many.

    An extract that overlaps itself repeats rows, which is harmless. Rows that share a key and
    differ are not touched: which of them is right only the source knows. Nearly always no key is
    there twice, which the index that the load needs anyway proves fastest.
    """
    connection.execute(
        sql.SQL("drop table if exists {}").format(rows.identifier(rows.offered_table(entity)))
    )
    if rows.index_key(connection, entity, stage_table):
        return 0
    statement = sql.SQL(
        """
        delete from {table} as subselect using (
            select ctid as row_at, row_number() over (partition by {columns}) as copy
            from {table} as subselect
            where {repeated}
        ) as copies
        where subselect.ctid = copies.row_at and copies.copy > 1
        """
    ).format(
        table=rows.identifier(stage_table),
        columns=sql.SQL(", ").join(map(sql.Identifier, entity.column_names)),
        repeated=repeated(entity.key, rows.identifier(stage_table)),
    )
    copies = connection.execute(statement).rowcount
    rows.index_key(connection, entity, stage_table)
    return copies


@stopwatch.part("reoffer")
def reoffer(connection: psycopg.Connection, entity: Entity, stage_table: str) -> int:
    """Put waiting rows back into the stage table of an incremental extract; return how many.

    An incremental source does not send a row again because its customer has arrived, so we do. A
    row that the extract holds in a new version stays where it is. Not for a complete extract: there
    a row that is not sent is gone. Rows without a key are not offered, they can never come in.
    """
    marker, table = rows.identifier(rows.offered_table(entity)), rows.identifier(stage_table)
    connection.execute(sql.SQL("drop table if exists {}").format(marker))
    connection.execute(sql.SQL("create unlogged table {} (row_at tid)").format(marker))
    index = rows.key_index(connection, stage_table)
    if index and _waits(connection, entity):  # two rows that share a key may wait for one another
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier("stage", index)))
    waiting = sql.SQL(
        """
        select distinct on (row_key) row_key, row_data
        from quarantine.rows
        where entity = {entity} and resolved_run is null
        order by row_key, last_seen_at desc
        """
    ).format(entity=sql.Literal(entity.name))
    statement = sql.SQL(
        """
        with offered as (
            insert into {table}
            select waiting_row.*
            from ({waiting}) as waiting
            cross join lateral jsonb_populate_record(null::{table}, row_data) as waiting_row
            where {has_key} and not exists (
                select from {table} as staged where {same_key}
            )
            returning ctid
        )
        insert into {marker} select ctid from offered
        """
    ).format(
        table=table,
        waiting=waiting,
        marker=marker,
        has_key=_all(entity.key, "waiting_row.{} is not null"),
        same_key=_all(entity.key, "staged.{} = waiting_row.{}"),
    )
    return connection.execute(statement).rowcount


def _waits(connection: psycopg.Connection, entity: Entity) -> bool:
    return bool(
        connection.execute(
            "select from quarantine.rows where entity = %s and resolved_run is null limit 1",
            [entity.name],
        ).rowcount
    )


@stopwatch.part("quarantine")
def move_bad_rows(
    connection: psycopg.Connection,
    entity: Entity,
    stage_table: str,
    outcomes: Sequence[Outcome],
    run_id: str,
) -> Moved:
    """Move the rows that break a rule from the stage table into quarantine.

    Args:
        connection: Inside the transaction that loads the entity.
        entity: The entity.
        stage_table: Schema and table.
        outcomes: Of the check of this stage table; only failed rules that quarantine count.
        run_id: The run.

    Raises:
        UserError: A rule finds another number of rows than GX counted, so the table has changed
            since, or our SQL and GX disagree. Nothing must be loaded then.
    """
    moved = Moved()
    failed = failed_rules(outcomes)
    if not failed:
        return moved
    table = rows.identifier(stage_table)
    connection.execute("drop table if exists pg_temp.bad_row")
    connection.execute(
        "create temporary table bad_row (row_at tid, rule text, column_name text, reason text) "
        "on commit drop"
    )
    for outcome in failed:
        moved[outcome.expectation] = _find(connection, entity, outcome, table)
    _keep(connection, entity, table, run_id)
    _resolve_other_rules(connection, entity, run_id)
    moved.rows = connection.execute(
        sql.SQL("delete from {} where ctid in (select row_at from bad_row)").format(table)
    ).rowcount
    connection.execute("drop table pg_temp.bad_row, pg_temp.bad_key")
    return moved


def _find(
    connection: psycopg.Connection, entity: Entity, outcome: Outcome, table: sql.Identifier
) -> int:
    found = connection.execute(
        sql.SQL(
            "insert into bad_row select subselect.ctid, {rule}, {column}, {reason} "
            "from {table} as subselect where {bad}"
        ).format(
            rule=sql.Literal(outcome.expectation),
            column=sql.Literal(outcome.column),
            reason=sql.Literal(outcome.reason),
            table=table,
            bad=bad_rows(outcome.rule, table),
        )
    ).rowcount
    if found != outcome.rows_failed:
        raise UserError(
            f"{entity.name}, column {outcome.column}: rule {outcome.expectation} breaks "
            f"{found} staged rows, but {outcome.rows_failed} when it was checked; the stage table "
            "has changed in between: run the entity again"
        )
    return found


def _keep(
    connection: psycopg.Connection, entity: Entity, table: sql.Identifier, run_id: str
) -> None:
    """Write one entry per bad row and rule, and leave the rows' keys in `bad_key`."""
    connection.execute(
        sql.SQL(
            """
            create temporary table bad_key on commit drop as
            select
                subselect.ctid as row_at,
                {row} as row_data,
                case
                    when {key} is null then '#' || md5(subselect::text)
                    when {repeated} then {key} || '#' || md5(subselect::text)
                    else {key}
                end as row_key
            from {table} as subselect
            where subselect.ctid in (select row_at from bad_row)
            """
        ).format(
            row=rows.as_json("subselect"),
            key=rows.row_key(entity.key, "subselect"),
            repeated=repeated(entity.key, table),
            table=table,
        )
    )
    connection.execute(KEEP, {"entity": entity.name, "run": run_id})


def _resolve_other_rules(connection: psycopg.Connection, entity: Entity, run_id: str) -> None:
    """Close the entries of a row that is still bad, but no longer for that rule."""
    connection.execute(
        """
        update quarantine.rows as held
        set resolved_run = %(run)s, resolved_at = clock_timestamp()
        where held.entity = %(entity)s and held.resolved_run is null
            and held.row_key in (select row_key from bad_key)
            and not exists (
                select from bad_row inner join bad_key using (row_at)
                where bad_key.row_key = held.row_key and bad_row.rule = held.rule
            )
        """,
        {"entity": entity.name, "run": run_id},
    )


def resolve(
    connection: psycopg.Connection,
    entity: Entity,
    run_id: str,
    *,
    complete_where: sql.Composable | None = None,
    stage_table: str | None = None,
) -> int:
    """Close the entries whose key came good in this run; return how many.

    Args:
        connection: Inside the transaction that loads the entity, after `move_bad_rows`.
        entity: The entity.
        run_id: The run.
        complete_where: Which rows of `raw` the stage held all of, if of any, so that an entry among
            them that it did not confirm is gone, too.
        stage_table: What is left to load; by default the entity's stage table.
    """
    statement = sql.SQL(RESOLVE).format(
        run=sql.Literal(run_id),
        entity=sql.Literal(entity.name),
        complete_where=complete_where or sql.SQL("false"),
        first_key=sql.Identifier(entity.key[0]),
        table=rows.identifier(stage_table or f"stage.{entity.table}"),
        same_key=_all(entity.key, "staged.{} = raw.{}"),
    )
    return connection.execute(statement).rowcount


def _all(names: Sequence[str], template: str) -> sql.Composable:
    """Return the template for each name, joined by `and`."""
    return sql.SQL(" and ").join(
        sql.SQL(template).format(*[sql.Identifier(name)] * template.count("{}"))  # type: ignore[arg-type]
        for name in names
    )
