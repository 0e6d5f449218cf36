"""The sandbox itself: data flows from a function to Datadog, limits hold, and nobody else is let in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from ddsetup.model.errors import UsageError
from ddsetup.sandbox import detached, state
from ddsetup.sandbox.control import start
from ddsetup.sandbox.datadog.aws_access import changes
from ddsetup.sandbox.faults import AwsFault, inject
from ddsetup.sandbox.layers import archive_of
from ddsetup.sandbox.model import Sandbox, SandboxOptions
from ddsetup.sandbox.traffic import traffic
from tests.patience import PATIENCE, until
from tests.sandbox_chain import (
    OPERATOR_POLICY,
    datadog,
    deploy_forwarder,
    instrument,
    messages,
    metric,
    operator,
    root,
    subscribe,
)

pytestmark = pytest.mark.e2e

_OWN_LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:shared-auth"
_DATADOG_LAYER = "arn:aws:lambda:us-east-1:464622532012:layer:Datadog"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxOptions(OPERATOR_POLICY, scenarios=("healthy", "messy"))) as running:
        yield running


def _error(call: Callable[..., object], **arguments: object) -> str:
    """The code of the error that the call answers with; empty when it answers without one."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _arn(functions: Any, name: str) -> str:
    return str(functions.get_function_configuration(FunctionName=name)["FunctionArn"])


def test_every_signal_of_an_instrumented_function_arrives(sandbox: Sandbox) -> None:
    secret = operator(sandbox, "secretsmanager").create_secret(Name="key", SecretString=sandbox.api_key)
    outputs = deploy_forwarder(sandbox, "datadog-forwarder", DdApiKeySecretArn=secret["ARN"])
    assert "DdApiKeySecretArn" not in outputs  # of a secret that the stack made itself only
    instrument(sandbox, "coffee-orders", "Datadog-Python312:130")
    functions = operator(sandbox, "lambda")
    functions.tag_resource(Resource=_arn(functions, "coffee-orders"), Tags={"env": "prod"})
    assert traffic(sandbox, ["coffee-orders"], heard=True) == ()
    subscribe(sandbox, "coffee-orders", outputs["DatadogForwarderArn"])

    (invocation,) = traffic(sandbox, ["coffee-orders"], heard=True)

    assert invocation.error == ""
    where = "{cold_start:true,functionname:coffee-orders,env:prod}.as_count()"
    until(lambda: metric(sandbox, f"sum:aws.lambda.enhanced.invocations{where}"))
    # The layer counts invocations in lines of its own; these come from the REPORT line, which is later.
    for name in ("duration", "billed_duration", "max_memory_used", "estimated_cost", "init_duration"):
        query = f"avg:aws.lambda.enhanced.{name}{{functionname:coffee-orders,env:prod}}"
        until(partial(metric, sandbox, query))
    until(lambda: metric(sandbox, "avg:coffee_house.order_value{*}"))
    until(lambda: metric(sandbox, "sum:aws.dd_forwarder.traces_forwarded{*}"))
    logs = datadog(
        sandbox,
        "POST",
        "/api/v2/logs/events/search",
        {"filter": {"from": "now-15m", "to": "now", "query": "source:lambda functionname:coffee-orders"}},
    )["data"]
    assert any("order received" in each["attributes"]["message"] for each in logs)
    assert not any('"m":' in each["attributes"]["message"] for each in logs)
    search = {
        "from": "now-15m",
        "to": "now",
        "query": "operation_name:aws.lambda @functionname:coffee-orders",
    }
    body = {"data": {"type": "search_request", "attributes": {"filter": search}}}
    assert datadog(sandbox, "POST", "/api/v2/spans/events/search", body)["data"]


