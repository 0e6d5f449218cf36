"""The proof: what of each function has arrived in Datadog, and what may keep it from being seen there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ddsetup.doctor.checks.case import Case, Subject
from ddsetup.doctor.checks.check import DELAY_GUIDE, LAMBDA_GUIDE, LOGS_GUIDE, Blind, Problem, Result, check
from ddsetup.doctor.checks.functions import problem
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.report import Severity, Signal, SignalName

_ACCESS = ("datadog-keys", "datadog-reachable", "datadog-permissions", "local-clock")
_CRAWL = (
    "integration-exists",
    "role-exists",
    "role-trust",
    "role-permissions",
    "metrics-enabled",
    "lambda-namespace",
    "regions-included",
    "metric-tag-filters",
    "metric-name-filters",
    "role-boundary",
)
_STARTS = (
    "handler-known",
    "layer-present",
    "layer-runtime",
    "layer-architecture",
    "function-starts",
    "function-ready",
)
_ROAD = (
    "integration-exists",
    "forwarder-exists",
    "forwarder-key",
    "forwarder-site",
    "forwarder-concurrency",
    "forwarder-permission",
    "forwarder-ready",
    "forwarder-registered",
    "log-source",
    "stale-registration",
    "log-group-exists",
    "log-group-class",
    "log-group-room",
    "log-group-subscribed",
    "filter-pattern",
    "role-writes-logs",
    "forwarder-egress",
    "forwarder-decrypt",
    "forwarder-errors",
    "forwarder-throttles",
    "forwarder-filter",
    "old-forwarder",
)
_EXTENSION = ("key-source", "key-access", "function-site", "extension-egress")
_LIBRARY = (
    *_STARTS,
    "function-instrumented",
    "handler-redirected",
    "wrapper-set",
    "exec-wrapper",
    "handler-kept",
    "flush-to-log",
    "application-log-level",
    "other-vendor",
    "function-runtime",
    "published-version",
)

_READ_METRICS = ("timeseries_query", "cloudwatch:GetMetricData")


def _missing(case: Case, name: SignalName, so: str, severity: Severity | None = None) -> Iterator[Result]:
    """A problem for each function whose data of this kind is overdue; blind once if Datadog did not tell."""
    hidden: Signal | None = None
    for s in case.subjects:
        for signal in s.signals:
            if signal.signal != name:
                continue
            if signal.status == "missing" and not _switched_off(s, name):
                yield problem(s, f"{so}: {signal.reason}", severity=severity)
            elif signal.status == "unreadable":
                hidden = signal
    if hidden is not None:
        resource = ResourceId("signal", name.replace("_", " "))
        action = hidden.reason.rpartition(" ")[2] if "permission" in hidden.reason else ""
        yield Blind(resource, Unreadable(action, hidden.reason, denied=bool(action)))


@check(
    "metrics-arrive",
    "CloudWatch metrics of the functions arrive",
    "arrival",
    needs=_READ_METRICS,
    link=DELAY_GUIDE,
    because_of=(*_ACCESS, *_CRAWL),
)
def metrics(case: Case) -> Iterator[Result]:
    """The function ran, and its CloudWatch metrics (`aws.lambda.invocations`) are not in Datadog after more
    than the usual 25 minutes."""
    yield from _missing(case, "cloudwatch_metrics", "its CloudWatch metrics do not arrive")


@check(
    "enhanced-arrive",
    "enhanced metrics of the functions arrive",
    "arrival",
    needs=_READ_METRICS,
    link=LAMBDA_GUIDE,
    because_of=(*_ACCESS, *_LIBRARY, *_ROAD, *_EXTENSION, "enhanced-metrics-on"),
)
def enhanced(case: Case) -> Iterator[Result]:
    """The function ran, and the library's metrics (`aws.lambda.enhanced.invocations`) are not in Datadog.

    With duration but no invocations the layer is missing; with invocations but no duration, REPORT lines are.
    """
    yield from _missing(case, "enhanced_metrics", "its enhanced metrics do not arrive")


@check(
    "cold-starts-arrive",
    "cold starts of the functions are seen",
    "arrival",
    "warning",
    needs=_READ_METRICS,
    link=LAMBDA_GUIDE,
    because_of=(*_ACCESS, "enhanced-arrive", *_LIBRARY, *_ROAD, *_EXTENSION, "enhanced-metrics-on"),
)
def cold_starts(case: Case) -> Iterator[Result]:
    """No invocation with `cold_start:true` was seen, although the function must have started once."""
    yield from _missing(case, "cold_start", "its cold starts are not seen")


@check(
    "logs-arrive",
    "logs of the functions arrive",
    "arrival",
    needs=("logs_read_data",),
    link=LOGS_GUIDE,
    because_of=(
        *_ACCESS,
        *_ROAD,
        "forwarder-logs-on",
        "logs-indexed",
        "extension-logs",
        *_EXTENSION,
        *_STARTS,
    ),
)
def logs(case: Case) -> Iterator[Result]:
    """The function ran, and no log of it is in Datadog's indexes."""
    yield from _missing(case, "logs", "its logs do not arrive")


@check(
    "traces-arrive",
    "traces of the functions arrive",
    "arrival",
    needs=("apm_read",),
    link=LAMBDA_GUIDE,
    because_of=(*_ACCESS, *_LIBRARY, *_ROAD, *_EXTENSION, "tracing-on", "forwarder-address"),
)
def traces(case: Case) -> Iterator[Result]:
    """The function ran, and no trace of it is in Datadog. Where metrics arrive by the Forwarder and traces do
    not, look at DD_TRACE_ENABLED, and at what the Forwarder's DdTraceIntakeUrl says."""
    yield from _missing(case, "traces", "its traces do not arrive")


@check("traffic", "the functions were invoked", "arrival", "info", needs=("cloudwatch:GetMetricData",))
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
    "arrival",
    "warning",
    needs=("logs_read_config",),
    link=LOGS_GUIDE,
    because_of=("datadog-keys", "datadog-reachable"),
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


@check("rate-limits", "Datadog's rate limits are not used up", "arrival", "info")
def rate_limits(case: Case) -> Iterator[Result]:
    """A rate limit of Datadog's API is used up, by this or by other programs: what it asks for stays unknown
    until it resets."""
    for name in case.evidence.exhausted:
        yield Problem(
            resource=ResourceId("rate_limit", name),
            what="it is used up, so some answers are missing",
            fix="look again later",
        )


def _switched_off(subject: Subject, name: SignalName) -> bool:
    """Whether the function itself is set not to send it, which is a finding of its own."""
    switch = {"traces": "DD_TRACE_ENABLED"}.get(name, "DD_ENHANCED_METRICS")
    return name in ("traces", "enhanced_metrics", "cold_start") and not subject.on(switch)


def _concerns(query: str) -> bool:
    """Whether an exclusion filter may mean logs of Lambda functions."""
    words: Sequence[str] = query.lower().split()
    return query.strip() in ("", "*") or any("source:lambda" in word for word in words if word[0] != "-")


CHECKS = (metrics, enhanced, cold_starts, logs, traces, traffic, indexed, rate_limits)
