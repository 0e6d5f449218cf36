"""The pictures of the documentation: what was on the screen, whole, and the same each time."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pyte

from docs.drawing import Frame, frame, picture

DAY = (re.compile(r"\d{4}-\d\d-\d\d"), "2026-01-31")
SVG = "{http://www.w3.org/2000/svg}"


def shot(text: str) -> Frame:
    screen = pyte.Screen(30, 3)
    pyte.Stream(screen).feed(text)
    return frame(screen, [DAY])


def words(svg: str) -> list[tuple[str, str]]:
    """Every piece of text with its style."""
    spans = ET.fromstring(svg).iter(f"{SVG}tspan")
    return [(span.text or "", span.get("style", "")) for span in spans]


def test_text_stands_where_it_stood_in_its_colour() -> None:
    svg = picture("ddsetup", [shot("\x1b[32m✓\x1b[0m <a & b>  far\r\nsince 2025-11-22, x")])
    found = words(svg)
    assert [text for text, _ in found] == ["✓", "<a & b>", "far", "since 2026-01-31, x"]
    assert found[0][1].startswith("fill: #")
    assert found[1][1] == ""
    assert "animation" not in svg


def test_several_frames_follow_each_other_and_the_last_stays_where_nothing_moves() -> None:
    svg = picture("ddsetup", [shot("one"), shot("two")])
    assert [text for text, _ in words(svg)] == ["one", "two"]
    assert "#f1 { visibility: visible; }" in svg
    assert "prefers-reduced-motion" in svg
