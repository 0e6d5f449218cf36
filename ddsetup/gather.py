"""Reading what the doctor needs beyond the snapshot, as little of it as will do.

Where data arrives, the road that it came by is proven, and is not looked at again: that is what keeps a
healthy account of a thousand functions within seconds. Filters, roles and logs are read where data is
missing, or where there are few of them, or when all are asked for.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import Any

from ddsetup.answers import Answers
from ddsetup.arrival import Watch
from ddsetup.checks.case import Case, Place, Subject, make_case, meant, way_of
from ddsetup.disclose import text
from ddsetup.errors import CredentialsError, GatewayError
from ddsetup.evidence import Evidence, Fault, ForwarderHealth, Local
from ddsetup.gateways.aws import health, roles, secrets
from ddsetup.gateways.aws.functions import resource_policy
from ddsetup.gateways.aws.metrics import invocations
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.health import key_state, log_indexes
from ddsetup.gateways.datadog.keys import probe_permissions
from ddsetup.model import Function, Integration, Lane, Role, Snapshot, Unreadable
from ddsetup.observe import observe_aliases, observe_filters, observe_permissions
from ddsetup.report import Signal
from ddsetup.steps.forwarder_choice import site_of
from ddsetup.steps.instrument.key_access import role_name
from ddsetup.steps.subscriptions.groups import can_have_filters, log_group_of
from ddsetup.verify import cloudwatch_traffic, observe_signals

MINUTES = 60
FEW_GROUPS = 50
"""So many log groups are looked at in any case: ten seconds at AWS's rate."""
MOST_ROLES = 20
MOST_LOGS = 10
MOST_ALIASES = 100

_ENDPOINTS = ("AWS_ENDPOINT_URL", "DDSETUP_DATADOG_URL")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_FITTING: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "boto3": ((1, 40), (2,)),
    "datadog-api-client": ((2, 59), (3,)),
    "typer": ((0, 24), (0, 31)),
}
"""From and below which versions, as in ddsetup's own package metadata."""


