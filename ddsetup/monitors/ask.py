"""Which monitors, from which values on, on which own metric, and who is told: step by step, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ddsetup.ask.prompter import Back, Prompt, Prompter
from ddsetup.ask.questions import Choice
from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.monitors.recommended import BY_KEY, RECOMMENDED, Recommended
from ddsetup.monitors.wish import Wish, parse_handles, parse_on_metric, parse_threshold, plain

_Step = Callable[[Wish, Prompter], Wish]


def ask_for(wish: Wish, prompter: Prompter) -> Wish:
    """The wish with what a person says; Enter keeps what is recommended, or was said before.

    Raises `Back` from the first question.
    """
    steps: tuple[_Step, ...] = (_which, _thresholds, _own_metrics, _who)
    at = 0
    while at < len(steps):
        try:
            wish = steps[at](wish, prompter)
            at += 1
        except Back:
            if at == 0:
                raise
            at -= 1
    return wish


def _which(wish: Wish, prompter: Prompter) -> Wish:
    prompt = Prompt(
        kind="many",
        text="Which monitors?",
        why="Datadog recommends these for Lambda functions. Thresholds are asked next.",
        choices=tuple(_choice(each, each.threshold) for each in RECOMMENDED),
        default=tuple(wish.keys),
        check=lambda value: "" if value else "choose at least one",
    )
    return replace(wish, keys=tuple(str(key) for key in prompter.ask(prompt)))


def _choice(each: Recommended, threshold: float) -> Choice:
    return Choice(each.key, each.title, f"from {plain(threshold)}, {each.unit}")


def _thresholds(wish: Wish, prompter: Prompter) -> Wish:
    """Which thresholds, then each; who goes back from a value returns to which."""
    chosen = tuple(BY_KEY[key] for key in wish.keys)
    prompt = Prompt(
        kind="many",
        text="Which thresholds do you want to change?",
        why="None: the recommended ones; monitors that are there keep theirs.",
        choices=tuple(_choice(each, wish.thresholds.get(each.key, each.threshold)) for each in chosen),
        default=tuple(key for key in wish.thresholds if key in wish.keys),
    )
    while True:
        picked = [BY_KEY[str(key)] for key in prompter.ask(prompt)]
        try:
            values = {each.key: _threshold(each, wish, prompter) for each in picked}
        except Back:
            continue
        return replace(wish, thresholds=values)


def _threshold(each: Recommended, wish: Wish, prompter: Prompter) -> float:
    prompt = Prompt(
        kind="text",
        text=f"{each.title}: from which value on?",
        why=f"In {each.unit}.",
        default=plain(wish.thresholds.get(each.key, each.threshold)),
        check=lambda value: _problem(parse_threshold, f"{each.key}={value}"),
    )
    return parse_threshold(f"{each.key}={prompter.ask(prompt)}")[1]


def _own_metrics(wish: Wish, prompter: Prompter) -> Wish:
    prompt = Prompt(
        kind="text",
        text="Which metric of your own, like shop.order_value<1?",
        why="Optionally with avg:, sum:, min: or max: before it; several separated by commas. Empty: none.",
        default=",".join(
            f"{each.how}:{each.metric}{each.than}{plain(each.threshold)}" for each in wish.on_metrics
        ),
        check=lambda value: _each_problem(parse_on_metric, value),
    )
    return replace(wish, on_metrics=tuple(parse_on_metric(part) for part in _parts(prompter.ask(prompt))))


def _who(wish: Wish, prompter: Prompter) -> Wish:
    prompt = Prompt(
        kind="text",
        text="Who is told?",
        why="Handles, like @slack-shop, @me@example.com. Empty: as it is; nobody, if it is new.",
        default=",".join(wish.notify or ()),
        check=lambda value: _each_problem(lambda part: parse_handles([part]), value),
    )
    return replace(wish, notify=parse_handles(_parts(prompter.ask(prompt))))


def _parts(value: Json) -> Sequence[str]:
    return [part.strip() for part in str(value or "").split(",") if part.strip()]


def _each_problem(parse: Callable[[str], object], value: Json) -> str:
    return next((problem for part in _parts(value) if (problem := _problem(parse, part))), "")


def _problem(parse: Callable[[str], object], text: str) -> str:
    """What is wrong with an answer, without the option that would have given it."""
    try:
        parse(text)
    except UsageError as error:
        return error.what.partition(": ")[2] or error.what
    return ""
