"""Whether aliases are to serve what was instrumented: asked where some would go on without Datadog."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.offers import agreed

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session

PUBLISH = "publish"


def offer_publishing(call: Call, session: Session, prepared: Prepared) -> Prepared:
    """The plan with aliases moved, if the person wants that. Raises `Back`.

    Nobody is asked who said `--publish`, `--no-publish` or `--yes`, or where no alias could be moved.
    """
    from ddsetup.observe.chosen import observe_provisioned
    from ddsetup.plan.whole import make_plan

    host = session.host
    if host.prompter is None or PUBLISH in call.given or call.given.on("yes"):
        return prepared
    answers = replace(prepared.answers, publish=True)
    snapshot = observe_provisioned(session.aws, prepared.snapshot, prepared.selected)
    plan = make_plan(snapshot, answers, prepared.selected)
    moved = sorted(c.resource.name for c in plan.changes if c.resource.kind == "alias")
    if not moved:
        return prepared
    question = _question(moved, default=bool(host.dialogue.earlier.get(PUBLISH)))
    if not agreed(host, host.prompter, PUBLISH, question):
        return prepared
    return replace(prepared, snapshot=snapshot, answers=answers, plan=plan)


def _question(moved: list[str], *, default: bool) -> Prompt:
    shown = ", ".join(moved[:3]) + (f" and {len(moved) - 3} more" if len(moved) > 3 else "")
    one = len(moved) == 1
    served = f"{shown} serves a published version" if one else f"{shown} serve published versions"
    publish = "move it" if one else "move them"
    return Prompt(
        kind="confirm",
        text=f"The {'alias' if one else 'aliases'} {served}, which never changes. Publish what is "
        f"instrumented, and {publish} to it?",
        why="Their traffic runs the new version at once; the old one stays, and undo moves them back. Only "
        "code that they serve already is published.",
        default=default,
    )
