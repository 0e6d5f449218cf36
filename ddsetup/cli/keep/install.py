"""`ddsetup keep install`: have `ddsetup keep apply` run in AWS, on a schedule and after deployments."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report
from ddsetup.flow.showing import carried_out
from ddsetup.model.report import Report
from ddsetup.show.keeper_blocks import installed_blocks


def run(call: Call) -> Report:
    """Plan the stack, show it, and make it once it is confirmed."""
    from ddsetup.flow import verbs
    from ddsetup.flow.installing import prepare_install

    session = verbs.connect(call.given, call.host(), command="plan")
    found = prepare_install(call, session)
    report = replace(base_report("keep install", session, found.plan), data={"notes": list(found.notes)})
    done = carried_out(call, session, report, found.snapshot, "Install this?")
    installed = done.run and not done.exit_code
    return replace(done, next=("ddsetup keep status", *done.next)) if installed else done


blocks = installed_blocks
"""What will not be noticed; and that there was nothing to do."""
