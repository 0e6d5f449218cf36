"""An organisation of the sandbox: a StackSet brings Forwarders, each account is set up, all goes again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests import nursery
from tests.e2e.conftest import Cli, OpenPlace, Place
from tests.e2e.world import World, differences
from tests.nursery import Kill

pytestmark = pytest.mark.e2e
REGION = "us-east-1"
WHERE = ("--ou", "development", "--exclude", "coffee-abandoned", "--region", REGION, "--output", "json")


@pytest.fixture(scope="module")
def organisation(open_place: OpenPlace) -> Place:
    return open_place("organisation")


def dump(place: Place, accounts: Iterable[str]) -> dict[str, Any]:
    """All that there is in accounts, and Datadog's records of all, but for what stays: roles that StackSets
    makes for itself, and log groups that hold logs."""
    found: dict[str, Any] = {}
    for account in accounts:
        found[account] = World(place.sandbox, account).everything()
        found[account]["roles"] = {
            name: role for name, role in found[account]["roles"].items() if "stacksets-exec-" not in name
        }
        of_region = found[account][REGION]
        of_region["filters"] = {group: held for group, held in of_region["filters"].items() if held}
    return found


def _has_forwarder(account: World) -> bool:
    return any("ddsetup-forwarder" in name for name in account.stacks())


def rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"] or row["account"]: row for row in document["data"]["accounts"]}


def test_the_tutorial_can_be_followed(organisation: Place) -> None:
    """Its commands as they stand there, those that write without writing: what they come to is below."""
    page = (Path(__file__).parents[2] / "docs/tutorial-organisation.md").read_text("utf-8")
    followed = []
    for said in re.findall(r"^\$ ddsetup (org .+)$", page, re.MULTILINE):
        words = shlex.split(said)
        if words[1] == "undo" or "--remove" in words:
            continue  # there is nothing to give back
        writes = ["--dry-run"] if words[1] in ("apply", "rollout") else []
        told = page.partition(f"$ ddsetup {said}\n")[2].partition("```")[0]
        expected = {5 if "(ends with exit code 5)" in told else 0} if not writes else {0, 5}
        found = organisation.cli(*words, *writes, "--no-input")
        followed.append(words[1])
        if words[1] != "verify":
            assert found.code in expected, f"{said}\n{found.stdout}{found.stderr}"
    assert set(followed) == {"status", "plan", "apply", "rollout", "verify"}


def test_forwarders_are_rolled_out_accounts_set_up_and_nothing_is_left(organisation: Place) -> None:
    place, cli = organisation, organisation.cli
    seen = rows(cli("org", "status", *WHERE).json)
    accounts = {name: row["account"] for name, row in seen.items()}
    before = dump(place, accounts.values())

    rolled = cli("org", "rollout", "--canary", "coffee-dev", *WHERE, "--yes")
    assert rolled.code == 0, rolled.stdout
    assert {row["status"] for row in rows(rolled.json).values()} == {"done"}
    onward = "ddsetup org apply --all --ou development --exclude coffee-abandoned --region us-east-1"
    assert rolled.json["next"] == [onward], "for the same accounts"
    again = cli("org", "rollout", *WHERE, "--yes")
    assert cli("org", "rollout", *WHERE, "--failure-tolerance", "101").code == 2
    assert {row["status"] for row in rows(again.json).values()} == {"nothing to do"}

    assert cli("org", "apply", "--all", *WHERE, "--invoke").code == 2, "nobody can be asked whether"
    done = cli("org", "apply", "--all", *WHERE, "--yes", "--invoke", "--wait", "240")
    assert done.code == 0, done.stdout
    proven = {name: (row["status"], row.get("proof")) for name, row in rows(done.json).items()}
    assert proven.pop("coffee-empty") == ("done", None), "it has no functions"
    assert set(proven.values()) == {("done", "arrived")}, done.stdout
    repeated = rows(cli("org", "apply", "--all", *WHERE, "--yes").json).values()
    assert {(row["status"], row["proof"]) for row in repeated if "proof" in row} == {
        ("nothing to do", "arrived")
    }
    shown = rows(cli("org", "status", *WHERE).json)
    for name, row in shown.items():
        assert (row["integrated"], row["without_datadog"]) == ("yes", 0), name
        assert [f["registered"] for f in row["forwarders"]] == [True], name
        assert [f["by"] for f in row["forwarders"]] == ["StackSet ddsetup-forwarder"], name

    relied = cli("org", "rollout", "--remove", *WHERE, "--yes")
    assert relied.code == 2
    assert "ddsetup org undo" in relied.json["error"]["fix"]
    assert cli("org", "undo", *WHERE, "--yes").code == 0
    asked = cli("org", "rollout", "--remove", *WHERE[:-2])
    assert asked.code == 2
    assert "its stacks go" in asked.stderr, "what is to be confirmed is shown first"
    one = cli("org", "rollout", "--remove", "--account", "coffee-dev", *WHERE, "--yes")
    assert {name: row["status"] for name, row in rows(one.json).items()} == {"coffee-dev": "done"}
    having = {name for name, a in accounts.items() if _has_forwarder(World(place.sandbox, a))}
    assert having == set(accounts) - {"coffee-dev"}
    removed = cli("org", "rollout", "--remove", *WHERE, "--yes")
    assert removed.code == 0, removed.stdout
    assert differences(before, dump(place, accounts.values())) == []
    assert rows(cli("org", "status", *WHERE).json) == seen


def test_an_account_without_functions_is_left_alone_whatever_metrics_are_meant(organisation: Place) -> None:
    what = ("--all", "--integration-namespace", "AWS/SQS", "--account", "coffee-empty")
    planned = organisation.cli("org", "plan", *what, "--account", "coffee-dev", *WHERE)
    found = {name: row["status"] for name, row in rows(planned.json).items()}
    assert found == {"coffee-dev": "changes", "coffee-empty": "nothing is meant here"}
    assert planned.code == 0


def test_a_run_that_was_killed_is_gone_on_from_and_given_back(organisation: Place) -> None:
    place, cli = organisation, organisation.cli
    accounts = {name: row["account"] for name, row in rows(cli("org", "status", *WHERE).json).items()}
    before = dump(place, accounts.values())
    what = ("--all", "--via", "extension", *WHERE)
    apply, undo = ("org", "apply", *what, "--yes", "--no-verify"), ("org", "undo", *WHERE, "--yes")
    killed(cli, apply, once='"function"')
    assert cli(*apply).code == 0
    left = rows(cli("org", "plan", *what).json)
    assert "changes" not in {row["status"] for row in left.values()}
    killed(cli, undo, once='"org undo"')
    while (end := cli(*undo)).code == 0:
        pass
    assert "there is no such run to undo" in end.stdout
    assert differences(before, dump(place, accounts.values())) == []


def killed(cli: Cli, command: tuple[str, ...], once: str) -> None:
    """Run a command, and kill it shortly after a journal of its has this."""
    end = nursery.shared().run(command, cli.environ(), cli.home, Kill(0.1, str(cli.state_dir), once=once))
    assert end.killed, end.stdout
