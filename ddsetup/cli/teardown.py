"""`ddsetup teardown`: take down everything of Datadog's that setup makes."""

from __future__ import annotations

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.model.answers import Part
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Plan it from what is there, show it, and do it once it is confirmed."""
    from ddsetup.flow import verbs
    from ddsetup.observe.chosen import observe_filters, observe_key_policies
    from ddsetup.observe.in_bulk import observe_secrets
    from ddsetup.plan.steps import teardown
    from ddsetup.plan.steps.instrument.key_access import roles_to_read

    keep = kept(tuple(call.value("keep") or ()))
    session = verbs.connect(call.given, call.host(), command="teardown", looks_next=True)
    snapshot = verbs.with_applied(session, verbs.look(session, call.given.text("role_name")))
    snapshot = observe_secrets(session.aws, snapshot)
    answers = answers_from(
        call.given, snapshot, session.host.prompter, command="teardown", scope=session.scope
    )
    snapshot = observe_filters(session.aws, snapshot, teardown.groups_to_read(snapshot))
    snapshot = observe_key_policies(session.aws, snapshot, roles_to_read(teardown.carrying(snapshot)))
    plan = teardown.plan(snapshot, answers, keep)
    report = base_report("teardown", session, plan)
    if call.given.on("dry_run") or not plan.changes:
        return report
    show_plan(call.console, plan)
    changes = verbs.settle_failed_events(session, plan.changes, lose=bool(call.value("delete_failed_events")))
    confirm(call, session, "Take all of this down?")
    applied = verbs.carry_out(session, changes, snapshot, command="teardown")
    return with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)


def kept(names: tuple[str, ...]) -> tuple[Part, ...]:
    """The parts that are to stay. Raises UsageError for what is none."""
    from ddsetup.plan.steps.teardown import PARTS

    found = [part for name in names for part in PARTS if part == name]
    wrong = [name for name in names if name not in PARTS]
    if wrong:
        raise UsageError(f"no part of a teardown: {', '.join(wrong)}", fix=f"one of: {', '.join(PARTS)}")
    return tuple(found)
