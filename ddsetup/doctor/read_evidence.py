"""Reading what the doctor needs beyond the snapshot, as little of it as will do.

Where data arrives, the road that it came by is proven, and is not looked at again: that is what keeps a
healthy account of a thousand functions within seconds. `closer` looks at what is left in doubt.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import Any

from ddsetup.doctor.checks.case import Case, Place, make_case, modified, record_changed, way_of
from ddsetup.doctor.checks.deliveries import log_deliveries, metric_deliveries
from ddsetup.doctor.checks.state_machines import groups_in_doubt
from ddsetup.doctor.closer_look import look_into_doubts
from ddsetup.facts.disclose import text
from ddsetup.facts.variables import KEY_SECRET_ARN, ORG_UUID
from ddsetup.gateways.aws import health, secrets
from ddsetup.gateways.aws.firehose import deliveries
from ddsetup.gateways.aws.functions import resource_policy
from ddsetup.gateways.aws.metrics import Series, by_minute
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.health import key_state, log_indexes
from ddsetup.gateways.datadog.keys import probe_permissions
from ddsetup.gateways.datadog.workload_identity import read_workload_identity
from ddsetup.gateways.overlap import all_of, begun
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.delivery import Deliveries
from ddsetup.model.errors import CredentialsError, GatewayError, NotFound
from ddsetup.model.evidence import Evidence, ForwarderHealth, Local, Looking
from ddsetup.model.report import Signal
from ddsetup.model.snapshot import Snapshot
from ddsetup.observe.chosen import observe_filters, observe_permissions
from ddsetup.plan.steps.forwarder_choice import site_of
from ddsetup.plan.steps.subscriptions.groups import log_group_of
from ddsetup.verify.progress import Watch, others_than
from ddsetup.verify.things import forwarders_of, switched_on
from ddsetup.verify.watch import (
    Streams,
    carried,
    cloudwatch_counts,
    cloudwatch_traffic,
    observe_signals,
    streams_in,
)

_ENDPOINTS = ("AWS_ENDPOINT_URL", "DDSETUP_DATADOG_URL")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_FITTING: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "boto3": ((1, 40), (2,)),
    "datadog-api-client": ((2, 59), (3,)),
    "typer": ((0, 24), (0, 31)),
}
"""From and below which versions, as in ddsetup's own package metadata."""


def look_around(environ: Mapping[str, str], aws: Aws | None) -> Local:
    """This machine. Without `aws` its clock is compared with nobody's."""
    return Local(
        python=platform.python_version(),
        misfits=tuple(_misfits()),
        clock_skew=_skew(aws) if aws is not None else None,
        endpoints={name: text(environ[name]) for name in _ENDPOINTS if environ.get(name)},
        proxies={name: text(environ[name]) for name in _PROXIES if environ.get(name)},
    )


def gather(
    aws: Aws, dd: Datadog | None, snapshot: Snapshot, answers: Answers, looking: Looking
) -> tuple[Snapshot, Evidence]:
    """The evidence, and the snapshot with what had to be read for it. Never raises for what is refused."""
    case = make_case(snapshot, Evidence(history=looking.history), answers)
    streams = begun(lambda: streams_in(aws, [s.function for s in case.subjects]))
    first: dict[str, Callable[[], Any]] = {
        "local": lambda: look_around(looking.environ, aws),
        "snapshot": lambda: observe_permissions(aws, snapshot, _questions(snapshot, answers)),
        "signals": lambda: _signals(aws, dd, case, looking, streams),
        "indexes": lambda: log_indexes(dd) if dd is not None else (),
        "permissions": lambda: dict(probe_permissions(dd)) if dd is not None else {},
    }
    for place in case.places:
        if place.forwarder is not None and place.forwarded:
            first[place.forwarder.arn] = _health_of(aws, dd, place, looking)
    if dd is not None and any(s.env.get(ORG_UUID) for s in case.subjects):
        first["workload_identity"] = lambda: read_workload_identity(dd)
    found = all_of(first)
    identity = found.pop("workload_identity", None)
    evidence = Evidence(
        local=found.pop("local"),
        faults=looking.faults,
        permissions=found.pop("permissions"),
        signals=found.pop("signals"),
        indexes=found.pop("indexes"),
        minutes=looking.minutes,
        exhausted=_exhausted(dd),
        history=looking.history,
    )
    snapshot = found.pop("snapshot")
    snapshot = replace(snapshot, datadog=replace(snapshot.datadog, workload_identity=identity))
    seen = {at: replace(snapshot.lanes[at], metric_streams=there) for at, there in streams.result().items()}
    snapshot = replace(snapshot, lanes={**snapshot.lanes, **seen})
    evidence = replace(evidence, forwarders=found)
    snapshot = observe_filters(aws, snapshot, groups_in_doubt(make_case(snapshot, evidence, answers)))
    snapshot, evidence = look_into_doubts(aws, dd, make_case(snapshot, evidence, answers), looking)
    return snapshot, replace(evidence, deliveries=_deliveries(aws, snapshot, looking))


def _signals(
    aws: Aws, dd: Datadog | None, case: Case, looking: Looking, streams: Future[Streams]
) -> tuple[Signal, ...]:
    """What has arrived, of functions by the way in which each is monitored.

    What a function did before it was last changed proves nothing about how it is now.
    """
    if dd is None:
        return ()
    now = aws.clock.now()
    answers = case.answers
    start = max([now - timedelta(minutes=looking.minutes), *_record_changes(case.snapshot, now)])
    watches: dict[tuple[str, bool], list[Function]] = {}
    for function in (s.function for s in case.subjects):
        fresh = (modified(function) or start) > start
        watches.setdefault((way_of(function, answers), fresh), []).append(function)
    found: list[Signal] = []
    streamed = carried(streams.result())
    for (way, fresh), functions in watches.items():
        changed = [at for f in functions if (at := modified(f)) is not None]
        since = min(max([start, *changed]), now) if fresh else start
        via: Any = way
        said = replace(answers, via=via)
        others = others_than(functions, case.snapshot.functions())
        wanted = Watch(
            functions=tuple(functions), answers=said, since=since, streamed=streamed, others=others
        )
        found += observe_signals(dd, cloudwatch_traffic(aws), wanted, clock=aws.clock)
    return (*found, *_of_things(aws, dd, case, start))


