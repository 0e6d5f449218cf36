"""The command on a second emulator: moto is strict where the sandbox's is not, and answers in its own way."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cli
from tests.gateways.bench import zipped
from tests.gateways.standin import API_KEY, APP_KEY, running

pytestmark = pytest.mark.e2e

REGION, ACCOUNT = "us-east-1", "123456789012"
FORWARDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fwd"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALL = ("--all", "--region", REGION, "--forwarder-arn", FORWARDER, "--layer-version", "none")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # here, because each process of the suite collects all files

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(url: str, service: str) -> Any:
    import boto3

    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, REGION, endpoint_url=url, **keys)  # type: ignore[call-overload]


def furnish(url: str) -> None:
    """A Forwarder and two functions that have run. Layers of other accounts moto does not know."""
    made = client(url, "iam").create_role(RoleName="f", AssumeRolePolicyDocument=json.dumps(TRUST))
    for name in ("fwd", "orders", "stock"):
        client(url, "lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="app.handler",
            Role=made["Role"]["Arn"],
            Code={"ZipFile": zipped()},
            Environment={"Variables": {"MINE": name}},
        )
        client(url, "logs").create_log_group(logGroupName=f"/aws/lambda/{name}")


@pytest.fixture(scope="module")
def cli(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    furnish(url)
    with running() as standin:
        base = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "DDSETUP_DATADOG_URL": standin.server.url,
            "DD_API_KEY": API_KEY,
            "DD_APP_KEY": APP_KEY,
            "DD_SITE": "datadoghq.com",
        }
        yield Cli(tmp_path_factory.mktemp("home"), base, (API_KEY, APP_KEY))


def functions(url: str) -> dict[str, Any]:
    kept = ("Handler", "Layers", "Environment")
    listed = client(url, "lambda").list_functions()["Functions"]
    return {f["FunctionName"]: {key: f[key] for key in kept if f.get(key)} for f in listed}


def test_status_plan_setup_doctor_and_undo(cli: Cli, url: str, tmp_path: Path) -> None:
    before = functions(url)
    assert cli("status", "--region", REGION, "--output", "json").code == 0
    planned = cli("plan", *ALL, "--subscribe", "direct", "--output", "json")
    assert planned.code == 0, planned.stderr
    assert functions(url) == before

    done = cli("setup", *ALL, "--subscribe", "direct", "--yes", "--no-verify", "--output", "json")
    assert {o["status"] for o in done.outcomes().values()} <= {"applied", "unchanged"}, done.stdout
    orders = functions(url)["orders"]
    assert orders["Environment"]["Variables"]["MINE"] == "orders"
    assert orders["Environment"]["Variables"].keys() > {"MINE"}
    filters = client(url, "logs").describe_subscription_filters(logGroupName="/aws/lambda/orders")
    assert [f["destinationArn"] for f in filters["subscriptionFilters"]] == [FORWARDER]

    found = cli("doctor", "--region", REGION, "--output", "json")
    assert found.code == 1, found.stdout

    undone = cli("undo", "--yes", "--output", "json")
    assert undone.code == 0, undone.stdout + undone.stderr
    assert functions(url) == before
    left = client(url, "logs").describe_subscription_filters(logGroupName="/aws/lambda/orders")
    assert left["subscriptionFilters"] == []
