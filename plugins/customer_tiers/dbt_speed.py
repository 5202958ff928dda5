"""What spares dbt work that nobody needs while it runs inside this process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SWEEPS = (100_000, 20, 100)
"""Thresholds of the garbage collector; Python's own sweep after 700 new objects."""

READ = ("NodeFinished", "PrintEvent")
"""The events of dbt that somebody reads: see transform."""

_TEMPLATES: dict[Any, Any] = {}
"""What this process has compiled: environment and source -> code."""


@contextmanager
def spared() -> Iterator[None]:
    """Spare dbt all of it."""
    with seldom_swept(), unspoken(), unasked(), found_at_once(), logged_in(), compiled_once():
        yield


@contextmanager
def seldom_swept() -> Iterator[None]:
    """Keep Python's garbage collector from sweeping through the parsed project again and again.

    It took a seventh of dbt's time; without any sweep a night would hold 120 MB more.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SWEEPS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def unspoken() -> Iterator[None]:
    """Keep dbt from making and telling what nobody reads, some 25 events per node.

    They took a fifth of dbt's time.
    """
    from dbt_common.events import event_manager_client as client
    from dbt_common.events.base_types import BaseEvent
    from dbt_common.events.event_manager import EventManager

    class OnlyWhatIsRead(EventManager):
        def fire_event(self, e: BaseEvent, *args: Any, **kwargs: Any) -> None:
            if type(e).__name__ in READ:
                super().fire_event(e, *args, **kwargs)

    full = vars(BaseEvent)["__init__"]

    def make(event: BaseEvent, *args: Any, **kwargs: Any) -> None:
        name = type(event).__name__
        if name in READ:
            full(event, *args, **kwargs)
        else:
            event.pb_msg = getattr(event.PROTO_TYPES_MODULE, name)()

    before = client.get_event_manager()
    client.ctx_set_event_manager(OnlyWhatIsRead())
    with _instead(BaseEvent, "__init__", make):
        try:
            yield
        finally:
            client.ctx_set_event_manager(before)


@contextmanager
def unasked() -> Iterator[None]:
    """Keep dbt from searching the stack for the module that sets each of its behaviour flags.

    It is named in messages that nobody reads, and took half of the start of a run.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered

    with _instead(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt")):
        yield


@contextmanager
def found_at_once() -> Iterator[None]:
    """Look the 600 macros up in one dictionary per node, not in five one after the other.

    Each node takes all of them into its context, twice; looking took an eighth of dbt's time.
    """
    from dbt.context.macros import MacroNamespace

    def find(its: MacroNamespace, name: str) -> Any:
        if "_flat" not in vars(its):
            flat: dict[str, Any] = {}
            for each in reversed(list(its._search_order())):
                flat.update(each)
            vars(its)["_flat"] = flat
        return vars(its)["_flat"][name]

    with _instead(MacroNamespace, "__getitem__", find):
        yield


@contextmanager
def logged_in() -> Iterator[None]:
    """Let each thread keep its connection from node to node; dbt logs in anew for every one.

    A new process of PostgreSQL and its empty caches cost about as much as a node's statements. dbt
    closes what is open when a run ends; a connection that cannot be cleaned is closed at once.
    """
    from dbt.adapters.base.connections import BaseConnectionManager
    from dbt.adapters.contracts.connection import ConnectionState

    close = vars(BaseConnectionManager)["release"]

    def release(its: BaseConnectionManager) -> None:
        connection = its.get_if_exists()
        if connection is None or connection.state != ConnectionState.OPEN:
            return close(its)
        try:
            connection.handle.rollback()
            connection.transaction_open = False
        except Exception:  # whatever the driver raises of a connection that is gone
            close(its)

    with _instead(BaseConnectionManager, "release", release):
        yield


@contextmanager
def compiled_once() -> Iterator[None]:
    """Compile each template once per process: a replay or a backfill runs the same models again."""
    from jinja2 import Environment

    compile_anew = vars(Environment)["compile"]

    def compile_once(its: Environment, source: Any, *args: Any, **kwargs: Any) -> Any:
        key = (type(its), source, args, tuple(kwargs.items()))
        if key not in _TEMPLATES:
            _TEMPLATES[key] = compile_anew(its, source, *args, **kwargs)
        return _TEMPLATES[key]

    with _instead(Environment, "compile", compile_once):
        yield


@contextmanager
def _instead(owner: type, name: str, other: Any) -> Iterator[None]:
    before = vars(owner)[name]
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, before)
