"""`ddsetup monitors apply`: create the monitors, or bring them up to date."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.cli.call import Call
from ddsetup.cli.looking import nothing_of_aws
from ddsetup.cli.monitoring import pages, wanted
from ddsetup.cli.results import base_report, with_outcomes
from ddsetup.cli.showing import confirm, show_plan
from ddsetup.report import Report


def run(call: Call) -> Report:
    """Plan, show, confirm, carry out."""
    from ddsetup import flow

    found = wanted(call)
    session = found.session
    report = replace(base_report("monitors apply", session, found.plan), links=pages(session.datadog.site))
    if call.given.on("dry_run") or not found.plan.changes:
        return report
    show_plan(call.console, found.plan)
    confirm(call, session, "Create or change these monitors?")
    applied = flow.carry_out(session, found.plan.changes, nothing_of_aws(session), command="monitors apply")
    return with_outcomes(report, applied.run, applied.outcomes, session.host.cancel.is_set())
