"""Log collection: Forwarders and log sources registered with Datadog's record of the account.

Datadog then subscribes the Forwarder to the log groups of those sources by itself ("automatic triggers").
In forwarder mode metrics and traces travel in the logs, so this does not depend on whether logs are wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ddsetup.facts.recognise import has_datadog, has_extension
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import LogCollectionState
from ddsetup.plan.select_services import sources_of
from ddsetup.plan.steps.forwarder import stack_id
from ddsetup.plan.steps.forwarder_choice import Choice, choose, lane_of
from ddsetup.plan.steps.instrument.subject import function_resource
from ddsetup.plan.steps.integration import integration_id, prospect

STEP = Step("collection")
LAMBDA_SOURCE = "lambda"


def collection_id(account: str) -> ResourceId:
    """The log collection of an account, as a resource."""
    return ResourceId("log_collection", account, "", account)


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """What is added to each account's log collection; what others registered stays."""
    result = _take_out(snapshot, answers, selected)
    lanes = sorted({f.lane for f in selected})
    if not answers.forwards:
        return result
    for account in sorted({lane.account for lane in lanes}):
        held = [lane for lane in lanes if lane.account == account]
        if not answers.datadog_subscribes:
            result += _beside_direct(held, snapshot, leaving(snapshot, answers, selected))
        else:
            result += _register(account, held, snapshot, answers)
    return result


