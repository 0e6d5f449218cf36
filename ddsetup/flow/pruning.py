"""Whether what ddsetup set earlier and nobody wants any more is to be removed: asked where there is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.offers import agreed
from ddsetup.model.lines import counted, line
from ddsetup.observe.chosen import observe_filters, observe_key_policies
from ddsetup.plan.steps import unwanted
from ddsetup.plan.steps.instrument.key_access import roles_to_read
from ddsetup.plan.steps.wording import REMOVE

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session
    from ddsetup.model.account import Function
    from ddsetup.model.answers import Answers
    from ddsetup.model.snapshot import Snapshot

PRUNE = "prune"
_SHOWN = 8


def with_left_behind(
    session: Session, snapshot: Snapshot, answers: Answers, selected: Sequence[Function]
) -> Snapshot:
    """Add what must be known of functions that are no longer chosen before Datadog is taken out of them."""
    if not answers.prune:
        return snapshot
    left = unwanted.left_functions(snapshot, answers, selected)
    groups = unwanted.groups_to_read(snapshot, answers, selected)
    snapshot = observe_filters(session.aws, snapshot, groups)
    return observe_key_policies(session.aws, snapshot, roles_to_read(left))


def offer_pruning(call: Call, session: Session, prepared: Prepared) -> Prepared:
    """The plan with it removed, if the person wants that. Raises `Back`.

    Nobody is asked who said `--prune` or `--no-prune`, or where nothing could be removed.
    """
    from ddsetup.plan.whole import make_plan

    host = session.host
    found = [warning for warning in prepared.plan.warnings if warning.startswith(REMOVE)]
    if host.prompter is None or PRUNE in call.given or not found:
        return prepared
    if PRUNE not in host.dialogue.typed:
        call.console.lines([(), *(line(f"  {one}") for one in found[:_SHOWN])])
    if not agreed(host, host.prompter, PRUNE, _question(len(found))):
        return prepared
    answers = replace(prepared.answers, prune=True)
    snapshot = with_left_behind(session, prepared.snapshot, answers, prepared.selected)
    plan = make_plan(snapshot, answers, prepared.selected)
    return replace(prepared, answers=answers, snapshot=snapshot, plan=plan)


def _question(number: int) -> Prompt:
    are = "is" if number == 1 else "are"
    return Prompt(
        kind="confirm",
        text=f"{counted(number, 'thing')} that ddsetup set earlier {are} no longer wanted. Remove?",
        why="Only what is still as ddsetup left it; what was there before comes back. The plan shows it.",
        default=False,
    )
