"""`ddsetup explore traces`: where time goes, and what fails."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.explore.masking import masked
from ddsetup.explore.trace_blocks import trace_blocks
from ddsetup.explore.traces import COUNT, linked_traces
from ddsetup.facts.links import traces_link
from ddsetup.facts.searches import INVOCATIONS
from ddsetup.flow.call import Call
from ddsetup.flow.looking import look
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report

MOST = 20


def run(call: Call) -> Report:
    """The slowest and the failing traces, each with its page."""
    given = call.value("count")
    count = COUNT if given is None else given
    if not 1 <= count <= MOST:
        raise UsageError(f"--count {count}: it is between 1 and {MOST}")
    looking = look(call)
    data = linked_traces(looking.dd, looking.window, looking.whose, count)
    site = looking.dd.site
    query = looking.whose.page_of_spans(INVOCATIONS)
    window = looking.window.milliseconds()
    shown = {
        "traces": traces_link(site, query, window),
        "failing traces": traces_link(site, f"{query} status:error", window),
    }
    report = base_report("explore traces", looking.session)
    return replace(report, data=masked(data, raw=bool(call.value("raw"))), links=shown)


blocks = of_data(trace_blocks)
"""The traces as text."""
