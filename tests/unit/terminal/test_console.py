"""What goes where: the result to standard output, the rest to standard error, and nothing is cut."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from ddsetup.model.blocks import table
from ddsetup.model.change import Change, Outcome, ResourceId, Status
from ddsetup.model.errors import UsageError
from ddsetup.model.event import Event, EventKind
from ddsetup.model.lines import Span, line
from ddsetup.model.report import Report, Signal, SignalStatus
from ddsetup.model.states import LogGroupState
from ddsetup.terminal.ability import Color, Streams
from ddsetup.terminal.console import Console, OutputFormat
from ddsetup.terminal.streams import interactive

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Stream(io.TextIOWrapper):
    """A stream with an encoding that may be a terminal."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        self.terminal = terminal
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return self.terminal

    @property
    def text(self) -> str:
        return self.bytes.getvalue().decode(self.encoding)


def console(
    output: OutputFormat = "text",
    *,
    terminal: bool = False,
    encoding: str = "utf-8",
    environ: Mapping[str, str] | None = None,
) -> tuple[Console, Stream, Stream]:
    out, err = (Stream(terminal=terminal, encoding=encoding) for _ in range(2))
    usual = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    streams = Streams(out=out, err=err, environ={**usual, **(environ or {})})
    return Console(streams=streams, output=output), out, err


def change(n: int) -> Change:
    group = f"/aws/lambda/f{n}"
    resource = ResourceId("log_group", group, "eu-west-1", "123456789012")
    return Change(
        step="subscriptions", resource=resource, before=None, after=LogGroupState(name=group), why=""
    )


def event(kind: EventKind, n: int, status: Status | None = None) -> Event:
    resource = change(n).resource
    outcome = None
    if status is not None:
        outcome = Outcome(resource=resource, status=status, reason="because", action="create")
    return Event(kind=kind, at=AT, resource=resource, step="subscriptions", outcome=outcome)


def signal(status: SignalStatus) -> Signal:
    return Signal(function="orders", region="eu-west-1", signal="logs", status=status)


def run_three(shown: Console) -> None:
    shown.expect([change(n) for n in range(3)])
    for n in range(3):
        shown.event(event("started", n))
    for n in range(3):
        shown.event(event("finished", n, "failed" if n == 1 else "applied"))
    shown.rest()


@pytest.mark.parametrize("output", ["json", "ndjson"])
def test_with_json_standard_output_is_json_and_nothing_else(output: OutputFormat) -> None:
    shown, out, err = console(output)
    shown.say("looking around")
    run_three(shown)
    shown.signals([signal("waiting")])
    shown.report(Report(command="setup"))
    if output == "json":
        assert json.loads(out.text)["command"] == "setup"
    else:
        events = [json.loads(row)["event"] for row in out.text.splitlines()]
        assert events == ["started"] * 3 + ["finished"] * 3 + ["signal", "report"]
    assert "looking around" in err.text


def test_without_a_terminal_a_step_is_one_line_and_failures_are_told() -> None:
    shown, out, err = console()
    run_three(shown)
    assert out.text == ""
    assert err.text == (
        "✗ failed log group /aws/lambda/f1 (eu-west-1): because\nLog subscriptions: 3 done, 1 failed\n"
    )


def test_without_a_terminal_nothing_is_drawn_even_if_colour_is_forced() -> None:
    shown, _, err = console(environ={"FORCE_COLOR": "1"})
    run_three(shown)
    shown.signals([signal("waiting")])
    assert "\x1b[?25l" not in err.text
    assert "\x1b[1A" not in err.text
    assert "\x1b[" in err.text


