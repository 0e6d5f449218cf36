"""CloudWatch metrics by a metric stream, with `--metrics stream`: minutes after they are counted, not polled.

One stack of ddsetup's own in each region. Datadog notices a stream by itself and stops polling what is in it;
the integration stays as it is, as tags and late metrics come by polling (Datadog's guide to metric streams).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ddsetup.facts.catalog import partition_of, trust_account
from ddsetup.facts.kinds import CHOSEN, chosen_of
from ddsetup.facts.metric_streams import SITES, STACK, start_command
from ddsetup.model.account import Function, Json, Lane, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.metric_stream import MetricStream
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import StackState
from ddsetup.plan.metric_stream_template import namespaces_of, template
from ddsetup.plan.steps import forwarder
from ddsetup.plan.steps.api_key import (
    made_by_us,
    needed_secret,
    secret_changes,
    secret_reference,
)
from ddsetup.plan.steps.delivery_stack import (
    NEEDS_SECRET,
    is_done,
    making_obstacle,
    not_ours,
    own_stack,
    wanted_stack,
)
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.namespaces import SERVICES, wanted_namespaces
from ddsetup.plan.steps.wording import cannot_see, denied_action, listed, no_longer_wanted

STEP = Step("metric_stream")


@dataclass(frozen=True, slots=True)
class _Place:
    """A region, what is wanted there, and the resources that the Forwarder's step sees to."""

    lane: LaneSnapshot
    answers: Answers
    seen_to: AbstractSet[ResourceId]

    @property
    def resource(self) -> ResourceId:
        return stack_id(self.lane.lane, STACK)

    @property
    def region(self) -> str:
        return self.lane.lane.region

    @property
    def needs(self) -> tuple[ResourceId, ...]:
        return needed_secret(self.lane, self.answers)

    def secret(self) -> Plan:
        """The secret with the key, unless another step makes it."""
        found = secret_changes([self.lane], self.answers, STEP)
        return Plan(changes=tuple(c for c in found.changes if c.resource not in self.seen_to))


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """The stream of every region in which functions are selected, and the secret with the key for it."""
    if answers.metrics != "stream":
        return Plan()
    lanes = sorted({function.lane for function in selected})
    done = forwarder.plan(snapshot, answers, selected)
    seen_to = {change.resource for change in done.changes} | {skipped.resource for skipped in done.skipped}
    return Plan.joined(_plan_lane(_Place(snapshot.lanes[lane], answers, seen_to)) for lane in lanes)


def streamed_namespaces(answers: Answers) -> tuple[str, ...]:
    """AWS/Lambda, and the namespaces of whatever else the answers switch on. Raises UsageError as
    `wanted_namespaces` does."""
    chosen = (SERVICES[row.service] for kind, row in CHOSEN.items() if chosen_of(answers, kind))
    return tuple(dict.fromkeys((*wanted_namespaces(answers), *chosen)))


def _plan_lane(place: _Place) -> Plan:
    lane, answers, found = place.lane, place.answers, own_stack(place.lane, STACK)
    streams = lane.metric_streams
    if refusal := _out_of_reach(lane.lane, answers):
        return STEP.skip(place.resource, refusal, "leave --metrics stream out: metrics are polled")
    if isinstance(found, Unreadable):
        return STEP.skip(place.resource, cannot_see("which stacks exist", found), "", denied_action(found))
    if streams is None or isinstance(streams, Unreadable):
        seen = streams or Unreadable("cloudwatch:ListMetricStreams", "nobody looked", denied=False)
        reason = cannot_see("which metric streams there are", seen)
        return STEP.skip(place.resource, reason, "", denied_action(seen))
    if theirs := _somebody_elses(streams):
        return _left_to(theirs, place)
    secret = secret_reference(lane, answers)
    if secret is None:
        return STEP.skip(place.resource, *NEEDS_SECRET)
    if found is not None and is_done(found):
        return _existing(found, secret, place)
    if obstacle := making_obstacle(found, place.region):
        return STEP.skip(place.resource, obstacle.reason, obstacle.fix)
    return place.secret() + _made(found, secret, place)


