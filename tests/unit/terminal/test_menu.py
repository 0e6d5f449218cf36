"""One choice of a few: what can be taken can be reached, whatever is drawn fits, and Esc goes back."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from ddsetup.ask.prompter import Back, Prompt
from ddsetup.ask.questions import Choice
from ddsetup.terminal.menu import Menu, choose, draw

DOWN, UP, END, CTRL_C = "\x1b[B", "\x1b[A", "\x1b[F", "\x03"
FEW = (
    Choice("yes", "Yes, do it", "it can be undone"),
    Choice("never", "Never", disabled="it is too late"),
    Choice("details", "Show all", "every change " * 20),
    Choice("no", "No"),
)
MANY = tuple(Choice(f"region-{n}", hint="Europe" if n % 2 else "Asia") for n in range(40))


class Screen(DummyOutput):
    def get_size(self) -> Size:
        return Size(rows=24, columns=80)


def taken(keys: str, choices: tuple[Choice, ...] = FEW, default: str | None = None) -> str:
    prompt = Prompt(
        kind="one", text="Carry this out?", why="Nothing was written.", choices=choices, default=default
    )
    with create_pipe_input() as pipe:
        pipe.send_text(keys)
        return choose(prompt, output=Screen(), input_=pipe).value


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ("\r", "yes"),
        (f"{DOWN}\r", "details"),  # what cannot be taken is passed over
        (f"{DOWN}{DOWN}{DOWN}\r", "no"),
        (f"{END}{UP}\r", "details"),
        ("4\r", "no"),
        ("2\r", "yes"),
        ("d\r", "details"),
        ("x\r", "yes"),
    ],
)
def test_keys_do_what_they_say(keys: str, value: str) -> None:
    assert taken(keys) == value


def test_the_default_is_under_the_cursor_unless_it_cannot_be_taken() -> None:
    assert taken("\r", default="no") == "no"
    assert taken("\r", default="never") == "details"


def test_typing_narrows_many_choices_down() -> None:
    assert taken("europe 17\r", MANY) == "region-17"
    assert taken("europe 17\x7f\x7f3\x7f5\r", MANY) == "region-5"


def test_enter_takes_nothing_where_nothing_fits() -> None:
    assert taken("nosuch\r\x7f\x7f\x7f\x7f\x7f\x7f\r", MANY) == "region-0"


def test_escape_goes_back_and_ctrl_c_out() -> None:
    with pytest.raises(Back):
        taken("\x1b")
    with pytest.raises(KeyboardInterrupt):
        taken(CTRL_C)


@for_all(
    st.integers(40, 120),
    st.integers(12, 40),
    st.integers(0, 39),
    st.sampled_from([FEW, MANY, MANY[:9]]),
)
def test_what_is_drawn_fits_and_shows_the_cursor(
    width: int, height: int, down: int, choices: tuple[Choice, ...]
) -> None:
    menu = Menu(choices)
    menu.move(down)
    prompt = Prompt(kind="one", text="Which one shall it be?", why="Because. " * 12, choices=choices)
    lines = "".join(fragment[1] for fragment in draw(menu, prompt, width, height)).split("\n")
    assert max(len(line) for line in lines) <= width
    assert sum(line.startswith(">") for line in lines) == 1
    assert any("not possible: it is too late" in line for line in lines) or choices is not FEW or height < 24
