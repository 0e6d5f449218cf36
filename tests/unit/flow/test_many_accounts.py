"""What a run over many accounts ends with, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ddsetup.cli.org.apply import waits
from ddsetup.cli.undo import row_of
from ddsetup.flow.organisation.across import exit_code_of
from ddsetup.flow.organisation.doing import problems_of
from ddsetup.flow.organisation.undoing import in_force, parts_of
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, list_runs
from ddsetup.model.change import NOT_STARTED, Outcome, ResourceId, Status
from ddsetup.model.errors import UsageError
from ddsetup.settings.given import from_flags
from tests.unit.world import AT, creation, header, journal_file


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), 0),
        ((0, 0), 0),
        ((4, 4), 4),
        ((0, 4), 5),
        ((1, 4), 5),
        ((0, 6), 6),
        ((0, 3), 3),
        ((3, 6), 6),
        ((6, 5), 5),
        ((0, 2), 5),
        ((0, 130, 4), 130),
    ],
)
def test_it_is_that_of_all_or_says_that_they_differ(codes: tuple[int, ...], expected: int) -> None:
    assert exit_code_of([{"status": "done", "exit_code": code} for code in codes]) == expected


def test_what_was_left_out_does_not_count() -> None:
    assert exit_code_of([{"status": "left out", "exit_code": 0}, {"status": "failed", "exit_code": 4}]) == 4


def outcome(status: Status, reason: str = "because", *, action: str = "update", **over: str) -> Outcome:
    function = ResourceId("function", "arn:aws:lambda:eu-west-1:1:function:pay", "eu-west-1", "1")
    return Outcome(resource=function, status=status, reason=reason, action=action, **over)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("applied", "", False),
        ("unchanged", "already so", False),
        ("failed", "denied", True),
        ("changed_since", "deployed meanwhile", True),
        ("skipped", "no runtime for it", True),
        ("skipped", NOT_STARTED, False),
    ],
)
def test_what_did_not_come_about_is_a_problem(status: Status, reason: str, told: bool) -> None:
    found = problems_of([outcome(status, reason, fix="try again"), outcome("applied")])
    assert found == ([{"what": "function pay", "reason": reason, "fix": "try again"}] if told else [])


FIRST, SECOND = "20261122T101530Z-aaaa", "20261123T101530Z-bbbb"


def remember(home: Path, run: str, effects: Mapping[str, Status], **over: object) -> None:
    """A run on file with an outcome for each of its changes."""
    made: Header = replace(header(run), **over)  # type: ignore[arg-type]
    journal = Journal.create(OnDisk(home), made)
    for name, status in effects.items():
        change = creation(name)
        seq = journal.start(change, AT)
        journal.done(seq, Outcome(resource=change.resource, status=status, action="create"), AT)
    journal.close()


def a_rollout(home: Path, within: str, *accounts: str, status: Status = "applied", **over: object) -> None:
    for number, account in enumerate(accounts):
        run = f"{within[:-2]}{number:02}"
        remember(home, run, {f"/{account}": status}, within=within, accounts=(account,), **over)


def chosen(home: Path, run: str | None = None, site: str = "datadoghq.eu") -> tuple[str, Sequence[str]]:
    found, parts, _ = parts_of(OnDisk(home), run, site)
    return found, sorted(parts)


def test_the_newest_that_has_effects_is_given_back(tmp_path: Path) -> None:
    a_rollout(tmp_path, FIRST, "1", "2")
    assert chosen(tmp_path) == (FIRST, ["1", "2"])
    a_rollout(tmp_path, SECOND, "2", "3")
    remember(tmp_path, "20261124T101530Z-cccc", {"/alone": "applied"})
    assert chosen(tmp_path) == (SECOND, ["2", "3"])
    assert chosen(tmp_path, FIRST) == (FIRST, ["1", "2"])


def test_the_list_of_runs_counts_what_was_changed_in_all_accounts(tmp_path: Path) -> None:
    remember(tmp_path, FIRST, {}, command="org apply", planned=0)
    a_rollout(tmp_path, FIRST, "1", "2", planned=2)
    runs = list_runs(OnDisk(tmp_path)).readable
    row = next(row_of(run, runs) for run in runs if run.id == FIRST)
    assert (row["changes"], row["planned"], row["state"]) == (2, 4, "in force in 2 of 2 accounts")


def test_of_what_has_no_effects_nothing_is_left(tmp_path: Path) -> None:
    a_rollout(tmp_path, FIRST, "1")
    a_rollout(tmp_path, SECOND, "2", status="changed_since")
    assert chosen(tmp_path) == (FIRST, ["1"])
    with pytest.raises(UsageError, match=f"nothing is left of run {SECOND}") as caught:
        parts_of(OnDisk(tmp_path), SECOND, "datadoghq.eu")
    assert caught.value.fix == "ddsetup undo --list shows all runs"


def test_a_run_that_is_none_and_one_of_a_single_account_are_told_apart(tmp_path: Path) -> None:
    a_rollout(tmp_path, FIRST, "1")
    remember(tmp_path, SECOND, {"/alone": "applied"})
    with pytest.raises(UsageError, match="no run 2026"):
        parts_of(OnDisk(tmp_path), "2026", "datadoghq.eu")
    with pytest.raises(UsageError, match=f"run {SECOND} was made in account .* only") as caught:
        parts_of(OnDisk(tmp_path), SECOND, "datadoghq.eu")
    assert caught.value.fix == f"there: ddsetup undo {SECOND}"


def test_an_undo_of_many_accounts_is_none_to_give_back(tmp_path: Path) -> None:
    a_rollout(tmp_path, FIRST, "1", undoes="20261121T101530Z-dddd")
    with pytest.raises(UsageError, match="there is no run over many accounts"):
        parts_of(OnDisk(tmp_path), None, "datadoghq.eu")
    assert in_force(list_runs(OnDisk(tmp_path)).readable) == {}


def test_it_is_given_back_on_the_site_that_it_was_for(tmp_path: Path) -> None:
    a_rollout(tmp_path, FIRST, "1", "2")
    with pytest.raises(UsageError, match=f"run {FIRST} is for site datadoghq.eu") as caught:
        parts_of(OnDisk(tmp_path), None, "datadoghq.com")
    assert caught.value.fix == "--site datadoghq.eu"


def test_a_run_that_cannot_be_read_is_told_where_another_would_be_chosen(tmp_path: Path) -> None:
    a_rollout(tmp_path, FIRST, "1")
    remember(tmp_path, SECOND, {"/x": "applied"})
    journal_file(tmp_path, SECOND).write_text("nonsense\n")
    assert chosen(tmp_path, FIRST) == (FIRST, ["1"])
    with pytest.raises(UsageError) as caught:
        parts_of(OnDisk(tmp_path), "20261125T101530Z-eeee", "datadoghq.eu")
    assert SECOND in f"{caught.value.what} {caught.value.where}"


@pytest.mark.parametrize(
    ("said", "expected"), [({"wait": "3m"}, (180, 0)), ({"wait": "3m", "invoke": True}, (180, 180))]
)
def test_where_nothing_was_changed_only_what_is_invoked_is_waited_for(
    said: Mapping[str, str | bool], expected: tuple[int, int]
) -> None:
    assert waits(from_flags(said)) == expected