def test_that_something_has_changed_is_told_where_nothing_else_needs_reading(sandbox: Sandbox) -> None:
    functions = root(sandbox, "lambda")
    tagged = {"Resource": _arn(functions, "coffee-stock"), "Tags": {"seen": "yes"}}

    def told(call: Callable[..., object], **arguments: object) -> tuple[bool, set[str], bool]:
        before = changes(sandbox.aws_endpoint_url)
        call(**arguments)
        after = changes(sandbox.aws_endpoint_url)
        regions = {name for name, count in after.regions.items() if before.regions.get(name) != count}
        subscriptions = after.subscriptions != before.subscriptions
        return after.version != before.version != "", regions, subscriptions

    # What was sent before may still be on its way through the account's functions.
    until(lambda: told(functions.list_functions) == (False, set(), False))
    assert told(functions.tag_resource, **tagged) == (True, {"us-east-1"}, False)
    assert told(root(sandbox, "logs").create_log_group, logGroupName="/seen") == (True, {"us-east-1"}, True)
    assert told(inject, sandbox=sandbox) == (True, set(), False)


def test_a_forwarder_with_an_unknown_key_says_so(sandbox: Sandbox) -> None:
    outputs = deploy_forwarder(sandbox, "forwarder-wrong-key", DdApiKey="f" * 32)
    subscribe(sandbox, "coffee-stock", outputs["DatadogForwarderArn"])
    traffic(sandbox, ["coffee-stock"])
    group = "/aws/lambda/forwarder-wrong-key"
    until(lambda: "Failed to check if API Key is valid" in "\n".join(messages(sandbox, group)))
    assert "f" * 32 not in "\n".join(messages(sandbox, group))


def test_a_deleted_stack_leaves_nothing(sandbox: Sandbox) -> None:
    outputs = deploy_forwarder(sandbox, "short-lived", DdApiKey=sandbox.api_key)
    secrets = operator(sandbox, "secretsmanager")
    assert secrets.get_secret_value(SecretId=outputs["DdApiKeySecretArn"])["SecretString"] == sandbox.api_key
    stacks = operator(sandbox, "cloudformation")
    role = stacks.describe_stack_resource(StackName="short-lived", LogicalResourceId="ForwarderRole")
    stacks.delete_stack(StackName="short-lived")
    get = operator(sandbox, "lambda").get_function
    until(lambda: _error(stacks.describe_stacks, StackName="short-lived") == "ValidationError")
    assert _error(get, FunctionName="short-lived") == "ResourceNotFoundException"
    secret = outputs["DdApiKeySecretArn"]
    assert _error(secrets.get_secret_value, SecretId=secret) == "ResourceNotFoundException"
    name = role["StackResourceDetail"]["PhysicalResourceId"]
    assert _error(operator(sandbox, "iam").get_role, RoleName=name) == "NoSuchEntity"


def _create(
    sandbox: Sandbox,
    name: str,
    code: str,
    layers: tuple[str, ...] = (),
    *,
    modules: dict[str, bytes] | None = None,
    variables: dict[str, str] | None = None,
) -> None:
    functions = root(sandbox, "lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=functions.get_function_configuration(FunctionName="coffee-orders")["Role"],
        Handler="main.handler",
        Layers=list(layers),
        Environment={"Variables": variables or {}},
        Code={"ZipFile": archive_of({"main.py": code.encode(), **(modules or {})})},
    )

    def made() -> bool:
        found = functions.get_function(FunctionName=name)["Configuration"]
        return bool(found["LastUpdateStatus"] == "Successful")

    # Before, it can be invoked, but not changed.
    until(made)


def _invoke(sandbox: Sandbox, name: str, event: object) -> Any:
    answer = root(sandbox, "lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def test_a_function_has_the_sdk_and_what_its_layers_bring_and_nothing_else(sandbox: Sandbox) -> None:
    code = (
        "from importlib.util import find_spec\n"
        "def handler(event, context):\n"
        "    return [name for name in event if find_spec(name)]\n"
    )
    _create(sandbox, "bare", code)
    _create(sandbox, "layered", code, (f"{_DATADOG_LAYER}-Python312:130",))
    modules = ["boto3", "datadog_lambda", "ddtrace", "ministack", "pytest", "ddsetup"]
    assert _invoke(sandbox, "bare", modules) == ["boto3"]
    assert _invoke(sandbox, "layered", modules) == ["boto3", "datadog_lambda", "ddtrace"]
    # A layer of long ago is still there: nobody deletes the versions that functions were made with.
    _create(sandbox, "old", code, (f"{_DATADOG_LAYER}-Python312:90",))
    assert _invoke(sandbox, "old", modules) == ["boto3", "datadog_lambda", "ddtrace"]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="workers are forked where their end can be told")
