"""Several sandboxes at a time: found by name in the state directory that they were started with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli
from tests.e2e.terminal import DOWN, ENTER, Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command beside the sandboxes `shop` (older, two regions) and `sandbox`."""
    cli = Cli(tmp_path_factory.mktemp("home"), {}, ())
    try:
        up = ("sandbox", "up", "--detach", "--scenario", "empty")
        regions = ("--region", "us-east-1", "--region", "eu-west-1")
        assert cli(*up, "--name", "shop", *regions).code == 0
        assert cli(*up).code == 0
        yield cli
    finally:
        cli("sandbox", "down", "--all")


def _env(cli: Cli, *arguments: str) -> dict[str, str]:
    done = cli("sandbox", "env", *arguments, "--output", "json")
    assert done.code == 0, done.stderr
    found: dict[str, str] = done.json["data"]["env"]
    return found


def test_each_is_found_by_its_name_and_has_an_account_of_its_own(two: Cli) -> None:
    running = two("sandbox", "status", "--output", "json").json["data"]["sandboxes"]
    assert [each["name"] for each in running] == ["sandbox", "shop"]
    assert len({each["account"] for each in running}) == 2
    shop, other = _env(two, "shop"), _env(two, "sandbox")
    assert shop["AWS_ENDPOINT_URL"] == running[1]["aws"] != other["AWS_ENDPOINT_URL"]
    assert shop["DDSETUP_REGION"] == "us-east-1,eu-west-1"
    assert "DDSETUP_REGION" not in other
    inside = Cli(two.home, shop, ())("status", "--output", "json")
    assert (inside.code, inside.json["account"]) == (0, running[1]["account"])
    assert inside.json["regions"] == ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize("command", ["env", "traffic", "down"])
def test_without_a_name_nobody_guesses(two: Cli, command: str) -> None:
    done = two("sandbox", command)
    assert (done.code, done.stdout) == (2, "")
    assert "shop" in done.stderr
    assert "sandbox env NAME" not in done.stderr
    assert f"ddsetup sandbox {command} sandbox" in done.stderr


def test_a_name_that_is_not_there_is_answered_with_those_that_are(two: Cli) -> None:
    done = two("sandbox", "env", "bar")
    assert done.code == 2
    assert "'bar'" in done.stderr
    assert "shop" in done.stderr


@pytest.mark.parametrize("name", ["shop", "../shop", "Shop", "-x"])
def test_a_name_is_given_once_and_is_no_path(two: Cli, name: str) -> None:
    assert two("sandbox", "up", "--detach", "--scenario", "empty", f"--name={name}").code == 2


def test_on_a_terminal_it_is_asked(two: Cli) -> None:
    with Terminal(two, "sandbox", "env") as terminal:
        terminal.answer("Which sandbox?", DOWN + ENTER)
        assert terminal.end() == 0
        assert "DDSETUP_REGION" in terminal.text


def test_another_state_directory_knows_none_of_them(two: Cli, tmp_path: Path) -> None:
    stranger = Cli(tmp_path, {}, ())
    assert stranger("sandbox", "env").code == 2
    assert stranger("sandbox", "down", "--all").code == 0
    assert len(two("sandbox", "status", "--output", "json").json["data"]["sandboxes"]) == 2


def test_one_can_go_and_the_other_stays(two: Cli) -> None:
    assert two("sandbox", "down", "shop").code == 0
    assert two("sandbox", "down", "shop").code == 2
    assert _env(two)["AWS_ENDPOINT_URL"]


def test_whoever_works_in_a_detached_one_may_set_up_in_every_way(tmp_path: Path) -> None:
    outside = Cli(tmp_path, {}, ())
    try:
        assert outside("sandbox", "up", "--detach", "--name", "cafe").code == 0
        inside = Cli(tmp_path, _env(outside, "cafe"), ())
        way = ("--via", "extension", "--resource-collection", "--resource-tag", "cost-center=42")
        done = inside("setup", "--all", *way, "--yes", "--no-verify", "--output", "json")
        assert done.code == 0, done.stdout + done.stderr
        assert {o["status"] for o in done.outcomes("role_policy").values()} == {"applied"}
        assert {o["status"] for o in done.outcomes("iam_role").values()} == {"applied"}
    finally:
        outside("sandbox", "down", "cafe")