def _made(remains: Stack | None, secret: str, place: _Place) -> Plan:
    return STEP.change(
        place.resource,
        None,
        _wanted(secret, place.answers),
        f"CloudWatch streams {listed(streamed_namespaces(place.answers))} to Datadog, within minutes",
        precondition=remains.status if remains is not None else "",
        needs=place.needs,
        note="Datadog stops polling these once it notices, within about 5 minutes in which values may count "
        "twice; AWS bills each update of a metric, and what Firehose delivers",
    )


def _out_of_reach(lane: Lane, answers: Answers) -> str:
    """Why Datadog can take no stream from here; empty if it can."""
    if answers.site not in SITES:
        return f"Datadog's site {answers.site} has no intake for metric streams"
    partition = partition_of(lane.region)
    if trust_account(answers.site, partition) is None:
        return f"Datadog's site {answers.site} does not monitor accounts of the partition {partition}"
    return ""


def _somebody_elses(streams: tuple[MetricStream, ...]) -> MetricStream | None:
    """A stream of somebody else's that leads to Datadog; one that carries functions' metrics if there is."""
    theirs = [each for each in streams if not _is_ours(each)]
    carrying = [each for each in theirs if each.carries_functions]
    return next(iter((*carrying, *theirs)), None)


def _is_ours(stream: MetricStream) -> bool:
    return STACK in (stream.name, stream.delivery)


def _left_to(stream: MetricStream, place: _Place) -> Plan:
    """A second stream would count everything twice."""
    if not stream.running:
        start = start_command(stream.name, place.region)
        reason = f"metric stream {stream.name} leads to Datadog, and is stopped"
        return STEP.skip(place.resource, reason, f"{start}, or delete it")
    if missing := stream.missing(streamed_namespaces(place.answers)):
        reason = f"metric stream {stream.name}, which ddsetup did not make, leads to Datadog without"
        fix = "add these to its filters, or delete it: a second stream could count metrics twice"
        return STEP.skip(place.resource, f"{reason} {listed(missing)}", fix)
    return STEP.keep(place.resource, f"metric stream {stream.name} leads to Datadog already")


def _existing(found: Stack, secret: str, place: _Place) -> Plan:
    """A stack that is there: its namespaces, its site and its key are made those that are wanted."""
    held, streams = place.lane.metric_stream_template, place.lane.metric_streams
    if not made_by_us(found.tags):
        return STEP.skip(place.resource, *not_ours(STACK))
    if isinstance(held, Unreadable):
        reason = cannot_see("what the stack streams", held)
        return STEP.skip(place.resource, reason, "grant the permission", denied_action(held))
    mine = () if isinstance(streams, Unreadable) else streams or ()
    if any(_is_ours(each) and not each.running for each in mine):
        fix = start_command(STACK, place.region)
        return STEP.skip(place.resource, "its metric stream is stopped", fix)
    return _brought_up_to_date(found, held, secret, place)


def _brought_up_to_date(found: Stack, held: Json, secret: str, place: _Place) -> Plan:
    answers = place.answers
    lost, new = _moved(namespaces_of(held), streamed_namespaces(answers))
    after = _wanted(secret, answers, () if answers.prune else lost)
    parameters = {name: found.parameters.get(name, "") for name in after.parameters}
    before = StackState(name=STACK, parameters=parameters, tags=found.tags, template=held)
    why = [f"streams {listed(new)} besides"] if new else []
    why += [f"streams {listed(lost)} no more"] if lost and answers.prune else []
    why += [f"leads to {answers.site} with the key of this run"] if parameters != after.parameters else []
    if why:
        return place.secret() + STEP.change(place.resource, before, after, "; ".join(why), needs=place.needs)
    said = Plan(warnings=(no_longer_wanted("from the metric stream", lost),)) if lost else Plan()
    return said + STEP.keep(place.resource, f"streams {listed(namespaces_of(held))} to Datadog already")


def _moved(held: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is streamed and no longer wanted, and what is wanted and not streamed."""
    return tuple(n for n in held if n not in wanted), tuple(n for n in wanted if n not in held)


def _wanted(secret: str, answers: Answers, besides: tuple[str, ...] = ()) -> StackState:
    names = (*streamed_namespaces(answers), *besides)
    made = template(names, role_path=answers.role_path, role_boundary=answers.role_boundary)
    return wanted_stack(STACK, made, secret, answers)
