"""Events that Datadog did not take yet: which deletions of stacks may take them with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ddsetup.flow.failed_events import settle_failed_events
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import LogGroupState, StackState, State
from ddsetup.plan.steps.forwarder_stack import LOSE_FAILED_EVENTS

ALONE: Any = SimpleNamespace(host=SimpleNamespace(prompter=None))
"""Where nobody can be asked."""


def change(kind: str, before: State | None, after: State | None) -> Change:
    return Change(step="x", resource=ResourceId(kind, "x"), before=before, after=after, why="undo")


STACK = StackState(name="x")
GONE = change("stack", STACK, None)
OTHERS = (
    change("stack", None, STACK),
    change("stack", STACK, StackState(name="x", version="5.0.0")),
    change("log_group", LogGroupState(name="x"), None),
)


def test_that_they_may_be_lost_is_said_of_stacks_that_go_and_of_nothing_else() -> None:
    settled = settle_failed_events(ALONE, (OTHERS[0], GONE, *OTHERS[1:]), lose=True)
    assert [each.precondition for each in settled] == ["", LOSE_FAILED_EVENTS, "", ""]
    assert (settled[0], *settled[2:]) == OTHERS


def test_where_nobody_can_be_asked_the_writer_keeps_them() -> None:
    assert settle_failed_events(ALONE, (GONE, *OTHERS), lose=False) == (GONE, *OTHERS)
