"""What shall become of somebody else's subscription filters and tags: each with whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt, Prompter
from ddsetup.ask.questions import Choice
from ddsetup.facts.recognise import forwarder_like
from ddsetup.flow.call import Call
from ddsetup.model.account import SubscriptionFilter
from ddsetup.model.answers import OnConflict
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Line, Span, counted, line
from ddsetup.show.screen import Screen

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session
    from ddsetup.plan.steps.instrument.own_tags import Taken
    from ddsetup.plan.steps.subscriptions.conflicts import Conflict

_EACH = "each"
_SHOWN = 6
"""How many filters are described before all of a kind are decided on together."""
_KIND = {
    "duplicate": (
        "already sends its logs to Datadog by another filter",
        "already send theirs by other filters",
    ),
    "limit": ("has two filters, the most that AWS allows", "have two filters each, the most that AWS allows"),
}
_SKIP = {
    "duplicate": "that filter stays the only one; ddsetup adds nothing to this group",
    "limit": "its other readers keep their data; this function's logs and traces do not get to Datadog",
}
_WHY = {
    "duplicate": "Such a filter leads to Datadog already, not by this setup; with both, lines arrive twice.",
    "limit": "AWS allows two filters on a log group. Datadog only gets these logs if one of them goes.",
}
_WHO_GOES = {
    "duplicate": "each one's destination",
    "limit": "the one whose destination is gone, else the first by name, goes; who reads it",
}
_UNDO = "ddsetup undo puts the filter back"
_SERVICES = {
    "lambda": "the Lambda function",
    "firehose": "the Firehose stream",
    "kinesis": "the Kinesis stream",
    "logs": "the CloudWatch Logs destination",
}
"""What a filter may lead to (PutSubscriptionFilter API reference), by the service in its ARN."""


@dataclass(frozen=True, slots=True)
class Open:
    """One filter that has to be decided on."""

    conflict: Conflict
    found: SubscriptionFilter

    @property
    def key(self) -> str:
        from ddsetup.plan.steps.subscriptions.conflicts import key

        return key(self.found)


def decide(call: Call, session: Session, prepared: Prepared) -> Prepared:
    """The plan with a decision on every filter that is in the way.

    Nobody is asked when `--on-conflict` decides, or when nobody is there: then such filters stay. Raises
    UsageError when `--on-conflict ask` was given and nobody is there, and `Back` from the first question.
    """
    from ddsetup.plan.steps.instrument.own_tags import key_of
    from ddsetup.plan.steps.subscriptions import conflicts
    from ddsetup.plan.whole import make_plan

    policy = call.given.text("on_conflict")
    host = session.host
    # Who said yes beforehand is not asked, and nothing of others goes without a word: such filters stay.
    prompter = None if call.given.on("yes") else host.prompter
    if policy not in ("", "ask") or (prompter is None and policy != "ask"):
        return prepared
    open_ones = [
        Open(conflict, found)
        for conflict in conflicts(prepared.snapshot, prepared.answers, prepared.selected)
        for found in conflict.filters
    ]
    tags = _open_tags(prepared)
    if not (open_ones or tags):
        return prepared
    if prompter is None:
        named = ", ".join([*(each.key for each in open_ones), *(key_of(tag.key) for tag in tags)])
        fix = "give --on-conflict replace, add or skip, or --conflict NAME=DECISION for each"
        raise UsageError(f"what others set is in the way, and nobody can be asked: {named}", fix=fix)
    decided = dict(prepared.answers.conflicts)
    while True:
        try:
            decided |= decisions(call.console, host.dialogue, open_ones, prompter)
            decided |= {key_of(tag.key): on_tag(host.dialogue, tag, prompter) for tag in tags}
            break
        except Back:
            if not host.dialogue.back().startswith("conflict"):
                raise
    answers = replace(prepared.answers, conflicts=decided)
    plan = make_plan(prepared.snapshot, answers, prepared.selected)
    return replace(prepared, answers=answers, plan=plan)


def _open_tags(prepared: Prepared) -> list[Taken]:
    """The tags that functions have with a value of somebody else's, and on which nothing was decided."""
    from ddsetup.plan.steps.instrument.own_tags import key_of, taken
    from ddsetup.plan.steps.instrument.subject import subject_of

    answers = prepared.answers
    if not answers.extra_tags:
        return []
    subjects = (subject_of(f, prepared.snapshot, answers) for f in prepared.selected)
    found = taken(subject for subject in subjects if not subject.datadogs_own)
    return [tag for tag in found if key_of(tag.key) not in answers.conflicts]


def on_tag(dialogue: Dialogue, tag: Taken, prompter: Prompter) -> OnConflict:
    """What becomes of the values that somebody else gave a tag. Raises `Back`."""
    one = f"conflict:tag:{tag.key}"
    if one not in dialogue.typed:
        many = sum(len(names) for names in tag.values.values())
        choices = (
            Choice("skip", "Leave it", "these functions report with the value that they have"),
            Choice("replace", f"Set it to {tag.wanted}", "ddsetup undo puts the value back"),
        )
        prompt = Prompt(
            kind="one",
            text=f"Tag {tag.key} has another value on {counted(many, 'function')}. What about it?",
            why=f"Somebody else set it: {tag.now}.",
            choices=choices,
            default="skip",
        )
        dialogue.typed[one] = {"conflict": (f"tag:{tag.key}={prompter.ask(prompt)}",)}
    return cast(OnConflict, _typed(dialogue.typed[one]))


