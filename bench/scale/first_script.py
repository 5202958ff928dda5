"""The peer that a team writes first: a pandas script that reads everything and ranks.

Contribution of twelve months up to freight (revenue less cost of goods and freight; a credit note
counts on the day of its sale, at that day's rate, each line rounded to the cent), and four classes
by share of the customers. It knows no cost to serve, no financing, no loyalty and no night before.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy

from customer_tiers import connections

LINES = """
    select line.document_no, line.origin_document_no, document.debtor_no, document.document_date,
        document.kind_code, document.currency_code, line.net_value, line.cost_value,
        line.freight_value
    from sales_document_line as line
    join sales_document as document on line.document_no = document.document_no
    where document.state_code = 'POSTED'
"""
CLASSES = {"key": 0.05, "major": 0.2, "regular": 0.5, "low": 1.0}
CHUNK = 500_000


def read(url: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """All lines, rates and customers."""
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect().execution_options(stream_results=True) as connection:
        chunks = pd.read_sql(
            sqlalchemy.text(LINES), connection, chunksize=CHUNK, parse_dates=["document_date"]
        )
        lines = pd.concat(list(chunks), ignore_index=True)
        rates = pd.read_sql(sqlalchemy.text("select * from exchange_rate"), connection)
        customers = pd.read_sql(sqlalchemy.text("select debtor_no, name1 from debtor"), connection)
    return lines, rates, customers


def rank(
    lines: pd.DataFrame, rates: pd.DataFrame, customers: pd.DataFrame, day: date
) -> pd.DataFrame:
    """Contribution and class per customer for the twelve months up to a day."""
    sold = lines.drop_duplicates("document_no").set_index("document_no")["document_date"]
    lines["day"] = lines["origin_document_no"].map(sold).fillna(lines["document_date"])
    end = pd.Timestamp(day)
    in_window = (lines["day"] > end - pd.DateOffset(months=12)) & (lines["day"] <= end)
    lines = lines[in_window & (lines["document_date"] <= end)].sort_values("day")
    rates["valid_from"] = pd.to_datetime(rates["valid_from"])
    rates = rates.sort_values("valid_from")
    lines = pd.merge_asof(lines, rates, left_on="day", right_on="valid_from", by="currency_code")
    micro = (lines["eur_per_unit"].fillna(1.0) * 1e6).round().astype("int64")
    sign = np.where(lines["kind_code"] == "CRN", -1, 1)

    def euros(column: str, sign: np.ndarray | int) -> pd.Series:
        cents = (lines[column] * 100).round().astype("int64")
        return sign * ((cents * micro + 500_000) // 1_000_000)

    lines["cents"] = (
        euros("net_value", sign) - euros("cost_value", sign) - euros("freight_value", 1)
    )
    ranked = customers.merge(
        lines.groupby("debtor_no")["cents"].sum().reset_index(), on="debtor_no", how="left"
    )
    ranked["contribution"] = ranked["cents"].fillna(0) / 100
    place = ranked["contribution"].rank(ascending=False, method="first") / len(ranked)
    ranked["class"] = pd.cut(place, [0, *CLASSES.values()], labels=list(CLASSES))
    return ranked


def main(target: Path, day: date) -> None:
    started = time.perf_counter()
    lines, rates, customers = read(connections.system("erp", "sample_erp"))
    has_read = time.perf_counter()
    ranked = rank(lines, rates, customers, day)
    done = time.perf_counter()
    ranked[["debtor_no", "contribution"]].to_csv(target, index=False, header=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"read": has_read - started, "compute": done - has_read, "peak_mb": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
