"""Take Datadog out of functions, whoever put it in and whether or not there is a journal of it.

Only what is known to be an instrumenter's goes: Datadog's layers, the redirected handler, the start-up
script, the variables that instrumenters set, ddsetup's own filters and marker. What a person may have set
stays and is named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ddsetup.facts import catalog, recognise
from ddsetup.facts.account_policies import policies_of, policy_resource
from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    OWN_PREFIX,
    as_filter,
    describe,
    filter_resource,
    filter_state,
    group_resource,
)
from ddsetup.facts.ownership import MARK_OF_CI, MARKER
from ddsetup.facts.variables import SERVICE, VARIABLES
from ddsetup.model.account import Function, Integration, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Step
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import FunctionState, LogCollectionState, TagsState
from ddsetup.plan.steps.collection import LAMBDA_SOURCE, collection_id, going_with, subscribed
from ddsetup.plan.steps.forwarder_choice import lane_of
from ddsetup.plan.steps.instrument.key_access import revocations
from ddsetup.plan.steps.instrument.subject import Subject, function_resource, subject_of, tags_resource
from ddsetup.plan.steps.instrument.workload_identity import mappings_that_go
from ddsetup.plan.steps.subscriptions.evidence import OwnFilters
from ddsetup.plan.steps.subscriptions.groups import can_have_filters, log_group_of
from ddsetup.plan.steps.taken_back import had_datadog, log_level_of, owned_variables, tags_of, variables_of
from ddsetup.plan.steps.wording import cannot_see

STEP = Step("uninstrument")
_OWN_MARKS = (MARKER, MARK_OF_CI)
"""Tags that say who instrumented a function beside its deployment; datadog-ci takes its own out as well. Left
behind, they would tell the doctor that a deployment took Datadog out."""


def plan(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], also: Sequence[Function] = ()
) -> Plan:
    """What taking Datadog out changes. Every function is in it, changed or not.

    `also` are functions that stop reading the API key in the same run for another reason.
    """
    functions, leaving = functions_out(snapshot, answers, selected)
    roles = {function.role for function in leaving}
    policies, said = revocations((*leaving, *(f for f in also if f.role in roles)), snapshot, STEP)
    collection, ending = deregistration(snapshot, [f for f in leaving if recognise.has_datadog(f)])
    filters = filters_out(snapshot, answers, selected, ending)
    gone = {function.arn for function in leaving if recognise.has_datadog(function)}
    ended = [lane for lane in snapshot.lanes if _ends(lane, snapshot, gone)]
    needs = tuple(function_resource(function) for function in leaving if function.lane in ended)
    filters += policies_out(snapshot, ended, needs)
    policies = (*policies, *mappings_that_go(leaving, snapshot, STEP).changes)
    return functions + Plan(changes=policies, warnings=said) + filters + collection


def policies_out(snapshot: Snapshot, lanes: Iterable[Lane], needs: tuple[ResourceId, ...]) -> Plan:
    """The account's policies that ddsetup put go, in these lanes."""
    changes = (
        Change(
            step=STEP,
            resource=policy_resource(found.state.name, lane),
            before=found.state,
            after=None,
            why="no function there has Datadog any more, and all logs would go on being sent to it",
            needs=needs,
        )
        for lane in lanes
        for found in policies_of(snapshot.lanes[lane].account_filter_policies)
        if found.own
    )
    return Plan(changes=tuple(changes))


def functions_out(
    snapshot: Snapshot, answers: Answers, selected: Iterable[Function]
) -> tuple[Plan, tuple[Function, ...]]:
    """Functions and their tags, and those of them that Datadog is out of afterwards."""
    parts: list[Plan] = []
    markers: list[Plan] = []
    leaving: list[Function] = []
    for function in selected:
        subject = subject_of(function, snapshot, answers)
        part = _function(subject)
        parts.append(part)
        if not any(s.status == "skipped" for s in part.skipped):
            markers.append(_marker(subject))
            leaving.append(function)
    return Plan.joined((*parts, *markers)), tuple(leaving)


def deregistration(snapshot: Snapshot, leaving: Iterable[Function]) -> tuple[Plan, frozenset[Lane]]:
    """Forwarders leave an account's log collection with the last function of their region that has Datadog:
    else Datadog would go on sending, and billing, the logs of functions that nobody monitors.

    A Forwarder that has other sources keeps them. Gives the lanes, too, in which Datadog's filters go.
    """
    gone = {function.arn for function in leaving}
    changes, lanes = list[Change](), set[Lane]()
    for account, held in sorted(snapshot.accounts.items()):
        live = held.integration
        if not gone or not isinstance(live, Integration) or LAMBDA_SOURCE not in live.sources:
            continue
        ended = {lane for lane in snapshot.lanes if lane.account == account and _ends(lane, snapshot, gone)}
        arns = tuple(arn for arn in live.lambdas if lane_of(arn) in ended)
        before = going_with(arns, live)
        if set(live.sources) - {LAMBDA_SOURCE}:
            # Sources are the account's: one cannot be taken out for a single region.
            before = LogCollectionState(sources=before.sources)
        if before == LogCollectionState():
            continue
        lanes |= {lane for lane in map(lane_of, arns) if lane is not None}
        change = Change(
            step=STEP,
            resource=collection_id(account),
            before=before,
            after=LogCollectionState(),
            why="no function there has Datadog any more, and Datadog would go on sending their logs",
            needs=tuple(
                function_resource(f) for f in snapshot.functions() if f.arn in gone and f.lane in ended
            ),
            note="Datadog takes its own filters out, also those of functions that never had Datadog",
        )
        changes.append(change)
    return Plan(changes=tuple(changes)), frozenset(lanes)


