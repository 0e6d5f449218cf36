"""Real keys for the real prompts, and lines for the plain ones."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from ddsetup.ask.prompter import Back, Prompt, Row
from ddsetup.ask.questions import Choice
from ddsetup.model.account import Json
from ddsetup.settings.setting import Value
from ddsetup.settings.table import SETTINGS
from ddsetup.terminal.line_by_line import PlainPrompter
from ddsetup.terminal.prompts import QuestionaryPrompter, in_one_line, make_prompter
from tests.unit.terminal.test_console import Stream, console

SITES = tuple(Choice(site) for site in ("datadoghq.com", "us3.datadoghq.com", "datadoghq.eu"))


def check_site(value: Json) -> str:
    try:
        SETTINGS["site"].parse(value)
    except ValueError as error:
        return str(error)
    return ""


@contextmanager
def terminal(text: str) -> Iterator[QuestionaryPrompter]:
    """A prompter whose keyboard is `text`, and that has no screen."""
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(text)
        yield QuestionaryPrompter(console(terminal=True)[0], DummyOutput())


@pytest.mark.parametrize(
    ("prompt", "text", "answer"),
    [
        (Prompt(kind="text", text="Env", default="prod"), "\r", "prod"),
        (Prompt(kind="text", text="Env"), " stage \r", "stage"),
        (Prompt(kind="secret", text="Key"), "  abc\r", "abc"),
        (Prompt(kind="secret", text="Key"), "\x1b[200~ab\r\nc \x1b[201~\r", "abc"),
        (Prompt(kind="confirm", text="Sure?", default=False), "\r", False),
        (Prompt(kind="confirm", text="Sure?", default=False), "y", True),
        (Prompt(kind="one", text="Site", choices=SITES, default="datadoghq.eu"), "\r", "datadoghq.eu"),
        (Prompt(kind="one", text="Site", choices=SITES), "\x1b[B\r", "us3.datadoghq.com"),
        (
            Prompt(kind="many", text="Sites", choices=SITES, default=("datadoghq.eu",)),
            " \r",
            ("datadoghq.com", "datadoghq.eu"),
        ),
    ],
)
def test_keys_make_answers(prompt: Prompt, text: str, answer: Value) -> None:
    with terminal(text) as prompter:
        assert prompter.ask(prompt) == answer


def test_what_is_wrong_fits_into_the_line_that_there_is_for_it() -> None:
    said = "'a b' must be one word"
    assert in_one_line(said, "a b", 22) == said
    assert in_one_line(said, "a b", 21) == "must be one word"


@pytest.mark.parametrize("kind", ["text", "confirm", "one", "many", "secret"])
def test_escape_goes_back_from_every_kind(kind: str) -> None:
    prompt = Prompt(kind=kind, text="?", choices=SITES)  # type: ignore[arg-type]
    with terminal("\x1b") as prompter, pytest.raises(Back):
        prompter.ask(prompt)


@pytest.mark.parametrize("kind", ["text", "confirm", "one", "many", "secret"])
def test_ctrl_c_leaves_every_kind(kind: str) -> None:
    prompt = Prompt(kind=kind, text="?", choices=SITES)  # type: ignore[arg-type]
    with terminal("\x03") as prompter, pytest.raises(KeyboardInterrupt):
        prompter.ask(prompt)


def test_a_wrong_text_is_not_accepted() -> None:
    prompt = Prompt(kind="text", text="Site", check=check_site)
    with terminal("EU9\r\x7f1\r") as prompter:
        assert prompter.ask(prompt) == "EU1"


@dataclass
class Asked:
    """A console at whose question `then` happens."""

    then: Callable[[], object]

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def lines(self, *_lines: object, marked: bool) -> None:
        pass

    def ask_for(self, _text: str) -> None:
        self.then()


def plain(text: str) -> tuple[PlainPrompter, Stream, Stream]:
    shown, out, err = console(environ={"TERM": "dumb"})
    return PlainPrompter(shown, io.StringIO(text)), out, err


@pytest.mark.parametrize(
    ("prompt", "text", "answer"),
    [
        (Prompt(kind="text", text="Env", default="prod"), "\n", "prod"),
        (Prompt(kind="text", text="Site", check=check_site), "EU9\nEU1\n", "EU1"),
        (Prompt(kind="confirm", text="Sure?", default=False), "perhaps\nyes\n", True),
        (Prompt(kind="confirm", text="Sure?", default=True), "\n", True),
        (Prompt(kind="one", text="Site", choices=SITES), "\n3\n", "datadoghq.eu"),
        (Prompt(kind="one", text="Site", choices=SITES), "9\ndatadoghq.eu\n", "datadoghq.eu"),
        (Prompt(kind="one", text="Site", choices=SITES, default="datadoghq.com"), "\n", "datadoghq.com"),
        (Prompt(kind="many", text="Sites", choices=SITES), "1,3\n", ("datadoghq.com", "datadoghq.eu")),
        (Prompt(kind="many", text="Sites", choices=SITES), "2-3\n", ("us3.datadoghq.com", "datadoghq.eu")),
        (Prompt(kind="many", text="Sites", choices=SITES, default=("datadoghq.eu",)), "none\n", ()),
    ],
)
def test_lines_make_answers(prompt: Prompt, text: str, answer: Value) -> None:
    prompter, out, err = plain(text)
    assert prompter.ask(prompt) == answer
    assert out.text == ""
    assert "\x1b" not in err.text


def test_lines_typed_before_the_question_is_there_answer_nothing() -> None:
    keys, line = os.openpty()
    with os.fdopen(line) as stdin:
        os.write(keys, b"\n\n")
        prompter = PlainPrompter(Asked(lambda: os.write(keys, b"2\n")), stdin)  # type: ignore[arg-type]
        prompt = Prompt(kind="one", text="Site", choices=SITES, default="datadoghq.eu")
        assert prompter.ask(prompt) == "us3.datadoghq.com"
    os.close(keys)


def test_plain_prompts_go_back_and_end_with_the_input() -> None:
    with pytest.raises(Back):
        plain("<\n")[0].ask(Prompt(kind="text", text="Env"))
    with pytest.raises(KeyboardInterrupt):
        plain("")[0].ask(Prompt(kind="text", text="Env"))


def test_a_plain_list_refuses_what_cannot_be_chosen_and_says_why() -> None:
    rows = [Row(value="a", cells=("one",)), Row(value="b", cells=("two",), disabled="an image")]
    prompter, _, err = plain("2\nall\n")
    assert prompter.pick("Which?", rows) == ("a",)
    assert "2) two  (not possible: an image)" in err.text
    assert "b: an image" in err.text


def test_a_plain_list_that_is_long_is_chosen_from_by_parts_of_names() -> None:
    rows = [
        Row(value=f"arn:{n}", cells=(f"f{n:03}", "python3.12" if n % 2 else "java21")) for n in range(300)
    ]
    prompter, _, err = plain("\nnosuch\njava\nn\nf00?,f299\ny\n")
    assert prompter.pick("Which?", rows) == (*(f"arn:{n}" for n in range(10)), "arn:299")
    assert "none fits" in err.text
    assert "150 fit: f000" in err.text
    assert len(err.text.splitlines()) < 20


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({"TERM": "xterm"}, QuestionaryPrompter),
        ({"TERM": "dumb"}, PlainPrompter),
        ({"TERM": "xterm", "DDSETUP_PLAIN": "1"}, PlainPrompter),
        ({"TERM": ""}, PlainPrompter),
    ],
)
def test_the_terminal_decides_how_to_ask(environ: dict[str, str], kind: type) -> None:
    assert isinstance(make_prompter(console(terminal=True, environ=environ)[0]), kind)


def test_how_to_go_back_is_told_once_where_there_are_no_menus() -> None:
    prompter, _, err = plain("\n\n")
    for _ in range(2):
        prompter.ask(Prompt(kind="text", text="Env"))
    assert err.text.count("< goes back one question, Ctrl-C stops") == 1
    assert "Env: Env: " in err.text
