"""A real MariaDB from the system's packages, started for the tests that read one."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

PASSWORD = "p@ss/word"  # with the characters that an address must escape


def is_present() -> bool:
    """Whether the machine has a MariaDB server."""
    return bool(_program("mariadbd") and _program("mariadb-install-db"))


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")


@contextmanager
def running() -> Iterator[str]:
    """Start a server with an empty database `erp` and yield its URL; it is removed at the end."""
    user = "mysql" if os.geteuid() == 0 else getpass.getuser()
    with tempfile.TemporaryDirectory(prefix="customer-tiers-mariadb-") as folder:
        home = Path(folder)
        if os.geteuid() == 0:
            found = pwd.getpwnam(user)
            os.chown(home, found.pw_uid, found.pw_gid)
        start = home / "start.sql"
        statements = (  # one per line, as the server reads them
            "create database erp character set utf8mb4",
            "delete from mysql.global_priv where user = ''",
            "flush privileges",
            f"create user 'reader'@'%' identified by '{PASSWORD}'",
            "grant all on erp.* to 'reader'@'%'",
        )
        start.write_text("".join(f"{statement};\n" for statement in statements))
        start.chmod(0o644)
        common = ["--no-defaults", f"--datadir={home / 'data'}", f"--user={user}"]
        subprocess.run(
            [_program("mariadb-install-db"), *common, "--skip-test-db"],
            check=True,
            capture_output=True,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            [
                *(_program("mariadbd"), *common, f"--socket={home / 'socket'}"),
                *(f"--port={port}", "--bind-address=127.0.0.1", f"--init-file={start}"),
                *("--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            yield f"mysql://reader:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/erp"
        finally:
            server.terminate()
            server.wait(30)


def _wait(port: int) -> None:
    import pymysql

    deadline = time.monotonic() + 30
    while True:
        try:
            pymysql.connect(
                host="127.0.0.1", port=port, user="reader", password=PASSWORD, database="erp"
            ).close()
            return
        except pymysql.err.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
