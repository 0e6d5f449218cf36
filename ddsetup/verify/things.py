"""What was switched on beside functions, and which data tells that it works: a row for each kind. Pure.

State machines and stages of APIs write to a log group, which every log that a Forwarder sends names
(`aws.awslogs.logGroup`, datadog-serverless-functions 5.4). Metrics of Step Functions carry the tag
`statemachinearn`, those of a Forwarder `forwardername`. The metrics of a namespace begin with `aws.` and the
name of the service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ddsetup.facts.account_policies import policies_of, policy_resource
from ddsetup.facts.firehose import is_stream, stream_arn
from ddsetup.facts.kinds import CHOSEN, sources_of
from ddsetup.facts.services import ACCESS_LOGS, STATES, resource_of
from ddsetup.gateways.aws.metrics import Series
from ddsetup.model.account import Integration, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId
from ddsetup.model.report import SignalName
from ddsetup.model.services import Service, StateMachine
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import FilterState, LogCollectionState
from ddsetup.plan.select_services import all_chosen
from ddsetup.plan.steps.forwarder_choice import lane_of
from ddsetup.plan.steps.instrument.tags import wanted_tags
from ddsetup.plan.steps.namespaces import LAMBDA, wanted_namespaces
from ddsetup.plan.steps.subscriptions.stream import NAME as STREAM_POLICY

OF_STATES = "AWS/States"
_SOURCES: Mapping[str, str] = {
    STATES: "stepfunction",
    ACCESS_LOGS: "apigateway",
    "apigw-execution-logs": "apigateway",
    "cloudfront": "cloudfront",
    "elb": "elb",
    "elbv2": "elb",
    "redshift": "redshift",
    "s3": "s3",
    "waf": "waf",
}
"""The source that logs of each kind have in Datadog (datadog-serverless-functions 5.4, parsing)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One kind of data of one thing that was switched on.

    Exactly one of these tells how to look for it: `log_group` its logs name, a `metric` whose tag (key,
    value) names it, a `prefix` of the metrics of a namespace, a log `source`, the `service` of its spans, the
    ARN of the delivery `stream` that its logs come by.
    `idle` is what did not happen when there is nothing to see; `counted` is how CloudWatch knows, None where
    it does not. `by_functions`: it goes on when functions run. `shared`: others have the same tag, so that it
    is only known by what functions of its place sent through it.
    """

    resource: ResourceId
    signal: SignalName
    idle: str
    log_group: str = ""
    execution: str = ""
    metric: str = ""
    tag: tuple[str, str] = ("", "")
    prefix: str = ""
    namespace: str = ""
    source: str = ""
    service: str = ""
    stream: str = ""
    counted: Series | None = None
    by_functions: bool = False
    shared: bool = False

    @property
    def lane(self) -> Lane:
        return Lane(self.resource.account, self.resource.region)

    @property
    def countable(self) -> bool:
        """Whether CloudWatch can tell that something is to come. Nobody waits for what cannot be told so."""
        return self.counted is not None or bool(self.namespace)


def switched_on(snapshot: Snapshot, answers: Answers, forwarders: Iterable[str] = ()) -> tuple[Thing, ...]:
    """All that the answers switch on beside functions.

    `forwarders` are the ARNs of those that data goes through. Raises UsageError for names that match nothing.
    """
    found: list[Thing] = []
    for each in all_chosen(snapshot, answers):
        if each.group and any(getattr(answers, signal) for signal in CHOSEN[each.KIND].signals):
            found.append(_logs(each))
        if isinstance(each, StateMachine):
            found += [_executions(each)] if _crawled(snapshot, each.account) else []
            found += [_traces(each, answers)] if answers.traces else []
    for account in snapshot.accounts:
        found += _of_account(account, answers)
    found += [_of_forwarder(arn) for arn in forwarders]
    found += [_by_stream(at) for at, lane in snapshot.lanes.items() if _streamed(lane, answers)]
    return told_apart(found)


def told_apart(things: Iterable[Thing]) -> tuple[Thing, ...]:
    """Things of one place or of many, without traces that nothing documented would tell apart."""
    found = tuple(things)
    services = Counter(thing.service.lower() for thing in found if thing.service)
    names = Counter(thing.tag for thing in found if thing.by_functions)
    return tuple(
        replace(thing, shared=True) if thing.by_functions and names[thing.tag] > 1 else thing
        for thing in found
        if not thing.service or services[thing.service.lower()] == 1
    )


def _crawled(snapshot: Snapshot, account: str) -> bool:
    """Whether Datadog reads the metrics of Step Functions: its default, unless a filter keeps them out."""
    held = snapshot.accounts.get(account)
    live = held.integration if held else None
    if not isinstance(live, Integration) or live.namespaces is None:
        return True
    return live.namespaces.admits(OF_STATES)


def _executions(machine: StateMachine) -> Thing:
    return Thing(
        resource=resource_of(machine),
        signal="cloudwatch_metrics",
        idle="execution",
        metric="aws.states.executions_started",
        tag=("statemachinearn", machine.arn),
        counted=_started(machine),
    )


def _traces(machine: StateMachine, answers: Answers) -> Thing:
    """Its traces. Where several state machines share a service, nothing tells which one they are of."""
    return Thing(
        resource=resource_of(machine),
        signal="traces",
        idle="execution",
        service=_service(machine, answers),
        counted=_started(machine),
    )


def _service(machine: StateMachine, answers: Answers) -> str:
    """The service of its spans: its tag, which a run may set, else its name (Datadog's page on Step
    Functions)."""
    tags = {**machine.known_tags, **wanted_tags(answers)}
    return tags.get("service") or machine.name


def _started(machine: StateMachine) -> Series:
    return Series(OF_STATES, "ExecutionsStarted", (("StateMachineArn", machine.arn),))


def _logs(service: Service) -> Thing:
    return Thing(
        resource=resource_of(service),
        signal="logs",
        idle="log event",
        log_group=service.group,
        execution=service.called if isinstance(service, StateMachine) else "",
        counted=Series("AWS/Logs", "IncomingLogEvents", (("LogGroupName", service.group),)),
    )


def _of_account(account: str, answers: Answers) -> Iterator[Thing]:
    for namespace in wanted_namespaces(answers):
        if namespace != LAMBDA:
            yield Thing(
                resource=ResourceId("namespace", namespace, account=account),
                signal="cloudwatch_metrics",
                idle="metric",
                prefix=metrics_of(namespace),
                namespace=namespace,
            )
    proven = {"lambda", *sources_of(answers)}
    for source in answers.log_sources if answers.logs else ():
        if source not in proven:
            yield Thing(
                resource=ResourceId("log_source", source, account=account),
                signal="logs",
                idle="log",
                source=_SOURCES.get(source, source),
            )


def metrics_of(namespace: str) -> str:
    """How the names of a namespace's metrics begin in Datadog: `aws.sqs.` for AWS/SQS."""
    return f"aws.{namespace.rpartition('/')[2].lower().replace(' ', '_')}."


