"""The tables of the monthly review: the pyramid, the migration, and how reliable both are."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from customer_tiers.digest.model import Digest, Layer, Review
from customer_tiers.digest.table import Cell, Table, bar
from customer_tiers.digest.wording import Words


def tables(digest: Digest, words: Words) -> Iterator[Table]:
    """Yield the pyramid and the migration matrix; nothing for a mail without a review."""
    if digest.review is None:
        return
    yield _pyramid(digest.review, words)
    if digest.review.migrations and digest.review.compared_with:
        yield _migration(digest.review, words)


def reliability(digest: Digest, words: Words) -> Iterator[str]:
    """Yield what is known about the quality of the month's figures."""
    review = digest.review
    if review is None:
        return
    share = Decimal(review.customers_flapped) / review.customers if review.customers else None
    yield words.text(
        "review.flapped",
        flapped=words.whole(review.customers_flapped),
        customers=words.counted("customers", review.customers),
        share=words.percent(share),
        days=review.flap_days,
    )
    yield words.text(
        "review.nights",
        published=words.counted("review.night", review.nights_published),
        refused=words.whole(review.nights_refused),
    )
    if review.customers_restated:
        restated = words.counted("customers", review.customers_restated)
        yield words.text("review.restated", customers=restated)
    known = digest.quality
    if not known.rows_quarantined and not known.missing_entities:
        yield words.text("review.complete")


def _pyramid(review: Review, words: Words) -> Table:
    most = max((layer.contribution_share or Decimal(0) for layer in review.layers), default=0)
    rows = []
    for layer in review.layers:
        share = layer.contribution_share
        rows.append(
            (
                Cell(words.tier(layer.tier)),
                Cell(_compared(layer, words), is_number=True),
                Cell(
                    words.money(layer.contribution_12m),
                    note=_moved(layer, words),
                    is_number=True,
                ),
                Cell(
                    words.percent(share),
                    is_number=True,
                    bar=bar(share or Decimal(0), Decimal(most)),
                ),
            )
        )
    names = ("tier", "customers", "contribution", "share")
    head = tuple(words.text(f"column.{name}") for name in names)
    if review.compared_with:
        note = words.text("review.month_before", date=words.date(review.compared_with))
    else:
        note = words.text("review.first_month")
    notes = [_capital(note)]
    if review.layers and all(layer.contribution_share is None for layer in review.layers):
        notes.append(words.text("review.no_shares"))
    return Table(
        words.text("pyramid"), head, tuple(rows), widths=(24, 22, 32, 22), notes=tuple(notes)
    )


def _compared(layer: Layer, words: Words) -> str:
    now = words.whole(layer.customers)
    if layer.customers_before is None:
        return now
    change = words.whole(layer.customers - layer.customers_before, signed=True)
    return words.text("review.customers_moved", now=now, change=change)


def _moved(layer: Layer, words: Words) -> str:
    if layer.contribution_12m_before is None:
        return ""
    return words.money(layer.contribution_12m - layer.contribution_12m_before, signed=True)


def _migration(review: Review, words: Words) -> Table:
    known = {(move.from_tier, move.to_tier): move for move in review.migrations}
    order = [layer.tier for layer in review.layers]
    befores = [tier for tier in order if any(start == tier for start, _ in known)]
    if any(start is None for start, _ in known):
        befores.append("")
    rows = []
    for start in befores:
        cells = [Cell(words.tier(start) if start else words.text("review.newcomer"))]
        for end in order:
            move = known.get((start or None, end))
            cells.append(
                Cell(
                    words.whole(move.customers),
                    note=words.compact_money(move.contribution_12m),
                    is_number=True,
                    is_strong=start == end,
                )
                if move
                else Cell("", is_number=True)
            )
        rows.append(tuple(cells))
    head = (words.text("column.from_tier"), *(words.tier(tier) for tier in order))
    width = 80 // max(len(order), 1)
    assert review.compared_with is not None  # noqa: S101 - the caller looked
    note = words.text("review.migration_note", date=words.date(review.compared_with))
    return Table(
        words.text("migration"),
        head,
        tuple(rows),
        widths=(100 - width * len(order), *([width] * len(order))),
        notes=(note,),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
