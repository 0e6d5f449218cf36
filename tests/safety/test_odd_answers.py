"""Answers that are none, under every command: words each time, nothing taken for gone, nothing lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import pytest

from ddsetup.sandbox.faults import ALWAYS, AwsFault
from tests.e2e.conftest import Result
from tests.e2e.world import differences
from tests.patience import PATIENCE
from tests.safety.conftest import Lab, OpenLab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(10 * PATIENCE)]

SETUP = ("setup", "--all", "--yes", "--no-verify", "--subscribe", "direct", "--create-log-groups")
MONITORS = ("monitors", "apply", "--yes", "--only", "timeout")
DASHBOARD = ("dashboards", "create", "--yes")
PAGE = "<html><body>please log in</body></html>"

ODD: dict[str, dict[str, Any]] = {
    "an empty object": {"status": 200, "body": {}},
    "data null": {"status": 200, "body": {"data": None}},
    "an empty list": {"status": 200, "body": []},
    "null": {"status": 200, "body": None},
    "304": {"status": 304},
    "a page": {"status": 200, "raw": PAGE, "content_type": "text/html"},
    "a page with 404": {"status": 404, "raw": PAGE, "content_type": "text/html"},
    "a redirect": {"status": 302, "headers": {"Location": "https://login.example.com/"}},
    "NaN": {"status": 200, "raw": '{"data": [NaN], "series": [1e999]}'},
    "a bottomless list": {"status": 200, "raw": "[" * 100_000},
}
QUICK = {"an empty object", "a page"}
"""Run each time; the others in the long run: what they are to a reader is tried at the gateway."""
TABLE = [pytest.param(odd, marks=() if odd in QUICK else pytest.mark.slow) for odd in ODD]

COMMANDS = (
    ("plan", "--all"),
    ("status",),
    ("doctor",),
    ("verify", "--all", "--wait", "0"),
    ("monitors", "plan"),
    MONITORS,
    DASHBOARD,
    ("metrics", "list"),
    ("explore", "errors"),
    ("explore", "traces"),
    ("explore", "cold-starts"),
)


@dataclass(frozen=True)
class Trial:
    """A lab that was set up, and what its account looked like before."""

    lab: Lab
    before: dict[str, Any]


@pytest.fixture(scope="module")
def trial(open_lab: OpenLab) -> Trial:
    lab = open_lab("healthy")
    before = lab.world.everything()
    for command in (SETUP, MONITORS, DASHBOARD):
        done = lab.run(*command)
        assert done.code == 0, done.stderr
    return Trial(lab, before)


def odd_datadog(lab: Lab, path: str, described: dict[str, Any]) -> None:
    lab.datadog_fails([{"path": path, "times": 100_000, **described}])


def documents(lab: Lab) -> tuple[int, int]:
    with urlopen(f"{lab.place.sandbox.datadog_url}/__sandbox/state", timeout=60) as answer:
        state = json.load(answer)
    return state["monitors"], state["dashboards"]


def ended_in_words(result: Result, *codes: int) -> None:
    assert result.code in codes, result.stdout + result.stderr
    assert (result.stdout + result.stderr).strip()


@pytest.mark.parametrize("odd", TABLE)
def test_every_command_ends_in_words_whatever_datadog_answers(trial: Trial, odd: str) -> None:
    lab = trial.lab
    there, documented = lab.world.everything(), documents(lab)
    odd_datadog(lab, "/api/*", ODD[odd])
    for command in COMMANDS:
        ended_in_words(lab.run(*command), *((1,) if odd in QUICK else (1, 4)))
    lab.heal()
    assert differences(there, lab.world.everything()) == []
    assert documents(lab) == documented


@pytest.mark.parametrize("odd", TABLE)
def test_what_is_there_is_not_made_twice(trial: Trial, odd: str) -> None:
    """Only one list is odd, so that the commands get as far as to what they would do because of it."""
    lab = trial.lab
    documented = documents(lab)
    odd_datadog(lab, "/api/v1/monitor", {**ODD[odd], "method": "GET"})
    assert lab.run(*MONITORS).code != 0
    odd_datadog(lab, "/api/v1/dashboard", {**ODD[odd], "method": "GET"})
    assert lab.run(*DASHBOARD).code != 0
    assert documents(lab) == documented
    odd_datadog(lab, "/api/v2/integration/aws/accounts", {**ODD[odd], "method": "GET"})
    planned = lab.run("plan", "--all", "--output", "json")
    lab.heal()
    ended_in_words(planned, 1, 4)
    made = [c for c in planned.json["plan"]["changes"] if c["action"] == "create"]
    assert [c for c in made if c["resource"]["kind"] in ("integration", "iam_role")] == []
    left = {s["resource"]["kind"]: s["reason"] for s in planned.json["plan"]["skipped"]}
    assert left["integration"].startswith("cannot see whether Datadog has a record of this account")


RAW = {
    "no content": AwsFault("*", raw="", status=200, times=ALWAYS),
    "a page": AwsFault("*", raw=PAGE, status=200, times=ALWAYS),
    "a page with 403": AwsFault("*", raw=PAGE, status=403, times=ALWAYS),
    "a text with 404": AwsFault("*", raw="not here", status=404, times=ALWAYS),
    "null": AwsFault("*", raw="null", status=200, times=ALWAYS),
    "an empty object": AwsFault("*", raw="{}", status=200, times=ALWAYS),
    "no reason": AwsFault("*", raw="", status=400, times=ALWAYS),
    "a bottomless list": AwsFault("*", raw='{"Functions": ' + "[" * 50_000, status=200, times=ALWAYS),
}


@pytest.mark.parametrize(
    "raw", [pytest.param(raw, marks=() if raw in QUICK else pytest.mark.slow) for raw in RAW]
)
@pytest.mark.parametrize("but_identity", [True, False], ids=["all but who we are", "all"])
def test_every_command_ends_in_words_whatever_aws_answers(
    trial: Trial, raw: str, *, but_identity: bool
) -> None:
    lab = trial.lab
    there = lab.world.everything()
    fault = RAW[raw]
    names = ("Get*[!y]", "List*", "Describe*", "Put*", "Update*", "Delete*") if but_identity else ("*",)
    given: dict[str, Any] = {
        "raw": fault.raw,
        "status": fault.status,
        "times": ALWAYS,
        "access_key": lab.operator,
    }
    lab.aws_fails(*(AwsFault(name, **given) for name in names))
    for command in (("plan", "--all"), ("status",), ("doctor",), ("undo", "--yes")):
        result = lab.run(*command)
        # The doctor tells what it could not see; it cannot go on only where it is not told who asks.
        looks_on = "doctor" in command
        expected = (0 if looks_on else 4) if but_identity else (4 if looks_on else 1)
        ended_in_words(result, *((expected,) if raw in QUICK else (expected, 1, 4)))
    lab.heal()
    assert differences(there, lab.world.everything()) == []


def test_undo_keeps_the_role_and_the_record_of_what_it_could_not_see(trial: Trial) -> None:
    """The last test of this file: it takes down what the others look at."""
    lab = trial.lab
    for later in ("dashboard", "monitors"):
        assert lab.run("undo", "--yes").code == 0, later
    odd_datadog(lab, "/api/v2/integration/aws/accounts", {**ODD["an empty object"], "method": "GET"})
    role = next(name for name in lab.world.roles() if name not in trial.before["roles"] and "Datadog" in name)
    undone = lab.run("undo", "--yes", "--output", "json")
    assert undone.code != 0
    kept = {o["resource"]["kind"]: o["status"] for o in undone.json["outcomes"]}
    assert kept["integration"] == "failed", kept
    lab.heal()
    assert role in lab.world.roles()
    assert lab.world.integrations()
    again = lab.run("undo", "--yes", "--output", "json")
    assert again.code == 0, again.stdout
    assert differences(trial.before, lab.world.everything()) == []
