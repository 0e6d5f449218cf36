"""One request from end to end: its trace, the logs of its functions, and the metrics of that minute."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from ddsetup.explore.errors import QUERY, READ, REQUEST_ID, by_pattern, request_named
from ddsetup.explore.flame import requests_logs
from ddsetup.explore.given_time import with_time
from ddsetup.explore.minute import with_minute
from ddsetup.explore.story import Invocation, invocation_of, is_invocation, story, told_by_logs
from ddsetup.explore.tracing import invocations_of, spans_of
from ddsetup.facts.links import trace_link
from ddsetup.facts.searches import INVOCATIONS, logs_of, logs_of_request
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import Log, SpanEvent, search_logs, search_spans
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Function, Json
from ddsetup.model.errors import GatewayError, UsageError

LATELY = 24 * 60
"""Minutes back that are searched: whoever asks has an id from a log or a ticket, not from just now."""

T = TypeVar("T")
Limits: TypeAlias = Callable[[Sequence[Invocation]], Mapping[str, Function]]
_TRACE = re.compile(r"\d{1,20}|[0-9a-f]{16}|[0-9a-f]{32}")
_LOGS = 1_000
_LONGEST = timedelta(minutes=15)
"""An invocation takes no longer (Lambda quotas), so its first line is not further away."""


def checked(given: str) -> str:
    """The id of a request or a trace, as Datadog writes it. Raises UsageError for anything else."""
    found = given.strip().lower().removeprefix("0x")
    if REQUEST_ID.fullmatch(found) or _TRACE.fullmatch(found):
        return found
    raise UsageError(
        f"{given!r} is no id of a request or a trace",
        fix="a request's is a UUID, a trace's a decimal number or 16 or 32 hexadecimal digits",
    )


def request(dd: Datadog, limits: Limits, account: str, window: Window, given: str) -> Mapping[str, Json]:
    """The `data` of `explore request`, in some five calls and two for each function of the request.

    What one permission less lets nobody see is said under `unreadable`; the rest is told all the same.
    `limits` gives what AWS tells of the functions by their names in Datadog.
    """
    unreadable: dict[str, str] = {}

    def known(what: str, ask: Callable[[], T], nothing: T) -> T:
        try:
            return ask()
        except GatewayError as error:
            unreadable[what] = error.what
            return nothing

    unseen: tuple[str, tuple[SpanEvent, ...]] = ("", ())
    trace, spans = known("traces", lambda: _trace(dd, window, given), unseen)
    without_logs: Mapping[str, tuple[Invocation, ...]] = {
        trace: tuple(invocation_of(span) for span in spans if is_invocation(span))
    }
    found = known("logs", lambda: invocations_of(dd, {trace: spans}), without_logs)[trace]
    if not found and REQUEST_ID.fullmatch(given):
        alone = known("logs", lambda: _by_logs(dd, window, given), None)
        found = (alone,) if alone else ()
    data = dict(story(trace, spans, found))
    data = with_time(data, limits(found))
    data = known("metrics", lambda: with_minute(dd, data, account, found), data)
    link = {"link": trace_link(dd.site, trace)} if trace else {}
    return {"id": given, **data, **link, "unreadable": unreadable}


def _trace(dd: Datadog, window: Window, given: str) -> tuple[str, tuple[SpanEvent, ...]]:
    """The id of the trace that is meant, and its spans; empty if there is none."""
    if not REQUEST_ID.fullmatch(given):
        ids = _spellings(given)
        found = spans_of(dd, window, ids)
        return next(((trace, spans) for trace, spans in found.items()), ("", ()))
    query = f"(@request_id:{given} OR request_id:{given})"
    named = search_spans(dd, window, f"{query} {INVOCATIONS}", limit=1) or search_spans(
        dd, window, query, limit=1
    )
    if not named:
        return "", ()
    around = Window(max(window.start, named[0].start - _LONGEST), window.end)
    return named[0].trace_id, spans_of(dd, around, (named[0].trace_id,)).get(named[0].trace_id, named)


def _spellings(given: str) -> tuple[str, ...]:
    """A trace's id in the forms that Datadog may keep: as it is, and its lower 64 bits as a number."""
    if len(given) in (16, 32):
        return tuple(dict.fromkeys((given, str(int(given[-16:], 16)))))
    return (given,)


def _by_logs(dd: Datadog, window: Window, given: str) -> Invocation | None:
    """What the logs tell of a request that has no trace."""
    named = search_logs(
        dd, window, f"source:lambda {logs_of_request(given)}", limit=_LOGS, newest_first=False
    )
    if not named:
        return None
    function = next((log.function for log in named if log.function), "")
    if not function:
        return told_by_logs(given, named)
    second = timedelta(seconds=1)
    around = Window(min(log.at for log in named) - second, max(log.at for log in named) + second)
    query = f"source:lambda {logs_of((function,))}"
    every = search_logs(dd, around, query, limit=_LOGS, newest_first=False)
    return told_by_logs(given, requests_logs(every, given) or named)


def of_error(dd: Datadog, window: Window, whose: Whose, number: int) -> str:
    """The id of the newest request with the error that `explore errors` shows under this number.

    Raises UsageError when there are fewer, or when nothing tells the request.
    """
    logs = search_logs(dd, window, whose.logs(QUERY), limit=READ)
    ordered = by_pattern(log for log in logs if whose.has(log.function))
    if not 1 <= number <= len(ordered):
        there = f"there are {len(ordered):,} patterns of errors" if ordered else "no error was logged"
        raise UsageError(
            f"--error {number}: {there} in this time", fix="`ddsetup explore errors` numbers them"
        )
    newest = sorted(ordered[number - 1][1], key=lambda log: log.at, reverse=True)
    named = next(filter(None, map(request_named, newest)), "") or _nearest(dd, newest[0])
    if not named:
        raise UsageError(f"--error {number}: its logs do not tell which request they are of")
    return named


def _nearest(dd: Datadog, log: Log) -> str:
    """The request that ran in this log stream when a log was written: the last one named before it."""
    if not (log.stream and log.function):
        return ""
    until: datetime = log.at + timedelta(milliseconds=1)
    query = f"source:lambda {logs_of((log.function,))}"
    before = search_logs(dd, Window(log.at - _LONGEST, until), query, limit=_LOGS)
    ours: Sequence[Log] = [each for each in before if each.stream == log.stream]
    return next(filter(None, map(request_named, ours)), "")
