"""What ddsetup set and nobody wants any more: shown as `- remove`, removed with `--prune`. Pure.

Known from the record of what was last applied, and only while it is still as ddsetup left it. Without a
record nothing is pruned, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ddsetup.facts.account_policies import policies_of, policy_resource
from ddsetup.facts.firehose import STACK as LOG_STREAM
from ddsetup.facts.firehose import stream_arn
from ddsetup.facts.kinds import sources_of
from ddsetup.facts.metric_streams import STACK as METRIC_STREAM
from ddsetup.facts.recognise import has_datadog
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Step
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import LogCollectionState, StackState
from ddsetup.plan.steps import durable, forwarder, metric_stream, subscriptions, uninstrument
from ddsetup.plan.steps import instrument as instrument_step
from ddsetup.plan.steps.api_key import (
    made_by_us,
    makes_secret,
    own_secret,
    reading,
    reads_it_no_more,
    secret_id,
    secret_name,
    secret_state,
)
from ddsetup.plan.steps.collection import LAMBDA_SOURCE, added_by_us, collection_id
from ddsetup.plan.steps.delivery_stack import our_stack
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.instrument.function import Instrumented, instrument
from ddsetup.plan.steps.instrument.key_access import told_where
from ddsetup.plan.steps.instrument.subject import STEP as INSTRUMENT
from ddsetup.plan.steps.instrument.subject import function_resource, subject_of
from ddsetup.plan.steps.integration import integration_id, pruned
from ddsetup.plan.steps.wording import no_longer_wanted

STEP = Step("prune")


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """Functions that are no longer chosen, log sources, services and streams that nobody asks for, and,
    without a record, that nothing can be pruned. What chosen functions have too much of is part of their own
    change."""
    if snapshot.applied is None:
        said = "nothing is pruned: no run of ddsetup in this account is remembered here (see --state)"
        return Plan(warnings=(said,) if answers.prune else ())
    functions = _functions(snapshot, answers, selected)
    here = sorted({f.lane for f in selected})
    secrets = [_secrets(lane, snapshot, answers, selected, functions.changes) for lane in here]
    streams = [
        stream
        for lane in snapshot.lanes.values()
        for stream in (
            _metric_stream(lane, snapshot, answers),
            _log_stream(lane, snapshot, answers, selected),
        )
    ]
    held = (_sources(snapshot, answers), _integration(snapshot, answers))
    return Plan.joined((functions, *streams, *held, *secrets))


def left_functions(
    snapshot: Snapshot, answers: Answers, selected: Iterable[Function]
) -> tuple[Function, ...]:
    """The functions that ddsetup instrumented and that the rule no longer chooses."""
    chosen = {function.arn for function in selected}
    applied = snapshot.applied or {}
    return tuple(
        function
        for function in snapshot.functions()
        if function.arn not in chosen
        and (change := applied.get(function_resource(function))) is not None
        and change.step == INSTRUMENT
        and has_datadog(function)
        and not subject_of(function, snapshot, answers).datadogs_own
    )


def groups_to_read(
    snapshot: Snapshot, answers: Answers, selected: Iterable[Function]
) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters must be known before this can be planned."""
    if not answers.prune:
        return {}
    return uninstrument.groups_to_read(snapshot, answers, left_functions(snapshot, answers, selected))


