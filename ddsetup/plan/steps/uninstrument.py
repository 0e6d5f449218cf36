"""Take Datadog out of functions, whoever put it in and whether or not there is a journal of it.

Only what is known to be an instrumenter's goes: Datadog's layers, the redirected handler, the start-up
script, the variables that instrumenters set, ddsetup's own filters and marker. What a person may have set
stays and is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddsetup.facts import catalog, recognise
from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    OWN_PREFIX,
    describe,
    filter_resource,
    filter_state,
    group_resource,
)
from ddsetup.model.account import Function, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FunctionState, TagsState
from ddsetup.plan.steps.instrument.key_access import POLICY_NAME
from ddsetup.plan.steps.instrument.subject import Subject, subject_of, tags_resource
from ddsetup.plan.steps.instrument.tags import MARKER
from ddsetup.plan.steps.subscriptions.groups import can_have_filters, log_group_of
from ddsetup.plan.steps.wording import cannot_see

STEP = "uninstrument"
_OWN_MARKS = (MARKER, "dd_sls_ci")
"""Tags that say who instrumented a function beside its deployment; datadog-ci takes its own out as well. Left
behind, they would tell the doctor that a deployment took Datadog out."""


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """What taking Datadog out changes. Every function is in it, changed or not."""
    parts: list[Plan] = []
    markers: list[Plan] = []
    for function in selected:
        subject = subject_of(function, snapshot, answers)
        part = _function(subject)
        parts.append(part)
        if not any(s.status == "skipped" for s in part.skipped):
            markers.append(_marker(subject))
    parts += [*markers, *_filters(snapshot, answers, selected)]
    changes = tuple(change for part in parts for change in part.changes)
    return Plan(
        changes=changes,
        skipped=tuple(skipped for part in parts for skipped in part.skipped),
        warnings=(*(w for part in parts for w in part.warnings), *_policy_warning(changes)),
    )


def _policy_warning(changes: tuple[Change, ...]) -> tuple[str, ...]:
    states = [change.before for change in changes if isinstance(change.before, FunctionState)]
    if not any("DD_API_KEY_SECRET_ARN" in state.env for state in states):
        return ()
    return (f"roles keep the inline policy {POLICY_NAME}, if ddsetup put one there; undo takes it back",)


def groups_to_read(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters must be known before this can be planned."""
    del answers  # the same signature as that of the step subscriptions
    wanted: dict[Lane, dict[str, None]] = {}
    for function in selected:
        group = log_group_of(function)
        if can_have_filters(snapshot.lanes[function.lane], group):
            wanted.setdefault(function.lane, {})[group] = None
    return {lane: tuple(sorted(groups)) for lane, groups in sorted(wanted.items())}


def _function(subject: Subject) -> Plan:
    function = subject.function
    if subject.datadogs_own:
        return _skip(subject.resource, "unchanged", "it belongs to Datadog's own stacks")
    if function.package_type != "Zip":
        fix = "take Datadog out of the Dockerfile, and its variables out of the function"
        return _skip(subject.resource, "skipped", "it is a container image", fix)
    if function.env is None:
        key = function.kms_key_arn or "that encrypts it"
        fix = f"allow kms:Decrypt on the key {key}, then again"
        return _skip(
            subject.resource, "skipped", "its environment cannot be read, so a write would wipe it out", fix
        )
    if subject.owner is not None and subject.owner.datadogs and subject.answers.owned != "all":
        fix = "take it out of the rule there, which uninstruments it; or use --owned all"
        return _skip(
            subject.resource, "skipped", f"{subject.owner} instruments it, and would put it back", fix
        )
    if subject.owner is not None and not subject.answers.changes_owned:
        fix = f"take the Datadog settings out of {subject.owner.tool}'s files, or use --owned change"
        return _skip(subject.resource, "skipped", f"it is owned by {subject.owner}", fix)
    handler = recognise.own_handler(function)
    if handler is None and recognise.is_datadog_handler(function.handler):
        at = f"--function-name {function.name} --region {function.region}"
        return _skip(
            subject.resource,
            "skipped",
            f"its own handler is lost: {catalog.HANDLER_VARIABLE} does not name it",
            f"aws lambda update-function-configuration {at} --handler FILE.FUNCTION; then this again",
        )
    return _change(subject, handler)


def _change(subject: Subject, handler: str | None) -> Plan:
    function, env = subject.function, subject.env
    gone = removable(function, subject.tags)
    ours = {str(layer) for layer in recognise.datadog_layers(function)}
    arns = tuple(layer.arn for layer in function.layers)
    before = FunctionState(handler=function.handler, layers=arns, env={name: env[name] for name in gone})
    after = FunctionState(handler=handler, layers=tuple(arn for arn in arns if arn not in ours))
    stay = _staying(subject, gone)
    if before == after:
        return _skip(subject.resource, "unchanged", "; ".join(["nothing of Datadog is in it", *stay]))
    if subject.owner is not None:
        stay.append(f"owned by {subject.owner}, whose next deploy may bring it back")
    change = Change(
        step=STEP,
        resource=subject.resource,
        before=before,
        after=after,
        why="takes Datadog out of the function",
        precondition=function.revision_id,
        note="; ".join(stay),
    )
    return Plan(changes=(change,))


