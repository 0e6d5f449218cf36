"""Writes which tags of a metric can be queried, and whether it has percentiles."""

from __future__ import annotations

from dataclasses import fields

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, gone, moved
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.metric_tags import (
    create_configuration,
    delete_configuration,
    read_configuration,
    update_configuration,
)
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import NotFound
from ddsetup.model.states import MetricTagsState


class MetricTagsWriter(OneByOne):
    """Creates, changes and takes away tag configurations; what is there is compared in every field first."""

    def __init__(self, dd: Datadog) -> None:
        super().__init__(None)
        self._dd = dd

    def write_one(self, change: Change) -> Outcome:
        before, after = _state(change.before), _state(change.after)
        live = read_configuration(self._dd, change.resource.id)
        if live == after:
            return already_so(change) if after else gone(change)
        if live != before:
            what = differing(live, before) if live and before else "its tag configuration"
            return moved(change, what)
        self._send(before, after)
        left = read_configuration(self._dd, change.resource.id)
        if left != after:
            return failed(
                change, "Datadog keeps another configuration than was sent", "look at it in Datadog"
            )
        return applied(change)

    def _send(self, before: MetricTagsState | None, after: MetricTagsState | None) -> None:
        if after is None and before is not None:
            try:
                delete_configuration(self._dd, before.metric)
            except NotFound:
                return
        elif after is not None and before is None:
            try:
                create_configuration(self._dd, after)
            except Rejected as error:
                # A first attempt whose answer was lost took effect; the comparison afterwards decides.
                if error.status != 409:
                    raise
        elif after is not None:
            update_configuration(self._dd, after)


def differing(one: MetricTagsState, other: MetricTagsState) -> list[str]:
    """The names of the fields in which two configurations differ."""
    names = (field.name for field in fields(MetricTagsState))
    return [name.replace("_", " ") for name in names if getattr(one, name) != getattr(other, name)]


def _state(state: object) -> MetricTagsState | None:
    if state is not None and not isinstance(state, MetricTagsState):
        raise TypeError("not a change of a metric's tags")
    return state
