"""`ddsetup explore logs`: what functions logged, and what they log from now on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ddsetup.explore.logs import SHOWN, conditions, log_blocks, log_lines, read_logs, shaped
from ddsetup.explore.masking import masked
from ddsetup.facts.links import logs_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import Looking, look
from ddsetup.flow.results import base_report, of_data
from ddsetup.gateways.datadog.event_search import MOST, Log
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report

PAUSE = 15.0
"""Seconds between two questions: Datadog allows 300 searches of logs an hour (rate limits page), and some are
left to others so."""
LATE = timedelta(minutes=5)
"""Logs that come by the Forwarder may be so much older than what is there already."""


def run(call: Call) -> Report:
    """The newest logs; with `--tail` those that come, until Ctrl-C or the end of `--wait`."""
    given = call.value("count")
    count = SHOWN if given is None else given
    if not 1 <= count <= MOST:
        raise UsageError(f"--count {count}: it is between 1 and {MOST:,}")
    wanted = conditions(call.value("status") or "", call.value("pattern") or "")
    looking = look(call)
    logs = read_logs(looking.dd, looking.window, looking.whose, wanted, count)
    followed = bool(call.value("tail"))
    if followed:
        logs = _follow(call, looking, wanted, logs)
    data = masked({**shaped(logs, looking.window), "followed": followed}, raw=bool(call.value("raw")))
    query = looking.whose.page_of_logs("source:lambda", *wanted)
    pages = {"logs": logs_link(looking.dd.site, query, looking.window.milliseconds())}
    return replace(base_report("explore logs", looking.session), data=data, links=pages)


def _follow(call: Call, looking: Looking, wanted: Sequence[str], first: Sequence[Log]) -> tuple[Log, ...]:
    """Show logs as they come, each once, and give them all."""
    clock, seen = looking.session.host.clock, dict.fromkeys(first)
    _show(call, first, looking.window)
    until = clock.monotonic() + call.given.number("wait", 10**9)
    try:
        while clock.monotonic() < until:
            clock.sleep(min(PAUSE, max(0.0, until - clock.monotonic())))
            now = clock.now()
            window = Window(max(looking.window.start, now - LATE), now)
            fresh = [
                log for log in read_logs(looking.dd, window, looking.whose, wanted, MOST) if log not in seen
            ]
            seen |= dict.fromkeys(fresh)
            _show(call, fresh, window)
    except KeyboardInterrupt:
        call.console.say("stopped following")
    return tuple(seen)


def _show(call: Call, logs: Sequence[Log], window: Window) -> None:
    told = masked(shaped(logs, window), raw=bool(call.value("raw")))
    call.console.lines(log_lines(told["logs"]), marked=False)


blocks = of_data(log_blocks)
"""The logs as text."""
