"""What spares Great Expectations work that it repeats while it checks one table.

GX 1.24 makes an expectation's configuration and the expectation of a configuration anew whenever
it asks for them, some hundred times a rule, the identity of a metric's arguments from their JSON,
and its settings as YAML at every new data source. None of it changes while a suite runs; together
it was three quarters of the calls of a check. It also counts what it can count while it still finds
out what else there is to count, and so reads the table once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext


def unsaved(context: EphemeralDataContext) -> EphemeralDataContext:
    """Keep a context that lives in memory from writing its settings at each change of one."""
    setattr(context, _SAVE, lambda: None)
    return context


_SAVE = "_save_project_config"


@contextmanager
def remembered() -> Iterator[None]:
    """Let GX make only once, until its suite has run, what it asks for again and again; and count
    in one go."""
    from great_expectations.core.id_dict import IDDict
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.validator.validation_graph import ValidationGraph

    changed: dict[tuple[type, str], Callable[[Any], Any]] = {
        (Expectation, "configuration"): lambda its: property(_by_owner(its.fget)),
        (ExpectationConfiguration, "to_domain_obj"): _by_owner,
        (IDDict, "to_id"): _by_content,
        (ValidationGraph, "_parse"): _counts_last,
    }
    with ExitStack() as undo:
        for (owner, name), change in changed.items():
            before = vars(owner)[name]
            undo.callback(setattr, owner, name, before)
            setattr(owner, name, change(before))
        yield


def _by_owner(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a thing once per object; the object is kept too, so that its id stays its own."""
    made: dict[int, tuple[Any, Any]] = {}

    def once(owner: Any) -> Any:
        if id(owner) not in made:
            made[id(owner)] = owner, make(owner)
        return made[id(owner)][1]

    return once


def _by_content(identify: Callable[..., Any]) -> Callable[..., Any]:
    """Identify a dictionary once per content and types (1 is not True), unless it holds a list."""
    known: dict[Any, Any] = {}

    def once(content: dict[str, Any], *keys: Any, **more: Any) -> Any:
        items = (*((key, type(value), value) for key, value in content.items()), keys, str(more))
        try:
            if items not in known:
                known[items] = identify(content, *keys, **more)
        except TypeError:  # what has no hash
            return identify(content, *keys, **more)
        return known[items]

    return once


def _counts_last(ready_and_needed: Callable[..., Any]) -> Callable[..., Any]:
    """Hold back what is counted while anything else can be made, so that one query counts all."""
    made: dict[int, set[Any]] = {}

    def held_back(graph: Any, metrics: dict[Any, Any]) -> tuple[set[Any], set[Any]]:
        ready, needed = ready_and_needed(graph, metrics)
        others = {metric for metric in ready if not metric.metric_name.endswith("_count")}
        names = {metric.id for metric in others}
        if not others or names == made.get(id(graph)):  # what cannot be made is ready for ever
            return ready, needed
        made[id(graph)] = names
        return others, needed | (ready - others)

    return held_back