def _functions(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    left = left_functions(snapshot, answers, selected)
    if not left:
        return Plan()
    if answers.prune:
        return uninstrument.plan(snapshot, answers, left, _moved(snapshot, answers, selected))
    return Plan(warnings=(no_longer_wanted("Datadog", (f.name for f in left)),))


def _moved(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> tuple[Function, ...]:
    """Functions that move from the Extension to the Forwarder in the same run, and read no key any more."""
    if answers.via == "extension":
        return ()
    told = [f for f in selected if told_where(f)]
    moved = (f for f in told if isinstance(instrument(subject_of(f, snapshot, answers)), Instrumented))
    return tuple(moved)


def _sources(snapshot: Snapshot, answers: Answers) -> Plan:
    """Log sources that ddsetup registered and nobody asks for."""
    result = Plan()
    for account, held in sorted(snapshot.accounts.items()):
        live, added = held.integration, added_by_us(snapshot, account)
        if not isinstance(live, Integration) or added is None or not answers.datadog_subscribes:
            continue
        wanted = {LAMBDA_SOURCE, *answers.log_sources, *sources_of(answers)}
        gone = tuple(s for s in live.sources if s in added.sources and s not in wanted)
        if not gone:
            continue
        if not answers.prune:
            result += Plan(warnings=(no_longer_wanted("log source", gone),))
            continue
        result += STEP.change(
            collection_id(account),
            LogCollectionState(sources=gone),
            LogCollectionState(),
            "ddsetup registered these log sources, and they are no longer wanted",
        )
    return result


def _metric_stream(lane: LaneSnapshot, snapshot: Snapshot, answers: Answers) -> Plan:
    """The stack with a metric stream that nobody asks for."""
    found = None if answers.metrics == "stream" else _left_stack(lane, snapshot, METRIC_STREAM)
    why = "no metric stream is wanted any more: Datadog polls them again"
    return _gone(found, "metric stream", why, answers) if found else Plan()


def _log_stream(
    lane: LaneSnapshot, snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Plan:
    """The stack with a delivery stream of logs that nobody asks for, and ddsetup's policy of the account that
    leads to it; none that somebody else's policy leads to."""
    found = None if answers.streams_logs else _left_stack(lane, snapshot, LOG_STREAM)
    held = lane.account_filter_policies
    leading = [p for p in policies_of(held) if p.destination_arn == stream_arn(lane.lane)]
    if found is None or isinstance(held, Unreadable) or not all(policy.own for policy in leading):
        return Plan()
    result = Plan()
    policies = tuple(policy_resource(policy.state.name, lane.lane) for policy in leading)
    if leading and answers.prune:
        here = tuple(f for f in selected if f.lane == lane.lane)
        going = {change.resource for change in subscriptions.plan(snapshot, answers, here).changes}
        why = "log groups are no longer to be led to Datadog by Firehose"
        for policy, resource in zip(leading, policies, strict=True):
            if resource not in going:
                result += STEP.change(resource, policy.state, None, why)
    return result + _gone(found, "log stream", "no log groups are led to it any more", answers, policies)


def _left_stack(lane: LaneSnapshot, snapshot: Snapshot, name: str) -> Change | None:
    """What was last applied of a stack of ddsetup's own, where that is still there."""
    record = (snapshot.applied or {}).get(stack_id(lane.lane, name))
    return record if our_stack(lane, name) else None


def _gone(record: Change, what: str, why: str, answers: Answers, needs: tuple[ResourceId, ...] = ()) -> Plan:
    resource, stack = record.resource, record.resource.id
    if answers.prune and isinstance(record.after, StackState):
        return STEP.change(resource, record.after, None, why, needs=needs)
    return Plan(warnings=(no_longer_wanted(what, (f"{stack} in {resource.region}",)),))


def _secrets(
    lane: Lane,
    snapshot: Snapshot,
    answers: Answers,
    selected: tuple[Function, ...],
    leaving: tuple[Change, ...],
) -> Plan:
    """Secrets with the keys of other sites, which nothing reads once this run is done."""
    held = snapshot.lanes[lane]
    wanted, secrets = secret_name(held, answers.site), held.secrets
    if not makes_secret(answers) or isinstance(secrets, Unreadable):
        return Plan()
    others = [live for name, live in sorted(secrets.items()) if name != wanted and own_secret(live.arn)]
    others = [live for live in others if made_by_us(live.tags) and not live.deleted]
    if not others:
        return Plan()
    here = tuple(f for f in selected if f.lane == lane)
    steps = (forwarder.plan, durable.plan, metric_stream.plan, subscriptions.plan, instrument_step.plan)
    done = (*leaving, *Plan.joined(step(snapshot, answers, here) for step in steps).changes)
    going = {c.resource: c for c in done if reads_it_no_more(c)}
    result = Plan()
    for live in others:
        if reading(held, live) - {resource.id for resource in going}:
            continue
        if answers.prune:
            why = "it holds the key of another site, and nothing reads it any more"
            resource, needs = secret_id(lane, live.name), tuple(going)
            result += STEP.change(resource, secret_state(live, held), None, why, needs=needs)
        else:
            result += Plan(warnings=(no_longer_wanted("secret", (live.name,)),))
    return result


def _integration(snapshot: Snapshot, answers: Answers) -> Plan:
    result = Plan()
    for account, held in sorted(snapshot.accounts.items()):
        live, record = held.integration, (snapshot.applied or {}).get(integration_id(account))
        if not isinstance(live, Integration) or record is None:
            continue
        change = pruned(live, record, answers, snapshot.datadog.namespaces)
        if change is None:
            continue
        if answers.prune:
            result += Plan(changes=(replace(change, step=STEP),))
        else:
            result += Plan(warnings=(no_longer_wanted("from Datadog's record", (change.why,)),))
    return result
