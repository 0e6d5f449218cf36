"""Extension mode: the configuration of all runtimes, and data by a key and without."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences
from tests.sandbox_chain import datadog

pytestmark = pytest.mark.e2e

LAYERS = "arn:aws:lambda:us-east-1:464622532012:layer:"
CHOSEN = ("--via", "extension", "--all", "--env", "prod", "--durable-events")
SETUP = ("setup", *CHOSEN, "--yes", "--no-verify", "--output", "json")
DURABLE = "datadog-durable-function-event-forwarder"


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    return open_place("healthy", "runtimes", "durable", via="extension", wishes={"subscribe": "account"})


def buckets_of(place: Place) -> set[str]:
    return {bucket["Name"] for bucket in place.world.client("s3").list_buckets()["Buckets"]}


def test_extension_mode_and_back(place: Place) -> None:
    before, buckets = place.world.everything(), buckets_of(place)

    result = place.cli(*SETUP)

    assert result.code == 0, result.stderr
    skipped = {name for name, o in result.outcomes().items() if o["status"] != "applied"}
    assert skipped == {"tea-image", "tea-python27"}
    functions = place.world.functions()
    (secret,) = place.world.client("secretsmanager").list_secrets()["SecretList"]
    assert secret["Name"] == "ddsetup/datadog-api-key"

    def layers(name: str) -> list[str]:
        return [each["Arn"].removeprefix(LAYERS).split(":")[0] for each in functions[name]["Layers"]]

    assert layers("coffee-orders") == ["Datadog-Python312", "Datadog-Extension"]
    assert layers("coffee-loyalty") == ["Datadog-Python312-ARM", "Datadog-Extension-ARM"]
    assert layers("tea-node") == ["Datadog-Node22-x", "Datadog-Extension"]
    assert layers("tea-java") == ["dd-trace-java", "Datadog-Extension"]
    assert layers("tea-go") == ["Datadog-Extension-ARM"]
    assert functions["tea-node"]["Handler"] == "/opt/nodejs/node_modules/datadog-lambda-js/handler.handler"
    assert functions["tea-java"]["Handler"] == "shop.Tea::handleRequest"
    env = place.world.env_of("tea-java")
    assert env["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/datadog_wrapper"
    for name in ("coffee-orders", "tea-java", "tea-go"):
        env = place.world.env_of(name)
        assert (env["DD_API_KEY_SECRET_ARN"], env["DD_SITE"]) == (secret["ARN"], "datadoghq.com")
        assert env["DD_ENV"] == "prod"
        assert "DD_API_KEY" not in env
        assert env.get("DD_FLUSH_TO_LOG", "false") == "false"
    granted = place.world.roles()["ddsetup-sandbox-function"]["inline"]
    assert ":secret:ddsetup/datadog-api-key-" in str(granted)
    assert place.world.env_of("roasting")["DD_LAMBDA_DURABLE_FUNCTION_LOG_BUFFER_SIZE"] == "5"
    assert "DD_LAMBDA_DURABLE_FUNCTION_LOG_BUFFER_SIZE" not in place.world.env_of("coffee-orders")
    assert place.world.stacks() == {**before["us-east-1"]["stacks"], DURABLE: "CREATE_COMPLETE"}
    (kept,) = buckets_of(place) - buckets
    delivery: dict[str, list[object]] = {f"/aws/kinesisfirehose/{DURABLE}": []}
    assert place.world.filters() == {**before["us-east-1"]["filters"], **delivery}

    again = place.cli("plan", *CHOSEN, "--detailed-exitcode")
    assert again.code == 0, again.stdout
    # What Firehose could not deliver is kept until somebody says that it may go, and so is the stack.
    place.world.client("s3").put_object(Bucket=kept, Key="2026/11/failed", Body=b"{}")
    left = place.cli("undo", "--yes", "--output", "json")
    assert left.code == 5, left.stdout + left.stderr
    assert left.outcomes("stack")[DURABLE]["status"] == "failed"
    undone = place.cli("undo", "--yes", "--delete-failed-events")
    assert undone.code == 0, undone.stderr
    assert buckets_of(place) == buckets
    assert differences(before, place.world.everything()) == []


def test_data_arrives_by_a_secret_and_then_without_any_key(place: Place) -> None:
    before = place.world.everything()
    chosen = ("--via", "extension", "--function", "coffee-orders", "--env", "prod")
    proven = ("setup", *chosen, "--invoke", "--wait", "60", "--yes", "--output", "json")

    by_secret = place.cli(*proven)
    assert by_secret.code == 0, by_secret.stdout + by_secret.stderr
    keyless = place.cli(*proven, "--key-source", "wif")
    assert keyless.code == 0, keyless.stdout + keyless.stderr
    for result in (by_secret, keyless):
        signals = {each["signal"]: each["status"] for each in result.json["signals"]}
        assert {signals[name] for name in ("enhanced_metrics", "logs", "traces")} == {"arrived"}
    env = place.world.env_of("coffee-orders")
    assert "DD_ORG_UUID" in env
    assert not [name for name in env if "API_KEY" in name]
    assert "ddsetup-read-datadog-api-key" not in str(place.world.roles()["ddsetup-sandbox-function"])
    again = place.cli("plan", *chosen, "--key-source", "wif", "--detailed-exitcode")
    assert again.code == 0, again.stdout
    for _ in range(2):
        undone = place.cli("undo", "--yes")
        assert undone.code == 0, undone.stderr
    # Its first run made the function's log group.
    made = "/us-east-1/filters//aws/lambda/coffee-orders: '-' -> []"
    assert differences(before, place.world.everything()) == [made]


def test_other_log_groups_come_by_firehose_and_lines_of_the_extension_only_once(place: Place) -> None:
    before, logs, group = place.world.everything(), place.world.client("logs"), "/ecs/shop"
    chosen = ("--via", "extension", "--function", "coffee-orders", "--env", "prod")

    done = place.cli("setup", *chosen, "--subscribe", "account", "--yes", "--no-verify", "--output", "json")

    assert done.code == 0, done.stdout + done.stderr
    assert done.outcomes("stack")["datadog-account-logs"]["status"] == "applied"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="task")
    line = {"timestamp": int(time.time() * 1000), "message": "a task has started"}
    logs.put_log_events(logGroupName=group, logStreamName="task", logEvents=[line])
    place.world.client("lambda").invoke(FunctionName="coffee-orders")
    proven = place.cli("verify", *chosen[:4], "--wait", "60", "--output", "json")
    assert proven.code == 0, proven.stdout + proven.stderr
    arrived = {(each.get("resource") or {}).get("kind", ""): each for each in proven.json["signals"]}
    assert (arrived["account_policy"]["status"], arrived["account_policy"]["path"]) == ("arrived", "firehose")
    by_firehose = datadog(place.sandbox, "POST", "/api/v2/logs/events/search", _SEARCH)["data"]
    assert {each["attributes"]["message"] for each in by_firehose} == {"a task has started"}
    logs.delete_log_group(logGroupName=group)
    undone = place.cli("undo", "--yes")
    assert undone.code == 0, undone.stderr
    # Its first run made the function's log group, unless another test ran it before.
    made = "/us-east-1/filters//aws/lambda/coffee-orders: '-' -> []"
    assert set(differences(before, place.world.everything())) <= {made}


_SEARCH = {"filter": {"from": "now-1h", "to": "now", "query": "@aws.firehose.arn:*"}}
