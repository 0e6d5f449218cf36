"""What the stand-in's backend does by itself, against a really running emulator with IAM enforcement."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from ddsetup.sandbox.datadog import triggers
from ddsetup.sandbox.datadog.aws_access import CustomerAccess
from ddsetup.sandbox.datadog.backend import Backend, BackendOptions
from ddsetup.sandbox.datadog.integrations import Account, Integrations
from ddsetup.sandbox.datadog.store import Telemetry
from tests.patience import PATIENCE, until

pytest.importorskip("ministack", reason="needs the extra ddsetup[sandbox]")

DATADOG = "464622532012"
REGION = "us-east-1"
CODE = "def handler(event, context):\n    return {'ok': True}\n"


class Emulator:
    """An emulated AWS; each test uses an account of its own in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._accounts = 100000000000

    def new_account(self) -> str:
        self._accounts += 1
        return str(self._accounts)

    @functools.cache  # noqa: B019 - one emulator for the whole module
    def client(self, service: str, account: str) -> Any:
        session: Any = boto3.Session(
            aws_access_key_id=account, aws_secret_access_key="any", region_name=REGION
        )
        return session.client(service, endpoint_url=self.url)

    def execution_role(self, account: str) -> str:
        iam = self.client("iam", account)
        trust = trust_policy({"Service": "lambda.amazonaws.com"})
        role = iam.create_role(RoleName="run", AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName="run", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        return str(role["Role"]["Arn"])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    directory = tmp_path_factory.mktemp("emulator")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "AUTH": "true", "GATEWAY_PORT": str(port), "TMPDIR": str(directory)}
    command = [sys.executable, "-m", "hypercorn", "ministack.app:app", "-b", f"127.0.0.1:{port}"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, process, directory / "log")
        yield Emulator(url)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_ministack/health", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(log.read_text())


