"""`ddsetup monitors remove`: delete monitors that ddsetup made."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.flow.looking import nothing_of_aws
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.gateways.datadog.monitors import SCOPE_TAG, find_monitors
from ddsetup.model.report import Report
from ddsetup.monitors.plan import plan_removal
from ddsetup.monitors.scope import EVERYTHING
from ddsetup.monitors.scope_of import scope_of
from ddsetup.monitors.wanted import connect


def run(call: Call) -> Report:
    """All monitors that ddsetup made, or those of one scope, or some kinds of them."""
    from ddsetup.flow import verbs

    session = connect(call)
    label = scope_of(call, session).label
    tags = () if label == EVERYTHING else (f"{SCOPE_TAG}{label}",)
    live = find_monitors(session.datadog, *tags)
    only = {part.strip() for text in call.value("only") or () for part in text.split(",")}
    if only:
        live = tuple(one for one in live if one.state.key in only)
    plan = plan_removal(live, session.identity.account)
    report = base_report("monitors remove", session, plan)
    if call.given.on("dry_run") or not plan.changes:
        return report
    show_plan(call.console, plan)
    confirm(call, session, "Delete these monitors?")
    applied = verbs.carry_out(session, plan.changes, nothing_of_aws(session), command="monitors remove")
    return with_outcomes(report, applied.run, applied.outcomes, session.host.cancel.is_set())
