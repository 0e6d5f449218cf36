"""`ddsetup monitors apply`: create the monitors, or bring them up to date."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.flow.in_datadog import carried_out
from ddsetup.model.report import Report
from ddsetup.monitors.wanted import pages, wanted


def run(call: Call) -> Report:
    """Plan, show, confirm, carry out."""
    found = wanted(call)
    links = pages(found.session.datadog.site)
    return carried_out(call, found.session, found.plan, "Create or change these monitors?", links)
