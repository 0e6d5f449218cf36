"""Kinds of functions that Lambda runs in another way: managed instances, durable executions, tenants.

Sources: Lambda developer guide (managed instances, version publishing; durable functions; tenant isolation),
Datadog's documentation of the first two.
"""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.model.account import Unreadable
from ddsetup.plan.steps.durable import STACK, durable_stack
from ddsetup.plan.steps.instrument.layers import Layers
from ddsetup.plan.steps.instrument.subject import Subject

DURABLE_LINES = "5"
"""How many log lines the Extension keeps back until it knows their execution; at 0, its default, executions
do not appear."""
_DURABLE_NEEDS = {"node": 142, "python": 127, "extension": 99}
_MANAGED_EXTENSION = 90


def special_notes(subject: Subject, layers: Layers) -> list[str]:
    """What is different about the function, and what this change does not do about it."""
    return [*_managed(subject, layers), *_durable(subject, layers), *_tenants(subject)]


def _managed(subject: Subject, layers: Layers) -> Iterator[str]:
    if not subject.function.managed_instances:
        return
    if subject.answers.publish:
        yield "runs on managed instances: what is written is published at once, for calls run nothing else"
    else:
        yield (
            "runs on managed instances, where calls run $LATEST.PUBLISHED: nothing changes for them until a "
            "version is published there, which --publish does"
        )
    extension = layers.extension
    if extension is not None and extension.version < _MANAGED_EXTENSION:
        yield f"{extension.label} does not know managed instances; {_MANAGED_EXTENSION} and newer do"


def _durable(subject: Subject, layers: Layers) -> Iterator[str]:
    if not subject.function.durable:
        return
    if not subject.extension:
        yield "durable: Datadog shows its executions only through the Extension (--via extension)"
        return
    found = durable_stack(subject.lane)
    if not subject.answers.durable_events and (found is None or isinstance(found, Unreadable)):
        yield f"durable: how its executions end is told by Datadog's stack {STACK}: --durable-events"
    family = subject.family.name if subject.family is not None else ""
    for layer, key in ((layers.library, family), (layers.extension, "extension")):
        least = _DURABLE_NEEDS.get(key, 0)
        if layer is not None and layer.version < least:
            yield f"{layer.label} does not know durable executions; {least} and newer do"


def _tenants(subject: Subject) -> Iterator[str]:
    if subject.function.tenant_isolation:
        yield "isolates tenants: each call must name one, so ddsetup does not invoke it"
