"""What the operator of a sandbox may do, where it is not known yet what will be set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from ddsetup.cli.sandbox.up import every_policy
from ddsetup.cli.trial import operator_policy
from ddsetup.settings.given import Given, Raw
from ddsetup.settings.setting import Value
from ddsetup.settings.table import TABLE

ACCOUNT, REGIONS = "123456789012", ("us-east-1",)
CHOICES: tuple[tuple[str, Value], ...] = tuple(
    (each.key, value)
    for each in TABLE
    for value in (each.choices or ((True,) if each.kind == "switch" else ()))
    if each.in_file
)


def given(**wanted: Value) -> Given:
    return Given({key: Raw(value, "file", "a test") for key, value in {"region": REGIONS, **wanted}.items()})


def rights(policy: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for each in policy["Statement"]:
        for action in each["Action"]:
            for resource in each["Resource"]:
                yield action, resource, str(each.get("Condition", ""))


@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_whatever_may_be_chosen_the_operator_of_a_sandbox_may_set_up(via: str) -> None:
    held = set(rights(every_policy(given(), ACCOUNT, REGIONS, ())))
    for key, value in CHOICES:
        policy = operator_policy(given(**{"via": via, key: value}), ACCOUNT, REGIONS, ())
        lacking = [
            (action, resource)
            for action, resource, condition in set(rights(policy)) - held
            if not any(
                action == had and condition_had in ("", condition) and fnmatchcase(resource, where)
                for had, where, condition_had in held
            )
        ]
        assert not lacking, (key, value)
