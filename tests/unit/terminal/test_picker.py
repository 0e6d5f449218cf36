"""The list: it acts on what it shows, draws no more than its window, and leaves as the user says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from ddsetup.ask.prompter import Back, Row
from ddsetup.terminal.picker import Heading, Picker, draw, pick

PAGE_DOWN, PAGE_UP, HOME, END = "\x1b[6~", "\x1b[5~", "\x1b[H", "\x1b[F"
DOWN, CTRL_A, CTRL_C, CTRL_U = "\x1b[B", "\x01", "\x03", "\x15"


class Screen(DummyOutput):
    def get_size(self) -> Size:
        return Size(rows=24, columns=80)


def rows(count: int = 30) -> list[Row]:
    return [
        Row(
            value=f"arn:{n}",
            cells=(f"{'prod' if n % 3 == 0 else 'dev'}-function-{n:05}", "eu-west-1", "python3.12"),
            terms=("runtime:python3.12", f"state:{'none' if n % 2 else 'forwarder'}"),
            disabled="a container image" if n == 1 else "",
        )
        for n in range(count)
    ]


@contextmanager
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


def typed(text: str, count: int = 30) -> tuple[str, ...]:
    with keys() as pipe:
        pipe.send_text(text)
        return pick(Heading("Which?"), rows(count), output=Screen(), input_=pipe)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("\r", ()),
        (" \r", ("arn:0",)),
        (f" {DOWN} \r", ("arn:0",)),  # the second one cannot be chosen
        (f"{DOWN}{DOWN} \r", ("arn:2",)),
        (f"{PAGE_DOWN} \r", ("arn:17",)),
        (f"{PAGE_DOWN}{PAGE_UP} \r", ("arn:0",)),
        (f"{END} \r", ("arn:29",)),
        (f"{END}{HOME} \r", ("arn:0",)),
        ("  \r", ()),
        (f"00007{CTRL_A}{CTRL_U}\r", ("arn:7",)),
        ("function-00012 \r", ("arn:12",)),
        ("prod,00012 \r", ("arn:12",)),
        ("\x1b[200~prod 00012\x1b[201~ \r", ("arn:12",)),
    ],
)
def test_keys_do_what_they_say(text: str, chosen: tuple[str, ...]) -> None:
    assert typed(text) == chosen


def test_all_means_all_that_is_shown() -> None:
    assert typed(f"prod{CTRL_A}\r") == tuple(f"arn:{n}" for n in range(0, 30, 3))
    assert typed(f"prod{CTRL_A}{CTRL_A}\r") == ()


def test_inverting_turns_over_what_is_shown_and_nothing_else() -> None:
    assert typed(f" prod\x12{CTRL_U}\r") == tuple(f"arn:{n}" for n in range(3, 30, 3))


def test_all_leaves_out_what_cannot_be_chosen() -> None:
    assert "arn:1" not in typed(f"{CTRL_A}\r")


def test_what_the_filter_hides_stays_chosen() -> None:
    assert typed(f" dev{CTRL_A}{CTRL_U}\r") == tuple(
        f"arn:{n}" for n in range(30) if n == 0 or (n % 3 and n != 1)
    )


def test_a_filter_that_nothing_fits_chooses_nothing() -> None:
    assert typed(f"nosuch {CTRL_A}\r") == ()


def test_escape_goes_back_and_ctrl_c_out() -> None:
    with pytest.raises(Back):
        typed(" \x1b")
    with pytest.raises(KeyboardInterrupt):
        typed(CTRL_C)


def test_terms_and_globs() -> None:
    picker = Picker(rows())
    picker.filter("state:none,prod")
    assert [row.value for row in picker.shown] == ["arn:3", "arn:9", "arn:15", "arn:21", "arn:27"]
    picker.filter("*-0000?")
    assert len(picker.shown) == 10
    picker.filter("RUNTIME:PY*")
    assert len(picker.shown) == 30


@for_all(st.lists(st.text("prod-ev0123:*?, state", max_size=3), max_size=6))
def test_filtering_as_one_types_is_filtering_at_once(parts: list[str]) -> None:
    picker = Picker(rows())
    for end in range(len(parts) + 1):
        picker.filter("".join(parts[:end]))
    at_once = Picker(rows())
    at_once.filter("".join(parts))
    assert picker.shown == at_once.shown


@for_all(st.lists(st.integers(-40, 40), max_size=8), st.integers(1, 12))
def test_the_cursor_stays_in_the_window(moves: list[int], height: int) -> None:
    picker = Picker(rows(), height=height)
    for by in moves:
        picker.move(by)
        assert 0 <= picker.cursor < 30
        assert picker.top <= picker.cursor < picker.top + height


def lines_of(picker: Picker, width: int) -> list[str]:
    heading = Heading("Which functions?", "They are kept by name.", ("Function", "Region", "Runtime"))
    return "".join(fragment[1] for fragment in draw(picker, heading, width)).split("\n")


@pytest.mark.parametrize("width", [40, 79, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    picker = Picker(rows(), height=10)
    lines = lines_of(picker, width)
    assert max(len(text) for text in lines) <= width
    assert len(lines) == 10 + (8 if width == 40 else 7)
    assert lines[1] == "  They are kept by name."
    assert lines[2].startswith("  filter:   parts of")
    assert lines[3].split() == ["Function", "Region", "Runtime"][: 2 if width == 40 else 3]


def test_what_is_cut_of_the_row_under_the_cursor_is_told_in_full() -> None:
    remarks = [Row(value=str(n), cells=("f" * n, "python3.12", "remark " * n)) for n in range(1, 9)]
    picker = Picker(remarks, height=8)
    assert not [text for text in lines_of(picker, 79) if text.startswith("  > ")]
    picker.move(7)
    assert f"  > {remarks[7].cells[2]}".rstrip() in [text.rstrip() for text in lines_of(picker, 70)]
    reason = "a reason that is much longer than what there is room for in a line"
    picker = Picker([Row(value="edge", cells=("edge", "python3.12"), disabled=reason)])
    assert f"  > {reason}" in lines_of(picker, 79)


def test_the_busiest_first_on_request_and_what_is_shown_and_chosen_stays_so() -> None:
    weights = (3.0, None, 0.0, 70.0)
    busy = [Row(value=str(n), cells=(f"f{n}",), weight=weight) for n, weight in enumerate(weights)]
    picker = Picker(busy)
    picker.toggle()
    picker.toggle_order()
    assert [row.value for row in picker.shown] == ["3", "0", "2", "1"]
    picker.filter("f")
    assert [row.value for row in picker.shown] == ["3", "0", "2", "1"]
    assert picker.result() == ("0",)
    picker.toggle_order()
    assert [row.value for row in picker.shown] == ["0", "1", "2", "3"]
    assert "busiest" in lines_of(picker, 79)[-1]
    unknown = Picker(rows())
    unknown.toggle_order()
    assert unknown.shown == rows()
    assert "busiest" not in lines_of(unknown, 120)[-1]


def test_what_is_marked_while_numbers_are_awaited_stays_marked() -> None:
    never = threading.Event()

    def later() -> list[Row]:
        never.wait(30)
        return rows()

    with keys() as pipe:
        pipe.send_text(f"{DOWN}{DOWN} \r")
        assert pick(Heading("Which?"), rows(), later=later, output=Screen(), input_=pipe) == ("arn:2",)
    never.set()
    picker = Picker([replace(row, weight=None) for row in rows()], height=3)
    picker.filter("prod")
    picker.move(2)
    picker.toggle()
    picker.renew([replace(row, cells=(*row.cells, "7"), weight=7.0) for row in rows()])
    assert picker.result() == ("arn:6",)
    assert (picker.text, picker.shown[picker.cursor].value, len(picker.shown)) == ("prod", "arn:6", 10)
    assert picker.window()[0].cells[-1] == "7"
    picker.toggle()
    picker.filter("7")
    assert len(picker.shown) == 30


def test_it_says_why_something_cannot_be_chosen_and_how_much_is_chosen() -> None:
    picker = Picker(rows(), height=10)
    picker.toggle()
    picker.filter("dev")
    text = "\n".join(lines_of(picker, 120))
    assert "(a container image)" in text
    assert "1 chosen (1 not shown), 20 of 30 shown" in text
