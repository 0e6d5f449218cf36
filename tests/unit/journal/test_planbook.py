"""The plans of many accounts in one document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ddsetup.journal.planbook import Planbook, read_planbook
from ddsetup.journal.planfile import PlanMeta
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.errors import UsageError
from ddsetup.model.states import LogGroupState

META = PlanMeta(
    account="",
    regions=("eu-west-1",),
    site="datadoghq.eu",
    version="1",
    made=datetime(2026, 1, 1, tzinfo=UTC),
)


def plan_of(account: str) -> Plan:
    group = ResourceId("log_group", "/aws/lambda/orders", "eu-west-1", account)
    made = LogGroupState(name="/aws/lambda/orders")
    return Plan(changes=(Change(step="s", resource=group, before=None, after=made, why="none"),))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "plans.jsonl"
    made = Planbook.create(path)
    for account in ("111111111111", "222222222222"):
        made.add(plan_of(account), replace(META, account=account))
    assert not path.exists(), "nobody takes a part for the whole"
    made.close()
    return path


def test_each_account_has_its_plan(book: Path) -> None:
    plans = read_planbook(book)
    assert list(plans.at) == ["111111111111", "222222222222"]
    assert plans.of("222222222222")[0] == plan_of("222222222222")


def test_which_accounts_change_is_known_to_whoever_wrote_or_read_it(tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    made = Planbook.create(path)
    made.add(plan_of("111111111111"), replace(META, account="111111111111"))
    made.add(Plan(), replace(META, account="222222222222"))
    assert made.close() == read_planbook(path)
    assert read_planbook(path).changing == {"111111111111"}


def test_of_one_that_was_not_ended_nothing_is_left(tmp_path: Path) -> None:
    made = Planbook.create(tmp_path / "plans.jsonl")
    made.add(plan_of("111111111111"), replace(META, account="111111111111"))
    made.abandon()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:-1],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[1].replace("orders", "stock"), *lines[2:]],
        lambda lines: lines[1:],
        lambda lines: ["[]", *lines[1:]],
        lambda lines: [*lines, lines[1]],
    ],
)
def test_what_is_not_as_it_was_written_is_refused(
    book: Path, damage: Callable[[list[str]], list[str]]
) -> None:
    book.write_text("".join(f"{line}\n" for line in damage(book.read_text().splitlines())))
    with pytest.raises(UsageError) as caught:
        read_planbook(book)
    assert str(book) in caught.value.what
