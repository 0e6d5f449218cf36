"""What arrives twice, or costs more than it has to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ddsetup.doctor.checks.case import Case, Place, Subject
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.doctor.checks.functions import problem
from ddsetup.doctor.checks.road import ROAD
from ddsetup.facts import recognise
from ddsetup.facts.account_policies import FilterPolicy, policies_of, policy_resource
from ddsetup.facts.filters import AUTOMATIC_PREFIX, classify, describe, filter_resource
from ddsetup.facts.firehose import STACK, is_stream
from ddsetup.facts.guides import LOGS_GUIDE, SETTINGS_GUIDE
from ddsetup.facts.ownership import is_datadogs_own, is_forwarder
from ddsetup.facts.variables import LOG_LEVEL, LOGS_ENABLED, MERGE_XRAY, TRACE_ENABLED
from ddsetup.model.account import Integration, SubscriptionFilter, Unreadable
from ddsetup.model.change import Change
from ddsetup.model.states import FunctionState, LogCollectionState
from ddsetup.plan.steps.collection import LAMBDA_SOURCE, collection_id, going_with
from ddsetup.plan.steps.collection import STEP as COLLECTION
from ddsetup.plan.steps.delivery_stack import own_stack
from ddsetup.plan.steps.forwarder_choice import lane_of
from ddsetup.plan.steps.instrument.subject import STEP as INSTRUMENT
from ddsetup.plan.steps.subscriptions.conflicts import deletion
from ddsetup.plan.steps.subscriptions.groups import log_group_of
from ddsetup.plan.steps.wording import listed

_FILTERS = ("logs:DescribeSubscriptionFilters",)
check = Checks("cost")


def _filters(
    case: Case,
) -> Iterator[tuple[Place, str, tuple[Subject, ...], tuple[SubscriptionFilter, ...]]]:
    for place in case.places:
        for name, writers in place.groups.items():
            filters = place.filters_of(name)
            if filters is not None and not isinstance(filters, Unreadable):
                yield place, name, writers, filters


def _about(subjects: tuple[Subject, ...]) -> frozenset[str]:
    return frozenset(s.function.arn for s in subjects)


@check(
    "filter-twice",
    "every log group leads to the Forwarder once",
    "error",
    needs=_FILTERS,
    fix="confirm",
    link=LOGS_GUIDE,
    at="subscription filter",
)
def twice(case: Case) -> Iterator[Result]:
    """Two filters of a log group lead to the same Forwarder: every line arrives, and is billed, twice.

    Usually Datadog's automatic filter and one that was put by hand. The one that is not Datadog's is deleted,
    as Datadog would put its own back.
    """
    for place, name, writers, filters in _filters(case):
        known = [f for f in filters if classify(f, place.forwarders) in ("ours", "forwarder")]
        ours = [f for f in known if sum(f.destination_arn == other.destination_arn for other in known) > 1]
        if not ours:
            continue
        extra = min(ours, key=lambda f: (f.name.startswith(AUTOMATIC_PREFIX), f.name))
        yield Problem(
            resource=filter_resource(name, extra.name, place.at),
            what=f"{ours[0].name} and {ours[1].name} lead to the same Forwarder: every line arrives twice",
            fix=f"delete {extra.name}",
            about=_about(writers),
            changes=(deletion(extra, place.at, "its logs reach Datadog twice"),),
        )


@check(
    "old-forwarder",
    "no log group leads to another Forwarder",
    "warning",
    needs=_FILTERS,
    fix="confirm",
    link=LOGS_GUIDE,
    at="subscription filter",
    proves="one Forwarder",
    stops=(*ROAD, "subscription"),
)
def old_forwarder(case: Case) -> Iterator[Result]:
    """A filter leads to another Datadog Forwarder than the region's, or to a Firehose stream to Datadog.

    An old Forwarder may have an invalid key or drop what it does not know; with both, lines arrive twice.
    """
    for place, name, writers, filters in _filters(case):
        for found in filters if place.forwarder is not None else ():
            if classify(found, place.forwarders) in ("forwarder", "firehose"):
                yield Problem(
                    resource=filter_resource(name, found.name, place.at),
                    what=f"its logs are also sent to Datadog by {describe(found)}",
                    fix="delete the filter, so that only the region's Forwarder gets them",
                    about=_about(writers),
                    changes=(deletion(found, place.at, "the region's Forwarder takes its place"),),
                )


@check(
    "account-policy",
    "no account-level policy sends all logs to Datadog as well",
    "warning",
    needs=("logs:DescribeAccountPolicies",),
    link=LOGS_GUIDE,
)
def account_policy(case: Case) -> Iterator[Result]:
    """A subscription policy of the account sends every log group of the region to Datadog, e.g. through
    Firehose; together with the Forwarder's filters, or with the Extension, every line arrives twice. Or it
    leads to a delivery stream of ddsetup's that is gone."""
    for place in case.places:
        policies, at = place.lane.account_filter_policies, place.at
        resource, fix = policy_resource(f"subscription policy of {at.region}", at), _ONE_OF_TWO
        if isinstance(policies, Unreadable):
            if policies.denied:
                yield Blind(resource, policies)
            continue
        elsewhere = [
            policy
            for policy in policies_of(policies)
            if policy != place.policy and "datadog" in policy.state.document.lower()
        ]
        if place.forwarder and any(_takes_in(policy, place.groups) for policy in elsewhere):
            what = "it sends log groups to Datadog that the Forwarder's filters lead there, too"
        elif lost := _without_stream(place, elsewhere):
            what, fix = (
                f"{lost} leads to a delivery stream that is gone; nothing arrives by it",
                _ANEW,
            )
        elif doubled := _shipped_as_well(place, elsewhere):
            what = f"the Extension sends the lines of {listed(doubled)} as well, so that they arrive twice"
            fix = _ANEW
        elif place.policy and (doubled := _filtered_as_well(case, place)):
            what = f"it leads all log groups to the Forwarder, as filters do: {listed(doubled)}"
        else:
            what = ""
        if what:
            yield Problem(
                resource=resource,
                what=what,
                fix=fix,
            )