def leaving(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Mapping[Lane, tuple[str, ...]]:
    """The Forwarders that leave log collection, as the functions report another way from now on.

    Only those that ddsetup registered, as the record says, that serve nothing but functions, and on which no
    other function of their region relies.
    """
    if answers.datadog_subscribes or not (answers.forwards or answers.via == "extension"):
        return {}
    chosen = {function.arn for function in selected}
    found: dict[Lane, tuple[str, ...]] = {}
    for lane in sorted({f.lane for f in selected}):
        live = snapshot.accounts[lane.account].integration
        added = added_by_us(snapshot, lane.account)
        if not isinstance(live, Integration) or added is None or set(live.sources) - {LAMBDA_SOURCE}:
            continue
        arns = tuple(arn for arn in live.lambdas if lane_of(arn) == lane and arn in added.lambdas)
        if arns and not any(_relies(f) for f in _others(snapshot, lane, {*chosen, *arns})):
            found[lane] = arns
    return found


def subscribed(lane: Lane, snapshot: Snapshot) -> bool:
    """Whether Datadog subscribes the log groups of the lane's functions by itself, as far as can be seen."""
    live = snapshot.accounts[lane.account].integration
    return (
        isinstance(live, Integration)
        and LAMBDA_SOURCE in live.sources
        and any(lane_of(arn) == lane for arn in live.lambdas)
    )


def going_with(arns: tuple[str, ...], live: Integration) -> LogCollectionState:
    """What leaves log collection with these Forwarders: with the last of the account the source, too."""
    last = bool(arns) and set(live.lambdas) <= set(arns)
    return LogCollectionState(lambdas=arns, sources=(LAMBDA_SOURCE,) if last else ())


def added_by_us(snapshot: Snapshot, account: str) -> LogCollectionState | None:
    """What earlier runs added to the account's log collection, as the record says; None: it says nothing."""
    record = (snapshot.applied or {}).get(collection_id(account))
    if record is None:
        return None
    before, after = LogCollectionState.of(record.before), LogCollectionState.of(record.after)
    return LogCollectionState(
        lambdas=tuple(arn for arn in after.lambdas if arn not in before.lambdas),
        sources=tuple(source for source in after.sources if source not in before.sources),
    )


def _others(snapshot: Snapshot, lane: Lane, but: Collection[str]) -> tuple[Function, ...]:
    functions = snapshot.lanes[lane].functions
    return () if isinstance(functions, Unreadable) else tuple(f for f in functions if f.arn not in but)


def _relies(function: Function) -> bool:
    return has_datadog(function) and not has_extension(function)


def _take_out(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    out = leaving(snapshot, answers, selected)
    result = Plan()
    for account in sorted({lane.account for lane in out}):
        lanes = [lane for lane in out if lane.account == account]
        by_extension = [f for f in selected if f.lane in lanes and answers.via == "extension"]
        arns = tuple(arn for lane in lanes for arn in out[lane])
        live = snapshot.accounts[account].integration
        assert isinstance(live, Integration)
        result += STEP.change(
            collection_id(account),
            going_with(arns, live),
            LogCollectionState(),
            "the functions no longer report through it: their data would arrive twice",
            needs=tuple(function_resource(f) for f in by_extension),
            note="Datadog takes its own filters out",
        )
    return result


def _beside_direct(lanes: Sequence[Lane], snapshot: Snapshot, out: Collection[Lane]) -> Plan:
    """With filters of our own, Datadog must not subscribe the same groups: logs would arrive twice."""
    regions = [lane.region for lane in lanes if subscribed(lane, snapshot) and lane not in out]
    if not regions:
        return Plan()
    warning = (
        f"Datadog already subscribes Lambda log groups in {', '.join(regions)} by itself; "
        "--subscribe direct adds nothing to groups that it covers"
    )
    return Plan(warnings=(warning,))


def _register(account: str, lanes: Sequence[Lane], snapshot: Snapshot, answers: Answers) -> Plan:
    live = snapshot.accounts[account].integration
    if isinstance(live, Unreadable) or prospect(account, snapshot, answers) == "blocked":
        reason = "it is part of Datadog's record of the account, which cannot be read or made"
        return STEP.skip(collection_id(account), reason, "fix the AWS integration first, then run this again")
    choices = {lane: choose(lane, snapshot, answers) for lane in lanes}
    if all(choice.how == "unwanted" for choice in choices.values()):
        return Plan()
    arns, stale, problems = _lambdas(choices, live, snapshot)
    if not arns:
        return (
            problems
            if problems.skipped
            else STEP.skip(
                collection_id(account),
                "there is no Forwarder to register",
                "fix the Forwarder first, then run this again",
            )
        )
    sources, warnings = _sources(account, snapshot, answers)
    has_lambdas, has_sources = (live.lambdas, live.sources) if live else ((), ())
    before = LogCollectionState(
        lambdas=stale + tuple(a for a in arns if a in has_lambdas),
        sources=tuple(s for s in sources if s in has_sources),
    )
    after = LogCollectionState(lambdas=arns, sources=sources)
    said = problems + Plan(warnings=warnings)
    if before == after:
        return said + STEP.keep(collection_id(account), "Forwarders and log sources are registered")
    return said + STEP.change(
        collection_id(account),
        before,
        after,
        "Datadog subscribes the registered Forwarder to log groups by itself",
        needs=_needs(choices, live, account, answers),
        note=f"taken out: {', '.join(stale)}" if stale else "what others registered stays",
    )


def _needs(
    choices: dict[Lane, Choice], live: Integration | None, account: str, answers: Answers
) -> tuple[ResourceId, ...]:
    stacks = (stack_id(lane, answers.forwarder_stack) for lane, c in choices.items() if c.how == "deploy")
    return (*stacks, *(() if live else (integration_id(account),)))


def _lambdas(
    choices: dict[Lane, Choice], live: Integration | None, snapshot: Snapshot
) -> tuple[tuple[str, ...], tuple[str, ...], Plan]:
    """The Forwarders to register, registered ones whose function is gone, and lanes left out with reason.

    Datadog takes one Forwarder per region.
    """
    arns, stale, problems = list[str](), list[str](), Plan()
    for lane, choice in choices.items():
        if choice.arn is None:
            continue
        others = [a for a in (live.lambdas if live else ()) if lane_of(a) == lane and a != choice.arn]
        # Those that earlier runs registered may give way to another one.
        added = added_by_us(snapshot, lane.account) or LogCollectionState()
        living = [a for a in others if not _is_gone(a, lane, snapshot) and a not in added.lambdas]
        if living and not (live and choice.arn in live.lambdas):
            reason = (
                f"another Forwarder is registered for {lane.region} already, and Datadog takes one per region"
            )
            fix = f"use it: --forwarder-arn {living[0]}; or take it out in Datadog's AWS page"
            problems += STEP.skip(collection_id(lane.account), reason, fix)
            continue
        arns.append(choice.arn)
        stale += [a for a in others if a not in living]
    return tuple(arns), tuple(stale), problems


def _is_gone(arn: str, lane: Lane, snapshot: Snapshot) -> bool:
    functions = snapshot.lanes[lane].functions
    return not isinstance(functions, Unreadable) and all(f.arn != arn for f in functions)


def _sources(account: str, snapshot: Snapshot, answers: Answers) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sources to register, with those of the state machines and API stages chosen, and warnings about
    those that Datadog does not list.

    An unknown one is refused if Datadog's own list was read, or left out if nobody named it; the bundled list
    may just be too old. Raises UsageError, which names the nearest.
    """
    listed, bundled = snapshot.datadog.log_services, "log_services" in snapshot.datadog.fallbacks
    chosen = sources_of(snapshot, answers, account)
    asked = dict.fromkeys((LAMBDA_SOURCE, *answers.log_sources, *chosen))
    unknown = [s for s in asked if listed and s not in listed and s != LAMBDA_SOURCE]
    if bundled:
        return tuple(asked), tuple(
            f"log source {s} is not in the bundled list; tried anyway" for s in unknown
        )
    for source in answers.log_sources:
        if source in unknown:
            one_of = f"one of: {', '.join(listed)}"
            raise UsageError(
                f"Datadog has no log source {source!r}", fix=did_you_mean(source, listed, one_of)
            )
    warnings = tuple(f"Datadog has no log source {s}: left out (it has {', '.join(listed)})" for s in unknown)
    return tuple(s for s in asked if s not in unknown), warnings
