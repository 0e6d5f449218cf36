"""A plan from a file may hold any value where the shape leaves it open: it is shown whole, not died of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ddsetup.model.change import Change
from ddsetup.model.lines import Look, text_of
from ddsetup.model.states import DashboardState, RoleState, State
from ddsetup.show.plan_lines import change_lines
from tests.unit.world import resource

ODD: tuple[Any, ...] = (None, 7, True, "x", [], {}, [None], {"a": 1}, [["x"]], "\x1b[2K")
POLICY: Any = {"one": {"Statement": [{"Action": ["s3:GetObject", "s3:PutObject"]}]}}
WIDGETS: Any = [{"definition": {"title": "A", "widgets": [{"definition": {"type": "note"}}]}}]
VARIABLES: Any = [{"name": "env", "prefix": "env"}]


def forged(value: Any) -> list[Any]:
    """The value, with each part of it replaced by each odd one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = list(ODD)
    for at, part in inner:
        for other in forged(part):
            whole = value.copy()
            whole[at] = other
            found.append(whole)
    return found


def role(policies: Any) -> RoleState:
    return RoleState(name="x", trust_account="1", external_id="e", policies=policies)


STATES: tuple[tuple[str, Callable[[Any], State], Any], ...] = (
    # A role's policies are a table by their names; anything may be under a name.
    ("iam_role", lambda value: role({"one": value}), POLICY["one"]),
    ("dashboard", lambda value: DashboardState(title="x", widgets=value), WIDGETS),
    ("dashboard", lambda value: DashboardState(title="x", template_variables=value), VARIABLES),
)


@pytest.mark.parametrize(("kind", "state", "usual"), STATES)
def test_any_value_of_a_plan_is_shown(kind: str, state: Callable[[Any], State], usual: Any) -> None:
    for value in forged(usual):
        for before, after in ((usual, value), (value, usual)):
            change = Change(
                step="test",
                resource=resource("x", kind),
                before=state(before),
                after=state(after),
                why="test",
            )
            for verbose in (False, True):
                assert "\x1b" not in text_of(change_lines(change, Look(width=80, verbose=verbose)))
