"""How long the steps of a night and their parts take, as `ops.step_run` keeps it.

`step` goes around a step of `customer_tiers.night`, `part` around a piece of its work: as a `with`
block, or as a decorator of the function that does it. Parts nest, and a part that runs several
times is added up. Outside a step nothing is kept. What the dbt nodes of a step took is in
`ops.dbt_node_run`, how many rows an entity had in `ops.load_ledger`; neither is told again here.
"""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from customer_tiers.errors import UserError

if TYPE_CHECKING:
    from customer_tiers.night import Run

WRITE = (
    "insert into ops.step_run (run_id, step, part, started_at, seconds, peak_mb) "
    "values (%s, %s, %s, %s, %s, %s)"
)

log = logging.getLogger(__name__)

_path: ContextVar[tuple[str, ...]] = ContextVar("path", default=())

_kept: dict[str, tuple[datetime, float]] | None = None
"""Path of a part -> first start and seconds, of the step that this process is in."""


@contextmanager
def part(name: str) -> Iterator[None]:
    """Measure a piece of the step that this process is in."""
    kept = _kept
    if kept is None:
        yield
        return
    path = (*_path.get(), name) if name else ()
    token = _path.set(path)
    started_at, clock = datetime.now(UTC), time.perf_counter()
    try:
        yield
    finally:
        _path.reset(token)
        first, before = kept.get("/".join(path), (started_at, 0.0))
        kept["/".join(path)] = first, before + time.perf_counter() - clock


@contextmanager
def step(run: Run, name: str) -> Iterator[None]:
    """Measure a step, and write it with its parts to the warehouse whether it succeeds or not."""
    global _kept
    _kept = {}
    try:
        with part(""):
            yield
    finally:
        kept, _kept = _kept, None
        _write(run, name, kept)


def _write(run: Run, step: str, kept: dict[str, tuple[datetime, float]]) -> None:
    """Keep what was measured; a warehouse that is down or new cannot, which stops no night."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [
        (run.run_id, step, path, started_at, seconds, None if path else peak_mb)
        for path, (started_at, seconds) in kept.items()
    ]
    try:
        with run.warehouse as connection, connection.cursor() as cursor:
            cursor.executemany(WRITE, rows)
    except (UserError, psycopg.Error) as error:
        log.warning("how long the step took could not be kept in ops.step_run: %s", error)
