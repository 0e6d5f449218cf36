"""`ddsetup status`: the account at a glance."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.cli.call import Call
from ddsetup.cli.results import base_report
from ddsetup.lines import Line, Look
from ddsetup.render_status import status_lines
from ddsetup.report import Report
from ddsetup.settle import selection_of


def run(call: Call) -> Report:
    """What is there: integration, Forwarders, and a row for every function meant (all by default)."""
    from ddsetup import flow
    from ddsetup.select import select_in
    from ddsetup.status import status

    session = flow.connect(call.given, call.host(), command="status")
    snapshot = flow.look(session, call.given.text("role_name"), glance=True)
    data = dict(status(snapshot))
    values = {key: value for key in call.given.values if (value := call.given.value(key)) is not None}
    selection = selection_of(values)
    if selection.given:
        chosen = {(f.name, f.region) for f in select_in(snapshot, selection)}
        data["functions"] = [row for row in data["functions"] if (row["function"], row["region"]) in chosen]
    return replace(base_report("status", session), data=data)


def lines(report: Report, look: Look) -> list[Line]:
    """The account as text."""
    return status_lines(report.data, look)