def test_a_function_cannot_tell_that_it_is_forked(sandbox: Sandbox) -> None:
    code = (
        "import os, random, sys, time, wave\n"
        "def handler(event, context):\n"
        "    own = os.path.dirname(wave.__file__) == os.environ['LAMBDA_TASK_ROOT']\n"
        "    return sys.orig_argv[3].rpartition('/')[2], own, time.tzname[0], sys.flags.hash_randomization\n"
    )
    usual, anew = "fork_server.py", "bootstrap.py"
    _create(sandbox, "forked", code, variables={"TZ": "Asia/Tokyo"})
    assert _invoke(sandbox, "forked", {}) == [usual, False, "JST", 1]
    _create(sandbox, "shadowing", code, modules={"wave.py": b""})
    assert _invoke(sandbox, "shadowing", {}) == [anew, True, "UTC", 1]
    _create(sandbox, "seeded", code, variables={"PYTHONHASHSEED": "0"})
    assert _invoke(sandbox, "seeded", {}) == [anew, False, "UTC", 0]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="workers are forked where their end can be told")
def test_functions_start_after_what_starts_them_was_killed(sandbox: Sandbox) -> None:
    code = (
        "import os, signal\n"
        "def handler(event, context):\n"
        "    if event:\n"
        "        os.kill(os.getppid(), signal.SIGKILL)\n"
        "    return 'done'\n"
    )
    _create(sandbox, "killing", code)
    assert _invoke(sandbox, "killing", {"really": True}) == "done"
    _create(sandbox, "later", code)
    assert _invoke(sandbox, "later", {}) == "done"


def test_a_change_ends_no_invocation_and_no_environment_outlives_it(sandbox: Sandbox, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, time\n"
        "def handler(event, context):\n"
        "    pathlib.Path(event, 'begun').touch()\n"
        "    while not pathlib.Path(event, 'go-on').exists():\n"
        "        time.sleep(0.05)\n"
        "    return os.environ.get('SIZE', 'none')\n"
    )
    _create(sandbox, "brewing", code)
    functions = root(sandbox, "lambda")
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(_invoke, sandbox, "brewing", str(tmp_path))
        until((tmp_path / "begun").exists)
        functions.update_function_configuration(
            FunctionName="brewing", Environment={"Variables": {"SIZE": "XL"}}
        )
        (tmp_path / "go-on").touch()
        assert under_way.result() == "none"
    assert _invoke(sandbox, "brewing", str(tmp_path)) == "XL"


def test_nobody_is_woken_before_somebody_listens(sandbox: Sandbox) -> None:
    instrument(sandbox, "till-one-filter", "Datadog-Python312:130")
    before = len(messages(sandbox, "/aws/lambda/till-one-filter"))

    assert traffic(sandbox, ["till-one-filter"], heard=True) == ()

    assert len(messages(sandbox, "/aws/lambda/till-one-filter")) == before
    assert len(traffic(sandbox, ["coffee-kitchen"], heard=True)) == 1


def test_the_log_of_an_invocation_reads_like_lambda_s(sandbox: Sandbox) -> None:
    traffic(sandbox, ["grinder-stuck", "roaster-slow", "quiet-platform", "shared-menu"])
    failed = messages(sandbox, "/aws/lambda/grinder-stuck")
    assert failed[0].startswith("START RequestId: ")
    assert failed[-3].startswith("[ERROR] MachineBroken: the grinder is stuck\nTraceback")
    assert "Init Duration: " in failed[-1]
    slow = messages(sandbox, "/aws/lambda/roaster-slow")
    assert any(each.endswith("Task timed out after 2.00 seconds") for each in slow)
    quiet = messages(sandbox, "/aws/lambda/quiet-platform")
    assert [json.loads(each)["level"] for each in quiet] == ["INFO"]
    streams = root(sandbox, "logs").describe_log_streams(logGroupName="/coffee/shared")["logStreams"]
    assert "/shared-menu[$LATEST]" in streams[0]["logStreamName"]


