"""Hundreds of seeded mutations of a real delivery: each is read right, set aside or refused.

One in three is the second night after a good one. What a file holds is found by `helpers.mutations`
without the project's reader.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator

import pytest

from customer_tiers import settings
from helpers.mutation_play import Player
from helpers.mutations import Delivery, Row, mutated

pytestmark = pytest.mark.soak

DATA = settings.PROJECT / "../shared/data/adventureworks"
FILE = "FactResellerSales.csv"
SEEDS = int(os.environ.get("CUSTOMER_TIERS_MUTATIONS", "60"))
LINES = 400
PARTS = 10


@pytest.fixture(scope="module")
def original() -> tuple[list[Row], list[str]]:
    """The first lines of the real file, and its columns."""
    if not DATA.is_dir():
        pytest.skip(f"the AdventureWorks files are not at {DATA}")
    with (DATA / FILE).open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows = [row for row, _ in zip(reader, range(LINES), strict=False)]
    return rows, list(reader.fieldnames or [])


@pytest.fixture(scope="module")
def player(cluster, original, tmp_path_factory) -> Iterator[Player]:
    folder = tmp_path_factory.mktemp("adventureworks")
    for name in ("Resellers.csv", "Product.csv"):
        (folder / name).write_bytes((DATA / name).read_bytes())
    (folder / FILE).write_bytes(Delivery(*original).written())
    player = Player(cluster, "adventureworks", folder)
    player.prepare()
    yield player
    player.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_file_is_read_right_or_refused(original, player, part):
    player.faults.clear()
    player.outcomes.clear()
    for seed in range(part, SEEDS, PARTS):
        delivery = mutated(seed, *original)
        (player.folder / FILE).write_bytes(delivery.written())
        player.play(f"seed {seed} {delivery.names}", delivery, is_second=seed % 3 == 0)
    assert not player.faults, f"{player.outcomes}\n" + "\n".join(player.faults)
    assert player.outcomes["accepted"] > 0
    assert player.outcomes["refused"] > 0
