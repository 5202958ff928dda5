"""Where things are: the project's folders and the folder that holds everything made at run time."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(os.environ.get("CUSTOMER_TIERS_PROJECT") or Path(__file__).resolve().parents[2])
"""The checked-out project: the folder that holds dags/, dbt_project/, sources/ and the others."""

HOME = Path(os.environ.get("CUSTOMER_TIERS_HOME") or PROJECT / "var").resolve()
"""Everything made at run time: database cluster, Airflow's home, mails, logs, secrets."""

DAGS = PROJECT / "dags"
PLUGINS = PROJECT / "plugins"
DBT_PROJECT = PROJECT / "dbt_project"
EXPECTATIONS = PROJECT / "expectations"
SOURCES = PROJECT / "sources"

MAIL_FOLDER = HOME / "mail"
"""The embedded mail sink keeps each mail here as one .eml file."""

DATA_DOCS = HOME / "data_docs"
"""Great Expectations' own pages, one folder per source."""

DEFAULT_SOURCE = os.environ.get("CUSTOMER_TIERS_SOURCE", "sample")
"""The company that a scheduled night and a command without --source work on."""

TIMEZONE = os.environ.get("CUSTOMER_TIERS_TIMEZONE") or "UTC"
"""Name of the time zone in which the company's days begin; see `time_zone`."""

RECEIPT_NIGHTS = int(os.environ.get("CUSTOMER_TIERS_RECEIPT_NIGHTS", "62"))
"""How many days back receipts are kept for every night; older ones for the last night of a month.
Two months and a day or so: a month can be looked at until the next one is closed."""

LOADER_MEMORY = os.environ.get("CUSTOMER_TIERS_LOADER_MEMORY") or "96MB"
"""What DuckDB may hold while a loader reads files or an API, before it writes to disk. The process
itself, with Great Expectations, has some 300 MB, and 400 is what a loader may take."""

FLAP_DAYS = 180
"""Two changes of a customer's tier in opposite directions, fewer than so many days apart, are a
flap: in nights, monthly mails and simulations alike; also `flap_days` of
dbt_project/macros/holding.sql. Half a year: with 30 days between changes, a tier can swing there
and back twice, and a season once."""

RECORD_DAYS = 400
"""How many days records of runs are kept: a year, and what it is compared with."""

SIMULATIONS = HOME / "simulations"
"""Reports of the DAG simulate_tier_policy, a text file per run."""

PAGE_URL = os.environ.get("CUSTOMER_TIERS_PAGE_URL") or None
"""Where the recipients of mails can look further: a dashboard over `bi`; mails link to it."""