def test_filters_are_limited_to_two_and_to_destinations_that_let_logs_in(sandbox: Sandbox) -> None:
    put = operator(sandbox, "logs").put_subscription_filter
    archiver = f"arn:aws:lambda:{sandbox.regions[0]}:{sandbox.account}:function:log-archiver"
    new = {"filterName": "third", "filterPattern": "", "destinationArn": archiver}
    assert _error(put, logGroupName="/aws/lambda/till-two-filters", **new) == "LimitExceededException"
    closed = new | {"destinationArn": archiver.replace("log-archiver", "coffee-orders")}
    assert _error(put, logGroupName="/aws/lambda/till-one-filter", **closed) == "InvalidParameterException"


def test_delivery_ends_when_the_permission_goes(sandbox: Sandbox) -> None:
    functions = root(sandbox, "lambda")
    functions.remove_permission(FunctionName="log-archiver", StatementId="logs")
    traffic(sandbox, ["till-one-filter"])
    metrics = root(sandbox, "cloudwatch").list_metrics(Namespace="AWS/Logs", MetricName="DeliveryErrors")
    assert {"Name": "FilterName", "Value": "archive-orders"} in metrics["Metrics"][0]["Dimensions"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            {"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:shared-auth:1"] * 6},
            "InvalidParameterValue",
        ),
        ({"Environment": {"Variables": {"A": "x" * 4096}}}, "InvalidParameterValue"),
        ({"Layers": [f"{_DATADOG_LAYER}-Python312:131"]}, "AccessDenied"),
        ({"Layers": [f"{_DATADOG_LAYER}-Nothing:1"]}, "AccessDenied"),
        ({"RevisionId": "00000000-0000-0000-0000-000000000000"}, "PreconditionFailed"),
    ],
)
def test_a_function_has_lambda_s_limits(sandbox: Sandbox, change: dict[str, object], code: str) -> None:
    update = operator(sandbox, "lambda").update_function_configuration
    assert _error(update, FunctionName="coffee-payments", **change) == f"{code}Exception"


def test_one_update_at_a_time(sandbox: Sandbox) -> None:
    update = operator(sandbox, "lambda").update_function_configuration
    assert update(FunctionName="coffee-invoices", Description="one")["State"] == "Active"
    conflict = _error(update, FunctionName="coffee-invoices", Description="two")
    assert conflict == "ResourceConflictException"


