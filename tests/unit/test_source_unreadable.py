"""A value that a SELECT casts and cannot read is named by its row, its file and its column."""

from __future__ import annotations

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.sources import files
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window

PRODUCTS = contract.load().entities["erp.products"]
FORMS = {
    "cost::decimal(18, 2)": ("cost", "n/a"),
    "strptime(day, '%d.%m.%Y')::date": ("day", "31.02.2026"),
    "date_diff('day', day::date, date '2026-01-01')": ("day", "soon"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", ["from t", "from t join u using (k)", "from (select * from t)"])
def test_the_value_is_named_and_tried_values_wait(tmp_path, form, shape):
    column, bad = FORMS[form]
    good = {"cost": "1.5", "day": "2026-01-01" if "::date," in form else "01.02.2026"}
    for number in (1, 2):
        rows = [(f"{number}{at}", dict(good)) for at in range(9)]
        if number == 2:
            rows[6][1][column] = bad
        text = "".join(f"{key};{row['cost']};{row['day']}\n" for key, row in rows)
        (tmp_path / f"t{number}.csv").write_text("k;cost;day\n" + text)
    (tmp_path / "u.csv").write_text("k\n" + "".join(f"{n}\n" for n in range(10, 30)))
    system = System("shop", "erp", "files", {"tables": {"t": {"files": "t*.csv"}}})

    def sent(value: str) -> str:
        query = f"select k as product_id, k as name, {value} as standard_cost {shape}"
        with files.connect(system, str(tmp_path)) as folder:
            extract = files.FileExtract(folder, "shop", PRODUCTS, query)
            return b"".join(map(bytes, extract.copy_csv(Window()))).decode()

    with pytest.raises(UserError) as caught:
        sent(form)
    for word in ("row 26 (t2.csv, row 7", f"column {column}: {bad!r}", "try_cast"):
        assert word in str(caught.value)
    assert "26,26," in sent(f"try({form})")
