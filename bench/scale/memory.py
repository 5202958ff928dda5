"""Watch how large the processes of the services and the nights get."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import psutil

EVERY = 2.0
"""Seconds between two looks; what a step's process held at most, `ops.step_run` knows exactly."""


@contextlib.contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Collect, per kind of process below this HOME, the largest resident size in MB."""
    peaks: dict[str, float] = {}
    is_over = threading.Event()
    thread = threading.Thread(target=_watch, args=(peaks, is_over), daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        is_over.set()
        thread.join()


def _watch(peaks: dict[str, float], is_over: threading.Event) -> None:
    home = os.environ["CUSTOMER_TIERS_HOME"]
    while not is_over.wait(EVERY):
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid == os.getpid() or process.name() == "postgres":
                    continue
                if process.environ().get("CUSTOMER_TIERS_HOME") != home:
                    continue
                kind = _kind(process.cmdline())
                size = process.memory_info().rss / 2**20
                peaks[kind] = max(peaks.get(kind, 0), round(size))


def _kind(words: list[str]) -> str:
    line = " ".join(words)
    for kind in (
        "scheduler",
        "dag-processor",
        "triggerer",
        "api-server",
        "api_server",
        "scale.nights",
    ):
        if kind in line:
            return kind
    return "task" if "airflow" in line else os.path.basename(words[0]) if words else "?"
