"""One account through a year: after each step it is as the file says, after the last as on the first day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ddsetup.plan.policy import state_statements
from ddsetup.sandbox.model import OPERATOR
from tests.e2e.conftest import Result
from tests.e2e.world import comparable, differences, operator_policy
from tests.patience import PATIENCE
from tests.safety.conftest import Lab, OpenLab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(15 * PATIENCE)]

FORWARDER = 'site = "datadoghq.com"\nall = true\nsubscribe = "direct"\non_conflict = "replace"\n'


PLACE = "s3://the-runs-of-a-year/shop"


class Year:
    """A repository's `ddsetup.toml`, and the account that it governs, from two machines that remember
    together."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self.lab = lab
        self.home = home
        self.file = home / "ddsetup.toml"
        self.first_day = lab.world.everything()
        self.machine = "one"

    def run(self, *arguments: str, **over: str) -> Result:
        """A command on the machine that is at hand."""
        here = {"DDSETUP_STATE_DIR": str(self.home / self.machine), "DDSETUP_STATE": PLACE}
        return self.lab.run(*arguments, "--output", "json", **{**here, **over})

    def setup(self, text: str, *arguments: str, prune: bool = True, **over: str) -> dict[str, Any]:
        """Write the file and have it applied; a plan after it is empty."""
        self.file.write_text(text)
        run = ("--config", str(self.file))
        done = self.run(
            "setup", *run, *(["--prune"] if prune else []), *arguments, "--yes", "--no-verify", **over
        )
        left = [o for o in done.json["outcomes"] if o["status"] in ("failed", "changed_since")]
        assert (done.code, left) == (0, []), done.stderr
        again = self.run("plan", *run, "--prune", *arguments, "--detailed-exitcode", **over)
        changes = [
            (c["action"], c["resource"]["kind"], c["resource"]["id"]) for c in again.json["plan"]["changes"]
        ]
        assert (again.code, changes) == (0, [])
        found: dict[str, Any] = done.json
        return found

    def env(self, name: str) -> dict[str, str]:
        return self.lab.world.env_of(name)

    def filters(self, prefix: str) -> list[str]:
        groups = self.lab.world.filters()
        return sorted(
            f"{group}:{found['filterName']}"
            for group, filters in groups.items()
            for found in filters
            if found["filterName"].startswith(prefix)
        )


@pytest.fixture(scope="module")
def year(open_lab: OpenLab, tmp_path_factory: pytest.TempPathFactory) -> Year:
    lab = open_lab("foreign-filters", "own-settings", via="extension")
    both = json.dumps(operator_policy(("us-east-1",), "forwarder"))
    statements = state_statements("the-runs-of-a-year", "shop/", "aws", making=True)
    state = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam = lab.world.client("iam")
    for name, document in (("forwarder", both), ("state", state)):
        iam.put_user_policy(UserName=OPERATOR, PolicyName=name, PolicyDocument=document)
    found = Year(lab, tmp_path_factory.mktemp("repository"))
    assert found.run("state", "init", "--yes").code == 0
    return found


def test_a_year(year: Year) -> None:
    world = year.lab.world
    releases = year.lab.place.sandbox.forwarder_template_urls
    first = FORWARDER + 'env = "prod"\nextra_tag = ["team=shop", "cost=7"]\nlog_level = "debug"\n'
    year.setup(first, DDSETUP_FORWARDER_TEMPLATE_URL=releases["5.4.9"])
    env = year.env("till-one-filter")
    assert (env["DD_ENV"], env["DD_LOG_LEVEL"], env["DD_TAGS"]) == ("prod", "DEBUG", "team:shop,cost:7")

    # The Forwarder's next release; a plan after it does not want it again.
    assert version_of_forwarder(year) == "5.4.9"
    year.setup(first, "--forwarder-upgrade")
    assert version_of_forwarder(year) == "5.4.11"

    shown = year.run("plan", "--config", str(year.file), "--extra-tag", "team=shop", "--env", "prod")
    assert any(w.startswith("- remove tag cost") for w in shown.json["plan"]["warnings"])

    # A tag and a level are dropped, the environment too, and one function is left out.
    year.setup(FORWARDER + 'extra_tag = ["team=shop"]\nexclude = ["till-one-filter"]\n')
    env = year.env("own-settings")
    assert env["DD_ENV"] == "staging", "what was there before comes back"
    assert year.env("till-two-filters")["DD_TAGS"] == "team:shop"
    assert (
        differences(
            year.first_day["us-east-1"]["functions"]["till-one-filter"], world.functions()["till-one-filter"]
        )
        == []
    )
    direct = comparable(world.everything())

    # Another machine adds a tag; a part of that is given back on the first, and set up again.
    year.machine = "two"
    second = year.setup(FORWARDER + 'extra_tag = ["team=shop", "desk=2"]\nexclude = ["till-one-filter"]\n')
    year.machine = "one"
    part = year.run("undo", second["run"], "--function", "own-settings", "--yes")
    assert part.code == 0, part.stderr
    assert (year.env("own-settings")["DD_TAGS"], year.env("till-two-filters")["DD_TAGS"]) == (
        "team:shop",
        "team:shop,desk:2",
    )
    states = {row["run"]: row["state"] for row in year.run("undo", "--list").json["data"]["runs"]}
    assert states[second["run"]] == "in force in part"
    assert year.run("undo", second["run"], "--yes").code == 0
    assert differences(direct, comparable(world.everything())) == []

    # Direct, automatic, Extension, direct again: nothing double, nothing left.
    automatic = FORWARDER.replace('"direct"', '"automatic"') + 'extra_tag = ["team=shop"]\n'
    year.setup(automatic)
    assert year.filters("ddsetup-") == []
    year.setup('site = "datadoghq.com"\nall = true\nvia = "extension"\nextra_tag = ["team=shop"]\n')
    assert "DD_API_KEY_SECRET_ARN" in year.env("own-settings")
    assert (year.filters("ddsetup-"), year.filters("DD_LOG_SUBSCRIPTION")) == ([], [])
    year.setup(FORWARDER + 'extra_tag = ["team=shop"]\nexclude = ["till-one-filter"]\n')
    off = differences(direct, comparable(world.everything()))
    print("OFF", *off, sep="\n")
    assert off == []

    down = year.run("teardown", "--yes")
    assert down.code == 0
    assert differences(year.first_day, world.everything()) == []


def version_of_forwarder(year: Year) -> str:
    tags = year.lab.world.tags()
    return next(pairs["dd_forwarder_version"] for pairs in tags.values() if "dd_forwarder_version" in pairs)