class Scene:
    """One account in the emulator, Datadog's backend, and what Datadog knows of the account."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.account = emulator.new_account()
        self.role = emulator.execution_role(self.account)
        self.telemetry = Telemetry(time.time)
        self.integrations = Integrations(time.time)
        self.backend = Backend(
            self.telemetry, self.integrations, BackendOptions(emulator.url, DATADOG, DATADOG, time_scale=600)
        )

    def aws(self, service: str) -> Any:
        return self.emulator.client(service, self.account)

    def function(self, name: str, **more: Any) -> str:
        """A function that runs; gives its ARN."""
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", CODE)
        created = self.aws("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role,
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
            **more,
        )
        return str(created["FunctionArn"])

    def group(self, name: str) -> str:
        group = f"/aws/lambda/{name}"
        self.aws("logs").create_log_group(logGroupName=group)
        return group

    def filters(self, group: str) -> list[dict[str, Any]]:
        answer = self.aws("logs").describe_subscription_filters(logGroupName=group)
        return list(answer["subscriptionFilters"])

    def integrate(self, actions: list[str], external_id: str | None = None, **attributes: Any) -> Account:
        """Role and integration; ``external_id`` overrides what the trust policy asks for."""
        issued = self.integrations.new_external_id()
        condition = {"StringEquals": {"sts:ExternalId": external_id or issued}}
        iam = self.aws("iam")
        trust = trust_policy({"AWS": f"arn:aws:iam::{DATADOG}:root"}, Condition=condition)
        iam.create_role(RoleName="DatadogIntegrationRole", AssumeRolePolicyDocument=trust)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="DatadogIntegrationRole", PolicyName="p", PolicyDocument=policy)
        return self.integrations.create(
            {
                "aws_account_id": self.account,
                "aws_partition": "aws",
                "auth_config": {"role_name": "DatadogIntegrationRole", "external_id": issued},
                "aws_regions": {"include_only": [REGION]},
                **attributes,
            }
        )

    def register(self, config_id: str, *arns: str, sources: tuple[str, ...] = ("lambda",)) -> None:
        forwarder = {"lambdas": list(arns), "sources": list(sources)}
        self.integrations.update(
            config_id, {"aws_account_id": self.account, "logs_config": {"lambda_forwarder": forwarder}}
        )

    def issues(self) -> list[str]:
        [issues] = self.integrations.issues().values()
        return issues


def trust_policy(principal: dict[str, str], **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


METRICS = ["cloudwatch:List*", "cloudwatch:Get*", "tag:GetResources", "ec2:Describe*"]
TRIGGERS = [
    "lambda:List*",
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:PutSubscriptionFilter",
    "logs:DeleteSubscriptionFilter",
]


@pytest.fixture
def scene(emulator: Emulator) -> Scene:
    return Scene(emulator)


def test_a_metric_that_nobody_asked_for_is_read_once_an_hour(scene: Scene) -> None:
    scene.function("OrderIntake")
    scene.aws("lambda").invoke(FunctionName="OrderIntake")
    scene.integrate(METRICS)
    options = BackendOptions(scene.emulator.url, DATADOG, DATADOG, 1, adaptive=True)
    backend = Backend(scene.telemetry, scene.integrations, options)
    now = time.time()

    def seen(metric: str) -> bool:
        return bool(scene.telemetry.points(metric, now - 300, now + 60))

    backend.crawl()
    assert not seen("aws.lambda.invocations")
    scene.telemetry.note_query("aws.lambda.invocations")
    backend.crawl()
    assert seen("aws.lambda.invocations")
    assert not seen("aws.lambda.errors")
    for _ in range(4):
        backend.crawl()
    assert seen("aws.lambda.errors")


def test_cloudwatch_metrics_become_aws_lambda_metrics(scene: Scene) -> None:
    scene.function("OrderIntake", Tags={"team": "Coffee"})
    for _ in range(2):
        scene.aws("lambda").invoke(FunctionName="OrderIntake")
    scene.integrate(METRICS, account_tags=["stage:test"])
    scene.backend.crawl()
    assert scene.issues() == []
    now = time.time()
    [series] = scene.telemetry.points("aws.lambda.invocations", now - 300, now + 60)
    expected = {
        "functionname:orderintake",
        f"region:{REGION}",
        f"aws_account:{scene.account}",
        "team:coffee",
        "stage:test",
    }
    assert series.tags == expected
    assert sum(value for values in series.values.values() for value in values) == 2
    assert scene.telemetry.points("aws.lambda.duration", now - 300, now + 60)
    scene.backend.crawl()
    [series] = scene.telemetry.points("aws.lambda.invocations", now - 300, now + 60)
    assert sum(value for values in series.values.values() for value in values) == 2, "counted twice"


@pytest.mark.parametrize(
    "metrics_config",
    [
        {"enabled": False},
        {"namespace_filters": {"exclude_only": ["AWS/Lambda"]}},
        {"namespace_filters": {"include_only": ["AWS/SQS"]}},
        {"tag_filters": [{"namespace": "AWS/Lambda", "tags": ["!team:coffee"]}]},
        {"metric_name_filters": [{"namespace": "AWS/Lambda", "exclude_only": ["Invocations"]}]},
    ],
)
def test_what_the_configuration_excludes_is_not_collected(
    scene: Scene, metrics_config: dict[str, Any]
) -> None:
    scene.function("fn", Tags={"team": "coffee"})
    scene.aws("lambda").invoke(FunctionName="fn")
    scene.integrate(METRICS, metrics_config=metrics_config)
    scene.backend.crawl()
    assert scene.telemetry.kind_of("aws.lambda.invocations") is None


def test_a_wrong_external_id_is_an_issue_and_nothing_is_read(scene: Scene) -> None:
    scene.function("fn")
    scene.aws("lambda").invoke(FunctionName="fn")
    scene.integrate(METRICS, external_id="0" * 32)
    scene.backend.crawl()
    [issue] = scene.issues()
    assert "cannot assume" in issue
    assert "AccessDenied" in issue
    assert scene.telemetry.counts()["metrics"] == {}


def test_a_missing_permission_is_an_issue(scene: Scene) -> None:
    scene.function("fn")
    scene.aws("lambda").invoke(FunctionName="fn")
    scene.integrate(["cloudwatch:List*", "tag:GetResources"])
    scene.backend.crawl()
    [issue] = scene.issues()
    assert "get_metric_data: AccessDenied" in issue


def test_registered_forwarder_gets_filters_on_existing_groups_but_not_its_own(scene: Scene) -> None:
    forwarder = scene.function("Forwarder")
    scene.function("fn")
    scene.function("never-invoked")
    group, own = scene.group("fn"), scene.group("Forwarder")
    unrelated = scene.group("no-such-function")
    account = scene.integrate([*METRICS, *TRIGGERS])
    scene.register(account.id, forwarder, sources=())
    scene.backend.crawl()
    assert scene.filters(group) == []
    scene.register(account.id, forwarder)
    scene.backend.crawl()
    assert scene.issues() == []
    [made] = scene.filters(group)
    assert made["filterName"] == f"DD_LOG_SUBSCRIPTION_FILTER_{group}"
    assert (made["destinationArn"], made["filterPattern"]) == (forwarder, "")
    assert scene.filters(own) == scene.filters(unrelated) == []
    scene.register(account.id)
    scene.backend.crawl()
    assert scene.filters(group) == []
    assert scene.integrations.filters() == []


def test_a_group_with_a_filter_to_the_forwarder_is_left_alone(scene: Scene) -> None:
    forwarder = scene.function("Forwarder")
    scene.function("fn")
    group = scene.group("fn")
    scene.aws("logs").put_subscription_filter(
        logGroupName=group, filterName="mine", filterPattern="", destinationArn=forwarder
    )
    account = scene.integrate([*METRICS, *TRIGGERS])
    scene.register(account.id, forwarder)
    scene.backend.crawl()
    assert [one["filterName"] for one in scene.filters(group)] == ["mine"]
    scene.register(account.id)
    scene.backend.crawl()
    assert [one["filterName"] for one in scene.filters(group)] == ["mine"], "not made by Datadog"


def test_a_group_that_is_known_to_have_its_filter_is_not_asked_for_it(scene: Scene) -> None:
    forwarder = scene.function("Forwarder")
    scene.function("fn")
    group = scene.group("fn")
    account = scene.integrate([*METRICS, *TRIGGERS])
    scene.register(account.id, forwarder)
    (account,) = scene.integrations.accounts()
    access = CustomerAccess(BackendOptions(scene.emulator.url, DATADOG, DATADOG, 1))
    access.assume(account)
    known: set[str] = set()
    triggers.subscribe(account, REGION, access, scene.integrations, known)
    assert known == {group}
    (made,) = scene.filters(group)
    scene.aws("logs").delete_subscription_filter(logGroupName=group, filterName=made["filterName"])
    triggers.subscribe(account, REGION, access, scene.integrations, known)
    assert scene.filters(group) == []
    triggers.subscribe(account, REGION, access, scene.integrations, set())
    assert [one["filterName"] for one in scene.filters(group)] == [made["filterName"]]


def test_triggers_need_their_permission_and_say_so(scene: Scene) -> None:
    forwarder = scene.function("Forwarder")
    scene.function("fn")
    group = scene.group("fn")
    account = scene.integrate([*METRICS, *(action for action in TRIGGERS if "Put" not in action)])
    scene.register(account.id, forwarder)
    scene.backend.crawl()
    assert scene.filters(group) == []
    [issue] = scene.issues()
    assert "put_subscription_filter: AccessDenied" in issue


def test_a_custom_log_group_shared_by_two_functions_is_subscribed_once(scene: Scene) -> None:
    forwarder = scene.function("Forwarder")
    logs = {"LogGroup": "/shared", "LogFormat": "Text"}
    scene.aws("logs").create_log_group(logGroupName="/shared")
    scene.function("a", LoggingConfig=logs)
    scene.function("b", LoggingConfig=logs)
    account = scene.integrate([*METRICS, *TRIGGERS])
    scene.register(account.id, forwarder)
    scene.backend.crawl()
    assert len(scene.filters("/shared")) == 1


def test_the_program_crawls_by_itself_and_ends_when_told(scene: Scene, tmp_path: Path) -> None:
    scene.function("fn")
    scene.aws("lambda").invoke(FunctionName="fn")
    account = scene.integrate(METRICS)
    seed = tmp_path / "seed.json"
    seed.write_text(
        json.dumps(
            {
                "accounts": [
                    {k: v for k, v in account.attributes.items() if k not in ("created_at", "modified_at")}
                    | {"id": account.id}
                ]
            }
        )
    )
    port_file = tmp_path / "port"
    command = [
        sys.executable,
        "-m",
        "ddsetup.sandbox.datadog",
        "--port-file",
        str(port_file),
        "--seed",
        str(seed),
    ]
    command += [
        "--aws-endpoint",
        scene.emulator.url,
        "--api-key",
        "k",
        "--app-key",
        "a",
        "--time-scale",
        "3000",
    ]
    process = subprocess.Popen([*command, "--state-dir", str(tmp_path / "state")], start_new_session=True)
    try:
        until(port_file.exists, "the port", alive=lambda: process.poll() is None)
        url = f"http://127.0.0.1:{port_file.read_text()}/__sandbox/state"

        def crawled() -> bool:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return "aws.lambda.invocations" in json.load(answer)["metrics"]

        until(crawled, "a metric")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
