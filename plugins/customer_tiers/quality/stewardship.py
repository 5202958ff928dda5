"""Looking after the rows that wait: who must mend which, since when, and which are given up."""

from __future__ import annotations

import json
from collections.abc import Iterable

import psycopg

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.quality import suites

DROP = """
update quarantine.rows
set dropped_by = %(by)s, drop_reason = %(reason)s,
    resolved_run = 'dropped', resolved_at = clock_timestamp()
where entity = %(entity)s and (%(key)s::text is null or row_key = %(key)s) and resolved_run is null
"""


def note_owners(connection: psycopg.Connection, entities: Iterable[Entity]) -> None:
    """Write down who mends the data of each entity, for `bi.stewardship`."""
    owners = [(entity.name, suites.owner_of(entity)) for entity in entities]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.entity_owner (entity, owner) values (%s, %s) "
            "on conflict (entity) do update set owner = excluded.owner "
            "where entity_owner.owner is distinct from excluded.owner",
            owners,
        )


def lines(
    connection: psycopg.Connection, entity: str | None, *, is_settled_too: bool = False
) -> list[str]:
    """One line per row that waits and rule it broke, the oldest first, and one that counts."""
    found = connection.execute(
        """
        select
            held.entity, held.row_key, held.rule, held.reason, held.first_seen_at::date,
            coalesce(owners.owner, 'nobody'),
            case
                when held.dropped_by is not null and held.resolved_run is not null
                    then 'given up by ' || held.dropped_by || ': ' || held.drop_reason
                when held.resolved_run is not null then 'settled in ' || held.resolved_run
                else 'waits'
            end
        from quarantine.rows as held
        left join ops.entity_owner as owners using (entity)
        where (%(entity)s::text is null or held.entity = %(entity)s)
            and (%(all)s or held.resolved_run is null)
        order by held.first_seen_at, held.entity, held.row_key, held.rule
        """,
        {"entity": entity, "all": is_settled_too},
    ).fetchall()
    listed = [
        f"{name}  {key}  {rule}: {why}; since {since}, {owner}; {state}"
        for name, key, rule, why, since, owner, state in found
    ]
    return [*listed, f"{len({row[:2] for row in found})} rows, {len(found)} broken rules"]


def row(connection: psycopg.Connection, entity: str, key: str) -> list[str]:
    """A row as the source sent it, and what is wrong with it.

    Raises:
        UserError: There is no such row.
    """
    found = connection.execute(
        "select rule, column_name, reason, row_data, first_seen_run, last_seen_run, resolved_run "
        "from quarantine.rows where entity = %s and row_key = %s order by rule",
        [entity, key],
    ).fetchall()
    if not found:
        raise _unknown(entity, key)
    shown = [
        f"{rule} ({column}): {why}; first seen in {first}, last in {last}, "
        + (f"settled in {settled}" if settled else "waits")
        for rule, column, why, _, first, last, settled in found
    ]
    return [*shown, json.dumps(found[0][3], indent=2, ensure_ascii=False, sort_keys=True)]


def drop(connection: psycopg.Connection, entity: str, key: str | None, reason: str, by: str) -> str:
    """Give up waiting rows; a row that the source later sends changed is judged anew.

    Raises:
        UserError: No such row waits, or there is no reason.
    """
    if not reason.strip():
        raise UserError("drop: say with --reason why the rows are not needed")
    dropped = connection.execute(
        DROP, {"entity": entity, "key": key, "reason": reason, "by": by}
    ).rowcount
    if not dropped:
        raise _unknown(entity, key)
    return f"{entity}: {dropped} entries given up by {by}; the rows stay out of raw"


def _unknown(entity: str, key: str | None) -> UserError:
    which = f"row {key}" if key else "row"
    return UserError(
        f"quarantine: no {which} of entity {entity} waits; see `tiers quarantine list`"
    )
