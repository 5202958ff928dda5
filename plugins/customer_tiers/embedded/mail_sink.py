"""A real SMTP server on loopback that keeps every mail as one .eml file and delivers none.

Run as ``python -m customer_tiers.embedded.mail_sink --port N --folder F``. A mail is acknowledged
only after its file is in place, and the files' names sort by arrival.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from customer_tiers import settings
from customer_tiers.embedded import files
from customer_tiers.errors import UserError

PREFERRED_PORT = 2525
"""Where mail servers for development usually listen when 25 is not allowed."""

LARGEST_MAIL = 100 * 2**20
"""Bytes; far above what real servers accept, so that the sink is never the limit."""


def port(home: Path = settings.HOME) -> int:
    """Return the port of the sink, as it was last started."""
    try:
        return int((home / "run" / "mail.port").read_text())
    except (OSError, ValueError):
        return PREFERRED_PORT


class Sink:
    """Keeps the mails of a server in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last = self._latest()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Write one mail; called by aiosmtpd when all of it has arrived."""
        try:
            self._keep(self._envelope(envelope) + (envelope.content or b""))
        except (OSError, UserError) as error:
            return f"451 4.3.0 {error}"
        return "250 2.0.0 kept"

    def _keep(self, mail: bytes) -> None:
        self._last = max(time.time_ns(), self._last + 1)  # later, even if the clock goes back
        files.make_folder(self.folder)
        path = self.folder / f"{self._last:020d}.eml"
        unfinished = path.with_suffix(".tmp")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(mail)
        unfinished.replace(path)

    def _latest(self) -> int:
        names = [path.stem for path in self.folder.glob("*.eml") if path.stem.isdigit()]
        return int(max(names, default="0"))

    @staticmethod
    def _envelope(envelope: Any) -> bytes:
        """Header lines as a delivering server writes them; the only trace of Bcc recipients."""
        sender = parseaddr(envelope.mail_from or "")[1]
        lines = [f"Return-Path: <{sender}>"]
        lines += [f"Delivered-To: {recipient}" for recipient in envelope.rcpt_tos]
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


async def serve(listen_on: int, folder: Path) -> None:
    """Serve until the process is told to end."""
    from aiosmtpd.smtp import SMTP

    files.make_folder(folder)
    sink = Sink(folder)

    def session() -> SMTP:
        return SMTP(
            sink,
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="customer-tiers mail sink",
        )

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    server = await loop.create_server(session, files.LOOPBACK, listen_on)
    print(f"listening on {files.LOOPBACK}:{listen_on}, keeping mails in {folder}", flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Keep mails as files, deliver none.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, default=settings.MAIL_FOLDER)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.folder))


if __name__ == "__main__":
    main()
