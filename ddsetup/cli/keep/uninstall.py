"""`ddsetup keep uninstall`: take the keeper out of AWS again."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report
from ddsetup.flow.showing import carried_out
from ddsetup.model.change import Plan
from ddsetup.model.report import Report
from ddsetup.show.keeper_blocks import uninstalled_blocks


def run(call: Call) -> Report:
    """Plan it from what is there, show it, and do it once it is confirmed."""
    from ddsetup.flow import verbs
    from ddsetup.flow.installing import find_keepers
    from ddsetup.flow.looking import nothing_of_aws
    from ddsetup.plan.keep_install import plan_uninstall

    session = verbs.connect(call.given, call.host(), command="status", datadog=False)
    plan = Plan.joined(plan_uninstall(found) for found in find_keepers(session))
    report = base_report("keep uninstall", session, plan)
    return carried_out(call, session, report, nothing_of_aws(session), "Take it away?")


blocks = uninstalled_blocks
"""That there was nothing to take away."""
