"""Sandboxes of a test's own: what they are started with, that they end, and what is left of them then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.sandbox import detached, standin
from ddsetup.sandbox.control import start
from ddsetup.sandbox.errors import SandboxUnavailable
from ddsetup.sandbox.model import Sandbox, SandboxOptions
from ddsetup.sandbox.scenarios import SCENARIOS
from ddsetup.sandbox.traffic import traffic
from tests.patience import until
from tests.sandbox_chain import (
    OPERATOR_POLICY,
    datadog,
    deploy_forwarder,
    messages,
    metric,
    operator,
    subscribe,
)

pytestmark = pytest.mark.e2e


def test_two_regions_and_an_integration_made_by_someone_else() -> None:
    regions = ("eu-west-1", "us-east-1")
    options = SandboxOptions(
        OPERATOR_POLICY, scenarios=("healthy", "integrated", "many"), regions=regions, many=30
    )
    with start(options) as running:
        (account,) = datadog(running, "GET", "/api/v2/integration/aws/accounts")["data"]
        assert account["attributes"]["auth_config"]["role_name"] == "DatadogIntegrationRole"
        # Datadog has looked at both regions, and found nothing in them.
        until(lambda: set(regions) <= {each["region"] for each in _calls(running, "ListMetrics")})
        assert {each.region for each in traffic(running)} == set(regions)
        for region in regions:
            query = f"sum:aws.lambda.invocations{{functionname:coffee-orders,region:{region}}}.as_count()"
            until(partial(metric, running, query))
        assert all(_rounds_until_read(running, region) <= 2 for region in regions)
        assert len(operator(running, "lambda").list_functions(MaxItems=50)["Functions"]) == 36


def _calls(sandbox: Sandbox, *operations: str) -> list[dict[str, Any]]:
    calls = [json.loads(line) for line in sandbox.call_log.read_text().splitlines()]
    return [each for each in calls if each["operation"] in operations]


def _rounds_until_read(sandbox: Sandbox, region: str) -> int:
    """How many rounds of Datadog's began between the region's first invocation and the next look at it."""
    calls = _calls(sandbox, "InvokeFunction", "AssumeRole", "ListMetrics")
    told = [
        each["operation"] for each in calls if each["region"] == region or each["operation"] == "AssumeRole"
    ]
    since = told[told.index("InvokeFunction") :]
    return since[: since.index("ListMetrics")].count("AssumeRole")


def test_an_official_release_can_be_run_instead(tmp_path: Path) -> None:
    release = tmp_path / "aws-dd-forwarder.zip"
    with zipfile.ZipFile(release, "w") as archive:
        archive.writestr("lambda_function.py", "def lambda_handler(event, context):\n    print('official')\n")
    options = SandboxOptions(OPERATOR_POLICY, forwarder_zip=release)
    with start(options) as running:
        outputs = deploy_forwarder(running, "datadog-forwarder", DdApiKey=running.api_key)
        subscribe(running, "coffee-orders", outputs["DatadogForwarderArn"])
        traffic(running, ["coffee-orders"])
        until(lambda: "official" in messages(running, "/aws/lambda/datadog-forwarder"))


def test_up_status_down(tmp_path: Path) -> None:
    sandbox = detached.up(SandboxOptions(OPERATOR_POLICY, scenarios=("empty",), registry=tmp_path))
    try:
        assert detached.status(tmp_path) == (sandbox,)
        assert sandbox.name == "sandbox"
        assert (sandbox.directory / "sandbox.json").stat().st_mode & 0o777 == 0o600
        assert sandbox.app_key not in repr(sandbox)
        assert sandbox.operator.secret_access_key not in repr(sandbox)
        assert operator(sandbox, "lambda").list_functions()["Functions"] == []
    finally:
        stopped = detached.down(tmp_path, sandbox.name)
    assert stopped == (sandbox,)
    assert not sandbox.directory.exists()
    assert _processes_of(sandbox.directory) == []


def test_nothing_survives_the_death_of_the_owner(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(
        "import sys, time\n"
        "from ddsetup.sandbox.control import start\n"
        "from ddsetup.sandbox.model import SandboxOptions\n"
        "from ddsetup.sandbox.traffic import traffic\n"
        "from tests.sandbox_chain import OPERATOR_POLICY\n"
        "with start(SandboxOptions(OPERATOR_POLICY)) as sandbox:\n"
        "    traffic(sandbox, ['coffee-orders'])\n"
        "    print(sandbox.directory, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        directory = Path(owner.stdout.readline().strip())
        # The emulator, the stand-in, and the worker of the function that ran.
        assert len(_processes_of(directory)) >= 3
        owner.send_signal(signal.SIGKILL)
    until(lambda: not _processes_of(directory) and not directory.exists())


def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    code = (
        "from ddsetup.sandbox import aws\n"
        "from ddsetup.sandbox.errors import SandboxUnavailable\n"
        "try:\n    aws.require_extra()\nexcept SandboxUnavailable as error:\n    print(error.fix)\n"
    )
    # Without site-packages nothing but ddsetup itself can be imported.
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == "pip install '.[sandbox]' in a clone of ddsetup", run.stderr
    assert SandboxUnavailable("x").exit_code == 2


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(UsageError, match="helthy"), start(SandboxOptions(OPERATOR_POLICY, ("helthy",))):
        pass
    assert {"healthy", "messy", "empty", "integrated", "many"} <= SCENARIOS.keys()


def test_seeds_of_several_scenarios_add_up() -> None:
    seeds = [
        {"accounts": [1], "app_keys": {"a": "*"}},
        {"accounts": [2], "app_keys": {"b": []}, "limits": {}},
    ]
    assert standin.merged(seeds) == {"accounts": [1, 2], "app_keys": {"a": "*", "b": []}, "limits": {}}


def _processes_of(directory: Path) -> list[str]:
    listed = subprocess.run(["ps", "-ewwo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(directory) in line]
