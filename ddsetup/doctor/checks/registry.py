"""Every check there is, in one table, and those that a person chose of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType

from ddsetup.doctor.checks import (
    arrival,
    collection,
    cost,
    credentials,
    deliveries,
    environment,
    forwarder,
    forwarder_health,
    functions,
    instrumented,
    integration,
    integration_role,
    library,
    local,
    log_groups,
    metric_streams,
    permissions,
    running,
    state_machines,
)
from ddsetup.doctor.checks.check import GROUPS, Check
from ddsetup.doctor.checks.road import with_causes
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.report import Severity

_MODULES: tuple[ModuleType, ...] = (
    local,
    credentials,
    permissions,
    integration_role,
    integration,
    metric_streams,
    deliveries,
    forwarder,
    forwarder_health,
    collection,
    state_machines,
    functions,
    instrumented,
    running,
    library,
    environment,
    log_groups,
    arrival,
    cost,
)


def _of(module: ModuleType) -> Iterator[Check]:
    """The checks of a module, in the order in which they stand there."""
    for value in vars(module).values():
        yield from value if value is arrival.OF_SIGNALS else (value,) if isinstance(value, Check) else ()


CHECKS: tuple[Check, ...] = with_causes([check for module in _MODULES for check in _of(module)])
BY_ID: Mapping[str, Check] = {check.id: check for check in CHECKS}

WEIGHT: Mapping[Severity, int] = {"error": 2, "warning": 1, "info": 0}


def find(id: str) -> Check:  # noqa: A002 - that is what it is
    """The check of that id. Raises UsageError, which names the nearest."""
    if id in BY_ID:
        return BY_ID[id]
    fix = did_you_mean(id, BY_ID, "`ddsetup doctor --list` shows them all")
    raise UsageError(f"there is no check {id!r}", fix=fix)


def choose(only: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks that are meant; an entry is the id of a check or the name of a group.

    Raises UsageError for what is neither.
    """
    wanted, unwanted = _ids(only), _ids(skip)
    return tuple(c for c in CHECKS if (not only or c.id in wanted) and c.id not in unwanted)


def _ids(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        group = name.replace("-", " ").replace("_", " ")
        found |= {c.id for c in CHECKS if c.group == group} if group in GROUPS else {find(name).id}
    return found
