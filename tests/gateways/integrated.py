"""An AWS account and a Datadog that may know it: what tests of the writers of the integration begin with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import read_integration
from ddsetup.model.account import Integration
from ddsetup.model.states import REF_EXTERNAL_ID, IntegrationState, RoleState
from tests.gateways.bench import ACCOUNT, KEYS, REGION, Bench, change
from tests.gateways.standin import running

FORWARDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:datadog-forwarder"
THEIRS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:theirs"
ROLE = RoleState(name="DatadogIntegrationRole", trust_account="464622532012", external_id=REF_EXTERNAL_ID)
STATE = IntegrationState(
    aws_account_id=ACCOUNT,
    partition="aws",
    role_name=ROLE.name,
    namespaces_mode="exclude_only",
    namespaces=("AWS/ElasticMapReduce",),
    regions=(REGION,),
)
CREATE = change("integration", ACCOUNT, None, STATE)


@pytest.fixture
def both(bench: Bench) -> Iterator[Bench]:
    """AWS and Datadog."""
    with running() as standin:
        bench.dd = Datadog.connect("datadoghq.eu", KEYS, standin.server.url, clock=bench.clock)
        yield bench


def dd(bench: Bench) -> Datadog:
    assert bench.dd is not None
    return bench.dd


def fault(bench: Bench, **described: object) -> None:
    """Let Datadog go wrong from now on, as its stand-in takes it."""
    faults = json.dumps({"faults": [described]}).encode()
    urlopen(Request(f"{dd(bench).url}/__sandbox/faults", faults), timeout=10).close()


def record(bench: Bench) -> Integration | None:
    found = read_integration(dd(bench), ACCOUNT)
    assert found is None or isinstance(found, Integration)
    return found


def set_up(bench: Bench) -> None:
    """Role and integration, in one run, as `apply` writes them."""
    writers = bench.writers()
    for planned in (change("iam_role", ROLE.name, None, ROLE), CREATE):
        writer = writers[planned.resource.kind]
        assert [o.status for o in writer.write([writer.resolve(planned)])] == ["applied"]
