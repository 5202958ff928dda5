"""COPY out of a PostgreSQL source, in blocks of many rows.

psycopg hands out one row at a time and waits for each anew, which took more of the loader's time
than the source took to send the rows; here all rows that have arrived are taken at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import generators, pq, sql
from psycopg.abc import PQGen
from psycopg.waiting import Wait

BLOCK_BYTES = 1 << 18
"""Rows are handed on as soon as they make up so much, or no more have arrived."""


def blocks(connection: psycopg.Connection, statement: sql.Composable) -> Iterator[bytes]:
    """Yield what a `copy ... to stdout` sends; left early, the rest is cancelled at the source.

    Args:
        connection: In a transaction; it can do nothing else meanwhile.
        statement: The COPY.

    Raises:
        psycopg.Error: The statement failed, at its start or while rows were sent.
    """
    server = connection.pgconn
    server.send_query(statement.as_bytes(connection))
    [started] = connection.wait(generators.execute(server))
    if started.status != pq.ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(started)
    goes_on = True
    try:
        while goes_on:
            goes_on = False  # also if it fails here: the server has ended the COPY then
            block, goes_on = connection.wait(_arrived(server))
            if block:
                yield block
    finally:
        if goes_on and not connection.closed:
            connection.cancel_safe()
            _drain(connection)


def _arrived(server: pq.abc.PGconn) -> PQGen[tuple[bytes, bool]]:
    """The rows that have arrived, at least one, and whether there may be more."""
    rows: list[bytes] = []
    size = 0
    while size < BLOCK_BYTES:
        length, row = server.get_copy_data(1)
        if length > 0:
            rows.append(bytes(row))
            size += length
        elif length < 0:
            [ended] = yield from generators.fetch_many(server)
            if ended.status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(ended)
            return b"".join(rows), False
        elif rows:
            break
        else:
            while not (yield Wait.R):
                continue
            server.consume_input()
    return b"".join(rows), True


def _drain(connection: psycopg.Connection) -> None:
    try:
        while connection.wait(_arrived(connection.pgconn))[1]:
            continue
    except psycopg.errors.QueryCanceled:
        return
