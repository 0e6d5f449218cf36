"""The proof: what of each function has arrived in Datadog, and what may keep it from being seen there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Blind, Check, Checks, Problem, Result
from ddsetup.doctor.checks.functions import problem
from ddsetup.facts.guides import LOGS_GUIDE
from ddsetup.facts.signals import KINDS, TITLES, SignalKind
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.report import Signal

check = Checks("arrival")


def _arrives(kind: SignalKind) -> Check:
    """The check that this kind of data arrives."""
    id_, title, doc = kind.check
    return Check(
        id=id_,
        title=title,
        group="arrival",
        run=partial(_missing, kind),
        doc=doc,
        severity=kind.severity,
        needs=kind.needs,
        link=kind.guide,
        proves=kind.name,
        stops=("cold_start",) if kind.name == "enhanced_metrics" else (),
    )


def _missing(kind: SignalKind, case: Case) -> Iterator[Result]:
    """A problem for each function whose data of this kind is overdue; blind once if Datadog did not tell.

    What the function itself is set not to send is a finding of its own.
    """
    hidden: Signal | None = None
    for s in case.subjects:
        for signal in s.signals:
            if signal.signal != kind.name:
                continue
            if signal.status == "missing" and (not kind.switch or s.on(kind.switch)):
                yield problem(s, f"{kind.lacking}: {signal.reason}")
            elif signal.status == "unreadable":
                hidden = signal
    if hidden is not None:
        resource = ResourceId("signal", kind.name.replace("_", " "))
        action = hidden.reason.rpartition(" ")[2] if "permission" in hidden.reason else ""
        yield Blind(resource, Unreadable(action, hidden.reason, denied=bool(action)))


OF_SIGNALS = tuple(map(_arrives, KINDS))
"""One check for each kind of data."""


@check(
    "services-arrive",
    "data of what was switched on beside functions arrives",
    needs=("timeseries_query", "logs_read_data", "apm_read", "metrics_read", "cloudwatch:GetMetricData"),
    link=LOGS_GUIDE,
    proves="services",
)
def services(case: Case) -> Iterator[Result]:
    """Something went on at a state machine, a stage of an API, a namespace of CloudWatch or a Forwarder, and
    none of it is in Datadog. Which of them are meant is said as for `setup`."""
    for signal in case.evidence.signals:
        if signal.resource is None:
            continue
        if signal.status == "missing":
            what = TITLES.get(signal.signal, signal.signal).lower()
            told = f"its data ({what}) does not arrive: {signal.reason}"
            yield Problem(resource=signal.resource, what=told)
        elif signal.status == "unreadable":
            yield Blind(signal.resource, Unreadable("", signal.reason, denied=False))


@check(
    "traffic",
    "the functions were invoked",
    "info",
    needs=("cloudwatch:GetMetricData",),
    at="invocations",
    proves="invocations",
)
def traffic(case: Case) -> Iterator[Result]:
    """The function was not invoked in the last hour: there is nothing to see of it, so nothing is proven.

    Invoke it, or look again after it ran; `ddsetup verify --invoke` does so once it is confirmed.
    """
    counted = case.evidence.traffic
    if isinstance(counted, Unreadable):
        yield Blind(ResourceId("signal", "invocations"), counted)
        return
    for s in case.subjects:
        statuses = [signal.status for signal in s.signals]
        idle = bool(statuses) and all(status == "no_traffic" for status in statuses)
        if idle and not (counted or {}).get(s.function.arn):
            yield problem(
                s,
                f"it was not invoked in the last {case.evidence.minutes} minutes",
                "invoke it, then look again",
                command=f"ddsetup verify --invoke --function {s.function.name}",
            )


@check(
    "logs-indexed",
    "Datadog indexes the logs that arrive",
    "warning",
    needs=("logs_read_config",),
    link=LOGS_GUIDE,
    at="index",
    proves="index",
    stops=("logs",),
)
def indexed(case: Case) -> Iterator[Result]:
    """An index of Datadog's logs has used up its daily quota, or an exclusion filter drops logs of Lambda.

    Such logs are ingested, and can be seen live and in archives, but a search does not find them.
    """
    indexes = case.evidence.indexes
    if isinstance(indexes, Unreadable):
        yield Blind(ResourceId("log_index", "log indexes"), indexes)
        return
    for index in indexes:
        resource = ResourceId("log_index", index.name)
        if index.limited:
            yield Problem(
                resource=resource,
                what="its daily quota is used up: what arrives now is not indexed",
                fix="raise the quota, or wait until it resets",
            )
        dropped = [query for query, share in index.exclusions if share >= 1 and _concerns(query)]
        if dropped:
            yield Problem(
                resource=resource,
                what=f"an exclusion filter drops logs: {dropped[0]}",
                fix="see whether it means the functions' logs",
            )


@check("rate-limits", "Datadog's rate limits are not used up", "info")
def rate_limits(case: Case) -> Iterator[Result]:
    """A rate limit of Datadog's API is used up, by this or by other programs: what it asks for stays unknown
    until it resets."""
    for name in case.evidence.exhausted:
        yield Problem(
            resource=ResourceId("rate_limit", name),
            what="it is used up, so some answers are missing",
            fix="look again later",
        )


def _concerns(query: str) -> bool:
    """Whether an exclusion filter may mean logs of Lambda functions."""
    words: Sequence[str] = query.lower().split()
    return query.strip() in ("", "*") or any("source:lambda" in word for word in words if word[0] != "-")