def _ends(lane: Lane, snapshot: Snapshot, gone: Collection[str]) -> bool:
    """Whether functions of the lane are leaving, and none with Datadog stays. What cannot be seen may."""
    functions = snapshot.lanes[lane].functions
    if isinstance(functions, Unreadable) or not any(f.arn in gone for f in functions):
        return False
    forwarders = snapshot.lanes[lane].forwarders
    known = () if isinstance(forwarders, Unreadable) else [f.arn for f in forwarders]
    return not any(recognise.has_datadog(f) for f in functions if f.arn not in gone and f.arn not in known)


def groups_to_read(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters must be known before this can be planned, as evidence does not tell."""
    if answers.thorough:
        return log_groups(snapshot, selected)
    found: dict[Lane, tuple[str, ...]] = {}
    for lane, groups in log_groups(snapshot, selected).items():
        known = OwnFilters(lane, snapshot)
        if left := tuple(group for group in groups if known.of(group) is None):
            found[lane] = left
    return found


def log_groups(snapshot: Snapshot, selected: Iterable[Function]) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups of these functions that may have filters."""
    wanted: dict[Lane, dict[str, None]] = {}
    for function in selected:
        group = log_group_of(function)
        if can_have_filters(snapshot.lanes[function.lane], group):
            wanted.setdefault(function.lane, {})[group] = None
    return {lane: tuple(sorted(groups)) for lane, groups in sorted(wanted.items())}


def _function(subject: Subject) -> Plan:
    function = subject.function
    if subject.datadogs_own:
        return STEP.keep(subject.resource, "it belongs to Datadog's own stacks")
    if function.package_type != "Zip":
        fix = "take Datadog out of the Dockerfile, and its variables out of the function"
        return STEP.skip(subject.resource, "it is a container image", fix)
    if function.env is None:
        key = function.kms_key_arn or "that encrypts it"
        fix = f"allow kms:Decrypt on the key {key}, then again"
        return STEP.skip(
            subject.resource,
            "its environment cannot be read, so a write would wipe it out",
            fix,
        )
    if subject.owner is not None and subject.owner.datadogs and subject.answers.owned != "all":
        fix = "take it out of the rule there, which uninstruments it; or use --owned all"
        return STEP.skip(
            subject.resource,
            f"{subject.owner} instruments it, and would put it back",
            fix,
        )
    if subject.owner is not None and not subject.answers.changes_owned:
        fix = f"take the Datadog settings out of {subject.owner.tool}'s files, or use --owned change"
        return STEP.skip(subject.resource, f"it is owned by {subject.owner}", fix)
    handler = recognise.own_handler(function)
    if handler is None and recognise.is_datadog_handler(function.handler):
        at = f"--function-name {function.name} --region {function.region}"
        return STEP.skip(
            subject.resource,
            f"its own handler is lost: {catalog.HANDLER_VARIABLE} does not name it",
            f"aws lambda update-function-configuration {at} --handler FILE.FUNCTION; then this again",
        )
    return _change(subject, handler)


def _change(subject: Subject, handler: str | None) -> Plan:
    function, env = subject.function, subject.env
    ours = {str(layer) for layer in recognise.datadog_layers(function)}
    arns = tuple(layer.arn for layer in function.layers)
    former = variables_of(subject)
    # Where Datadog was not in it before, what ddsetup did not set is the user's own.
    bare = subject.applied is not None and not had_datadog(subject)
    # Taken out already, by a run that was killed before it came to the tags.
    bare |= subject.tags_applied is not None and not recognise.has_datadog(function)
    removed = [n for n in removable(function, subject.tags) if not bare or n in owned_variables(subject)]
    gone = sorted({*removed, *former.keys})
    back = {k: v for k, v in former.was.items() if bare or k not in catalog.INSTRUMENTER_VARIABLES}
    now, was = log_level_of(subject) or (None, None)
    before = FunctionState(
        handler=function.handler,
        layers=arns,
        env={name: env[name] for name in gone if name in env},
        system_log_level=now,
    )
    layers = tuple(arn for arn in arns if arn not in ours)
    after = FunctionState(handler=handler, layers=layers, env=back, system_log_level=was)
    stay = _staying(subject, gone)
    if before == after:
        return STEP.keep(subject.resource, "; ".join(["nothing of Datadog is in it", *stay]))
    if subject.owner is not None:
        stay.append(f"owned by {subject.owner}, whose next deploy may bring it back")
    return STEP.change(
        subject.resource,
        before,
        after,
        "takes Datadog out of the function",
        precondition=function.revision_id,
        note="; ".join(stay),
    )


def removable(function: Function, tags: Mapping[str, str]) -> tuple[str, ...]:
    """The function's variables that an instrumenter set, so that nobody misses them.

    A unified tag goes only if its value is the one that an instrumenter derives: the function's name or its
    own resource tag. Key sources that hold a secret stay: no journal may know them, so no undo could.
    """
    env = function.env or {}
    derived = {row.name: {tags.get(row.tag)} for row in VARIABLES if row.tag and MARKER in tags}
    derived[SERVICE] = {function.name, tags.get("service")}
    names = {name for name in catalog.INSTRUMENTER_VARIABLES if name in env}
    names |= {name for name, values in derived.items() if name in env and env[name] in values}
    names |= {name for name, value in catalog.DOTNET_PROFILER_VARIABLES.items() if env.get(name) == value}
    if env.get(catalog.WRAPPER_VARIABLE) == catalog.DATADOG_WRAPPER:
        names.add(catalog.WRAPPER_VARIABLE)
    return tuple(sorted(names))


def _staying(subject: Subject, gone: Sequence[str]) -> list[str]:
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
        return STEP.skip(tags_resource(subject.function), reason)
    former = tags_of(subject)
    before = {name: subject.tags[name] for name in _OWN_MARKS if name in subject.tags} | dict(former.now)
    after = {name: value for name, value in former.was.items() if name not in _OWN_MARKS}
    if before == after:
        return Plan()
    more = sorted({*before, *after} - set(_OWN_MARKS))
    return STEP.change(
        tags_resource(subject.function),
        TagsState(tags=before),
        TagsState(tags=after),
        "the mark of the instrumenter goes with what it marks",
        needs=(subject.resource,),
        note=f"with what ddsetup wrote beside it: {', '.join(more)}" if more else "",
    )


_STAYS = (
    "its logs still go to Datadog, which puts a filter on every function of the region: its log collection "
    "has other sources, or other functions there use the Forwarder"
)
_STAYS_FIX = "filters for chosen functions only: ddsetup setup --subscribe direct; all: ddsetup teardown"


def filters_out(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], ending: Collection[Lane]
) -> Plan:
    """ddsetup's own filters go, unless functions that are not selected still need them; Datadog's go in the
    lanes that are `ending`."""
    return Plan.joined(_filters(snapshot, answers, selected, ending))


