"""`ddsetup uninstrument`: take Datadog out of functions, whoever put it there."""

from __future__ import annotations

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report
from ddsetup.flow.showing import carried_out
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Plan it, show it, and do it once it is confirmed."""
    from ddsetup.ask.choosing import choose_functions
    from ddsetup.flow import verbs
    from ddsetup.observe.chosen import FEW, observe_at_work, observe_filters, observe_key_policies
    from ddsetup.plan.select import none_here, select_in
    from ddsetup.plan.steps import uninstrument
    from ddsetup.plan.steps.instrument.key_access import roles_to_read

    session = verbs.connect(call.given, call.host(), command="uninstrument", looks_next=True)
    snapshot = verbs.look(session)
    answers = answers_from(
        call.given,
        snapshot,
        session.host.prompter,
        command="uninstrument",
        scope=session.scope,
        choose=choose_functions,
    )
    selected = select_in(snapshot, answers.selection)
    if not snapshot.functions():
        raise none_here(snapshot)
    snapshot = verbs.with_applied(session, snapshot)
    many = [lane for lane, names in uninstrument.log_groups(snapshot, selected).items() if len(names) > FEW]
    snapshot = observe_at_work(session.aws, snapshot, () if answers.thorough else many)
    groups = uninstrument.groups_to_read(snapshot, answers, selected)
    snapshot = observe_filters(session.aws, snapshot, groups)
    snapshot = observe_key_policies(session.aws, snapshot, roles_to_read(selected))
    plan = uninstrument.plan(snapshot, answers, selected)
    report = base_report("uninstrument", session, plan)
    return carried_out(call, session, report, snapshot, "Take Datadog out of these functions?")
