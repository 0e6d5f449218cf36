"""Columns stand one below the other, however wide the letters are: seen on a screen, not counted in code."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.ask.prompter import Row
from ddsetup.explore.cold_starts import cold_start_blocks
from ddsetup.explore.trace_blocks import trace_blocks
from ddsetup.model.blocks import table
from ddsetup.model.lines import Look, Span, cut, padded, rough, shorten, width_of, wrapped
from ddsetup.show.layout import plain_text
from ddsetup.terminal.picker import Heading, Picker
from ddsetup.terminal.picker import draw as draw_list
from tests.unit.model.test_foreign import with_planted
from tests.unit.specimens import reports

WIDE = "注文を受ける関数"
EMOJI = "☕️🚀"
LETTERS = st.text(alphabet="abc -注文受関数é가🚀", max_size=30)


def screen(text: str, columns: int = 80) -> pyte.Screen:
    seen = pyte.Screen(columns, 40)
    pyte.Stream(seen).feed(text.replace("\n", "\r\n"))
    return seen


def columns_of(seen: pyte.Screen, letter: str) -> list[int]:
    """In which columns of the screen a letter stands, from the first line to the last."""
    return [x for y in range(seen.lines) for x in range(seen.columns) if seen.buffer[y][x].data == letter]


@pytest.mark.parametrize("width", [80, 40])
def test_the_columns_of_a_table_are_straight(width: int) -> None:
    names = ["orders", WIDE, f"orders-{EMOJI}", "é" * 9, WIDE * 4]
    rows = [[Span(name), Span("@"), Span(WIDE)] for name in names]
    seen = screen(plain_text(table(["Function", "@", "Remarks"], rows), Look(width=width)), width)
    (column,) = set(columns_of(seen, "@"))
    assert column > 10


def test_bars_and_flames_are_straight() -> None:
    for command, path, draw in (
        ("explore cold-starts", ("functions", 0, "function"), cold_start_blocks),
        ("explore traces", ("traces", 0, "spans", 0, "resource"), trace_blocks),
    ):
        data = reports()[command].data
        text = "".join(
            plain_text(draw(each, Look(width=80)), Look(width=80))
            for each in (data, with_planted(data, path, WIDE))
        )
        lines = [line for line in text.splitlines() if "█" in line]
        assert len(lines) >= 2
        ends = {width_of(line.rstrip(" ✗")) for line in lines}
        assert max(ends) <= 80, command


def test_a_list_to_choose_from_is_straight() -> None:
    rows = [Row(value=name, cells=(name, "@", "x")) for name in ("orders", WIDE, WIDE * 5)]
    seen = screen("".join(text for _, text, *_ in draw_list(Picker(rows), Heading("Which?"), 60)), 60)
    assert len(set(columns_of(seen, "@"))) == 1


@given(LETTERS, st.integers(1, 40))
def test_what_is_cut_has_room_and_what_has_room_is_whole(text: str, width: int) -> None:
    for done in (cut(text, width), shorten(text, width)):
        assert width_of(done) <= max(width, 2)
        assert done == text or width_of(text) > width
    assert width_of(padded(text, 60)) == 60


@given(LETTERS, st.integers(35, 60))
def test_lines_are_broken_by_what_is_seen(text: str, width: int) -> None:
    parts = wrapped((Span(f"{text} {WIDE} {text}"),), width)
    longest = max((width_of(word) for word in (*text.split(), WIDE)), default=0)
    assert all(
        sum(width_of(span.text) for span in part) <= max(width, longest + width // 2) for part in parts
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (830, "830"),
        (999.4, "999"),
        (999.96, "1.0k"),
        (12_345, "12.3k"),
        (99_960, "100k"),
        (999_950, "1.0M"),
        (1_234_567, "1.2M"),
        (45e9, "45.0G"),
    ],
)
def test_a_rough_count_has_five_characters_at_most(number: float, said: str) -> None:
    assert rough(number) == said