_NOT_LOOKED = Unreadable("", "there are more than are read by default; --deep reads all", denied=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How far to look. `minutes` back; `deep`: at every log group, role and log. `faults` are those of
    credentials that are known already."""

    environ: Mapping[str, str]
    minutes: int = MINUTES
    deep: bool = False
    faults: tuple[Fault, ...] = ()


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
    case = make_case(snapshot, Evidence(), answers)
    first: dict[str, Callable[[], Any]] = {
        "local": lambda: look_around(looking.environ, aws),
        "snapshot": lambda: observe_permissions(aws, snapshot, _questions(snapshot, answers)),
        "signals": lambda: _signals(aws, dd, snapshot, answers, looking),
        "indexes": lambda: log_indexes(dd) if dd is not None else (),
        "permissions": lambda: dict(probe_permissions(dd)) if dd is not None else {},
    }
    for place in case.places:
        if place.forwarder is not None and place.forwarded:
            first[place.forwarder.arn] = _health_of(aws, dd, place, looking)
    found = _all(first)
    evidence = Evidence(
        local=found.pop("local"),
        faults=looking.faults,
        permissions=found.pop("permissions"),
        signals=found.pop("signals"),
        indexes=found.pop("indexes"),
        minutes=looking.minutes,
        exhausted=_exhausted(dd),
    )
    snapshot = found.pop("snapshot")
    evidence = replace(evidence, forwarders=found)
    return _look_closer(aws, make_case(snapshot, evidence, answers), looking)


def _look_closer(aws: Aws, case: Case, looking: Looking) -> tuple[Snapshot, Evidence]:
    """Filters, roles, aliases and logs, of what is in doubt."""
    snapshot, evidence = case.snapshot, case.evidence
    doubtful = tuple(s for s in case.subjects if looking.deep or not _proven(s))
    few = doubtful if looking.deep else doubtful[:MOST_LOGS]
    names = list(dict.fromkeys(s.function.role for s in doubtful if s.function.role))
    wanted_roles = names if looking.deep else names[:MOST_ROLES]
    running: dict[str, Callable[[], Any]] = {
        "filters": lambda: observe_filters(aws, snapshot, _groups(case, doubtful, looking)),
        "aliases": lambda: observe_aliases(aws, snapshot, [s.function for s in doubtful[:MOST_ALIASES]]),
        "traffic": lambda: _traffic(aws, doubtful, looking),
        "longest": lambda: _longest(aws, doubtful, looking),
    }
    for arn in wanted_roles:
        subject = next(s for s in doubtful if s.function.role == arn)
        running[f"role {arn}"] = _role_of(aws, subject.function)
    for subject in few:
        running[f"lines {subject.function.arn}"] = _lines_of(aws, subject.function, looking)
    found = _all(running)
    lanes = {
        lane: replace(held, aliases=found["aliases"].lanes[lane].aliases)
        for lane, held in found["filters"].lanes.items()
    }
    evidence = replace(
        evidence,
        traffic=found["traffic"],
        longest=found["longest"],
        roles={arn: found[f"role {arn}"] for arn in wanted_roles}
        | dict.fromkeys(names[len(wanted_roles) :][:1], _NOT_LOOKED),
        lines={s.function.arn: found[f"lines {s.function.arn}"] for s in few},
    )
    return replace(snapshot, lanes=lanes), evidence


def _proven(subject: Subject) -> bool:
    """Whether what arrived of a function proves the whole road that its data takes."""
    expected = {s.signal for s in subject.signals} & {"logs", "enhanced_metrics", "traces"}
    return bool(expected) and all(subject.arrived(name) for name in expected)


def _groups(case: Case, doubtful: Sequence[Subject], looking: Looking) -> Mapping[Lane, Iterable[str]]:
    """The log groups whose filters are read: few of them all, of many those in doubt; and the Forwarders'.

    Where there are several Forwarders, logs may well arrive twice: then all of them as well.
    """
    wanted: dict[Lane, dict[str, None]] = {}
    several = any(
        not isinstance(p.lane.forwarders, Unreadable) and len(p.lane.forwarders) > 1 for p in case.places
    )
    everything = looking.deep or several or len(case.subjects) <= FEW_GROUPS
    for subject in case.subjects if everything else doubtful:
        group = log_group_of(subject.function)
        place = case.place_of(subject)
        if can_have_filters(place.lane, group) and (place.forwarder or subject.way == "forwarder"):
            wanted.setdefault(place.at, {})[group] = None
    for place in case.places:
        if place.forwarder is not None:
            own = log_group_of(place.function) if place.function else f"/aws/lambda/{place.forwarder.name}"
            if can_have_filters(place.lane, own):
                wanted.setdefault(place.at, {})[own] = None
    return wanted


def _signals(
    aws: Aws, dd: Datadog | None, snapshot: Snapshot, answers: Answers, looking: Looking
) -> tuple[Signal, ...]:
    """What has arrived, of functions by the way in which each is monitored.

    What a function did before it was last changed proves nothing about how it is now.
    """
    if dd is None:
        return ()
    now = aws.clock.now()
    start = max([now - timedelta(minutes=looking.minutes), *_record_changes(snapshot, now)])
    watches: dict[tuple[str, bool], list[Function]] = {}
    for function in meant(snapshot, answers):
        fresh = (_modified(function) or start) > start
        watches.setdefault((way_of(function, answers), fresh), []).append(function)
    found: list[Signal] = []
    for (way, fresh), functions in watches.items():
        changed = [at for f in functions if (at := _modified(f)) is not None]
        since = min(max([start, *changed]), now) if fresh else start
        via: Any = way
        wanted = Watch(functions=tuple(functions), answers=replace(answers, via=via), since=since)
        found += observe_signals(dd, cloudwatch_traffic(aws), wanted, clock=aws.clock)
    return tuple(found)


def _record_changes(snapshot: Snapshot, now: datetime) -> list[datetime]:
    """When Datadog's records of the accounts were last changed."""
    found = []
    for account in snapshot.accounts.values():
        if isinstance(account.integration, Integration):
            at = _time(str(account.integration.raw.get("modified_at") or ""))
            if at is not None and at <= now:
                found.append(at)
    return found


def _modified(function: Function) -> datetime | None:
    return _time(function.last_modified)


def _time(text_: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text_)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _health_of(aws: Aws, dd: Datadog | None, place: Place, looking: Looking) -> Callable[[], ForwarderHealth]:
    def ask() -> ForwarderHealth:
        assert place.forwarder is not None
        name, lane = place.forwarder.name, place.at
        group = log_group_of(place.function) if place.function else f"/aws/lambda/{name}"
        metrics = ("Invocations", "Errors", "Throttles")
        read = _all(
            {
                "reserved": lambda: health.reserved_concurrency(aws, lane, name),
                "policy": lambda: resource_policy(aws, lane, name),
                "counts": lambda: health.counts(aws, lane, name, metrics, looking.minutes),
                "lines": lambda: health.telling_lines(aws, lane, group, looking.minutes),
                "key": lambda: _key_of(aws, dd, place),
            }
        )
        return ForwarderHealth(
            policy_read=True, **{k: v for k, v in read.items() if k != "key"}, **read["key"]
        )

    return ask


def _key_of(aws: Aws, dd: Datadog | None, place: Place) -> dict[str, Any]:
    """What Datadog says to the Forwarder's key; nothing is known where it is not kept in a secret."""
    env = (place.function.env if place.function else None) or {}
    arn = env.get("DD_API_KEY_SECRET_ARN", "")
    if dd is None or not arn.startswith("arn:"):
        return {}
    try:
        value = secrets.read_secret_value(aws, arn)
    except GatewayError as error:
        missing = type(error).__name__ == "NotFound"
        if missing:
            return {"key": "missing", "key_reason": "the secret with its API key does not exist"}
        return {"key_unreadable": Unreadable(error.action, error.what)}
    assert place.forwarder is not None
    site = site_of(place.forwarder, place.lane) or dd.site
    state, reason = key_state(dd, value, site)
    return {"key": state, "key_reason": reason}


def _role_of(aws: Aws, function: Function) -> Callable[[], Role | Unreadable | None]:
    return lambda: roles.read_role(aws, role_name(function))


def _lines_of(aws: Aws, function: Function, looking: Looking) -> Callable[[], tuple[str, ...] | Unreadable]:
    return lambda: health.telling_lines(aws, function.lane, log_group_of(function), looking.minutes)


def _traffic(aws: Aws, subjects: Sequence[Subject], looking: Looking) -> Mapping[str, float] | Unreadable:
    counted: dict[str, float] = {}
    for lane, functions in _by_lane(subjects).items():
        found = invocations(aws, lane, functions, looking.minutes)
        if isinstance(found, Unreadable):
            return found
        counted |= {functions[name]: count for name, count in found.items()}
    return counted


def _longest(aws: Aws, subjects: Sequence[Subject], looking: Looking) -> Mapping[str, float]:
    longest: dict[str, float] = {}
    for lane, functions in _by_lane(subjects).items():
        found = health.longest_runs(aws, lane, functions, looking.minutes)
        if not isinstance(found, Unreadable):
            longest |= {functions[name]: milliseconds for name, milliseconds in found.items()}
    return longest


def _by_lane(subjects: Iterable[Subject]) -> Mapping[Lane, Mapping[str, str]]:
    """ARNs by name in each lane."""
    found: dict[Lane, dict[str, str]] = {}
    for subject in subjects:
        found.setdefault(subject.function.lane, {})[subject.function.name] = subject.function.arn
    return found


def _questions(snapshot: Snapshot, answers: Answers) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What looking takes, by account; without resources, so that a refusal on some is no refusal of all."""
    from ddsetup.policy import least_policy

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


def _all(jobs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The results of all jobs, done side by side; the gateways keep the pace."""
    if not jobs:
        return {}
    with ThreadPoolExecutor(min(16, len(jobs))) as pool:
        futures = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: future.result() for name, future in futures.items()}
