"""The policy to try: rows of the policy seeds, completed from the policy that leads.

A candidate is the id of a policy among the seeds, or CSV files with the header of a seed each
(`tier_policies`, `score_weights`, `tier_ladder`, `tier_cuts`, `grace_rules`). Files say what is
different; what they leave out is taken from the leading policy.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from customer_tiers import settings
from customer_tiers.errors import UserError

SEEDS = ("tier_policies", "score_weights", "tier_ladder", "tier_cuts", "grace_rules")

OPTIONAL = {"minimum_data_confidence", "valid_from", "value_class", "currency"}
"""Columns that a file may leave out: no floor, for ever, as the rank says, in the base currency."""

Rows = list[dict[str, str]]


@contextmanager
def as_files(texts: list[str]) -> Iterator[list[str]]:
    """Names as they are, and the text of CSV files, which has lines, as files for a while."""
    with TemporaryDirectory() as folder:
        names = []
        for number, text in enumerate(texts):
            if "\n" in text:
                path = Path(folder) / f"{number}.csv"
                path.write_text(text.strip() + "\n", encoding="utf-8")
                text = str(path)
            names.append(text)
        yield names


def read(names: list[str]) -> dict[str, Rows]:
    """Read the files of a candidate: seed -> rows; none if a policy is named.

    Raises:
        UserError: A file cannot be read, has the header of no seed, or the files name several
            policies.
    """
    found: dict[str, Rows] = {}
    for name in names:
        if name.endswith(".csv"):
            seed, rows = _read_file(Path(name))
            if seed in found:
                raise UserError(
                    f"simulate: {name} is the second file of {seed}; put its rows into one file"
                )
            found[seed] = rows
        elif len(names) > 1:
            raise UserError(
                f"simulate: {name} is no CSV file; give the id of one policy, or files only"
            )
    policies = {row["policy_id"] for rows in found.values() for row in rows}
    if len(policies) > 1:
        raise UserError(
            f"simulate: the files name several policies ({', '.join(sorted(policies))}); "
            "a simulation tries one"
        )
    return found


def _read_file(path: Path) -> tuple[str, Rows]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            header, rows = list(reader.fieldnames or []), list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"simulate: cannot read {path}: {error}") from None
    for seed in SEEDS:
        if [name for name in _header(seed) if name in header or name not in OPTIONAL] == header:
            if not rows:
                raise UserError(f"simulate: {path} has a header and no row")
            return seed, rows
    known = "; ".join(f"{seed}: {','.join(_header(seed))}" for seed in SEEDS)
    raise UserError(f"simulate: {path} has the header of no policy seed. The headers are {known}")


def _header(seed: str) -> list[str]:
    with (settings.DBT_PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8") as stream:
        return next(csv.reader(stream))


def install(connection: psycopg.Connection, schema: str, names: list[str], base: str) -> str:
    """Bring the candidate into a schema's copies of the seeds, completed from a base policy.

    Returns:
        The candidate's id.

    Raises:
        UserError: No such policy, or a value has the wrong type.
    """
    files = read(names)
    policy = next(iter(files.values()))[0]["policy_id"] if files else names[0]
    if not files and not _has(connection, schema, policy):
        raise UserError(
            f"simulate: no policy {policy} in dbt_project/seeds/tier_policies.csv, and no such "
            "file; give the id of a policy, or CSV files"
        )
    if files:
        if policy != base:
            _copy_rest(connection, schema, base, policy, set(SEEDS) - set(files))
        for seed, rows in files.items():
            _replace(connection, schema, seed, policy, rows)
    return policy


def leading(connection: psycopg.Connection, schema: str, day: date) -> str:
    """The policy that leads on a day by its role in the seed.

    Raises:
        UserError: There is none.
    """
    row = connection.execute(
        sql.SQL(
            "select policy_id from {} where role = 'leading' and valid_from <= %s "
            "order by valid_from desc limit 1"
        ).format(sql.Identifier(schema, "tier_policies")),
        [day],
    ).fetchone()
    if row is None:
        raise UserError(f"simulate: no policy leads on {day}; look at tier_policies.csv")
    return str(row[0])


def _has(connection: psycopg.Connection, schema: str, policy: str) -> bool:
    query = sql.SQL("select 1 from {} where policy_id = %s").format(
        sql.Identifier(schema, "tier_policies")
    )
    return connection.execute(query, [policy]).fetchone() is not None


def _copy_rest(
    connection: psycopg.Connection, schema: str, base: str, policy: str, seeds: set[str]
) -> None:
    """Give a candidate the base's rows of the seeds that its files leave out."""
    for seed in sorted(seeds):
        table = sql.Identifier(schema, seed)
        others = [name for name in _header(seed) if name != "policy_id"]
        columns = sql.SQL(", ").join(map(sql.Identifier, others))
        connection.execute(sql.SQL("delete from {} where policy_id = %s").format(table), [policy])
        connection.execute(
            sql.SQL(
                "insert into {table} (policy_id, {columns}) select %s, {columns} from {table} "
                "where policy_id = %s"
            ).format(table=table, columns=columns),
            [policy, base],
        )


def _replace(
    connection: psycopg.Connection, schema: str, seed: str, policy: str, rows: Rows
) -> None:
    table = sql.Identifier(schema, seed)
    connection.execute(sql.SQL("delete from {} where policy_id = %s").format(table), [policy])
    header = _header(seed)
    # The values are text: the table's own types decide what they can be.
    insert = sql.SQL("insert into {} ({}) select {}").format(
        table,
        sql.SQL(", ").join(map(sql.Identifier, header)),
        sql.SQL(", ").join(
            sql.SQL("cast(%s as {})").format(sql.SQL(kind))  # type: ignore[arg-type]
            for kind in _types(connection, schema, seed)
        ),
    )
    for number, row in enumerate(rows, start=2):
        try:
            connection.execute(insert, [row.get(name) or None for name in header])
        except psycopg.DataError as error:
            raise UserError(
                f"simulate: {seed}, line {number} of the file: {error.diag.message_primary}"
            ) from None


def _types(connection: psycopg.Connection, schema: str, seed: str) -> list[str]:
    """The type of each column of a seed, in the order of its header."""
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        [f"{schema}.{seed}"],
    ).fetchall()
    kinds: dict[str, str] = {str(name): str(kind) for name, kind in rows}
    return [kinds[name] for name in _header(seed)]