def test_an_environment_without_its_key_is_an_error_and_shows_nothing(sandbox: Sandbox) -> None:
    functions = operator(sandbox, "lambda")
    one = functions.get_function_configuration(FunctionName="vault-unreadable")
    assert one["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException"
    assert "not-for-your-eyes" not in json.dumps(functions.list_functions(), default=str)


def test_a_function_without_policy_has_none(sandbox: Sandbox) -> None:
    get = operator(sandbox, "lambda").get_policy
    assert _error(get, FunctionName="coffee-kitchen") == "ResourceNotFoundException"


def test_the_tagging_api_knows_only_what_was_tagged(sandbox: Sandbox) -> None:
    tagging = operator(sandbox, "resourcegroupstaggingapi")
    found = tagging.get_resources(ResourceTypeFilters=["lambda:function"])["ResourceTagMappingList"]
    names = {each["ResourceARN"].rpartition(":")[2] for each in found}
    assert "coffee-orders" in names
    assert "tea-java" not in names


def test_a_stack_refuses_parameters_of_another_version_and_names_that_are_taken(sandbox: Sandbox) -> None:
    stacks = operator(sandbox, "cloudformation")
    known = {
        version: {each["ParameterKey"] for each in stacks.get_template_summary(TemplateURL=url)["Parameters"]}
        for version, url in sandbox.forwarder_template_urls.items()
    }
    assert known["5.4.9"] - known["latest"] == {"DdFetchStepFunctionsTags"}
    arguments = {
        "StackName": "second",
        "TemplateURL": sandbox.forwarder_template_url,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    parameter = {"ParameterKey": "DdFetchStepFunctionsTags", "ParameterValue": "true"}
    assert _error(stacks.create_stack, **arguments, Parameters=[parameter]) == "ValidationError"
    taken = {"ParameterKey": "FunctionName", "ParameterValue": "coffee-orders"}
    stacks.create_stack(**arguments, Parameters=[taken])
    events = until(
        lambda: [
            each["ResourceStatusReason"]
            for each in stacks.describe_stack_events(StackName="second")["StackEvents"]
            if each["ResourceStatus"] == "CREATE_FAILED"
        ]
    )
    assert any("Function already exist: coffee-orders" in each for each in events)
    still = operator(sandbox, "lambda").get_function_configuration(FunctionName="coffee-orders")
    assert "coffee.handler" in {still["Handler"], *still.get("Environment", {}).get("Variables", {}).values()}


def test_the_operator_may_do_what_its_policy_says_and_no_more(sandbox: Sandbox) -> None:
    assert _error(operator(sandbox, "s3").list_buckets) == "AccessDenied"
    assert _error(operator(sandbox, "ec2").describe_instances) == "UnauthorizedOperation"


def test_the_call_log_tells_reads_from_writes_and_who_made_them(sandbox: Sandbox) -> None:
    before = len(sandbox.call_log.read_text().splitlines())
    functions = operator(sandbox, "lambda")
    functions.get_function_configuration(FunctionName="own-settings")
    functions.put_function_concurrency(FunctionName="own-settings", ReservedConcurrentExecutions=5)
    calls = [json.loads(line) for line in sandbox.call_log.read_text().splitlines()[before:]]
    mine = [each for each in calls if each["access_key"] == sandbox.operator.access_key_id]
    assert [(each["operation"], each["write"]) for each in mine] == [
        ("GetFunctionConfiguration", False),
        ("PutFunctionConcurrency", True),
    ]
    assert mine[0]["principal"] == f"arn:aws:iam::{sandbox.account}:user/ddsetup-operator"


def test_a_role_that_may_not_write_logs_writes_none(sandbox: Sandbox) -> None:
    (invocation,) = traffic(sandbox, ["silent-role"])
    assert invocation.error == ""
    assert messages(sandbox, "/aws/lambda/silent-role") == []


def test_faults_happen_as_often_as_asked_and_where(sandbox: Sandbox) -> None:
    update = operator(sandbox, "lambda").update_function_configuration
    failing = AwsFault("UpdateFunctionConfiguration", "ServiceException", 400, contains="tea-java")
    lost = AwsFault("PutFunctionConcurrency", "ServiceException", 400, after_effect=True)
    denied = AwsFault("CreateRole", "AccessDenied", 403)
    inject(sandbox, failing, lost, denied)
    update(FunctionName="tea-ruby", Description="not this one")
    assert _error(update, FunctionName="tea-java", Description="x") == "ServiceException"
    assert _error(update, FunctionName="tea-java", Description="x") == ""
    functions = operator(sandbox, "lambda")
    concurrency = {"FunctionName": "tea-go", "ReservedConcurrentExecutions": 3}
    assert _error(functions.put_function_concurrency, **concurrency) == "ServiceException"
    assert functions.get_function_concurrency(FunctionName="tea-go")["ReservedConcurrentExecutions"] == 3
    create = operator(sandbox, "iam").create_role
    assert _error(create, RoleName="x", AssumeRolePolicyDocument="{}") == "AccessDenied"
    inject(sandbox)


def test_there_is_one_account_policy_at_most(sandbox: Sandbox) -> None:
    logs = operator(sandbox, "logs")
    kind = {"policyType": "SUBSCRIPTION_FILTER_POLICY"}
    assert logs.describe_account_policies(**kind)["accountPolicies"] == []
    stream = {"DestinationArn": "arn:aws:kinesis:us-east-1:123456789012:stream/logs", "RoleArn": "role"}
    document = {"policyName": "all", "policyDocument": json.dumps(stream), **kind}
    logs.put_account_policy(**document)
    assert [each["policyName"] for each in logs.describe_account_policies(**kind)["accountPolicies"]] == [
        "all"
    ]
    assert _error(logs.put_account_policy, **{**document, "policyName": "two"}) == "LimitExceededException"
    unreached = {
        "DestinationArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/none",
        "RoleArn": "role",
    }
    asked = {**document, "policyDocument": json.dumps(unreached)}
    assert _error(logs.put_account_policy, **asked) == "InvalidParameterException"
    logs.delete_account_policy(policyName="all", **kind)
    assert logs.describe_account_policies(**kind)["accountPolicies"] == []


def test_a_function_reaches_this_machine_only(sandbox: Sandbox) -> None:
    code = (
        "import socket\n"
        "def handler(event, context):\n"
        "    socket.create_connection((event, context.port), timeout=3).close()\n"
    )
    port = urlsplit(sandbox.datadog_url).port
    _create(sandbox, "explorer", code.replace("context.port", str(port)))
    assert _invoke(sandbox, "explorer", "127.0.0.1") is None
    for host in ("192.0.2.1", "api.datadoghq.com"):
        refusal = _invoke(sandbox, "explorer", host)["errorMessage"]
        assert "a function of the sandbox has no network" in refusal


def _doors(sandbox: Sandbox) -> tuple[str, ...]:
    """An address of each half that answers 200 to the sandbox's user."""
    state = f"{sandbox.datadog_url}/__sandbox/state"
    return f"{sandbox.aws_endpoint_url}/_ministack/health", state, f"{sandbox.datadog_url}/__sandbox/requests"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example:80"}, {"Sec-Fetch-Site": "none"}]
)
def test_web_pages_are_not_let_in(sandbox: Sandbox, headers: dict[str, str]) -> None:
    for address in _doors(sandbox):
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=PATIENCE)
    faults = f"{sandbox.datadog_url}/__sandbox/faults"
    for method in ("POST", "DELETE"):
        request = urllib.request.Request(faults, b'{"faults": []}', headers, method=method)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=PATIENCE)


