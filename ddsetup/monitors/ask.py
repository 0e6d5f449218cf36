"""Which monitors, from which values on, on which own metric, and who is told: step by step, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from ddsetup.ask.prompter import Back, Prompt, Prompter
from ddsetup.ask.questions import Choice
from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.monitors.on_logs import parse_on_logs
from ddsetup.monitors.recommended import BY_KEY, Recommended
from ddsetup.monitors.wish import Wish, parse_handles, parse_on_metric, parse_threshold
from ddsetup.monitors.wording import plain

_Step = Callable[[Wish, Prompter], Wish]


def ask_for(wish: Wish, prompter: Prompter, used: Collection[str] = ()) -> Wish:
    """The wish with what a person says; Enter keeps what is recommended, or was said before.

    `used` are the monitors of services that are in use: of services only these are offered. Raises `Back`
    from the first question.
    """
    offered = tuple(each for each in BY_KEY.values() if not each.seen or each.key in (*used, *wish.keys))
    steps: tuple[_Step, ...] = (partial(_which, offered), _thresholds, _own_metrics, _own_logs, _who)
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


def _which(offered: Sequence[Recommended], wish: Wish, prompter: Prompter) -> Wish:
    prompt = Prompt(
        kind="many",
        text="Which monitors?",
        why="Recommended for functions, and for services that are in use. Thresholds are asked next.",
        choices=tuple(_choice(each, each.threshold) for each in offered),
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


def _own_logs(wish: Wish, prompter: Prompter) -> Wish:
    prompt = Prompt(
        kind="text",
        text='Which logs, like status:error>10 or "payment refused"?',
        why="A search of logs, and from how many on within 15 minutes. Empty: none.",
        default=",".join(f"{each.query}>{plain(each.threshold)}" for each in wish.on_logs),
        check=lambda value: _problem(parse_on_logs, str(value)) if str(value or "").strip() else "",
    )
    text = str(prompter.ask(prompt) or "").strip()
    return replace(wish, on_logs=(parse_on_logs(text),) if text else ())


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
