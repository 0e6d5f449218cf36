"""Instrumenting functions: what changes, what stays, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.catalog import (
    KEY_VARIABLES,
    NODE_BUNDLED_HANDLER,
    NODE_HANDLER,
    PYTHON_HANDLER,
    SECRET_VARIABLES,
)
from ddsetup.model.account import Alias, Function, Layer, Secret, Unreadable
from ddsetup.model.answers import Answers, KeySource, Tracing
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.states import FunctionState, RolePolicyState, TagsState
from ddsetup.plan.steps import instrument
from tests.applied import carried_out
from tests.builders import (
    ACCOUNT,
    REGION,
    SITE,
    answers,
    forwarder,
    function,
    lane_snapshot,
    secret,
    snapshot,
    stack,
)

DATADOG = "464622532012"


def layer(name: str, version: int, account: str = DATADOG, region: str = REGION) -> Layer:
    partition = "aws-us-gov" if region.startswith("us-gov") else "aws"
    return Layer(f"arn:{partition}:lambda:{region}:{account}:layer:{name}:{version}")


def plan_for(f: Function, wanted: Answers | None = None, **lane: Any) -> Plan:
    return instrument.plan(snapshot(lane_snapshot(f, **lane)), wanted or answers(), (f,))


def change_of(plan: Plan) -> Change:
    (change,) = [c for c in plan.changes if c.resource.kind == "function"]
    return change


def states(plan: Plan) -> tuple[FunctionState, FunctionState]:
    change = change_of(plan)
    assert isinstance(change.before, FunctionState)
    assert isinstance(change.after, FunctionState)
    return change.before, change.after


def left_alone(plan: Plan) -> Skipped:
    assert not [c for c in plan.changes if c.resource.kind in ("function", "role_policy")]
    (skipped,) = [s for s in plan.skipped if s.resource.kind == "function"]
    return skipped


def labels(state: FunctionState) -> list[str]:
    return [":".join(arn.rsplit(":", 2)[1:]) for arn in state.layers]


def ext(**over: Any) -> Answers:
    return answers(via="extension", **over)


def test_a_python_function_gets_layer_handler_and_variables_in_one_change() -> None:
    f = function("orders", env={"DB_PASSWORD": "hunter2"})
    before, after = states(plan_for(f))
    assert before == FunctionState(handler="app.handler", layers=(), env={})
    assert after.handler == PYTHON_HANDLER
    assert labels(after) == ["Datadog-Python312:130"]
    assert after.env == {
        "DD_LAMBDA_HANDLER": "app.handler",
        "DD_FLUSH_TO_LOG": "true",
        "DD_TRACE_ENABLED": "true",
        "DD_SERVICE": "orders",
    }


def test_a_change_carries_the_revision_it_was_planned_on() -> None:
    assert change_of(plan_for(function(revision_id="r7"))).precondition == "r7"


def test_tags_are_equal_for_all_functions_and_wait_for_the_function() -> None:
    one, two = function("one"), function("two")
    wanted = answers(env="prod", version="7", extra_tags=(("team", "shop"),))
    plan = instrument.plan(snapshot(lane_snapshot(one, two)), wanted, (one, two))
    tags = [c for c in plan.changes if c.resource.kind == "function_tags"]
    assert len(tags) == 2
    assert tags[0].after == tags[1].after
    assert isinstance(tags[0].after, TagsState)
    assert {**tags[0].after.tags, "dd_ddsetup": ""} == {
        "env": "prod",
        "version": "7",
        "team": "shop",
        "dd_ddsetup": "",
    }
    assert [c.needs[0].name for c in tags] == ["one", "two"]


def test_a_service_tag_names_the_service_and_the_function_name_is_the_default() -> None:
    f = function("orders")
    assert states(plan_for(f, tags={f.arn: {"service": "shop"}}))[1].env["DD_SERVICE"] == "shop"
    assert states(plan_for(f))[1].env["DD_SERVICE"] == "orders"
    assert states(plan_for(f, answers(service="all")))[1].env["DD_SERVICE"] == "all"


def test_the_users_own_values_win_over_defaults_but_not_over_answers() -> None:
    f = function(env={"DD_SERVICE": "mine", "DD_TRACE_ENABLED": "false", "DD_ENV": "dev"})
    plan = plan_for(f, answers(env="prod"))
    before, after = states(plan)
    assert "DD_SERVICE" not in after.env
    assert "DD_TRACE_ENABLED" not in after.env
    assert (before.env["DD_ENV"], after.env["DD_ENV"]) == ("dev", "prod")
    assert "keeps its DD_TRACE_ENABLED=false" in change_of(plan).note


def test_a_second_plan_says_that_all_is_done() -> None:
    f = function()
    first = snapshot(lane_snapshot(f))
    second = carried_out(first, instrument.plan(first, answers(), (f,)).changes)
    skipped = left_alone(instrument.plan(second, answers(), second.functions()))
    assert skipped.status == "unchanged"
    assert skipped.reason == "already instrumented with Datadog-Python312:130"


def test_a_stale_own_handler_is_replaced_by_the_true_one() -> None:
    f = function(handler="new.handler", env={"DD_LAMBDA_HANDLER": "old.handler"})
    plan = plan_for(f)
    assert states(plan)[1].env["DD_LAMBDA_HANDLER"] == "new.handler"
    assert "it named old.handler" in change_of(plan).note


@pytest.mark.parametrize("remembered", [{}, {"DD_LAMBDA_HANDLER": PYTHON_HANDLER}, {"DD_LAMBDA_HANDLER": ""}])
def test_a_lost_handler_is_refused_with_the_way_out(remembered: dict[str, str]) -> None:
    skipped = left_alone(plan_for(function(handler=PYTHON_HANDLER, env=remembered)))
    assert skipped.status == "skipped"
    assert "update-function-configuration" in skipped.fix
    assert "--handler" in skipped.fix


@pytest.mark.parametrize(
    ("runtime", "architecture", "name", "handler"),
    [
        ("python3.14", "arm64", "Datadog-Python314-ARM:130", PYTHON_HANDLER),
        ("nodejs22.x", "arm64", "Datadog-Node22-x:143", NODE_HANDLER),
        ("nodejs16.x", "x86_64", "Datadog-Node16-x:120", NODE_HANDLER),
        ("ruby3.4", "arm64", "Datadog-Ruby3-4-ARM:30", "app.handler"),
        ("python3.7", "x86_64", "Datadog-Python37:85", PYTHON_HANDLER),
    ],
)
def test_layer_and_handler_by_runtime(runtime: str, architecture: str, name: str, handler: str) -> None:
    after = states(plan_for(function(runtime=runtime, architecture=architecture)))[1]
    assert labels(after) == [name]
    assert after.handler == handler


def test_the_library_in_a_node_package_is_left_to_itself() -> None:
    f = function(runtime="nodejs22.x", handler=NODE_BUNDLED_HANDLER, env={"DD_LAMBDA_HANDLER": "app.handler"})
    after = states(plan_for(f))[1]
    assert after.layers == ()
    assert after.handler == NODE_BUNDLED_HANDLER


@pytest.mark.parametrize("runtime", ["java21", "dotnet8", "provided.al2023"])
def test_in_forwarder_mode_only_the_logs_of_compiled_runtimes_are_taken(runtime: str) -> None:
    plan = plan_for(function(runtime=runtime), answers(env="prod"))
    skipped = left_alone(plan)
    assert skipped.status == "unchanged"
    assert "--via extension" in skipped.fix
    assert [c.resource.kind for c in plan.changes] == ["function_tags"]


def test_extension_mode_attaches_both_layers_and_one_key_source() -> None:
    plan = plan_for(function(), ext(), secrets={"ddsetup/datadog-api-key": secret()})
    after = states(plan)[1]
    assert labels(after) == ["Datadog-Python312:130", "Datadog-Extension:100"]
    assert after.env["DD_SITE"] == SITE
    assert after.env["DD_API_KEY_SECRET_ARN"] == secret().arn
    assert after.env["DD_SERVERLESS_LOGS_ENABLED"] == "true"
    assert after.env["DD_FLUSH_TO_LOG"] == "false"


def test_the_secret_to_be_made_is_a_reference_that_the_function_needs() -> None:
    plan = plan_for(function("orders"), ext())
    assert states(plan)[1].env["DD_API_KEY_SECRET_ARN"] == "ref:secret:ddsetup/datadog-api-key"
    assert [(n.kind, n.id, n.region) for n in change_of(plan).needs] == [
        ("secret", "ddsetup/datadog-api-key", REGION),
        ("role_policy", "orders-role/ddsetup-read-datadog-api-key", ""),
    ]


def test_each_role_gets_the_right_to_read_the_key_once() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/service-role/shared"
    fs = (function("one", role=role), function("two", role=role))
    plan = instrument.plan(snapshot(lane_snapshot(*fs)), ext(), fs)
    (policy,) = [c for c in plan.changes if c.resource.kind == "role_policy"]
    assert policy.resource.id == "shared/ddsetup-read-datadog-api-key"
    assert isinstance(policy.after, RolePolicyState)
    (statement,) = policy.after.document["Statement"]
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    own = f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:ddsetup/datadog-api-key"
    assert statement["Resource"] == [f"{own}-??????", f"{own}/*"], "those of further sites, too"


def test_no_right_is_granted_when_not_wanted() -> None:
    plan = plan_for(function(), ext(grant_key_access=False))
    assert not [c for c in plan.changes if c.resource.kind == "role_policy"]


@pytest.mark.parametrize(
    "own", ["DD_API_KEY", "DD_KMS_API_KEY", "DD_API_KEY_SSM_ARN", "DD_API_KEY_SECRET_ARN"]
)
def test_an_existing_key_source_is_kept_and_never_in_the_plan(own: str) -> None:
    plan = plan_for(function(env={own: "planted-value"}), ext())
    assert not {"DD_API_KEY_SECRET_ARN", own} & set(states(plan)[1].env)
    assert "planted-value" not in repr(plan)
    assert not [c for c in plan.changes if c.resource.kind == "role_policy"]


def test_a_key_source_given_by_an_answer_replaces_an_arn_but_no_secret() -> None:
    f = function(env={"DD_API_KEY_SECRET_ARN": "arn:old", "DD_API_KEY": "planted"})
    plan = plan_for(f, ext(key_source=KeySource(kind="ssm", value="arn:aws:ssm:eu-west-1:1:parameter/key")))
    before, after = states(plan)
    assert after.env["DD_API_KEY_SSM_ARN"].endswith("parameter/key")
    assert before.env["DD_API_KEY_SECRET_ARN"] == "arn:old"
    assert "DD_API_KEY_SECRET_ARN" not in after.env
    assert "DD_API_KEY stays" in change_of(plan).note
    assert "planted" not in repr(plan)


@pytest.mark.parametrize("kind", ["secret", "ssm", "kms"])
@pytest.mark.parametrize("own", sorted(SECRET_VARIABLES & set(KEY_VARIABLES)))
def test_key_material_that_a_function_has_stays_whatever_the_answer(own: str, kind: Any) -> None:
    wanted = ext(key_source=KeySource(kind=kind, value="value-of-the-answer"))
    plan = plan_for(function(env={own: "planted"}), wanted)
    before, after = states(plan)
    assert own not in {**before.env, **after.env}
    assert f"{own} stays" in change_of(plan).note
    assert "planted" not in repr(plan)


def test_a_ciphertext_that_stays_leaves_the_other_sources_of_the_key_as_they_are() -> None:
    """The Extension prefers it, and the answer could only stand in its place: nothing makes room for that."""
    f = function(env={"DD_KMS_API_KEY": "planted", "DD_API_KEY_SECRET_ARN": "arn:mine"})
    plan = plan_for(f, ext(key_source=KeySource(kind="kms", value="of-the-answer")))
    before, after = states(plan)
    assert not {"DD_API_KEY_SECRET_ARN", "DD_KMS_API_KEY"} & {*before.env, *after.env}


def test_the_same_ciphertext_again_is_nothing_to_speak_of() -> None:
    f = function(env={"DD_KMS_API_KEY": "of-the-answer", "DD_API_KEY_SECRET_ARN": "arn:mine"})
    plan = plan_for(f, ext(key_source=KeySource(kind="kms", value="of-the-answer")))
    before, after = states(plan)
    assert "DD_KMS_API_KEY" not in {**before.env, **after.env}
    assert before.env["DD_API_KEY_SECRET_ARN"] == "arn:mine"
    assert "DD_API_KEY_SECRET_ARN" not in after.env
    assert "stays" not in change_of(plan).note


def test_when_it_is_unknown_whether_the_secret_exists_nothing_is_done() -> None:
    unreadable = Unreadable("secretsmanager:DescribeSecret", "access denied")
    skipped = left_alone(plan_for(function(), ext(), secrets=unreadable))
    assert "secretsmanager:DescribeSecret" in skipped.reason


def test_java_is_wrapped_in_extension_mode() -> None:
    after = states(plan_for(function(runtime="java21", handler="com.Shop::run"), ext()))[1]
    assert labels(after) == ["dd-trace-java:28", "Datadog-Extension:100"]
    assert after.env["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/datadog_wrapper"
    assert after.handler == "com.Shop::run"
    assert "DD_FLUSH_TO_LOG" not in after.env
    assert "DD_LAMBDA_HANDLER" not in after.env


def test_a_custom_runtime_gets_the_extension_alone() -> None:
    after = states(plan_for(function(runtime="provided.al2023", architecture="arm64"), ext()))[1]
    assert labels(after) == ["Datadog-Extension-ARM:100"]


@pytest.mark.parametrize("runtime", ["dotnet8", "java21", "python3.13", "nodejs22.x"])
def test_somebody_elses_start_up_script_is_never_replaced(runtime: str) -> None:
    f = function(runtime=runtime, handler="shop.Main::run", env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"})
    before, after = states(plan_for(f, ext()))
    assert labels(after) == ["Datadog-Extension:100"]
    assert (after.handler, before.handler) == ("shop.Main::run", "shop.Main::run")
    assert not {"AWS_LAMBDA_EXEC_WRAPPER", "DD_LAMBDA_HANDLER"} & {*before.env, *after.env}
    change = change_of(plan_for(f, ext()))
    assert "/opt/mine" in change.note
    assert "OTLP" in change.note
    assert "traces" not in change.why


ADAPTER = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}


@pytest.mark.parametrize(
    ("runtime", "handler", "env"),
    [
        ("python3.12", "run.sh", ADAPTER),
        ("nodejs22.x", "server.js", ADAPTER),
        ("nodejs20.x", "index.handler", ADAPTER),
        ("python3.13", "app.handler", {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/start.sh"}),
        ("python3.13", "web.handler", {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/lwa", "AWS_LWA_PORT": "8000"}),
        ("python3.12", "bin/serve.bash", {}),
        ("python3.12", "main", {}),
        ("python3.12", "app.py", {}),
        ("nodejs22.x", "dist/index.mjs", {}),
        ("nodejs22.x", "com.shop.Main::handle", {}),
    ],
)
def test_a_handler_that_is_not_imported_stays_what_it_is(
    runtime: str, handler: str, env: dict[str, str]
) -> None:
    f = function(runtime=runtime, handler=handler, env={**env, "PORT": "8000"})
    kept = left_alone(plan_for(f))
    assert kept.status == "skipped"
    assert "--via extension" in kept.fix
    before, after = states(plan_for(f, ext()))
    assert before.handler == after.handler == handler
    assert labels(after) == ["Datadog-Extension:100"]
    assert "DD_LAMBDA_HANDLER" not in after.env


@pytest.mark.parametrize(
    ("runtime", "handler"),
    [
        ("python3.12", "lambda.handler.run"),
        ("python3.12", "pkg/sub/app.lambda_handler"),
        ("python3.12", "my-app.handler"),
        ("nodejs22.x", "src/functions/order/index.handler"),
        ("nodejs22.x", ".esbuild/.build/src/index.handler"),
        ("nodejs22.x", "index.api.handler"),
        ("nodejs22.x", "bundle.default"),
    ],
)
def test_handlers_that_are_imported_are_redirected(runtime: str, handler: str) -> None:
    _, after = states(plan_for(function(runtime=runtime, handler=handler)))
    assert after.env["DD_LAMBDA_HANDLER"] == handler


def test_a_handler_that_was_redirected_though_it_is_executed_is_not_called_fine() -> None:
    env = {**ADAPTER, "DD_LAMBDA_HANDLER": "run.sh"}
    for wanted in (answers(), ext()):
        kept = left_alone(plan_for(function(handler=PYTHON_HANDLER, env=env), wanted))
        assert "cannot start" in kept.reason
        assert "ddsetup uninstrument" in kept.fix


def test_an_image_behind_the_web_adapter_keeps_its_command() -> None:
    image = function(package_type="Image", runtime=None, handler=None, env={"AWS_LWA_PORT": "8080"})
    kept = left_alone(plan_for(image))
    assert "Web Adapter" in kept.reason
    assert "CMD stays" in kept.fix
    assert "CMD [" in left_alone(plan_for(replace(image, env={}))).fix


def test_what_runs_beside_a_script_that_nobody_knows_is_kept_up_to_date() -> None:
    env = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine", "DD_LAMBDA_HANDLER": "app.handler"}
    f = function(handler=PYTHON_HANDLER, env=env, layers=(layer("Datadog-Python312", 99),))
    _, after = states(plan_for(f))
    assert labels(after) == ["Datadog-Python312:130"]
    assert after.handler == PYTHON_HANDLER


def test_a_library_in_the_package_gets_no_layer_beside_it() -> None:
    env = {"DD_LAMBDA_HANDLER": "app.handler"}
    packaged = function(handler=PYTHON_HANDLER, env=env, code_size=9_000_000)
    assert labels(states(plan_for(packaged))[1]) == []
    assert labels(states(plan_for(packaged, answers(layer_version="120")))[1]) == ["Datadog-Python312:120"]
    lost = function(handler=PYTHON_HANDLER, env=env, code_size=40_000)
    assert labels(states(plan_for(lost))[1]) == ["Datadog-Python312:130"]
    for path in (
        "node_modules/datadog-lambda-js/handler.handler",
        "build/node_modules/datadog-lambda-js/dist/handler.handler",
    ):
        node = function(runtime="nodejs22.x", handler=path, env={"DD_LAMBDA_HANDLER": "index.handler"})
        before, after = states(plan_for(node))
        assert (before.handler, after.handler, labels(after)) == (path, path, [])


def test_a_pinned_version_too_old_for_the_wrapper_is_refused() -> None:
    skipped = left_alone(plan_for(function(runtime="java21"), ext(extension_version="23")))
    assert "Datadog-Extension:23" in skipped.reason


def test_other_layers_keep_their_order_and_datadogs_are_replaced_in_place() -> None:
    mine, yours = layer("zz-mine", 3, ACCOUNT), layer("aa-yours", 9, ACCOUNT)
    f = function(layers=(mine, layer("Datadog-Python39", 40), yours, layer("Datadog-Python312", 100)))
    assert labels(states(plan_for(f))[1]) == ["zz-mine:3", "Datadog-Python312:130", "aa-yours:9"]


def test_the_library_goes_before_an_extension_that_is_there() -> None:
    f = function(layers=(layer("mine", 1, ACCOUNT), layer("Datadog-Extension", 100)))
    after = states(plan_for(f, ext()))[1]
    assert labels(after) == ["mine:1", "Datadog-Python312:130", "Datadog-Extension:100"]


def test_a_newer_layer_is_not_taken_back_unless_a_number_says_so() -> None:
    f = function(layers=(layer("Datadog-Python312", 130),))
    assert labels(states(plan_for(f))[1]) == ["Datadog-Python312:130"]
    assert labels(states(plan_for(f, answers(layer_version="126")))[1]) == ["Datadog-Python312:126"]


def test_latest_is_what_was_probed() -> None:
    plan = plan_for(function(), answers(layer_version="latest"), newest_layers={"Datadog-Python312": 131})
    assert labels(states(plan)[1]) == ["Datadog-Python312:131"]


def test_a_layer_of_the_same_name_in_another_account_is_not_datadogs() -> None:
    copy = layer("Datadog-Python312", 3, ACCOUNT)
    after = states(plan_for(function(layers=(copy,))))[1]
    assert after.layers == (copy.arn,)
    assert after.handler == PYTHON_HANDLER


def test_from_extension_to_forwarder_the_extension_goes_and_a_warning_says_so() -> None:
    f = function("orders", layers=(layer("Datadog-Python312", 130), layer("Datadog-Extension", 100)))
    plan = plan_for(f)
    assert labels(states(plan)[1]) == ["Datadog-Python312:130"]
    assert any("orders" in w and "--via extension" in w for w in plan.warnings)


def test_a_sixth_layer_is_seen_in_the_plan() -> None:
    five = tuple(layer(f"own{n}", 1, ACCOUNT) for n in range(5))
    assert "6 layers" in left_alone(plan_for(function(layers=five))).reason
    assert "--via forwarder" in left_alone(plan_for(function(layers=five[:4]), ext())).fix


def test_an_environment_that_would_not_fit_is_seen_in_the_plan() -> None:
    plan = plan_for(function(env={"BIG": "x" * 4050}))
    skipped = left_alone(plan)
    assert "4096" in skipped.reason
    assert "xxx" not in repr(plan)


def test_a_reference_counts_as_long_as_the_arn_that_takes_its_place() -> None:
    arn = len(secret().arn)
    used = {"DD_SERVICE": "s", "BIG": ""}
    made = states(plan_for(function(env=used), ext()))[1].env
    size = sum(len(k) + len(v) for k, v in {**used, **made}.items())
    size += arn - len(made["DD_API_KEY_SECRET_ARN"])
    fits = {**used, "BIG": "x" * (4095 - size)}
    assert change_of(plan_for(function(env=fits), ext()))
    assert left_alone(plan_for(function(env={**fits, "BIG": fits["BIG"] + "x"}), ext()))


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"package_type": "Image", "runtime": None}, "container image"),
        ({"master_arn": "arn:aws:lambda:us-east-1:1:function:m"}, "Lambda@Edge"),
        ({"env": None, "env_error": "KMSAccessDenied"}, "KMSAccessDenied"),
        ({"state": "Failed"}, "state Failed"),
        ({"runtime": "python2.7"}, "retired"),
        ({"runtime": "nodejs12.x"}, "retired"),
        ({"runtime": "python3.15"}, "no layer for python3.15"),
        ({"runtime": "java21.al2023"}, "no layer for java21.al2023"),
        ({"runtime": "python3.7", "architecture": "arm64"}, "Datadog-Python37-ARM"),
        ({"handler": "newrelic_lambda_wrapper.handler"}, "New Relic"),
        ({"env": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}}, "OpenTelemetry"),
    ],
)
def test_what_must_not_be_changed_is_skipped_with_its_reason(over: dict[str, Any], reason: str) -> None:
    skipped = left_alone(plan_for(function(**over)))
    assert skipped.status == "skipped"
    assert reason in skipped.reason
    assert skipped.fix


def test_china_is_refused() -> None:
    f = function(region="cn-north-1", arn="arn:aws-cn:lambda:cn-north-1:111122223333:function:orders")
    assert "China" in left_alone(plan_for(f)).reason


def test_govcloud_has_its_own_layer_account() -> None:
    f = function(region="us-gov-west-1", arn="arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:o")
    after = states(plan_for(f))[1]
    assert after.layers == ("arn:aws-us-gov:lambda:us-gov-west-1:002406178527:layer:Datadog-Python312:130",)


def test_the_forwarder_and_datadogs_helpers_are_never_instrumented() -> None:
    plain, helper = function("fwd"), function("helper")
    tags = {helper.arn: {"aws:cloudformation:logical-id": "ForwarderZipCopier"}}
    held = snapshot(lane_snapshot(plain, helper, forwarders=(forwarder("fwd"),), tags=tags))
    plan = instrument.plan(held, answers(), (plain, helper))
    assert plan.changes == ()
    assert [s.status for s in plan.skipped] == ["unchanged", "unchanged"]


def test_an_owner_is_named_and_can_be_respected() -> None:
    f = function()
    tags = {f.arn: {"aws:cloudformation:stack-name": "shop"}}
    plan = plan_for(f, tags=tags)
    assert "CloudFormation (stack shop)" in change_of(plan).note
    assert any("CloudFormation (stack shop)" in w for w in plan.warnings)
    assert "stack shop" in left_alone(plan_for(f, answers(owned="skip"), tags=tags)).reason


def test_many_stacks_make_one_warning() -> None:
    fs = tuple(function(f"f{n}") for n in range(5))
    tags = {f.arn: {"aws:cloudformation:stack-name": f"stack-{f.name}"} for f in fs}
    (warning,) = instrument.plan(snapshot(lane_snapshot(*fs, tags=tags)), answers(), fs).warnings
    assert "5 of these functions are owned by CloudFormation" in warning
    assert "(stacks stack-f0, stack-f1, stack-f2 and 2 more)" in warning


def test_unreadable_tags_are_said_and_never_taken_for_none() -> None:
    unreadable = Unreadable("tag:GetResources", "access denied")
    plan = plan_for(function(), tags=unreadable)
    assert not [c for c in plan.changes if c.resource.kind == "function_tags"]
    (skipped,) = [s for s in plan.skipped if s.resource.kind == "function_tags"]
    assert "tag:GetResources" in skipped.reason
    assert (
        "owner is unknown" in left_alone(plan_for(function(), answers(owned="skip"), tags=unreadable)).reason
    )


def test_what_still_serves_an_old_version_is_said() -> None:
    f = function(snap_start="PublishedVersions")
    note = change_of(plan_for(f, aliases={f.arn: (Alias("live", "3"),)})).note
    assert "live (version 3)" in note
    assert "SnapStart" in note


def test_a_log_level_that_hides_the_report_line_is_lowered() -> None:
    f = function(log_format="JSON", system_log_level="WARN")
    before, after = states(plan_for(f))
    assert (before.system_log_level, after.system_log_level) == ("WARN", "INFO")
    assert states(plan_for(f, ext()))[1].system_log_level is None


def test_every_setting_of_the_library_has_its_variable() -> None:
    tracing = Tracing(
        log_level="debug",
        capture_payload=True,
        merge_xray=False,
        appsec=True,
        llmobs="shop",
        apm_flush_deadline_ms=250,
        git_commit="abc",
        git_repository="github.com/shop/orders",
    )
    wanted = ext(
        tracing=tracing,
        fips=True,
        enhanced_metrics=False,
        logs=False,
        traces=False,
        extra_tags=(("team", "shop"),),
        on_conflict="replace",
    )
    after = states(plan_for(function(env={"DD_TAGS": "a:b,team:old"}), wanted))[1]
    assert labels(after)[-1] == "Datadog-Extension-FIPS:100"
    expected = {
        "DD_LOG_LEVEL": "debug",
        "DD_CAPTURE_LAMBDA_PAYLOAD": "true",
        "DD_MERGE_XRAY_TRACES": "false",
        "DD_APPSEC_ENABLED": "true",
        "DD_LLMOBS_ENABLED": "true",
        "DD_LLMOBS_ML_APP": "shop",
        "DD_LLMOBS_AGENTLESS_ENABLED": "false",
        "DD_APM_FLUSH_DEADLINE_MILLISECONDS": "250",
        "DD_LAMBDA_FIPS_MODE": "true",
        "DD_ENHANCED_METRICS": "false",
        "DD_SERVERLESS_LOGS_ENABLED": "false",
        "DD_TRACE_ENABLED": "false",
        "DD_TAGS": "a:b,team:shop,git.commit.sha:abc,git.repository_url:github.com/shop/orders",
    }
    assert {k: after.env.get(k) for k in expected} == expected


def test_appsec_of_other_runtimes_needs_the_extension() -> None:
    node = function(runtime="nodejs22.x")
    wanted = Tracing(appsec=True)
    after = states(plan_for(node, ext(tracing=wanted)))[1]
    assert after.env["DD_SERVERLESS_APPSEC_ENABLED"] == "true"
    assert after.env["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/datadog_wrapper"
    plan = plan_for(node, answers(tracing=wanted))
    assert "AppSec is left out" in change_of(plan).note
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in states(plan)[1].env


def test_none_leaves_layers_and_handler_alone() -> None:
    after = states(plan_for(function(), answers(layer_version="none")))[1]
    assert after.layers == ()
    assert after.handler == "app.handler"
    assert "DD_LAMBDA_HANDLER" not in after.env


def test_an_unknown_runtime_can_have_the_extension_alone() -> None:
    after = states(plan_for(function(runtime="nodejs26.x"), ext(layer_version="none")))[1]
    assert labels(after) == ["Datadog-Extension:100"]
    assert after.handler == "app.handler"


def test_large_code_is_warned_about_and_not_refused() -> None:
    plan = plan_for(function(code_size=90 * 1024 * 1024))
    assert "250 MB" in change_of(plan).note


def test_a_marker_of_an_older_version_is_no_reason_for_a_write() -> None:
    f = function()
    first = snapshot(lane_snapshot(f))
    second = carried_out(first, instrument.plan(first, answers(), (f,)).changes)
    held = second.lanes[f.lane]
    old = replace(second, lanes={f.lane: replace(held, tags={f.arn: {"dd_ddsetup": "v0.0.1"}})})
    assert instrument.plan(old, answers(), old.functions()).changes == ()
    (tagged,) = instrument.plan(old, answers(env="prod"), old.functions()).changes[1:]
    assert tagged.after == TagsState(tags={"env": "prod"})


def test_a_tag_of_the_users_own_is_replaced_only_by_an_answer_and_said() -> None:
    f = function()
    plan = plan_for(f, answers(env="prod"), tags={f.arn: {"env": "dev", "service": "shop"}})
    (tags,) = [c for c in plan.changes if c.resource.kind == "function_tags"]
    assert tags.before == TagsState(tags={"env": "dev"})
    assert tags.note == "replaces env=dev"


def test_tags_that_aws_refuses_stay_out_with_a_warning() -> None:
    plan = plan_for(function(), answers(extra_tags=(("note", "a|b"),)))
    (tags,) = [c for c in plan.changes if c.resource.kind == "function_tags"]
    assert isinstance(tags.after, TagsState)
    assert set(tags.after.tags) == {"dd_ddsetup"}
    assert any("note" in w for w in plan.warnings)
    assert states(plan)[1].env["DD_TAGS"] == "note:a|b"


def test_functions_are_not_changed_for_a_forwarder_that_is_known_not_to_come() -> None:
    orders = function("orders")
    half = stack(status="DELETE_FAILED", outputs={})
    seen = snapshot(lane_snapshot(orders, stacks=(half,)))
    plan = instrument.plan(seen, answers(), (orders,))
    assert plan.changes == ()
    (said,) = plan.skipped
    assert "DELETE_FAILED" in said.reason
    assert instrument.plan(seen, answers(via="extension"), (orders,)).changes


KEYLESS = {"DD_ORG_UUID": "1b2c-3d4e", "DD_LAMBDA_HANDLER": "app.handler", "DD_SITE": SITE}
BOTH = (layer("Datadog-Python312", 120), layer("Datadog-Extension", 97))
REMOTE = {"dd_sls_remote_instrumenter_version": "1.10.0"}


def owned_by_datadog(**over: Any) -> Function:
    return function("till", handler=PYTHON_HANDLER, layers=BOTH, **{"env": KEYLESS, **over})


@pytest.mark.parametrize("owned", ["change", "skip", "source"])
@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_what_datadog_instruments_itself_is_left_to_its_rule(owned: Any, via: Any) -> None:
    kept = left_alone(plan_for(owned_by_datadog(), answers(owned=owned, via=via)))
    assert kept.status == "skipped"
    assert "AWS integration" in kept.reason
    assert "change the rule there" in kept.fix
    f = owned_by_datadog(env={"DD_API_KEY": "k"})
    kept = left_alone(plan_for(f, answers(owned=owned, via=via), tags={f.arn: REMOTE}))
    assert "remote instrumentation" in kept.reason


def test_with_the_rule_in_the_region_there_is_no_doubt() -> None:
    assert "most probably" in left_alone(plan_for(owned_by_datadog())).reason
    assert "most probably" not in left_alone(plan_for(owned_by_datadog(), datadog_rule=True)).reason


@pytest.mark.parametrize(
    ("env", "tags"),
    [
        ({**KEYLESS, "DD_API_KEY_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:dd-AbCdEf"}, {}),
        (KEYLESS, {"dd_sls_ci": "v5"}),
        (KEYLESS, {"dd_ddsetup": "v1"}),
    ],
)
def test_a_keyless_function_that_somebody_else_set_up_is_not_datadogs(
    env: dict[str, str], tags: dict[str, str]
) -> None:
    f = owned_by_datadog(env=env)
    _, after = states(plan_for(f, ext(), tags={f.arn: tags}))
    assert labels(after) == ["Datadog-Python312:130", "Datadog-Extension:100"]
    assert not {"DD_API_KEY_SECRET_ARN", "DD_ORG_UUID"} & set(after.env)


def test_no_key_is_put_beside_the_organisations_id_even_if_one_is_named() -> None:
    wanted = ext(
        owned="all", key_source=KeySource(kind="secret", value="arn:aws:secretsmanager:x:1:secret:k-AbCdEf")
    )
    plan = plan_for(owned_by_datadog(), wanted)
    before, after = states(plan)
    assert not [name for name in {**before.env, **after.env} if "KEY" in name or "ORG" in name]
    assert "DD_ORG_UUID" in change_of(plan).note
    assert not [c for c in plan.changes if c.resource.kind == "role_policy"]


def test_a_rule_of_datadogs_in_a_chosen_region_is_told() -> None:
    f = function()
    assert any("restores" in w or "takes back" in w for w in plan_for(f, datadog_rule=True).warnings)
    assert not [w for w in plan_for(f, datadog_rule=False).warnings if "Datadog itself" in w]
    unknown = plan_for(f, datadog_rule=Unreadable("events:DescribeRule", "denied")).warnings
    assert any("not known" in w and "events:DescribeRule" in w for w in unknown)
    stacks = (stack("datadog-remote-instrument"),)
    assert any("remote instrumentation" in w for w in plan_for(f, stacks=stacks).warnings)


PARTIAL = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:team/datadog"


def key_grant(key_secret: Secret | Unreadable | None, value: str = PARTIAL) -> tuple[Any, tuple[str, ...]]:
    """The statements of the policy for reading the key, and the warnings."""
    orders = function("orders")
    seen = replace(snapshot(lane_snapshot(orders)), key_secret=key_secret)
    wanted = answers(via="extension", key_source=KeySource(kind="secret", value=value))
    plan = instrument.plan(seen, wanted, (orders,))
    (policy,) = [c.after for c in plan.changes if isinstance(c.after, RolePolicyState)]
    return policy.document["Statement"], plan.warnings


def test_a_secret_named_without_its_last_six_characters_can_be_read_all_the_same() -> None:
    (statement,), warnings = key_grant(None)
    assert statement["Resource"] == [PARTIAL, f"{PARTIAL}-??????"]
    assert any("kms:Decrypt" in w for w in warnings)
    (statement,), _ = key_grant(secret("team/datadog", arn=f"{PARTIAL}-AbCdEf"))
    assert statement["Resource"] == f"{PARTIAL}-AbCdEf"


@pytest.mark.parametrize("key", ["1234abcd-12ab", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab"])
def test_a_customers_key_may_be_used_by_those_who_read_what_it_encrypts(key: str) -> None:
    statements, warnings = key_grant(secret("team/datadog", arn=f"{PARTIAL}-AbCdEf", kms_key=key))
    assert statements[1] == {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab",
    }
    assert any("policy of that key" in w for w in warnings)


def test_an_alias_cannot_be_granted_and_awss_own_key_needs_nothing() -> None:
    whole = f"{PARTIAL}-AbCdEf"
    statements, warnings = key_grant(secret("team/datadog", arn=whole, kms_key="alias/team"))
    assert len(statements) == 1
    assert any("kms:Decrypt" in w for w in warnings)
    _, warnings = key_grant(secret("team/datadog", arn=whole))
    assert not any("kms" in w.lower() for w in warnings)


@pytest.mark.parametrize(("value", "kept"), [("1", False), ("True", False), ("0", True), ("no", False)])
def test_a_switch_is_read_in_one_way_and_only_one_that_differs_is_said(value: str, kept: bool) -> None:
    change = change_of(plan_for(function(env={"DD_TRACE_ENABLED": value})))
    assert (f"keeps its DD_TRACE_ENABLED={value}" in change.note) is kept


def test_the_key_of_another_site_gives_way_to_the_secret_beside_it() -> None:
    held = secret(tags={"created_by": "ddsetup", "datadog_site": "datadoghq.com"})
    f = function(env={"DD_API_KEY_SECRET_ARN": held.arn, "DD_SITE": "datadoghq.com"})
    moved = states(plan_for(f, ext(), secrets={held.name: held}))[1].env
    beside = f"ref:secret:ddsetup/datadog-api-key/{SITE}"
    assert (moved["DD_SITE"], moved["DD_API_KEY_SECRET_ARN"]) == (SITE, beside)
    untagged = replace(held, tags={"created_by": "ddsetup"})
    assert states(plan_for(f, ext(), secrets={held.name: untagged}))[1].env == moved, "told by who reads it"
    plan = plan_for(replace(f, env={**(f.env or {}), "DD_API_KEY_SECRET_ARN": "mine"}), ext())
    assert f"must be good on {SITE} now" in change_of(plan).note


def test_a_tag_that_somebody_else_set_stays_unless_it_is_given_away() -> None:
    f = function("orders", env={"DD_TAGS": "team:old,a:b"})
    g = function("lists")
    own = {f.arn: {"cost": "1"}, g.arn: {"cost": "1"}}
    wanted = answers(extra_tags=(("team", "shop"), ("cost", "7"), ("desk", "2")))

    def after(wanted: Answers) -> tuple[dict[str, str], dict[str, str], list[str]]:
        plan = instrument.plan(snapshot(lane_snapshot(f, g, tags=own)), wanted, (f, g))
        tags = {c.resource.name: c.after for c in plan.changes if isinstance(c.after, TagsState)}
        changes = {c.resource.name: c.after for c in plan.changes if isinstance(c.after, FunctionState)}
        return (
            {k: v for k, v in tags["orders"].tags.items() if k in ("team", "cost", "desk")},
            {name: state.env.get("DD_TAGS", "") for name, state in changes.items()},
            [w for w in plan.warnings if w.startswith("tag ")],
        )

    tags, variables, said = after(wanted)
    assert (tags, variables) == (
        {"desk": "2"},
        {"orders": "team:old,a:b,desk:2", "lists": "team:shop,desk:2"},
    )
    assert said == [
        "tag cost is not set to 7, as somebody else set it: 1 on orders, lists; to replace it: "
        "--conflict tag:cost=replace, or --on-conflict replace",
        "tag team is not set to shop, as somebody else set it: old on orders; to replace it: "
        "--conflict tag:team=replace, or --on-conflict replace",
    ]
    tags, variables, said = after(replace(wanted, conflicts={"tag:team": "replace"}))
    assert (tags["team"], variables["orders"]) == ("shop", "team:shop,a:b,desk:2")
    assert said[1] == "tag team is replaced by shop, where somebody else set it: old on orders"
    assert after(replace(wanted, on_conflict="replace"))[0] == {"team": "shop", "cost": "7", "desk": "2"}
