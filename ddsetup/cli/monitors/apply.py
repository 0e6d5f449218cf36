"""`ddsetup monitors apply`: create the monitors, or bring them up to date."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.looking import nothing_of_aws
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.model.report import Report
from ddsetup.monitors.wanted import pages, wanted


def run(call: Call) -> Report:
    """Plan, show, confirm, carry out."""
    from ddsetup.flow import verbs

    found = wanted(call)
    session = found.session
    report = replace(base_report("monitors apply", session, found.plan), links=pages(session.datadog.site))
    if call.given.on("dry_run") or not found.plan.changes:
        return report
    show_plan(call.console, found.plan)
    confirm(call, session, "Create or change these monitors?")
    applied = verbs.carry_out(session, found.plan.changes, nothing_of_aws(session), command="monitors apply")
    return with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)
