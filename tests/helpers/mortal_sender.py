"""A sender that dies: forks a child per line of stdin that kills itself at that step of a sending.

A step is a moment before or after a statement to the warehouse, a line to the mail server or an
answer of it. Prints for each whether the child was killed. `python mortal_sender.py URL PORT`
"""

from __future__ import annotations

import os
import signal
import smtplib
import sys
from collections.abc import Callable
from email.headerregistry import Address
from functools import cache
from typing import Any

import psycopg

from customer_tiers import connections, mail
from customer_tiers.connections import Smtp
from customer_tiers.outbox import ops, rows, sending


def die_at(step: int) -> None:
    """Make the process kill itself at the given step from now on."""
    left = [step]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            count()
            result = function(*arguments, **options)
            count()
            return result

        return call

    psycopg.Cursor.execute = counted(psycopg.Cursor.execute)  # type: ignore[method-assign]
    for name in ("connect", "send", "getreply"):
        setattr(smtplib.SMTP, name, counted(getattr(smtplib.SMTP, name)))


@cache
def write_once(url: str) -> None:
    """Write all mails, so that no child has to load templates and locales again."""
    with psycopg.connect(url) as connection:
        for row in rows.list_(connection):
            mail.build_message(row, Address("", "tiers", "example.com"))


def main() -> None:
    """Serve the steps that are asked for."""
    url, port = sys.argv[1], int(sys.argv[2])
    server = Smtp("127.0.0.1", port, None, None, "tiers@example.com", False, False, 5.0)
    connections.smtp = lambda: server
    ops._recipients = lambda source: []
    assert not {"airflow", "dbt", "great_expectations"} & set(sys.modules)
    for line in sys.stdin:
        write_once(url)
        child = os.fork()
        if child == 0:
            die_at(int(line))
            sending.send_pending(url)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "ended", flush=True)


if __name__ == "__main__":
    main()