@pytest.mark.parametrize(
    ("environ", "color", "terminal", "pipe"),
    [
        ({}, "auto", True, False),
        ({"NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False, False),
        ({"TERM": "dumb"}, "auto", False, False),
        ({"FORCE_COLOR": "0"}, "auto", False, False),
        ({"FORCE_COLOR": "1"}, "auto", True, True),
        ({"CLICOLOR": "0"}, "auto", False, False),
        ({"CLICOLOR": "1"}, "auto", True, False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, "auto", True, True),
        ({"CLICOLOR_FORCE": "0"}, "auto", True, False),
        ({"NO_COLOR": "1", "TERM": "dumb"}, "always", True, True),
        ({"FORCE_COLOR": "1"}, "never", False, False),
    ],
)
def test_colour_depends_on_the_option_then_variables_then_the_terminal(
    environ: Mapping[str, str], color: Color, terminal: bool, pipe: bool
) -> None:
    for is_terminal, expected in ((True, terminal), (False, pipe)):
        shown, _, err = console(terminal=is_terminal, environ=environ)
        shown.color = color
        shown.say("red", "bad")
        assert ("31m" in err.text) == expected


LINKED = {"TERM_PROGRAM": "WezTerm"}


@pytest.mark.parametrize(
    ("environ", "terminal", "linked"),
    [
        (LINKED, True, True),
        ({"VTE_VERSION": "6003"}, True, True),
        ({"VTE_VERSION": "5000"}, True, False),
        ({**LINKED, "TMUX": "/tmp/tmux"}, True, False),
        ({**LINKED, "FORCE_HYPERLINK": "0"}, True, False),
        ({"FORCE_HYPERLINK": "1"}, True, True),
        ({**LINKED, "TERM": "dumb"}, True, False),
        ({"FORCE_HYPERLINK": "1", "FORCE_COLOR": "1"}, False, False),
        ({}, True, False),
    ],
)
def test_addresses_are_links_where_the_terminal_is_known_to_show_them(
    environ: Mapping[str, str], terminal: bool, linked: bool
) -> None:
    shown, out, _ = console(terminal=terminal, environ=environ)
    address = "https://app.datadoghq.eu/functions?search=env%3Aprod&x=(y)"
    shown.report(Report(command="setup", exit_code=0, links={"Functions": address}))
    assert address in out.text
    assert (f";{address}\x1b\\" in out.text) == linked
    assert ("\x1b]8" in out.text) == linked


@pytest.mark.parametrize(
    "text",
    [
        "https://x/\x1b]8;;https://evil/",
        "https://x/\x07",
        "javascript:alert(1)",
        "https://x/\u202e",
        "see https://x/",
    ],
)
def test_only_a_whole_harmless_address_is_a_link(text: str) -> None:
    shown, _, err = console(terminal=True, environ=LINKED)
    shown.lines([line(Span(text, "code"))])
    assert "\x1b]8" not in err.text


def test_no_colour_at_all_with_the_option() -> None:
    shown, _, err = console(terminal=True)
    shown.color = "never"
    shown.say("red", "bad")
    assert "\x1b[1;31m" not in err.text
    assert "31m" not in err.text


def test_on_a_terminal_progress_is_drawn_and_gone_before_a_prompt() -> None:
    shown, out, err = console(terminal=True)
    shown.expect([change(0), change(1)])
    shown.event(event("started", 0))
    assert "Log subscriptions" in err.text
    with shown.quiet():
        after = len(err.text)
        err.write("? ")
    assert err.text[after:] == "? "
    assert out.text == ""


def test_a_long_line_is_not_cut_or_wrapped_on_a_terminal() -> None:
    shown, _, err = console(terminal=True)
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:" + "x" * 100
    shown.say(arn)
    assert arn in err.text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("terminal", [False, True])
def test_marks_that_the_encoding_lacks_become_plain_ones(encoding: str, terminal: bool) -> None:
    shown, out, err = console(terminal=terminal, encoding=encoding)
    run_three(shown)
    outcome = event("finished", 0, "applied").outcome
    assert outcome is not None
    shown.report(Report(command="setup", outcomes=(outcome,)))
    assert "log group /aws/lambda/f0 (eu-west-1) created" in out.text
    assert "failed" in err.text


def test_a_sandbox_is_named_on_every_line() -> None:
    shown, out, err = console()
    shown.sandbox = True
    shown.say("one\u2026")
    shown.report(Report(command="plan", account="123456789012"))
    assert all(row.startswith("[sandbox] ") for row in err.text.splitlines())
    assert out.text.startswith("[sandbox] account 123456789012")
    shown.output = "json"
    out.bytes.truncate(0)
    out.bytes.seek(0)
    shown.report(Report(command="plan"))
    assert json.loads(out.text)["sandbox"] is True


def test_signals_are_told_when_they_change_and_not_else() -> None:
    shown, _, err = console()
    for status in ("waiting", "waiting", "arrived"):
        shown.signals([signal(status)])
    assert err.text.splitlines() == [
        "0 of 1 function with everything in Datadog",
        "1 of 1 function with everything in Datadog",
    ]


def test_a_count_that_is_the_same_is_not_told_again() -> None:
    shown, _, err = console()
    for status in ("no_traffic", "waiting"):
        shown.signals([signal(status)])
    assert err.text.splitlines() == ["0 of 1 function with everything in Datadog"]


def test_a_table_higher_than_the_terminal_shows_what_is_open() -> None:
    shown, _, err = console(terminal=True)
    done = [
        Signal(function=f"done-{n:03}", region="eu-west-1", signal="logs", status="arrived")
        for n in range(100)
    ]
    shown.signals([*done, signal("waiting")])
    shown.rest()
    assert "orders" in err.text
    assert "done-090" not in err.text


def test_an_error_is_words_on_standard_error_and_a_document_on_standard_output() -> None:
    shown, out, err = console("json")
    shown.error("plan", UsageError("wrong", fix="do this"))
    assert err.text == "error: wrong\n  do: do this\n"
    found = json.loads(out.text)
    assert (found["exit_code"], found["status"], found["error"]["what"]) == (2, "failed", "wrong")


@pytest.mark.parametrize(
    ("stdin", "err", "environ", "expected"),
    [
        (True, True, {}, True),
        (False, True, {}, False),
        (True, False, {}, False),
        (True, True, {"CI": "true"}, False),
        (True, True, {"TERM": "dumb"}, True),
    ],
)
def test_somebody_can_be_asked(stdin: bool, err: bool, environ: Mapping[str, str], expected: bool) -> None:
    assert interactive(environ, Stream(terminal=stdin), Stream(terminal=err)) == expected


@pytest.mark.parametrize(
    ("term", "sandbox", "width"), [("dumb", True, 69), ("dumb", False, 79), ("xterm-256color", True, 79)]
)
def test_what_is_laid_out_for_the_room_there_is_stays_on_its_lines(
    term: str, sandbox: bool, width: int
) -> None:
    """A sandbox marks each line of a plain terminal, and no line reaches into the last column."""
    pty = pytest.importorskip("pty", reason="terminals of POSIX")
    termios = pytest.importorskip("termios", reason="terminals of POSIX")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environ = {"TERM": term, "COLUMNS": "80"}
    rows = [[Span("a name that is too long " * 9), Span("not known")]]
    with os.fdopen(theirs, "w", encoding="utf-8") as err, os.fdopen(ours, "rb") as seen:
        shown = Console(streams=Streams(out=err, err=err, environ=environ), sandbox=sandbox)
        assert shown.room().width == width
        shown.blocks([line("Heading"), *table(["What", "How much"], rows)])
        written = ""
        while "not known" not in written:
            written += os.read(seen.fileno(), 4096).decode()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", written).splitlines()
    assert len(lines) == 3
    assert lines[2].endswith("not known")
