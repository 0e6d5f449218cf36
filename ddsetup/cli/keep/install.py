"""`ddsetup keep install`: have `ddsetup keep apply` run in AWS, on a schedule and after deployments."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, of_data, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.model.report import Report
from ddsetup.show.keeper_blocks import notes_blocks


def run(call: Call) -> Report:
    """Plan the stack, show it, and make it once it is confirmed."""
    from ddsetup.flow import verbs
    from ddsetup.flow.installing import prepare_install

    session = verbs.connect(call.given, call.host(), command="plan")
    found = prepare_install(call, session)
    report = replace(base_report("keep install", session, found.plan), data={"notes": list(found.notes)})
    if call.given.on("dry_run") or not found.plan.changes:
        return report
    show_plan(call.console, found.plan)
    confirm(call, session, "Install this?")
    applied = verbs.carry_out(session, found.plan.changes, found.snapshot, command="keep install")
    done = with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)
    return done if done.exit_code else replace(done, next=("ddsetup keep status", *done.next))


blocks = of_data(notes_blocks)
"""What will not be noticed."""
