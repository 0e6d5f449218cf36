"""The command on a second emulator: moto is strict where the sandbox's is not, and answers in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli
from tests.e2e.on_moto import REGION, OnMoto
from tests.gateways.moto_server import moto_server

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
FORWARDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fwd"
ALL = ("--all", "--region", REGION, "--forwarder-arn", FORWARDER, "--layer-version", "none")


@pytest.fixture(scope="module")
def box() -> Iterator[OnMoto]:
    """A Forwarder and two functions that have run. Layers of other accounts moto does not know."""
    with moto_server() as url:
        made = OnMoto(url)
        made.deploy("", ("fwd", "orders", "stock"))
        yield made


@pytest.fixture(scope="module")
def cli(box: OnMoto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    with box.commands(tmp_path_factory.mktemp("home")) as commands:
        yield commands


def test_status_plan_setup_doctor_and_undo(cli: Cli, box: OnMoto, tmp_path: Path) -> None:
    before = box.functions()
    assert cli("status", "--region", REGION, "--output", "json").code == 0
    planned = cli("plan", *ALL, "--subscribe", "direct", "--output", "json")
    assert planned.code == 0, planned.stderr
    assert box.functions() == before

    done = cli("setup", *ALL, "--subscribe", "direct", "--yes", "--no-verify", "--output", "json")
    assert {o["status"] for o in done.outcomes().values()} == {"applied", "unchanged"}, done.stdout
    orders = box.functions()["orders"]
    assert orders["Environment"]["Variables"]["MINE"] == "orders"
    assert orders["Environment"]["Variables"].keys() > {"MINE"}
    filters = box.client("logs").describe_subscription_filters(logGroupName="/aws/lambda/orders")
    assert [f["destinationArn"] for f in filters["subscriptionFilters"]] == [FORWARDER]

    found = cli("doctor", "--region", REGION, "--output", "json")
    assert found.code == 1, found.stdout

    undone = cli("undo", "--yes", "--output", "json")
    assert undone.code == 0, undone.stdout + undone.stderr
    assert box.functions() == before
    left = box.client("logs").describe_subscription_filters(logGroupName="/aws/lambda/orders")
    assert left["subscriptionFilters"] == []
