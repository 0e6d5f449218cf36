"""What ddsetup set on a function and may take back: what its record names and nobody changed since. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ddsetup.facts import catalog, recognise
from ddsetup.model.states import FunctionState, TagsState
from ddsetup.plan.steps.instrument.subject import Subject


@dataclass(frozen=True, slots=True)
class Former:
    """Owned keys that are still as ddsetup left them: `now`, and what was there before it came (`was`).

    A key that is missing on a side was not set.
    """

    now: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset((*self.now, *self.was))


def former(live: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]) -> Former:
    """Of what a record says those keys that nobody has touched since."""
    keys = [key for key in {*before, *after} if live.get(key) == after.get(key)]
    return Former(
        {key: after[key] for key in keys if key in after}, {key: before[key] for key in keys if key in before}
    )


def variables_of(subject: Subject) -> Former:
    """The function's variables that ddsetup set, or took out."""
    before, after = _states(subject)
    return former(subject.env, before.env, after.env)


def owned_env(subject: Subject) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The variables that ddsetup set, and those values of them that were there before."""
    before, after = _states(subject)
    return after.env, before.env


def owned_variables(subject: Subject) -> frozenset[str]:
    """The names of variables that ddsetup wrote, whatever has become of them."""
    before, after = _states(subject)
    return frozenset((*before.env, *after.env))


def tags_of(subject: Subject) -> Former:
    """The function's tags that ddsetup set."""
    applied = subject.tags_applied
    before, after = (applied.before, applied.after) if applied else (None, None)
    return former(
        subject.tags,
        before.tags if isinstance(before, TagsState) else {},
        after.tags if isinstance(after, TagsState) else {},
    )


def owned_tags(subject: Subject) -> frozenset[str]:
    """The keys of the function's tags that ddsetup wrote, whatever has become of them."""
    applied = subject.tags_applied
    after = applied.after if applied else None
    return frozenset(after.tags if isinstance(after, TagsState) else ())


def put_layers(subject: Subject) -> frozenset[str]:
    """The names of layers that ddsetup attached and that were not there before in any version."""
    before, after = _states(subject)
    names = [
        {layer.name for layer in map(catalog.parse_layer, state.layers) if layer is not None}
        for state in (before, after)
    ]
    return frozenset(names[1] - names[0])


def had_datadog(subject: Subject) -> bool:
    """Whether Datadog was in the function before ddsetup came, as far as the record tells."""
    before, _after = _states(subject)
    layers = any(parsed and parsed.role for parsed in map(catalog.parse_layer, before.layers))
    return layers or recognise.is_datadog_handler(before.handler)


def log_level_of(subject: Subject) -> tuple[str, str] | None:
    """The system log level that ddsetup set and the one before, while it is still so."""
    before, after = _states(subject)
    now, was = after.system_log_level, before.system_log_level
    still = now and was and now != was and subject.function.system_log_level == now
    return (now, was) if still and now and was else None


def _states(subject: Subject) -> tuple[FunctionState, FunctionState]:
    applied = subject.applied
    if applied is None:
        return FunctionState(), FunctionState()
    before, after = applied.before, applied.after
    assert isinstance(before, FunctionState)
    assert isinstance(after, FunctionState)
    return before, after
