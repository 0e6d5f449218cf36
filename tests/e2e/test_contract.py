"""What programs rely on: every command's document fits its schema, and stdout holds nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import jsonschema
import pytest

from tests.e2e.conftest import Cli, OpenPlace, Place, Result

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    return open_place("healthy")


def events_of(result: Result) -> list[dict[str, Any]]:
    """The lines of `--output ndjson`, each checked against its schema."""
    schema = json.loads(resources.files("ddsetup.data").joinpath("event.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    for event in events:
        validator.validate(event)
    return events


def test_every_command_writes_one_document_that_fits_the_schema(shop: Place) -> None:
    cli, plan = shop.cli, str(shop.cli.home / "plan.json")

    def run(*arguments: str, way: Callable[..., Result] = cli) -> dict[str, Any]:
        result = way(*arguments, "--output", "json")
        assert result.code == 0, result.stderr
        assert result.json["sandbox"] is True
        return result.json

    one = ("--function", "coffee-orders")
    assert run("plan", *one, "--out", plan, way=cli.installed)["plan"]["changes"]
    assert run("setup", *one, "--dry-run")["outcomes"] == []
    assert run("policy")["data"]["policy"]["Version"] == "2012-10-17"
    applied = run("apply", plan, "--yes", "--no-verify")
    assert {o["status"] for o in applied["outcomes"]} <= {"applied", "unchanged"}
    assert [row["run"] for row in run("undo", "--list")["data"]["runs"]] == [applied["run"]]
    shown = {row["function"]: row for row in run("status")["data"]["functions"]}
    assert len(shown) == 6
    seen = run("verify", *one, "--invoke", "--yes", "--wait", "120")
    assert {s["status"] for s in seen["signals"]} == {"arrived"}
    assert seen["links"]
    assert run("uninstrument", *one, "--yes")["outcomes"]
    assert run("undo", "--yes")["run"]


def test_events_come_one_a_line_and_end_with_the_document(shop: Place) -> None:
    result = shop.cli("setup", "--function", "coffee-stock", "--yes", "--no-verify", "--output", "ndjson")
    assert result.code == 0, result.stderr
    events = events_of(result)
    kinds = [event["event"] for event in events]
    assert kinds[-1] == "report"
    assert {"started", "finished"} <= set(kinds)
    finished = {e["resource"]["id"] for e in events if e["event"] == "finished"}
    changed = {c["resource"]["id"] for c in events[-1]["report"]["plan"]["changes"]}
    assert finished == changed
    wrong = shop.cli("setup", "--function", "nothing-like-it", "--yes", "--output", "ndjson")
    assert wrong.code == 2
    assert events_of(wrong)[-1]["report"]["error"]["kind"] == "UsageError"


def test_text_goes_to_stdout_and_progress_to_stderr(shop: Place) -> None:
    result = shop.cli("plan", "--function", "coffee-kitchen")
    assert result.code == 0
    assert "coffee-kitchen" in result.stdout
    assert "looking" in result.stderr
    assert "looking" not in result.stdout
    quiet = shop.cli("plan", "--function", "coffee-kitchen", "--output", "json")
    assert quiet.stdout.startswith("{")
    assert quiet.stdout.rstrip().endswith("}")
    assert "\x1b" not in result.stdout + result.stderr


@pytest.fixture
def alone(shop: Place) -> Iterator[Cli]:
    """The command without a sandbox's variables; a sandbox that it leaves running is stopped."""
    cli = Cli(shop.cli.home, {"TMPDIR": str(shop.cli.home)}, ())
    yield cli
    cli("sandbox", "down", "--all")


def test_a_sandbox_of_its_own_for_other_tools(alone: Cli) -> None:
    up = alone("sandbox", "up", "--detach", "--output", "json")
    assert up.code == 0, up.stderr
    assert up.json["sandbox"] is True
    assert alone("sandbox", "scenarios", "--output", "json").json["data"]
    assert alone("sandbox", "status", "--output", "json").json["data"]
    lines = alone("sandbox", "env").stdout.splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    variables = {name: value.strip("'\"") for name, value in variables.items()}
    assert {"AWS_ENDPOINT_URL", "DDSETUP_DATADOG_URL", "DD_API_KEY", "DD_APP_KEY"} <= set(variables)
    inside = Cli(alone.home, {**alone.base, **variables}, ())
    assert inside("status").code == 0
    assert alone("sandbox", "traffic", "--function", "coffee-orders", "--output", "json").code == 0
    assert alone("sandbox", "down", "--output", "json").code == 0
    assert inside("status").code != 0
