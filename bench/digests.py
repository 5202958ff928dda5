"""How long does it take to write and hand over a night's digests? The limit is 5 seconds for 200.

    python bench/digests.py [--owners 200] [--customers 15]

Each owner gets one mail about that many customers. The mails go from the outbox of a real
PostgreSQL to a real SMTP server on loopback, each with its states committed before and after. The
yardstick is a bare smtplib loop that sends the same bytes over one connection to the same server
and remembers nothing.

    write      make the mails: text, HTML, table
    hand over  `tiers`' sending, writing included
    bare       smtplib alone, of mails that are written already
    ratio      hand over / bare
    CPU        of this process alone: what is left of it on a machine that is busy with other things

The services live in a folder of their own, which is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from email.headerregistry import Address
from email.policy import SMTP
from pathlib import Path
from typing import Any

NIGHT = date(2026, 6, 30)
SENDER = "tiers@example.com"
LIMIT = 5.0
SIGNALS = ("cadence_lapse", "shrinking_basket")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--owners", type=int, default=200)
    options.add_argument("--customers", type=int, default=15)
    wanted = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="customer-tiers-bench-"))
    home.chmod(0o755)  # root's PostgreSQL runs as nobody, who must get in
    os.environ["CUSTOMER_TIERS_HOME"] = str(home)
    try:
        measure(home, wanted.owners, wanted.customers)
    finally:
        from customer_tiers.embedded import postgres

        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def measure(home: Path, owners: int, customers: int) -> None:
    import psycopg

    from customer_tiers import mail, settings
    from customer_tiers.embedded import postgres
    from customer_tiers.outbox import fill, rows, sending

    url = postgres.start().ensure_database("bench")
    with psycopg.connect(url, autocommit=True) as connection, mail_server(home) as port:
        os.environ["AIRFLOW_CONN_SMTP"] = (
            f"smtp://127.0.0.1:{port}/?disable_ssl=true&disable_tls=true&from_email={SENDER}"
        )
        schema = settings.PLUGINS / "customer_tiers" / "warehouse_schema.sql"
        connection.execute(schema.read_text("utf-8"))
        for number in range(owners):
            fill.add(connection, digest(number, customers))

        sender = Address("", *SENDER.split("@"))
        found = rows.list_(connection)
        begun, busy = time.perf_counter(), time.process_time()
        mails = [mail.build_message(row, sender).as_bytes(policy=SMTP) for row in found]
        written, write_cpu = time.perf_counter() - begun, time.process_time() - busy

        bare = send_bare(port, mails)

        begun, busy = time.perf_counter(), time.process_time()
        summary = sending.send_pending(url)
        handed_over, cpu = time.perf_counter() - begun, time.process_time() - busy
    assert summary.sent == owners, summary
    size = sum(map(len, mails)) / len(mails) / 1000
    print(f"{owners} mails of {size:.0f} kB, {customers} customers each, {os.cpu_count()} cores")
    print(f"write      {written:6.2f} s, CPU {write_cpu:.2f} s")
    print(f"hand over  {handed_over:6.2f} s, CPU {cpu:.2f} s (limit {LIMIT:.0f} s for 200)")
    print(f"bare       {bare:6.2f} s")
    print(f"ratio      {handed_over / bare:6.1f}")
    if handed_over > LIMIT * max(1, owners / 200):
        sys.exit("too slow")


def send_bare(port: int, mails: list[bytes]) -> float:
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for number, content in enumerate(mails):
            client.sendmail(SENDER, f"o{number}@example.com", content)
    return time.perf_counter() - begun


@contextmanager
def mail_server(home: Path) -> Any:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    arguments = ["--port", str(port), "--folder", str(home / "mail")]
    command = [sys.executable, "-m", "customer_tiers.embedded.mail_sink", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        for _ in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
        server.terminate()


def digest(number: int, customers: int) -> Any:
    from customer_tiers.digest.compose import compose

    owner = f"O{number}"
    person = {
        "kind": "daily",
        "recipient_id": owner,
        "role": "owner",
        "recipient_name": f"Owner {number}",
        "channel": "mail",
        "address": f"o{number}@example.com",
        "locale": "zh_CN" if number % 4 == 0 else "en",
        "period_from": NIGHT,
        "period_until": NIGHT,
        "customers": customers,
        "customers_rest": 0,
        "customers_down": customers,
    }
    items = [item for place in range(customers) for item in news(owner, number, place)]
    (made,) = compose([person], items, business_date=NIGHT, base_currency="EUR", source="bench")
    return made


def news(owner: str, number: int, place: int) -> list[dict[str, Any]]:
    """A tier change of a customer, and a warning of every other."""
    about = {
        "kind": "daily",
        "recipient_id": owner,
        "role": "owner",
        "owner_id": owner,
        "owner_name": f"Owner {number}",
        "customer_id": f"{number:04}-{place:03}",
        "customer_name": f"Glashütte Völkermarkt {place} GmbH",
        "section": "main",
        "since": NIGHT,
        "amount_at_stake": Decimal(100 * (place + 1)),
        "customer_rank": place + 1,
    }
    change = {
        "topic": "tier_change",
        "cause": "own_change",
        "from_tier": "major",
        "to_tier": "regular",
        "direction": "down",
        "reason_code": "contribution_down",
        "main_driver": "net_revenue",
        "main_driver_change": Decimal(-700 * (place + 1)),
        "contribution_12m_before": Decimal(90000),
        "contribution_12m": Decimal(90000 - 100 * (place + 1)),
        "contribution_12m_change": Decimal(-100 * (place + 1)),
        "score_rank_before": 100,
        "score_rank": 140,
        "customers_ranked": 1100,
    }
    warning = {
        "topic": "early_warning",
        "cause": SIGNALS[place % len(SIGNALS)],
        "strength": 60,
        "baseline_value": Decimal(12),
        "current_value": Decimal(40),
        "value_unit": "days_between_orders",
    }
    return [about | change, about | warning] if place % 2 else [about | change]


if __name__ == "__main__":
    main()