def _of_forwarder(arn: str) -> Thing:
    parts = arn.split(":")
    region, account, name = parts[3], parts[4], parts[6]
    return Thing(
        resource=ResourceId("forwarder", arn, region, account),
        signal="forwarder_metrics",
        idle="invocation",
        metric="aws.dd_forwarder.incoming_events",
        tag=("forwardername", name),
        counted=Series("AWS/Lambda", "Invocations", (("FunctionName", name),)),
        by_functions=True,
    )


def _streamed(lane: LaneSnapshot, answers: Answers) -> bool:
    """Whether a policy of ddsetup's leads log groups to Datadog by Firehose, or is to."""
    there = policies_of(lane.account_filter_policies)
    return answers.streams_logs or any(each.own and is_stream(each.destination_arn) for each in there)


def _by_stream(at: Lane) -> Thing:
    """What comes by Firehose names its stream (Datadog's guide on account-level log subscriptions)."""
    of = (("DestinationType", "Firehose"), ("FilterName", STREAM_POLICY), ("PolicyLevel", "AccountPolicy"))
    return Thing(
        resource=policy_resource(STREAM_POLICY, at),
        signal="logs",
        idle="log event",
        stream=stream_arn(at),
        counted=Series("AWS/Logs", "ForwardedLogEvents", of),
    )


def forwarders_of(snapshot: Snapshot, plan: Plan, lanes: Iterable[Lane]) -> tuple[str, ...]:
    """The ARNs of the Forwarders that data of these places goes through.

    Those that Datadog has registered, or will have once a plan is carried out, those that filters of it lead
    to, else the only one that there is.
    """
    found: dict[str, None] = {}
    changed = [change.after for change in plan.changes]
    for state in changed:
        if isinstance(state, LogCollectionState):
            found |= dict.fromkeys(state.lambdas)
        elif isinstance(state, FilterState):
            found |= dict.fromkeys((state.destination_arn,))
    for account in snapshot.accounts.values():
        if isinstance(account.integration, Integration):
            found |= dict.fromkeys(account.integration.lambdas)
    used = dict.fromkeys(lanes)
    known = {arn: lane for arn in found if (lane := lane_of(arn)) in used}
    silent = [lane for lane in used if lane not in known.values()]
    return (*known, *(arn for lane in silent for arn in _only(snapshot, lane)))


def _only(snapshot: Snapshot, lane: Lane) -> tuple[str, ...]:
    """The Forwarder of a place where nothing tells which one, if there is but one."""
    held = snapshot.lanes[lane].forwarders if lane in snapshot.lanes else ()
    if isinstance(held, Unreadable) or len(held) != 1:
        return ()
    return (held[0].arn,)