@pytest.mark.skipif(os.getuid() != 0 or not sys.platform.startswith("linux"), reason="needs a second user")
def test_other_users_are_not_let_in(sandbox: Sandbox) -> None:
    for address in _doors(sandbox):
        there = urlsplit(address)
        script = (
            f"exec 3<>/dev/tcp/127.0.0.1/{there.port}; "
            rf"printf 'GET {there.path} HTTP/1.1\r\nConnection: close\r\n"
            rf"Host: 127.0.0.1:{there.port}\r\n\r\n' >&3; "
            "head -n 1 <&3"
        )
        command = ["/bin/bash", "-c", script]
        for user, status in ((0, "200"), (65534, "403")):
            answer = subprocess.run(command, capture_output=True, text=True, user=user, check=False)
            assert status in answer.stdout, (address, answer)


def test_traffic_refuses_a_function_that_cannot_run(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="tea-java"):
        traffic(sandbox, ["tea-java"])


def test_a_state_file_left_behind_stops_nobody_else(sandbox: Sandbox, tmp_path: Path) -> None:
    directory = Path(tempfile.mkdtemp(prefix=state.PREFIX))
    # Its owner's number now belongs to another process: this one.
    state.write(replace(sandbox, directory=directory, detached=True, pid=os.getpid()))
    (tmp_path / f"{sandbox.name or 'left'}.running").write_text(str(directory))
    assert detached.status(tmp_path) == ()
    assert detached.down(tmp_path, sandbox.name) == ()
    assert not directory.exists()
    assert not list(tmp_path.glob("*.running"))
