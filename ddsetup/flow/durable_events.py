"""Whether Datadog is to be told how durable executions end: asked where a durable function is chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.offers import agreed
from ddsetup.plan.steps.durable import STACK

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session

DURABLE = "durable_events"


def offer_durable_events(call: Call, session: Session, prepared: Prepared) -> Prepared:
    """The plan with the stack that tells it, if the person wants that. Raises `Back`.

    Nobody is asked who said `--durable-events` or `--no-durable-events`, or where it would make nothing.
    """
    from ddsetup.plan.whole import make_plan

    host = session.host
    if host.prompter is None or DURABLE in call.given:
        return prepared
    answers = replace(prepared.answers, durable_events=True)
    plan = make_plan(prepared.snapshot, answers, prepared.selected)
    made = [c.resource.region for c in plan.changes if c.resource.name == STACK and c.action == "create"]
    if not made:
        return prepared
    if not agreed(host, host.prompter, DURABLE, _question(made)):
        return prepared
    return replace(prepared, answers=answers, plan=plan)


def _question(regions: list[str]) -> Prompt:
    return Prompt(
        kind="confirm",
        text=f"Tell Datadog how durable executions end, in {', '.join(regions)}?",
        why=f"Datadog's stack {STACK} sends it as logs, of all durable functions there. AWS bills what "
        "Firehose delivers, Datadog the logs.",
        default=False,
    )
