"""The table of the proof while it fills: whatever the height, what is open and why comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsetup.model.change import ResourceId
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Signal
from ddsetup.show.signal_lines import arriving_lines, so_far, summary

WHY = "usually there within 5 minutes of an invocation"


def signals(whole: int, open_ones: int) -> list[Signal]:
    done = [
        Signal(function=f"done-{n:02}", region="eu-west-1", signal="logs", status="arrived")
        for n in range(whole)
    ]
    waiting = [
        Signal(function=f"open-{n:02}", region="eu-west-1", signal="logs", status="waiting", reason=WHY)
        for n in range(open_ones)
    ]
    return [*done, *waiting]


@pytest.mark.parametrize("width", [60, 79, 120])
@pytest.mark.parametrize("height", [8, 12, 23, 60])
@pytest.mark.parametrize(("whole", "open_ones"), [(30, 2), (0, 40), (3, 3)])
def test_the_filling_table_fits_and_says_what_is_open(
    width: int, height: int, whole: int, open_ones: int
) -> None:
    lines = arriving_lines(signals(whole, open_ones), Look(width=width), height, "until noon")
    text = text_of(lines)
    assert len(lines) <= height
    assert f"{whole} of {whole + open_ones} functions" in text
    assert "until noon" in text
    assert "open-00" in text
    assert WHY.split(maxsplit=1)[0] in text or height < 10
    shown = text.count("\n  done-") + text.count("\n  open-")
    more = f"{whole + open_ones - shown} more function"
    assert (more in text) is (shown < whole + open_ones)


def test_all_rows_are_there_if_there_is_room() -> None:
    text = text_of(arriving_lines(signals(3, 3), Look(width=79), 23))
    for n in range(3):
        assert f"done-{n:02}" in text
        assert f"open-{n:02}" in text
    assert WHY in text
    assert "more function" not in text


FORWARDER = Signal(
    function="",
    region="eu-west-1",
    signal="forwarder_metrics",
    status="arrived",
    resource=ResourceId("forwarder", "datadog-forwarder"),
)
IDLE = Signal(function="idle", region="eu-west-1", signal="logs", status="no_traffic")


def test_what_was_switched_on_beside_functions_is_called_what_it_is() -> None:
    assert summary([*signals(1, 1), FORWARDER]).endswith("with everything in Datadog, and 1 of 1 Forwarder")
    stage = replace(FORWARDER, status="missing", resource=ResourceId("api_stage", "shop/prod"))
    assert summary([*signals(1, 0), FORWARDER, stage]).endswith(", and 1 of 2 other resources")


def test_who_did_not_run_is_unproven_only_once_it_is_over() -> None:
    told = [*signals(1, 0), IDLE]
    assert summary(told) == "1 of 2 functions with everything in Datadog; 1 did not run and is unproven"
    assert so_far(told) == "1 of 2 functions with everything in Datadog"
    assert "unproven" not in text_of(arriving_lines(told, Look(width=120), 23))
