"""Publish a version of what was instrumented, and let the aliases serve it.

A published version never changes (Lambda developer guide, versions), so an alias goes on serving what it
served. It is moved only if what it would serve is what it serves now but for Datadog: code and settings of
`$LATEST` that nobody has released are not released by ddsetup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddsetup.facts import catalog, recognise
from ddsetup.model.account import Alias, Function, Unreadable
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.states import REF_VERSION, AliasState
from ddsetup.plan.steps.instrument.subject import STEP, Subject

LATEST = "$LATEST"


def alias_resource(function: Function, alias: str) -> ResourceId:
    """An alias as a resource: its ARN."""
    return ResourceId("alias", f"{function.arn}:{alias}", function.region, function.account)


def served_versions(subject: Subject) -> tuple[Alias, ...]:
    """The function's aliases that serve a published version."""
    aliases = subject.lane.aliases.get(subject.function.arn, ())
    return tuple(alias for alias in aliases if alias.version != LATEST)


def behind(function: Function, served: Function) -> bool:
    """Whether a version lacks what Datadog needs of `$LATEST` as it is now."""
    return _datadogs(function) != _datadogs(served)


def aliases_moved(subject: Subject, changed: Change | None) -> Plan:
    """The aliases that are to serve a new version, or why they stay. `changed`: the function's own change."""
    changes, skipped = [], []
    for alias in served_versions(subject):
        served = subject.lane.versions.get(f"{subject.function.arn}:{alias.version}")
        if isinstance(served, Function) and changed is None and not behind(subject.function, served):
            continue
        reason = _stays(subject, alias, served)
        resource = alias_resource(subject.function, alias.name)
        if reason:
            fix = "publish a version and move the alias as you always do"
            skipped.append(Skipped(resource=resource, status="skipped", reason=reason, fix=fix, step=STEP))
            continue
        changes.append(_move(subject, alias, changed))
    return Plan(changes=tuple(changes), skipped=tuple(skipped))


def _move(subject: Subject, alias: Alias, changed: Change | None) -> Change:
    notes = [f"traffic by {alias.name} runs the new version at once; version {alias.version} stays"]
    if subject.function.snap_start == "PublishedVersions":
        notes.append("AWS first makes its snapshot (SnapStart), which takes minutes")
    notes.extend(_kept_warm(subject, alias))
    name = subject.function.name
    return Change(
        step=STEP,
        resource=alias_resource(subject.function, alias.name),
        before=AliasState(function=name, alias=alias.name, version=alias.version),
        after=AliasState(function=name, alias=alias.name, version=REF_VERSION),
        why="publishes a version, and serves it: a published one never changes",
        needs=(changed.resource,) if changed is not None else (),
        note="; ".join(notes),
    )


def _kept_warm(subject: Subject, alias: Alias) -> Iterator[str]:
    """What becomes of the environments that are kept warm for the alias (Lambda developer guide,
    "Configuring provisioned concurrency")."""
    kept = subject.lane.provisioned.get(subject.function.arn)
    if kept is None:
        yield "provisioned concurrency of the alias, if any, is allocated anew"
    elif count := kept.get(alias.name, 0):
        yield (
            f"its provisioned concurrency of {count} is taken from version {alias.version} and allocated to "
            "the new one, which takes minutes in which calls may start cold"
        )
    if kept and (count := kept.get(alias.version, 0)):
        yield (
            f"version {alias.version} keeps its own provisioned concurrency of {count}, billed by AWS until "
            "it is deleted"
        )


def versions_called(subject: Subject) -> tuple[str, ...]:
    """The published versions that were called by their number: no alias that moves reaches such callers."""
    qualifiers = subject.lane.qualifiers
    if isinstance(qualifiers, Unreadable | None):
        return ()
    return tuple(each for each in qualifiers.get(subject.function.name, ()) if each.isdecimal())


def _stays(subject: Subject, alias: Alias, served: Function | Unreadable | None) -> str:
    """Why the alias must not be moved; empty if it can be."""
    if alias.weighted:
        return "it splits its traffic between two versions: a deployment is under way"
    if served is None:
        return f"what its version {alias.version} is was not looked at"
    if isinstance(served, Unreadable):
        return f"what its version {alias.version} is cannot be read (needs {served.action})"
    differing = ", ".join(_differing(subject.function, served))
    if differing:
        return f"its version {alias.version} is not what $LATEST is ({differing}), which is not released yet"
    return ""


def _differing(function: Function, served: Function) -> Iterator[str]:
    """What differs between `$LATEST` and a version besides Datadog, by name; never a value."""
    same = {
        "code": (function.code_sha256, served.code_sha256),
        "runtime": (function.runtime, served.runtime),
        "architecture": (function.architecture, served.architecture),
        "handler": (recognise.own_handler(function), recognise.own_handler(served)),
        "memory": (function.memory, served.memory),
        "timeout": (function.timeout, served.timeout),
        "role": (function.role, served.role),
        "layers": (_other_layers(function), _other_layers(served)),
        "variables": (_other_variables(function), _other_variables(served)),
    }
    yield from (name for name, (ours, theirs) in same.items() if ours != theirs)


def _datadogs(function: Function) -> tuple[object, ...]:
    env = function.env or {}
    layers = tuple(str(layer) for layer in recognise.datadog_layers(function))
    return function.handler, layers, {name: env[name] for name in env if _is_datadogs(name)}


def _other_layers(function: Function) -> tuple[str, ...]:
    ours = {str(layer) for layer in recognise.datadog_layers(function)}
    return tuple(layer.arn for layer in function.layers if layer.arn not in ours)


def _other_variables(function: Function) -> Mapping[str, str] | None:
    if function.env is None:
        return None
    return {name: value for name, value in function.env.items() if not _is_datadogs(name)}


def _is_datadogs(name: str) -> bool:
    return name.startswith(("DD_", "DATADOG_")) or name == catalog.WRAPPER_VARIABLE
