"""One reading of switches among a function's variables."""

from __future__ import annotations

import pytest

from ddsetup.facts.variables import VARIABLES, is_on
from ddsetup.settings.table import SETTINGS


@pytest.mark.parametrize(
    ("text", "on"),
    [("true", True), ("1", True), ("TRUE ", True), ("false", False), ("0", False), (" False", False)],
)
def test_a_switch_is_off_by_false_and_0_only(text: str, on: bool) -> None:
    for default in (True, False):
        assert is_on({"DD_TRACE_ENABLED": text}, "DD_TRACE_ENABLED", default) is on


@pytest.mark.parametrize("env", [{}, {"DD_FLUSH_TO_LOG": " "}])
def test_a_switch_that_says_nothing_is_what_the_default_is(env: dict[str, str]) -> None:
    assert is_on(env, "DD_FLUSH_TO_LOG")
    assert not is_on(env, "DD_FLUSH_TO_LOG", False)


def test_what_a_variable_is_set_by_is_a_setting() -> None:
    named = {variable.name: variable.setting for variable in VARIABLES if variable.setting}
    assert len(named) > 10
    assert {name: setting for name, setting in named.items() if setting not in SETTINGS} == {}
