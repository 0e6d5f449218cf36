"""Whether the log group of a Forwarder that is gone may be deleted, where a new stack makes its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.offers import agreed
from ddsetup.model.states import StackState
from ddsetup.plan.steps.forwarder_stack import LEFT_LOG_GROUP

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session
    from ddsetup.model.change import Plan

REPLACE = "replace_log_group"


def offer_to_replace(call: Call, session: Session, prepared: Prepared) -> Prepared:
    """The plan without a new Forwarder where the person keeps such a log group. Raises `Back`.

    Nobody is asked who said `--replace-log-group` or `--no-replace-log-group`, or where none is left.
    """
    from ddsetup.plan.whole import make_plan

    host, left = session.host, left_groups(prepared.plan)
    if host.prompter is None or REPLACE in call.given or not left:
        return prepared
    if agreed(host, host.prompter, REPLACE, _question(left)):
        return prepared
    answers = replace(prepared.answers, replace_log_group=False)
    plan = make_plan(prepared.snapshot, answers, prepared.selected)
    return replace(prepared, answers=answers, plan=plan)


def left_groups(plan: Plan) -> list[str]:
    """Such log groups, by name and region."""
    return [
        f"/aws/lambda/{change.after.parameters['FunctionName']} ({change.resource.region})"
        for change in plan.changes
        if isinstance(change.after, StackState) and LEFT_LOG_GROUP in change.precondition
    ]


def _question(left: list[str]) -> Prompt:
    one = len(left) == 1
    return Prompt(
        kind="confirm",
        text=f"Delete the log {'group' if one else 'groups'} {', '.join(left)} of "
        f"{'a Forwarder that is' if one else 'Forwarders that are'} gone?",
        why="Lambda made it anew for the last lines. The Forwarder's stack makes one of that name, and fails "
        "while it is there. Undo does not bring its lines back.",
        default=True,
    )
