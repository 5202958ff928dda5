"""Hundreds of seeded mutations of a workbook: each is read right, set aside by row, or refused."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import yaml

from customer_tiers import settings
from helpers.mutation_play import Player
from helpers.workbook_mutations import Book, lines, mutated

pytestmark = pytest.mark.soak

SEEDS = int(os.environ.get("CUSTOMER_TIERS_MUTATIONS", "60"))
PARTS = 10

SELECTS = {
    "customers": "select id as customer_id, name from book_customers",
    "products": "select id as product_id, name, cost as standard_cost from book_products",
    "invoice_lines": "select invoice as invoice_id, line as line_no, customer as customer_id, "
    "product as product_id, day as invoice_date, 'invoice' as document_type, qty as quantity, "
    "cost as cost_amount, amount as net_amount from book_lines",
}


@pytest.fixture(scope="module")
def player(cluster, tmp_path_factory) -> Iterator[Player]:
    sources = tmp_path_factory.mktemp("sources")
    (sources / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    selects = sources / "office" / "erp"
    selects.mkdir(parents=True)
    for entity, select in SELECTS.items():
        (selects / f"{entity}.sql").write_text(select)
    folder = tmp_path_factory.mktemp("office")
    (selects.parent / "source.yml").write_text(
        yaml.safe_dump(
            {
                "name": "office",
                "base_currency": "EUR",
                "systems": {"erp": {"kind": "files", "path": str(folder)}},
            }
        )
    )
    (folder / "book.xlsx").write_bytes(Book(lines()).written())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SOURCES", sources)
        player = Player(cluster, "office", folder)
        player.prepare()
        yield player
        player.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_workbook_is_read_right_or_refused(player, part):
    player.faults.clear()
    player.outcomes.clear()
    for seed in range(part, SEEDS, PARTS):
        book = mutated(seed)
        (player.folder / "book.xlsx").write_bytes(book.written())
        player.play(f"seed {seed} {book.names}", book, is_second=seed % 3 == 0)
    assert not player.faults, f"{player.outcomes}\n" + "\n".join(player.faults)
    assert player.outcomes["accepted"] > 0
    assert player.outcomes["refused"] > 0