def removable(function: Function, tags: Mapping[str, str]) -> tuple[str, ...]:
    """The function's variables that an instrumenter set, so that nobody misses them.

    A unified tag goes only if its value is the one that an instrumenter derives: the function's name or its
    own resource tag. Key sources that hold a secret stay: no journal may know them, so no undo could.
    """
    env = function.env or {}
    derived = {
        "DD_SERVICE": {function.name, tags.get("service")},
        "DD_ENV": {tags.get("env")} if MARKER in tags else set(),
        "DD_VERSION": {tags.get("version")} if MARKER in tags else set(),
    }
    names = {name for name in catalog.INSTRUMENTER_VARIABLES if name in env}
    names |= {name for name, values in derived.items() if name in env and env[name] in values}
    names |= {name for name, value in catalog.DOTNET_PROFILER_VARIABLES.items() if env.get(name) == value}
    if env.get(catalog.WRAPPER_VARIABLE) == catalog.DATADOG_WRAPPER:
        names.add(catalog.WRAPPER_VARIABLE)
    return tuple(sorted(names))


def _staying(subject: Subject, gone: tuple[str, ...]) -> list[str]:
    names = sorted(n for n in subject.env if n.startswith(("DD_", "DATADOG_")) and n not in gone)
    secret = [name for name in names if name in catalog.SECRET_VARIABLES]
    others = [name for name in names if name not in catalog.SECRET_VARIABLES]
    notes = []
    if secret:
        notes.append(f"{', '.join(secret)} stays, as its value could not be given back; take it out by hand")
    if others:
        notes.append(f"stays, as you may have set it yourself: {', '.join(others)}")
    copies = [layer.label for layer in recognise.copied_layers(subject.function)]
    if copies:
        notes.append(f"stays, as it is not Datadog's own: layer {', '.join(copies)}")
    return notes


def _marker(subject: Subject) -> Plan:
    if isinstance(subject.lane.tags, Unreadable):
        reason = cannot_see("its tags", subject.lane.tags)
        return _skip(tags_resource(subject.function), "skipped", reason)
    marks = {name: subject.tags[name] for name in _OWN_MARKS if name in subject.tags}
    if not marks:
        return Plan()
    change = Change(
        step=STEP,
        resource=tags_resource(subject.function),
        before=TagsState(tags=marks),
        after=TagsState(),
        why="the mark of the instrumenter goes with what it marks",
        needs=(subject.resource,),
    )
    return Plan(changes=(change,))


def _filters(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Iterator[Plan]:
    """ddsetup's own filters go, unless functions that are not selected still need them."""
    chosen = {f.arn for f in selected}
    for lane, groups in groups_to_read(snapshot, answers, selected).items():
        held = snapshot.lanes[lane]
        others: dict[str, list[str]] = {}
        for function in () if isinstance(held.functions, Unreadable) else held.functions:
            if function.arn not in chosen:
                others.setdefault(log_group_of(function), []).append(function.name)
        for group in groups:
            filters = held.filters.get(group)
            if filters is None or isinstance(filters, Unreadable):
                why = "they were not looked at" if filters is None else cannot_see("them", filters)
                yield _skip(group_resource(group, lane), "skipped", f"its filters stay: {why}")
                continue
            yield from (_filter(found, others.get(group, []), lane) for found in filters)


def _filter(found: SubscriptionFilter, sharing: list[str], lane: Lane) -> Plan:
    resource = filter_resource(found.log_group, found.name, lane)
    if found.name.startswith(AUTOMATIC_PREFIX):
        reason = (
            "Datadog put it and would put it back: take the source lambda out of its log collection instead"
        )
        return _skip(resource, "skipped", reason)
    if not found.name.startswith(OWN_PREFIX):
        return Plan()
    if sharing:
        names = ", ".join(sharing[:3])
        return _skip(resource, "unchanged", f"other functions write to this log group, too: {names}")
    change = Change(
        step=STEP,
        resource=resource,
        before=filter_state(found),
        after=None,
        why="the Forwarder no longer gets this log group",
        note=f"removes {describe(found)}",
    )
    return Plan(changes=(change,))


def _skip(resource: ResourceId, status: str, reason: str, fix: str = "") -> Plan:
    skipped = Skipped(
        resource=resource,
        status="unchanged" if status == "unchanged" else "skipped",
        reason=reason,
        fix=fix,
        step=STEP,
    )
    return Plan(skipped=(skipped,))