def decisions(
    console: Screen, dialogue: Dialogue, open_ones: Sequence[Open], prompter: Prompter
) -> dict[str, OnConflict]:
    """The decision on each filter, by its key: one for all of a kind, or one by one.

    What was decided before, by the dialogue, is not asked again. Raises `Back`.
    """
    decided: dict[str, OnConflict] = {}
    for kind in dict.fromkeys(each.conflict.kind for each in open_ones):
        alike = [each for each in open_ones if each.conflict.kind == kind]
        together = f"conflict:{kind}"
        shared = _EACH
        if len(alike) > 1:
            if together not in dialogue.typed:
                console.lines([(), *(spans for each in alike[:_SHOWN] for spans in _about(each))])
                if len(alike) > _SHOWN:
                    console.say(f"  and {len(alike) - _SHOWN:,} more like these")
                answer = str(prompter.ask(_for_all(alike)))
                dialogue.typed[together] = {"on_conflict": answer} if answer != _EACH else {}
            shared = str(dialogue.typed[together].get("on_conflict", _EACH))
        made_room: set[str] = set()
        for each in alike:
            one = f"conflict:{each.key}"
            if each.conflict.group in made_room:
                decided[each.key] = "skip"
                continue
            if shared == _EACH and one not in dialogue.typed:
                console.lines([(), *_about(each)])
                answer = str(prompter.ask(_for_one(each)))
                dialogue.typed[one] = {"conflict": (f"{each.key}={answer}",)}
            decided[each.key] = cast(OnConflict, shared if shared != _EACH else _typed(dialogue.typed[one]))
            if kind == "limit" and decided[each.key] == "replace":
                made_room.add(each.conflict.group)
    return decided


def _typed(settings: object) -> str:
    """The decision in `{"conflict": ("GROUP:FILTER=DECISION",)}`."""
    return str(cast(dict[str, tuple[str, ...]], settings)["conflict"][0]).rpartition("=")[2]


def _about(each: Open) -> list[Line]:
    """Whose filter it is, where it leads, what it carries, and since when."""
    from ddsetup.facts.filters import filter_owner

    found = each.found
    since = ""
    if found.created_ms:
        since = f", since {datetime.fromtimestamp(found.created_ms / 1000, UTC):%Y-%m-%d}"
    carries = f"lines that match {found.pattern!r}" if found.pattern else "every line"
    owner = filter_owner(found).replace("unknown owner", "unknown by its name")
    return [
        line(Span("! ", "warn"), f"{found.log_group}: filter ", Span(found.name, "bold")),
        line(f"    owner: {owner}{since}; it carries {carries} to {_reader(found)}"),
        line("    ", Span(found.destination_arn, "code")),
    ]


def _reader(found: SubscriptionFilter) -> str:
    """Who gets the lines, as people call it: `the Firehose stream security-archive`."""
    parts = found.destination_arn.split(":")
    service, name = parts[2] if len(parts) > 2 else "", parts[-1].rpartition("/")[2]
    if service == "lambda" and len(parts) > 6:
        name = parts[6]
    if service == "lambda" and forwarder_like(name):
        return f"the Datadog Forwarder {name}"
    return f"{_SERVICES.get(service, 'the destination')} {name}"


def _for_all(alike: Sequence[Open]) -> Prompt:
    kind = alike[0].conflict.kind
    groups = len({each.conflict.group for each in alike})
    all_of_them = (
        f"Replace all {len(alike)}" if kind == "duplicate" else "Delete one of the two in each group"
    )
    choices = [
        Choice("skip", "Leave them as they are", _SKIP[kind]),
        Choice(_EACH, "Decide one by one"),
        Choice("replace", all_of_them, f"{_WHO_GOES[kind]} gets nothing more from its group; {_UNDO}"),
    ]
    if kind == "duplicate":
        choices.append(Choice("add", "Keep both ways", "each line arrives, and is billed, twice"))
    return Prompt(
        kind="one",
        text=f"{counted(groups, 'log group')} {_KIND[kind][groups > 1]}. What about these filters?",
        why=_WHY[kind],
        choices=tuple(choices),
        default="skip",
    )


def _for_one(each: Open) -> Prompt:
    choices = [
        Choice("skip", "Leave it", _SKIP[each.conflict.kind]),
        Choice("replace", "Replace it", f"{_reader(each.found)} gets nothing more from this group; {_UNDO}"),
    ]
    if each.conflict.kind == "duplicate":
        choices.append(Choice("add", "Keep both", "each line arrives, and is billed, twice"))
    return Prompt(
        kind="one",
        text=f"What about filter {each.found.name} of {each.found.log_group}?",
        why=_WHY[each.conflict.kind],
        choices=tuple(choices),
        default="skip",
    )
