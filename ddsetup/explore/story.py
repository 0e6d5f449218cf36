"""One request as a story: the functions it went through, what each logged, and what made it fail. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ddsetup.explore.drawing import clean
from ddsetup.explore.errors import BAD
from ddsetup.explore.flame import above, rows_of
from ddsetup.explore.reports import Ended, ended
from ddsetup.facts.failures import Failure, failure_of
from ddsetup.facts.searches import OPERATIONS
from ddsetup.gateways.datadog.event_search import Log, SpanEvent
from ddsetup.model.account import Json
from ddsetup.model.clock import iso

_CUT_OFF = "Task timed out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of one function. `span_id` is empty where only its log tells of it."""

    function: str
    request_id: str
    start: datetime
    duration_ms: float
    region: str = ""
    account: str = ""
    span_id: str = ""
    failed: bool = False
    error: str = ""
    error_type: str = ""
    cold_start: bool = False
    logs: tuple[Log, ...] = field(default=())

    @property
    def report(self) -> Ended:
        return ended((log.message for log in self.logs), self.request_id)

    @property
    def failure(self) -> Failure | None:
        """What Lambda and its runtime say went wrong. That another one timed out, which it may tell, too, is
        not its own timeout: Lambda's line names the request."""
        said = (self.error, self.error_type, *(log.message for log in self.logs))
        return failure_of(text for text in said if _CUT_OFF not in text or self.request_id in text)


def invocation_of(span: SpanEvent, logs: Sequence[Log] = ()) -> Invocation:
    """The invocation that this span is of."""
    arn = [*span.arn.split(":"), *[""] * 7]
    return Invocation(
        function=span.function or span.resource,
        request_id=span.request_id,
        start=span.start,
        duration_ms=span.duration_ms,
        region=arn[3],
        account=arn[4],
        span_id=span.span_id,
        failed=span.failed,
        error=span.error,
        error_type=span.error_type,
        cold_start=span.cold_start,
        logs=tuple(logs),
    )


def told_by_logs(request_id: str, logs: Sequence[Log]) -> Invocation | None:
    """The invocation that these logs are of; None without logs."""
    if not logs:
        return None
    report = ended((log.message for log in logs), request_id)
    wrong = [log.message for log in logs if log.status in BAD]
    first = min(log.at for log in logs)
    took = report.duration_ms or (max(log.at for log in logs) - first).total_seconds() * 1000
    return Invocation(
        function=next((log.function for log in logs if log.function), "?"),
        region=next((log.region for log in logs if log.region), ""),
        request_id=request_id,
        start=first,
        duration_ms=took,
        error=wrong[-1].splitlines()[0] if wrong else "",
        failed=bool(wrong)
        or report.status not in ("", "success")
        or failure_of(log.message for log in logs) is not None,
        cold_start=report.init_ms is not None,
        logs=tuple(logs),
    )


def is_invocation(span: SpanEvent) -> bool:
    """Whether it is the span of a function as a whole."""
    return span.operation in OPERATIONS and bool(span.function)


def story(trace_id: str, spans: Sequence[SpanEvent], invocations: Sequence[Invocation]) -> Mapping[str, Json]:
    """A request as plain data. `spans` may be empty; then its invocations tell all there is to tell."""
    rows = rows_of(spans)
    order = {row["span_id"]: at for at, row in enumerate(rows)}
    ranked = sorted(invocations, key=lambda each: (order.get(each.span_id, len(order)), each.start))
    entry = ranked[0] if ranked else None
    return {
        "trace_id": trace_id,
        "function": entry.function if entry else "",
        "service": next((row["service"] for row in rows), ""),
        "start": iso(entry.start) if entry else "",
        "duration_ms": round(entry.duration_ms, 3) if entry else 0.0,
        "failed": bool(entry and entry.failed),
        "error": clean(entry.error) if entry else "",
        "cold_start": bool(entry and entry.cold_start),
        "request_id": entry.request_id if entry else "",
        "cause": cause_of(rows, ranked),
        "functions": [_told(each) for each in ranked],
        "span_count": len(spans),
        "spans": rows,
        "logs": [_log(each, log) for each in ranked for log in each.logs],
    }


def _told(each: Invocation) -> Json:
    report = each.report
    return {
        "function": each.function,
        "region": each.region,
        "request_id": each.request_id,
        "start": iso(each.start),
        "duration_ms": round(each.duration_ms if report.duration_ms is None else report.duration_ms, 3),
        "failed": each.failed or each.failure is not None,
        "error": clean(each.error),
        "cold_start": each.cold_start,
        "init_ms": report.init_ms,
        "memory_mb": report.memory_mb,
        "used_mb": report.used_mb,
    }


def _log(each: Invocation, log: Log) -> Json:
    return {
        "function": each.function,
        "request_id": each.request_id,
        "at": iso(log.at),
        "status": log.status,
        "message": clean(log.message),
    }


def cause_of(rows: Sequence[Mapping[str, Json]], invocations: Sequence[Invocation]) -> Json:
    """What went wrong first of all: the deepest span that failed, or else what a log tells; None if nothing.

    A failure goes up from a callee to its callers. So of spans that failed the one below all others is where
    it began; of several, the first.
    """
    by_span = {each.span_id: each for each in invocations if each.span_id}
    paths = above(rows)
    failing = [at for at, row in enumerate(rows) if row["failed"]]
    passed_on = {ancestor for at in failing for ancestor in paths[at]}
    began = [at for at in failing if at not in passed_on]
    if began:
        at = min(began, key=lambda at: (-rows[at]["depth"], rows[at]["start_ms"]))
        path = [rows[ancestor] for ancestor in (*paths[at], at)]
        owner = next((by_span[row["span_id"]] for row in reversed(path) if row["span_id"] in by_span), None)
        return _cause(rows[at], owner, path)
    broken = next((each for each in invocations if each.failed or each.failure), None)
    return _cause(None, broken, ()) if broken else None


def _cause(
    row: Mapping[str, Json] | None, owner: Invocation | None, path: Sequence[Mapping[str, Json]]
) -> Json:
    function = owner.function if owner else row["function"] if row else ""
    failure = owner.failure if owner else None
    error = str(row["error"] if row else owner.error if owner else "")
    below = row is not None and owner is not None and row["span_id"] != owner.span_id
    callers = dict.fromkeys(each["function"] for each in reversed(path) if each["function"])
    first = next(iter(error.splitlines()), "")
    plain = f"failed{': ' if first else ''}{first}"
    if below and row is not None and failure is None:
        plain = f"failed in {row['operation']} {row['resource']}{': ' if first else ''}{first}"
    return {
        "function": function,
        "region": owner.region if owner else "",
        "request_id": owner.request_id if owner else "",
        "kind": failure.kind if failure else "error",
        "what": clean(failure.what if failure else plain),
        "error": clean(error),
        "operation": row["operation"] if row else "",
        "resource": row["resource"] if row else "",
        "called_by": [name for name in callers if name != function],
        "fix": failure.fix if failure else "",
        "check": failure.check if failure else "",
        "command": "",
    }
