"""Is the data fit to be used? Great Expectations decides, our SQL acts on what it decided.

The suites are data, in `expectations/`: one per entity of the contract, checked on its stage table
before a row reaches `raw`, and one per published table, checked in `candidate` before a night is
published. A loader goes through an entity in this order:

1. COPY into the stage table;
2. `quarantine.collapse_duplicates`, and for an incremental extract `quarantine.reoffer`; commit,
   since Great Expectations reads over a connection of its own;
3. `check_entity` and `results.store`; then `decide`, which stops the run or returns warnings;
4. in the transaction that loads the rows: `quarantine.move_bad_rows` and `quarantine.resolve`.

Great Expectations takes seconds to import, so nothing here imports it at the top.
"""

from customer_tiers.quality import docs, quarantine, results, stewardship, suites
from customer_tiers.quality.check import (
    PLAUSIBLE_FUTURE,
    check_entity,
    check_published,
    run_suite,
)
from customer_tiers.quality.decision import decide
from customer_tiers.quality.results import Outcome

__all__ = [
    "PLAUSIBLE_FUTURE",
    "Outcome",
    "check_entity",
    "check_published",
    "decide",
    "docs",
    "quarantine",
    "results",
    "run_suite",
    "stewardship",
    "suites",
]