def _filters(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], ending: Collection[Lane]
) -> Iterator[Plan]:
    chosen = {f.arn for f in selected}
    writing: dict[tuple[Lane, str], list[ResourceId]] = {}
    for function in selected:
        resource = subject_of(function, snapshot, answers).resource
        writing.setdefault((function.lane, log_group_of(function)), []).append(resource)
    for lane, groups in log_groups(snapshot, selected).items():
        held = snapshot.lanes[lane]
        known = OwnFilters(lane, snapshot)
        stays = lane not in ending and subscribed(lane, snapshot)
        others = _others_writing(held, chosen)
        for group in groups:
            filters = held.filters.get(group)
            if filters is None and (told := known.of(group)):
                if stays:
                    yield STEP.skip(group_resource(group, lane), _STAYS, _STAYS_FIX)
                filters = (as_filter(told[1]),) if told[1] else ()
            if filters is None or isinstance(filters, Unreadable):
                why = "they were not looked at" if filters is None else cannot_see("them", filters)
                yield STEP.skip(group_resource(group, lane), f"its filters stay: {why}")
                continue
            needs = tuple(writing[lane, group])
            for found in filters:
                if not (lane in ending and found.name.startswith(AUTOMATIC_PREFIX)):
                    yield _filter(found, others.get(group, []), lane, needs)


def _others_writing(lane: LaneSnapshot, chosen: Collection[str]) -> Mapping[str, list[str]]:
    """The names of the functions that are not chosen (by ARN), by the log group that they write to."""
    found: dict[str, list[str]] = {}
    for function in () if isinstance(lane.functions, Unreadable) else lane.functions:
        if function.arn not in chosen:
            found.setdefault(log_group_of(function), []).append(function.name)
    return found


def _filter(found: SubscriptionFilter, sharing: list[str], lane: Lane, needs: tuple[ResourceId, ...]) -> Plan:
    """A filter of ours goes after the functions: one that keeps Datadog still reports through it."""
    resource = filter_resource(found.log_group, found.name, lane)
    if found.name.startswith(AUTOMATIC_PREFIX):
        return STEP.skip(resource, _STAYS, _STAYS_FIX)
    if not found.name.startswith(OWN_PREFIX):
        return Plan()
    if sharing:
        names = ", ".join(sharing[:3])
        return STEP.keep(resource, f"other functions write to this log group, too: {names}")
    return STEP.change(
        resource,
        filter_state(found),
        None,
        "the Forwarder no longer gets this log group",
        needs=needs,
        note=f"removes {describe(found)}",
    )