_ONE_OF_TWO = "keep one of the two: aws logs delete-account-policy, or --via extension"
_ANEW = (
    "ddsetup setup --via extension --subscribe account puts ddsetup's right; one that somebody else made: "
    "leave these log groups out in its selection"
)


def _takes_in(policy: FilterPolicy, groups: Iterable[str]) -> list[str]:
    """Those of these log groups that a policy delivers, or may: its selection need not be understood."""
    return [name for name in groups if policy.excluded is None or policy.delivers(name)]


def _without_stream(place: Place, policies: Iterable[FilterPolicy]) -> str:
    """The name of ddsetup's own policy, if the stack with its delivery stream is gone."""
    own = next((p.state.name for p in policies if p.own and is_stream(p.destination_arn)), "")
    return own if own_stack(place.lane, STACK) is None else ""


def _shipped_as_well(place: Place, policies: Iterable[FilterPolicy]) -> list[str]:
    functions = [s.function for s in place.subjects]
    shipped = sorted({log_group_of(f) for f in functions if recognise.extension_ships_logs(f)})
    return [name for policy in policies for name in _takes_in(policy, shipped)]


def _filtered_as_well(case: Case, place: Place) -> list[str]:
    """The log groups that filters of their own lead to the Forwarder, or Datadog's triggers will."""
    arn = place.forwarder.arn if place.forwarder else ""
    filters = {name: place.filters_of(name) for name in place.groups}
    found = [
        name
        for name, held in filters.items()
        if held and not isinstance(held, Unreadable) and any(f.destination_arn == arn for f in held)
    ]
    triggers = any(arn in i.lambdas and "lambda" in i.sources for _, i in case.integrations())
    return found or ([f"all of Lambda's, as {arn} is in Datadog's log collection"] if triggers else [])


@check(
    "logs-once",
    "logs of functions with the Extension do not go through the Forwarder, too",
    "error",
    needs=_FILTERS,
    fix="confirm",
    link=SETTINGS_GUIDE,
)
def logs_once(case: Case) -> Iterator[Result]:
    """The Extension sends the function's logs, and a filter leads its log group to a Forwarder as well, this
    region's or any other.

    Datadog puts filters of its own back. So these are ended in the log collection of the integration, if it
    serves nobody else in the region, and otherwise by taking the logs from the Extension.
    """
    for s in case.subjects:
        if not (s.touchable and recognise.extension_ships_logs(s.function)):
            continue
        place = case.place_of(s)
        filters = place.filters_of(log_group_of(s.function))
        for found in () if filters is None or isinstance(filters, Unreadable) else filters:
            if classify(found, place.forwarders) != "foreign":
                yield _sent_twice(case, s, place, found)