def _deliveries(aws: Aws, snapshot: Snapshot, looking: Looking) -> Mapping[str, Deliveries]:
    """How the delivery streams to Datadog do; most accounts have none."""

    def ask(lane: Lane, arn: str) -> Callable[[], Deliveries]:
        return lambda: deliveries(aws, lane, arn.rpartition("/")[2], looking.minutes)

    asked = {
        arn: ask(at, arn)
        for at, lane in snapshot.lanes.items()
        for arn in (*metric_deliveries(lane), *log_deliveries(lane))
    }
    return all_of(asked)


def _of_things(aws: Aws, dd: Datadog, case: Case, since: datetime) -> tuple[Signal, ...]:
    """What has arrived of what the answers switch on beside functions, and of the Forwarders."""
    snapshot, answers = case.snapshot, case.answers
    carriers = forwarders_of(snapshot, Plan(), snapshot.lanes) if answers.forwards else ()
    things = switched_on(snapshot, answers, carriers)
    if not things:
        return ()
    count = cloudwatch_counts(aws, list(snapshot.lanes))
    wanted = Watch(functions=(), answers=answers, since=since, things=things, count=count)
    return observe_signals(dd, cloudwatch_traffic(aws), wanted, clock=aws.clock)


def _record_changes(snapshot: Snapshot, now: datetime) -> list[datetime]:
    """When Datadog's records of the accounts were last changed."""
    found = []
    for account in snapshot.accounts.values():
        if isinstance(account.integration, Integration):
            at = record_changed(account.integration)
            if at is not None and at <= now:
                found.append(at)
    return found


def _health_of(aws: Aws, dd: Datadog | None, place: Place, looking: Looking) -> Callable[[], ForwarderHealth]:
    def ask() -> ForwarderHealth:
        assert place.forwarder is not None
        name, lane = place.forwarder.name, place.at
        group = log_group_of(place.function) if place.function else f"/aws/lambda/{name}"
        metrics = {Series.of_function(name, each): each for each in ("Invocations", "Errors", "Throttles")}
        read = all_of(
            {
                "reserved": lambda: health.reserved_concurrency(aws, lane, name),
                "policy": lambda: resource_policy(aws, lane, name),
                "counts": lambda: by_minute(aws, lane, tuple(metrics), looking.minutes),
                "lines": lambda: health.telling_lines(aws, lane, group, looking.minutes),
                "key": lambda: _key_of(aws, dd, place),
            }
        )
        counts, key = read.pop("counts"), read.pop("key")
        if not isinstance(counts, Unreadable):
            read["by_minute"] = {metrics[series]: points for series, points in counts.items()}
            counts = {name: sum(n for _, n in points) for name, points in read["by_minute"].items()}
        return ForwarderHealth(policy_read=True, counts=counts, **read, **key)

    return ask


def _key_of(aws: Aws, dd: Datadog | None, place: Place) -> dict[str, Any]:
    """What Datadog says to the Forwarder's key; nothing is known where it is not kept in a secret."""
    env = (place.function.env if place.function else None) or {}
    arn = env.get(KEY_SECRET_ARN, "")
    if dd is None or not arn.startswith("arn:"):
        return {}
    try:
        value = secrets.read_secret_value(aws, arn)
    except GatewayError as error:
        if isinstance(error, NotFound):
            return {"key": "missing", "key_reason": "the secret with its API key does not exist"}
        if isinstance(error, secrets.StillGoing):
            return {"key": "deleted", "key_reason": "the secret with its API key is scheduled for deletion"}
        return {"key_unreadable": Unreadable(error.action, error.what)}
    assert place.forwarder is not None
    site = site_of(place.forwarder, place.lane) or dd.site
    state, reason = key_state(dd, value, site)
    return {"key": state, "key_reason": reason}


def _questions(snapshot: Snapshot, answers: Answers) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What looking takes, by account; without resources, so that a refusal on some is no refusal of all."""
    from ddsetup.plan.policy import least_policy

    document = least_policy(answers, "aws", ("*",), answers.regions, ("doctor",))
    actions: dict[str, tuple[str, ...]] = {a: () for s in document["Statement"] for a in s["Action"]}
    return dict.fromkeys(snapshot.accounts, actions)


def _exhausted(dd: Datadog | None) -> tuple[str, ...]:
    limits = list(dd.limits.values()) if dd is not None else []
    return tuple(sorted({limit.name for limit in limits if limit.remaining <= 0 and limit.name}))


def _skew(aws: Aws) -> float | None:
    try:
        said = health.server_date(aws)
        return (aws.clock.now() - parsedate_to_datetime(said)).total_seconds() if said else None
    except (GatewayError, CredentialsError, ValueError):
        return None


def _misfits() -> Iterable[str]:
    for name, (least, below) in _FITTING.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        parts = tuple(int(p) for p in version.split(".")[:3] if p.isdecimal())
        if not least <= parts < below:
            least_, below_ = _dotted(least), _dotted(below)
            yield f"{name} {version} is installed; ddsetup needs {least_} or newer, below {below_}"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
