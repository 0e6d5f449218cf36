"""What shall become of somebody else's subscription filters: asked one by one, each with where it leads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ddsetup.answers import OnConflict
from ddsetup.cli.call import Call
from ddsetup.errors import UsageError
from ddsetup.prompter import Prompt
from ddsetup.questions import Choice

if TYPE_CHECKING:
    from ddsetup.flow import Prepared, Session

_KEEP_BOTH = Choice("add", "keep both", "the same lines arrive twice")


def decide(call: Call, session: Session, prepared: Prepared) -> Prepared:
    """The plan with a decision on every filter that is in the way.

    Nobody is asked when `--on-conflict` decides, or when nobody is there: then such filters stay. Raises
    UsageError when `--on-conflict ask` was given and nobody is there.
    """
    from ddsetup.plan import make_plan
    from ddsetup.steps.subscriptions import conflicts
    from ddsetup.steps.subscriptions.conflicts import key

    policy = call.given.text("on_conflict")
    prompter = session.host.prompter
    if policy not in ("", "ask") or (prompter is None and policy != "ask"):
        return prepared
    open_ones = conflicts(prepared.snapshot, prepared.answers, prepared.selected)
    if not open_ones:
        return prepared
    if prompter is None:
        named = ", ".join(key(f) for conflict in open_ones for f in conflict.filters)
        fix = "give --on-conflict replace, add or skip, or --conflict GROUP:FILTER=DECISION for each"
        raise UsageError(f"subscription filters are in the way, and nobody can be asked: {named}", fix=fix)
    decided = dict(prepared.answers.conflicts)
    for conflict in open_ones:
        call.console.say(conflict.what)
        for found in conflict.filters:
            choices = (
                Choice("skip", "leave it", "this function's logs do not get to Datadog on this way"),
                Choice("replace", "delete it", "its destination gets nothing more; undo brings it back"),
                *(() if conflict.kind == "limit" else (_KEEP_BOTH,)),
            )
            answer = prompter.ask(
                Prompt(
                    kind="one",
                    text=f"Filter {found.name} of {found.log_group}",
                    why=f"It sends to {found.destination_arn}.",
                    choices=choices,
                    default="skip",
                )
            )
            decided[key(found)] = cast(OnConflict, answer)
    answers = replace(prepared.answers, conflicts=decided)
    plan = make_plan(prepared.snapshot, answers, prepared.selected)
    return replace(prepared, answers=answers, plan=plan)