def _sent_twice(case: Case, s: Subject, place: Place, found: SubscriptionFilter) -> Problem:
    what = f"its logs arrive twice: by its Extension, and by the filter {found.name}"
    if not found.name.startswith(AUTOMATIC_PREFIX):
        gone = deletion(found, place.at, "the Extension sends these logs already")
        return problem(s, what, f"delete the filter; or set {LOGS_ENABLED} to false", changes=(gone,))
    out = _leaving(case, place.at.account)
    if out is not None and found.destination_arn in LogCollectionState.of(out.before).lambdas:
        fix = "take the Forwarder out of the log collection, as nothing else in the region uses it"
        return problem(s, f"{what}, which Datadog puts", fix, changes=(out,))
    fix = f"set {LOGS_ENABLED} to false: Datadog puts its filter back on every function of the region"
    now = {LOGS_ENABLED: s.env[LOGS_ENABLED]} if LOGS_ENABLED in s.env else {}
    quiet = Change(
        step=INSTRUMENT,
        resource=s.resource,
        before=_as_it_is(s, now),
        after=_as_it_is(s, {LOGS_ENABLED: "false"}),
        why="its logs reach Datadog by the Forwarder",
        precondition=s.function.revision_id,
    )
    return problem(s, f"{what}, which Datadog puts", fix, changes=(quiet,))


def _as_it_is(s: Subject, env: Mapping[str, str]) -> FunctionState:
    layers = tuple(layer.arn for layer in s.function.layers)
    return FunctionState(handler=s.function.handler, layers=layers, env=env)


def _leaving(case: Case, account: str) -> Change | None:
    """The Forwarders of an account that leave log collection, as all functions of their regions send their
    logs by the Extension."""
    live = case.snapshot.accounts[account].integration
    if not isinstance(live, Integration) or set(live.sources) != {LAMBDA_SOURCE}:
        return None
    lanes = {p.at for p in case.places if p.at.account == account and _all_by_extension(p)}
    arns = tuple(arn for arn in live.lambdas if lane_of(arn) in lanes)
    return Change(
        step=COLLECTION,
        resource=collection_id(account),
        before=going_with(arns, live),
        after=LogCollectionState(),
        why="the Extension sends these logs already",
        note="Datadog takes its own filters out",
    )


def _all_by_extension(place: Place) -> bool:
    functions = place.lane.functions
    return not isinstance(functions, Unreadable) and all(
        recognise.extension_ships_logs(f) or is_datadogs_own(f, place.lane) for f in functions
    )


@check("xray-once", "traces are not made twice", "warning", link=SETTINGS_GUIDE)
def xray(case: Case) -> Iterator[Result]:
    """X-Ray's active tracing and Datadog's tracer both trace the function, and DD_MERGE_XRAY_TRACES does not
    join them."""
    for s in case.subjects:
        active = s.function.tracing == "Active" and s.mode in ("forwarder", "extension")
        if active and s.on(TRACE_ENABLED) and not s.on(MERGE_XRAY, False):
            yield problem(
                s,
                "X-Ray and Datadog both trace it, and are not joined",
                "switch X-Ray's active tracing off, or join them: --merge-xray",
                severity="info",
            )


@check("one-forwarder", "every region has one Forwarder", "info", needs=("tag:GetResources",))
def one(case: Case) -> Iterator[Result]:
    """Several Forwarders are in one region. One is used; the others cost little, but confuse."""
    for place in case.places:
        known = place.lane.forwarders
        functions = place.lane.functions
        if isinstance(known, Unreadable) or isinstance(functions, Unreadable) or not place.forwarder:
            continue
        there = {f.arn: f for f in functions}
        others = [
            f.name
            for f in known
            if f.arn in there and f.arn != place.forwarder.arn and is_forwarder(there[f.arn], {}, place.lane)
        ]
        if others:
            yield Problem(
                resource=place.resource,
                what=f"there are others beside it: {', '.join(others)}",
                fix="remove those that nothing uses any more",
            )


@check("debug-off", "no library logs at debug level", "info", needs=("lambda:ListFunctions",))
def debug(case: Case) -> Iterator[Result]:
    """DD_LOG_LEVEL is DEBUG, or DD_TRACE_DEBUG is on: the library writes much, all of which is collected."""
    for s in case.subjects:
        if s.mode == "none":
            continue
        if s.env.get(LOG_LEVEL, "").lower() == "debug" or s.on("DD_TRACE_DEBUG", False):
            yield problem(s, "Datadog's library logs at debug level", "set DD_LOG_LEVEL to INFO when done")
