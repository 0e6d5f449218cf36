"""Many accounts in one run, on moto, whose accounts share nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli
from tests.e2e.on_moto import REGION, OnMoto
from tests.e2e.terminal import DOWN, ENTER, SPACE, Terminal
from tests.gateways.moto_server import moto_server

pytestmark = pytest.mark.e2e
WHERE = ("--region", REGION, "--output", "json")
CTRL_A = "\x01"


@pytest.fixture(scope="module")
def box() -> Iterator[OnMoto]:
    with moto_server() as url:
        yield furnished(url)


def furnished(url: str) -> OnMoto:
    made = OnMoto(url)
    made.furnish(
        {"Prod": {"shop": ("orders", "stock"), "till": ("till",)}, "Lab": {"lab": ("toy",), "gone": ()}}
    )
    organisations = made.client("organizations")
    organisations.close_account(AccountId=made.accounts["gone"])
    organisations.tag_resource(ResourceId=made.accounts["till"], Tags=[{"Key": "tier", "Value": "gold"}])
    return made


@pytest.fixture(scope="module")
def cli(box: OnMoto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    with box.commands(tmp_path_factory.mktemp("home")) as commands:
        yield commands


def rows(document: dict[str, object]) -> dict[str, dict[str, object]]:
    """The accounts of a report by name."""
    data = document["data"]
    assert isinstance(data, dict)
    return {row["name"]: row for row in data["accounts"]}


def test_status_has_a_row_for_each_account(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "status.html"
    found = rows(cli("org", "status", "--html", str(page), *WHERE).json)
    assert [name for name, row in found.items() if str(row["account"]) not in page.read_text("utf-8")] == []
    assert set(found) == {"master", "shop", "till", "lab", "gone"}
    assert (found["gone"]["status"], found["gone"]["reason"]) == ("left out", "the account is suspended")
    shop = found["shop"]
    assert (shop["functions"], shop["with_datadog"], shop["integrated"]) == (2, 0, "no")
    assert shop["role"] == "OrganizationAccountAccessRole"


def test_accounts_are_chosen_by_unit_and_tag(cli: Cli) -> None:
    chosen = rows(cli("org", "status", "--ou", "Prod", "--tag", "tier=*", *WHERE).json)
    assert {name: row["unit"] for name, row in chosen.items()} == {"till": "/Prod"}


def test_a_file_names_accounts_where_no_organisation_does(cli: Cli, box: OnMoto, tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(
        f'[[account]]\nid = "{box.accounts["shop"]}"\nname = "A"\nrole = "any"\n'
        '[[account]]\nid = "999999999999"\nname = "B"\nprofile = "nobody"\n'
    )
    result = cli("org", "status", "--accounts", str(path), *WHERE)
    found = rows(result.json)
    assert result.code == 5
    assert found["A"]["functions"] == 2
    assert found["B"]["status"] == "failed"
    assert "nobody" in str(found["B"]["reason"])


def test_each_account_is_a_line_as_soon_as_it_is_known(cli: Cli) -> None:
    printed = cli("org", "status", "--ou", "Prod", "--region", REGION, "--output", "ndjson").stdout
    lines = [json.loads(text) for text in printed.splitlines()]
    assert {line["account"]["name"] for line in lines if line["event"] == "account"} == {"shop", "till"}
    assert lines[-1]["event"] == "report"


@pytest.mark.parametrize(
    "said",
    [
        "rollout --remove --canary lab",
        "rollout role --import",
        "policy --trust arn:aws:iam::123456789012:root",
    ],
)
def test_an_option_that_would_do_nothing_is_refused(cli: Cli, said: str) -> None:
    assert cli("org", *said.split(), *WHERE).code == 2


def test_plans_made_side_by_side_do_not_take_each_others_place(cli: Cli) -> None:
    what = ("--via", "extension", "--layer-version", "none", "--extension-version", "none", "--dry-run")
    begun = [cli.start("org", "apply", "--all", *what, "--ou", unit, *WHERE) for unit in ("Prod", "Lab")]
    prod, lab = (cli.ended(each) for each in begun)
    assert (prod.code, lab.code) == (0, 0), prod.stdout + lab.stdout
    assert set(rows(prod.json)) == {"shop", "till"}
    assert not list((cli.state_dir / "plans").iterdir())


def test_where_nothing_is_meant_no_plans_are_saved(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    planned = cli("org", "plan", "--function", "nobody", "--ou", "Lab", "--out", str(path), *WHERE)
    assert planned.code == 2
    assert "nobody" in planned.json["error"]["what"], "of the account that is left out nothing is told"
    assert list(tmp_path.iterdir()) == []


def test_accounts_are_planned_applied_and_given_back(cli: Cli, box: OnMoto, tmp_path: Path) -> None:
    before = {name: box.functions(name) for name in ("shop", "till", "lab")}
    path = str(tmp_path / "plans.jsonl")
    what = ("--via", "extension", "--layer-version", "none", "--extension-version", "none")
    planned = cli("org", "plan", "--all", *what, "--ou", "Prod", "--out", path, *WHERE)
    assert {name: row["status"] for name, row in rows(planned.json).items()} == {
        "shop": "changes",
        "till": "changes",
    }
    assert {name: box.functions(name) for name in before} == before

    shown = rows(cli("org", "apply", path, "--dry-run", *WHERE).json)
    assert {name: row["text"] for name, row in shown.items()} == {
        name: row["text"] for name, row in rows(planned.json).items()
    }
    decided = cli("org", "apply", path, "--all", *WHERE)
    assert (decided.code, decided.json["error"]["what"][:5]) == (2, "--all")
    asked = cli("org", "apply", path, "--region", REGION, "--no-verify")
    assert asked.code == 2, asked.stdout
    assert "till" in asked.stderr, "what is to be confirmed is shown first"

    done = cli("org", "apply", path, "--yes", "--no-verify", *WHERE)
    assert done.code == 0, done.stdout
    applied = rows(done.json)
    assert {name: row["status"] for name, row in applied.items()} == {"shop": "done", "till": "done"}
    assert applied["shop"]["run"] != applied["till"]["run"]
    assert "DD_SITE" in box.functions("shop")["orders"]["Environment"]["Variables"]
    assert box.functions("lab") == before["lab"]

    path_of_one = tmp_path / "accounts.toml"
    path_of_one.write_text(f'[[account]]\nid = "{box.accounts["shop"]}"\nname = "shop"\n')
    less = cli("org", "apply", path, "--accounts", str(path_of_one), "--dry-run", *WHERE)
    gone = less.json["data"]["accounts"][1]
    assert (gone["account"], gone["status"]) == (box.accounts["till"], "not entered")
    assert less.code == 5
    one = cli("org", "undo", "--accounts", str(path_of_one), "--account", "shop", "--dry-run", *WHERE)
    assert list(rows(one.json)) == ["shop"], "of others nothing was asked"

    again = cli("undo", "--yes", "--no-input", "--output", "json")
    assert "no run to undo" in again.stdout, "of the account of the credentials nothing was changed"
    undone = cli("org", "undo", "--yes", *WHERE)
    assert undone.code == 0, undone.stdout
    assert {name: row["undoes"] for name, row in rows(undone.json).items()} == {
        name: row["run"] for name, row in applied.items()
    }
    assert {name: box.functions(name) for name in before} == before


def test_at_a_terminal_what_was_not_said_is_asked(cli: Cli) -> None:
    what = ("--via", "extension", "--layer-version", "none", "--extension-version", "none")
    with Terminal(cli, "org", "apply", *what, "--region", REGION) as terminal:
        terminal.until("Which of 4 accounts?").press(CTRL_A).until("0 chosen")
        terminal.press("till").until("1 of 5 shown").press(SPACE).press(ENTER)
        terminal.answer("Which functions in each of them?").until("Which environment")
        terminal.back("Which functions in each of them?").press(DOWN).press(DOWN).press(ENTER)
        terminal.answer("Which names?", f"toy, ti*{ENTER}").answer("Which environment", f"dev{ENTER}")
        terminal.until("Carry this out in 1 account?")
        assert "shop" not in terminal.seen.partition("Carry this out")[0].rpartition("organisation")[2]
        terminal.press("n").press(ENTER)
        assert terminal.end() == 1


def test_the_same_without_questions_has_what_was_typed_and_what_was_answered(cli: Cli, box: OnMoto) -> None:
    what = ("--via", "extension", "--layer-version", "none", "--extension-version", "none")
    said = ("--all", "--env", "dev", "--dry-run")
    with Terminal(cli, "org", "apply", *said, *what, "--region", REGION, size=(200, 24)) as terminal:
        terminal.until("Which of 4 accounts?").press(CTRL_A).until("0 chosen")
        terminal.press("till").until("1 of 5 shown").press(SPACE).press(ENTER)
        assert terminal.end() == 0
        seen = terminal.seen.partition("ddsetup org apply --yes --no-input")[2]
    for option in (f"--account {box.accounts['till']}", "--all", "--env dev", f"--region {REGION}"):
        assert option in seen, seen
    assert "--dry-run" not in seen
