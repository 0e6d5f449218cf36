"""The Forwarder of a region: named, found or deployed, and every state its stack may be in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.catalog import PYTHON_HANDLER
from ddsetup.model.account import Function, Lane, Layer, Unreadable
from ddsetup.model.answers import KeySource, Selection
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import SecretState, StackState
from ddsetup.plan.steps import forwarder
from ddsetup.plan.steps.forwarder import forwarder_arn
from ddsetup.plan.steps.forwarder_choice import other_site
from ddsetup.plan.steps.forwarder_stack import LEFT_LOG_GROUP, template_url
from tests import builders as b

FUNCTION = b.function("orders")
FORWARDER = b.function_arn("datadog-forwarder")
SECRET_ARN = f"arn:aws:secretsmanager:{b.REGION}:{b.ACCOUNT}:secret:mine-AbCdEf"
OURS = {"created_by": "ddsetup"}
PARAMETERS = {
    "DdSite": b.SITE,
    "DdApiKeySecretArn": SECRET_ARN,
    "DdApiKey": "****",
    "DdFetchLambdaTags": "true",
    "DdForwardLog": "true",
    "FunctionName": "datadog-forwarder",
    "MemorySize": "1024",
}


def lane_with(**over: Any) -> LaneSnapshot:
    return b.lane_snapshot(FUNCTION, **over)


def planned(lane: LaneSnapshot | None = None, /, **answers: Any) -> Plan:
    snapshot = b.snapshot(lane or lane_with())
    return forwarder.plan(snapshot, b.answers(**answers), (FUNCTION,))


def arn(lane: LaneSnapshot | None = None, /, **answers: Any) -> str | None:
    return forwarder_arn(b.lane(), b.snapshot(lane or lane_with()), b.answers(**answers))


def stack_change(plan: Plan) -> Change:
    (found,) = [c for c in plan.changes if c.resource.kind == "stack"]
    return found


def stack_after(plan: Plan) -> StackState:
    after = stack_change(plan).after
    assert isinstance(after, StackState)
    return after


def only_skipped(plan: Plan) -> Skipped:
    assert plan.changes == ()
    (found,) = plan.skipped
    return found


# Deploying


def test_where_there_is_none_secret_and_stack_are_made_in_that_order() -> None:
    plan = planned()
    secret, stack = plan.changes
    assert isinstance(secret.after, SecretState)
    assert [secret.action, stack.action] == ["create", "create"]
    assert stack.needs == (secret.resource,)
    assert stack.resource.region == secret.resource.region == b.REGION
    assert arn() == FORWARDER


def test_the_key_is_passed_by_reference_and_the_name_is_explicit() -> None:
    after = stack_after(planned())
    assert after.parameters == {
        "FunctionName": "datadog-forwarder",
        "DdSite": b.SITE,
        "DdApiKeySecretArn": "ref:secret:ddsetup/datadog-api-key",
        "DdFetchLambdaTags": "true",
    }
    assert after.template_url.endswith("/aws/forwarder/latest.yaml")
    assert after.tags == OURS


def test_an_existing_secret_is_used() -> None:
    live = b.secret(tags=OURS)
    plan = planned(lane_with(secrets={live.name: live}))
    assert stack_after(plan).parameters["DdApiKeySecretArn"] == live.arn
    assert [c.resource.kind for c in plan.changes] == ["stack"]
    assert plan.warnings == ()


def test_a_secret_that_ddsetup_did_not_make_is_used_and_pointed_out() -> None:
    live = b.secret()
    assert "not made by ddsetup" in planned(lane_with(secrets={live.name: live})).warnings[0]


def test_a_secret_about_to_be_deleted_is_restored() -> None:
    live = b.secret(deleted=True, tags=OURS)
    plan = planned(lane_with(secrets={live.name: live}))
    assert "restored" in plan.changes[0].note
    assert stack_after(plan).parameters["DdApiKeySecretArn"].startswith("ref:")


def test_somebody_elses_secret_that_is_being_deleted_is_left_alone() -> None:
    live = b.secret(deleted=True)
    said = only_skipped(planned(lane_with(secrets={live.name: live})))
    assert "scheduled for deletion" in said.reason


def test_the_users_own_secret_is_passed_and_none_is_made() -> None:
    plan = planned(key_source=KeySource(kind="secret", value=SECRET_ARN))
    assert [c.resource.kind for c in plan.changes] == ["stack"]
    assert stack_after(plan).parameters["DdApiKeySecretArn"] == SECRET_ARN
    assert stack_change(plan).needs == ()


def test_a_key_in_systems_manager_has_a_parameter_of_its_own() -> None:
    parameters = stack_after(planned(key_source=KeySource(kind="ssm", value="/datadog/key"))).parameters
    assert parameters["DdApiKeySsmParameterName"] == "/datadog/key"
    assert "DdApiKeySecretArn" not in parameters


def test_a_key_as_ciphertext_does_not_fit_the_template() -> None:
    said = only_skipped(planned(key_source=KeySource(kind="kms", value="AQIC")))
    assert "--api-key-ssm" in said.fix
    assert arn(key_source=KeySource(kind="kms", value="AQIC")) is None


def test_secrets_that_cannot_be_read_stop_the_deployment() -> None:
    said = only_skipped(planned(lane_with(secrets=Unreadable("secretsmanager:DescribeSecret", "denied"))))
    assert "secretsmanager:DescribeSecret" in said.reason


def test_a_secret_of_another_region_is_warned_about() -> None:
    other = SECRET_ARN.replace(b.REGION, "us-east-1")
    assert "us-east-1" in planned(key_source=KeySource(kind="secret", value=other)).warnings[0]


def test_parameters_of_the_user_win() -> None:
    given = {"FunctionName": "dd-fwd", "DdFetchLambdaTags": "false", "DdTags": "team:a"}
    after = stack_after(planned(forwarder_params=given))
    assert given.items() <= after.parameters.items()
    assert arn(forwarder_params=given) == b.function_arn("dd-fwd")


def test_without_logs_the_new_forwarder_drops_them() -> None:
    assert stack_after(planned(logs=False)).parameters["DdForwardLog"] == "false"


def test_only_parameters_that_the_template_has_are_set() -> None:
    after = stack_after(planned(lane_with(template_parameters=("DdSite", "FunctionName"))))
    assert set(after.parameters) == {"DdSite", "FunctionName"}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"DdApiKey": "x"}, "never a stack parameter"),
        ({"DdSite": "datadoghq.com"}, "contradicts"),
        ({"ReservedConcurrency": "many"}, "whole number"),
        ({"MemorySise": "256"}, "no parameter"),
    ],
)
def test_parameters_that_cannot_be_are_refused_before_anything_is_planned(
    params: dict[str, str], said: str
) -> None:
    lane = lane_with(template_parameters=("MemorySize", "DdSite", "ReservedConcurrency"))
    with pytest.raises(UsageError, match=said):
        planned(lane, forwarder_params=params)


def test_the_refusal_of_a_key_as_parameter_does_not_repeat_it() -> None:
    with pytest.raises(UsageError) as raised:
        planned(forwarder_params={"DdApiKey": "0123456789"})
    assert "0123456789" not in raised.value.what + raised.value.fix


def test_a_template_that_cannot_be_read_leaves_parameters_unchecked_and_says_so() -> None:
    lane = lane_with(template_parameters=Unreadable("cloudformation:GetTemplateSummary", "denied"))
    plan = planned(lane, forwarder_params={"Whatever": "1"})
    assert "GetTemplateSummary" in plan.warnings[0]
    assert stack_after(plan).parameters["Whatever"] == "1"


@pytest.mark.parametrize(("reserved", "fits"), [("10", True), ("900", True), ("901", False)])
def test_reserved_concurrency_must_leave_what_aws_insists_on(reserved: str, fits: bool) -> None:
    plan = planned(lane_with(unreserved_concurrency=1000), forwarder_params={"ReservedConcurrency": reserved})
    assert bool(plan.changes) is fits
    if not fits:
        assert "at most 900" in only_skipped(plan).fix


def test_unknown_concurrency_does_not_stop_the_deployment() -> None:
    lane = lane_with(unreserved_concurrency=Unreadable("lambda:GetAccountSettings", "denied"))
    assert planned(lane, forwarder_params={"ReservedConcurrency": "901"}).changes


def test_a_pinned_version_and_a_mirror_of_the_template() -> None:
    assert template_url(b.answers(forwarder_version="5.4.11"), "aws").endswith("/5.4.11.yaml")
    assert "us-gov" in template_url(b.answers(), "aws-us-gov")
    assert template_url(b.answers(template_url="https://mirror/f.yaml"), "aws") == "https://mirror/f.yaml"


def test_china_has_no_forwarder_layer() -> None:
    account = b.account_snapshot(identity=b.identity(partition="aws-cn"))
    snapshot = b.snapshot(lane_with(), accounts=[account])
    assert "China" in only_skipped(forwarder.plan(snapshot, b.answers(), (FUNCTION,))).reason


def test_a_name_taken_by_another_function_is_not_overwritten() -> None:
    taken = b.function("datadog-forwarder")
    plan = planned(b.lane_snapshot(FUNCTION, taken))
    assert "--forwarder-name" in only_skipped(plan).fix


def with_log_group(**over: Any) -> LaneSnapshot:
    group = b.log_group("/aws/lambda/datadog-forwarder", **over)
    return lane_with(log_groups={group.name: group})


def test_a_log_group_that_lambda_made_anew_is_removed_first_and_said() -> None:
    change = stack_change(planned(with_log_group()))
    assert "log group /aws/lambda/datadog-forwarder is removed first" in change.note
    assert change.precondition == LEFT_LOG_GROUP


def test_a_log_group_that_is_to_be_kept_is_in_the_way() -> None:
    said = only_skipped(planned(with_log_group(), replace_log_group=False))
    assert "--replace-log-group" in said.fix


def test_a_log_group_whose_retention_somebody_chose_is_in_the_way() -> None:
    said = only_skipped(planned(with_log_group(retention_days=7)))
    assert "delete-log-group" in said.fix
    assert "--forwarder-name" in said.fix


@pytest.mark.parametrize(("usable", "warned"), [(False, True), (True, False), (None, False)])
def test_a_layer_that_is_not_published_is_warned_about(usable: bool | None, warned: bool) -> None:
    plan = planned(lane_with(forwarder_layer=usable))
    assert bool(plan.changes)
    assert any("InstallAsLayer=false" in w for w in plan.warnings) is warned


def test_every_region_with_selected_functions_gets_its_own_and_no_other() -> None:
    there = b.function("there", region="us-east-1")
    idle = b.lane_snapshot(lane=Lane(b.ACCOUNT, "eu-north-1"))
    snapshot = b.snapshot(lane_with(), b.lane_snapshot(there), idle)
    plan = forwarder.plan(snapshot, b.answers(), (FUNCTION, there))
    stacks = [c.resource.region for c in plan.changes if c.resource.kind == "stack"]
    assert stacks == [b.REGION, "us-east-1"]


# States of the stack


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("CREATE_IN_PROGRESS", "wait"),
        ("DELETE_IN_PROGRESS", "wait"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("DELETE_FAILED", "delete-stack"),
        ("ROLLBACK_FAILED", "delete-stack"),
        ("REVIEW_IN_PROGRESS", "delete-stack"),
        ("CREATE_COMPLETE", "--forwarder-stack"),
    ],
)
def test_a_stack_in_the_way_is_left_alone_with_what_to_do(status: str, hint: str) -> None:
    said = only_skipped(planned(lane_with(stacks=(b.stack(status=status),))))
    assert hint in said.fix
    assert arn(lane_with(stacks=(b.stack(status=status),))) is None


def test_the_remains_of_a_failed_creation_are_replaced() -> None:
    plan = planned(lane_with(stacks=(b.stack(status="ROLLBACK_COMPLETE", outputs={}),)))
    change = stack_change(plan)
    assert (change.action, change.precondition) == ("create", "ROLLBACK_COMPLETE")
    assert "removed first" in change.note


@pytest.mark.parametrize("status", ["DELETE_FAILED", "ROLLBACK_FAILED"])
def test_a_deletion_of_ours_that_failed_is_finished(status: str) -> None:
    half = b.stack(status=status, outputs={}, tags=OURS)
    living = b.forwarder(stack=half.name, stack_status=status)
    function = b.function("datadog-forwarder")
    change = stack_change(planned(lane_with(stacks=(half,))))
    assert (change.action, change.precondition) == ("create", status)
    assert "first" in change.note
    if status == "DELETE_FAILED":
        lane = b.lane_snapshot(FUNCTION, function, stacks=(half,), forwarders=(living,))
        assert status in stack_change(planned(lane)).precondition


def test_the_remains_of_another_stack_are_not_removed() -> None:
    other = b.stack(status="ROLLBACK_COMPLETE", outputs={}, description="our shop", parameters={})
    assert "--forwarder-stack" in only_skipped(planned(lane_with(stacks=(other,)))).fix


def test_a_stack_name_that_is_taken_is_said() -> None:
    other = b.stack(outputs={"Url": "x"}, description="our shop")
    assert "not a Forwarder" in only_skipped(planned(lane_with(stacks=(other,)))).reason
    assert planned(lane_with(stacks=(other,)), forwarder_stack="dd").changes


def test_stacks_that_cannot_be_read_stop_the_deployment() -> None:
    said = only_skipped(planned(lane_with(stacks=Unreadable("cloudformation:DescribeStacks", "denied"))))
    assert "cloudformation:DescribeStacks" in said.reason


# Reusing


def reusable(**over: Any) -> LaneSnapshot:
    stack = b.stack(parameters=PARAMETERS | over.pop("parameters", {}), tags=over.pop("tags", {}))
    return lane_with(forwarders=(b.forwarder(),), stacks=(stack,), **over)


def test_what_is_there_is_used_and_nothing_is_made() -> None:
    assert only_skipped(planned(reusable())).status == "unchanged"
    assert planned(reusable()).warnings == ()
    assert arn(reusable()) == FORWARDER


def test_forwarders_that_cannot_be_read_are_not_taken_for_none() -> None:
    lane = lane_with(forwarders=Unreadable("lambda:ListFunctions", "denied"))
    assert "lambda:ListFunctions" in only_skipped(planned(lane)).reason
    assert arn(lane) is None


def test_of_several_the_registered_one_is_preferred_then_the_newest() -> None:
    old, new = b.forwarder("old", version="5.4.9"), b.forwarder("new", version="5.4.11")
    lane = lane_with(forwarders=(old, new))
    assert arn(lane) == new.arn
    assert "2 Forwarders" in planned(lane).warnings[0]
    account = b.account_snapshot(integration=b.integration(lambdas=(old.arn,)))
    snapshot = b.snapshot(lane, accounts=[account])
    assert forwarder_arn(b.lane(), snapshot, b.answers()) == old.arn


def test_a_forwarder_whose_function_is_gone_is_none() -> None:
    lane = lane_with(forwarders=(b.forwarder(),), functions=(FUNCTION,), stacks=())
    assert stack_change(planned(lane)).action == "create"


def elsewhere(*functions: Function, **over: Any) -> LaneSnapshot:
    """A Forwarder of ddsetup's that sends to another site."""
    held = b.secret(tags=OURS)
    told = {"DdSite": "datadoghq.com", "DdApiKeySecretArn": held.arn}
    stack = b.stack(tags=OURS, parameters={**PARAMETERS, **told})
    return b.lane_snapshot(
        FUNCTION,
        b.function("datadog-forwarder", env={"DD_SITE": "datadoghq.com"}),
        *functions,
        forwarders=(b.forwarder(),),
        stacks=(stack,),
        secrets={held.name: held},
        **over,
    )


def test_a_forwarder_of_ours_moves_to_another_site_once_the_key_for_it_is_there() -> None:
    plan = planned(elsewhere())
    made, moved = plan.changes
    beside = f"ddsetup/datadog-api-key/{b.SITE}"
    assert (made.resource.kind, made.resource.id, made.action) == ("secret", beside, "create")
    assert stack_after(plan).parameters == {"DdSite": b.SITE, "DdApiKeySecretArn": f"ref:secret:{beside}"}
    assert (moved.action, moved.needs) == ("update", (made.resource,))
    assert arn(elsewhere()) == FORWARDER
    own_key = planned(elsewhere(), key_source=KeySource(kind="secret", value=SECRET_ARN))
    assert [c.resource.kind for c in own_key.changes] == ["stack"]
    assert stack_after(own_key).parameters["DdApiKeySecretArn"] == SECRET_ARN


def test_beside_one_that_moves_another_is_still_named() -> None:
    lane = elsewhere(b.function("datadog-forwarder-2", env={"DD_SITE": "datadoghq.com"}))
    second = b.forwarder("datadog-forwarder-2", stack=None)
    plan = planned(replace(lane, forwarders=(b.forwarder(), second)))
    assert stack_after(plan).name == "datadog-forwarder"
    (said,) = [warning for warning in plan.warnings if "is not used" in warning]
    assert second.arn in said


def test_another_site_and_another_way_at_once_leave_a_forwarder_behind_which_is_said() -> None:
    instrumented = b.function("orders", handler=PYTHON_HANDLER, env={"DD_LAMBDA_HANDLER": "a.b"})
    lane = replace(elsewhere(), functions=(instrumented, b.function("datadog-forwarder")))
    every = Selection(all=True)
    (said,) = planned(lane, via="extension", selection=every).warnings
    assert "goes on sending to datadoghq.com" in said
    assert planned(elsewhere(), via="extension", selection=every).warnings == ()


def test_it_does_not_move_under_functions_that_are_not_chosen() -> None:
    other = b.function("billing", handler=PYTHON_HANDLER, env={"DD_LAMBDA_HANDLER": "a.b"})
    chosen = Selection(names=("orders",))
    said = only_skipped(planned(elsewhere(other), selection=chosen))
    assert "not chosen: billing" in said.reason
    assert planned(elsewhere(other), selection=Selection(all=True)).changes
    assert planned(elsewhere(b.function("plain")), selection=chosen).changes


def test_a_forwarder_for_another_site_is_not_used() -> None:
    lane = b.lane_snapshot(
        FUNCTION,
        b.function("datadog-forwarder", env={"DD_SITE": "datadoghq.com"}),
        forwarders=(b.forwarder(),),
        stacks=(b.stack(),),
    )
    plan = planned(lane)
    assert plan.changes == ()
    assert "datadoghq.com" in plan.warnings[0]
    assert other_site(b.snapshot(lane), b.answers()) == ("datadoghq.com", "datadog-forwarder")
    assert other_site(b.snapshot(lane), b.answers(site="datadoghq.com")) is None
    assert other_site(b.snapshot(lane), b.answers(via="extension")) is None
    assert other_site(b.snapshot(lane_with()), b.answers()) is None
    beside = planned(lane, forwarder_stack="second", forwarder_function="second")
    assert stack_after(beside).name == "second"


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_one_that_comes_or_goes_is_waited_for(status: str) -> None:
    lane = lane_with(forwarders=(b.forwarder(stack="theirs", stack_status=status),))
    assert "wait" in only_skipped(planned(lane)).fix
    assert arn(lane) is None
    assert arn(lane_with(forwarders=(b.forwarder(stack_status="UPDATE_IN_PROGRESS"),))) == FORWARDER


@pytest.mark.parametrize("over", [{"found_by": ("function",), "version": None}, {"version": "2.3.4"}])
def test_an_ancient_one_is_not_used(over: dict[str, Any]) -> None:
    old = b.forwarder("DatadogLambdaLogForwarder", stack=None, **over)
    plan = planned(lane_with(forwarders=(old,)))
    assert stack_after(plan).name == "datadog-forwarder"
    assert "DatadogLambdaLogForwarder" in plan.warnings[0]


def test_one_known_by_its_layer_alone_is_used() -> None:
    layer = Layer(f"arn:aws:lambda:{b.REGION}:464622532012:layer:Datadog-Forwarder:90")
    mine = b.function("mine", layers=(layer,))
    found = b.forwarder("mine", stack=None, version=None, found_by=("function",))
    assert arn(b.lane_snapshot(FUNCTION, mine, forwarders=(found,))) == mine.arn
    other = b.function("mine", layers=(Layer(f"arn:aws:lambda:{b.REGION}:1:layer:other:1"),))
    assert arn(b.lane_snapshot(FUNCTION, other, forwarders=(found,))) == FORWARDER


def test_one_with_a_version_needs_no_further_sign() -> None:
    found = b.forwarder("mine", stack=None, found_by=("function",), version="4.1.0")
    assert arn(lane_with(forwarders=(found,))) == found.arn


def test_an_unreadable_version_is_older_than_any() -> None:
    odd, known = b.forwarder("odd", version="5.x"), b.forwarder("known", version="3.0.0")
    assert arn(lane_with(forwarders=(odd, known))) == known.arn


def test_a_named_forwarder_is_used_in_both_modes() -> None:
    mine = b.function_arn("mine")
    assert arn(forwarder_arns=(mine,)) == mine
    assert arn(forwarder_arns=(mine,), via="extension") == mine
    assert arn(via="extension") is None
    assert "no function" in planned(forwarder_arns=(mine,)).warnings[0]


@pytest.mark.parametrize(
    "arns",
    [
        (b.function_arn("x", region="us-east-1"),),
        (b.function_arn("x", account=b.OTHER_ACCOUNT),),
        ("arn:aws:s3:::bucket",),
        (f"arn:aws:logs:{b.REGION}:{b.ACCOUNT}:function:x",),
        (b.function_arn("x"), b.function_arn("y")),
    ],
)
def test_a_named_forwarder_that_cannot_serve_is_refused(arns: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        planned(forwarder_arns=arns)


def test_a_shared_forwarder_that_holds_things_back_is_warned_about_not_changed() -> None:
    lane = reusable(parameters={"DdFetchLambdaTags": "false", "DdForwardLog": "false"})
    plan = planned(lane)
    assert plan.changes == ()
    assert len(plan.warnings) == 2
    assert "no-logs" in planned(reusable(), logs=False).warnings[0]


def test_a_stack_of_our_own_follows_what_is_asked_for() -> None:
    lane = reusable(tags=OURS, parameters={"DdForwardLog": "false"})
    plan = planned(lane, forwarder_params={"MemorySize": "2048"})
    change = stack_change(plan)
    assert isinstance(change.before, StackState)
    assert change.before.parameters == {"DdForwardLog": "false", "MemorySize": "1024"}
    assert stack_after(plan).parameters == {"DdForwardLog": "true", "MemorySize": "2048"}
    assert stack_after(plan).template_url == ""
    assert planned(reusable(tags=OURS)).changes == ()


def test_parameters_for_a_shared_stack_need_the_upgrade_flag() -> None:
    plan = planned(reusable(), forwarder_params={"MemorySize": "2048"})
    assert plan.changes == ()
    assert "--forwarder-upgrade" in plan.warnings[0]


# Upgrading


def test_an_upgrade_keeps_every_parameter_that_the_new_template_has() -> None:
    lane = reusable(parameters={"DdUseTcp": "true"}, template_parameters=tuple(PARAMETERS))
    plan = planned(lane, forwarder_upgrade=True, forwarder_params={"MemorySize": "2048"})
    change, after = stack_change(plan), stack_after(plan)
    assert isinstance(change.before, StackState)
    assert after.parameters == {"MemorySize": "2048"}
    assert change.before.parameters == {"MemorySize": "1024", "DdUseTcp": "true"}
    assert change.before.template_url.endswith("/5.4.11.yaml")
    assert "DdUseTcp" in change.note
    assert "newest version" in change.note
    assert change.resource.id == "datadog-forwarder"


def test_a_masked_value_never_enters_a_plan() -> None:
    lane = reusable(template_parameters=("MemorySize",))
    assert "****" not in str(planned(lane, forwarder_upgrade=True).changes)


def test_an_upgrade_to_the_version_that_is_there_does_nothing() -> None:
    assert planned(reusable(), forwarder_upgrade=True, forwarder_version="5.4.11").changes == ()


def test_an_upgrade_to_the_latest_is_one_to_the_version_that_the_template_names() -> None:
    assert planned(reusable(template_version="5.4.11"), forwarder_upgrade=True).changes == ()
    change = stack_change(planned(reusable(template_version="5.4.12"), forwarder_upgrade=True))
    assert isinstance(change.after, StackState)
    assert change.after.version == "5.4.12"
    assert change.after.template_url.endswith("latest.yaml")


def test_an_upgrade_to_the_same_version_changes_only_parameters_that_differ() -> None:
    asked: dict[str, Any] = {"forwarder_upgrade": True, "forwarder_version": "5.4.11"}
    assert planned(reusable(), **asked, forwarder_params={"MemorySize": "1024"}).changes == ()
    assert planned(reusable(), **asked, forwarder_params={"MemorySize": "2048"}).changes


def test_an_upgrade_with_an_unreadable_template_drops_no_parameter() -> None:
    lane = reusable(template_parameters=Unreadable("cloudformation:GetTemplateSummary", "denied"))
    change = stack_change(planned(lane, forwarder_upgrade=True))
    assert "no longer has" not in change.note


def test_an_upgrade_waits_for_a_stack_that_is_being_changed() -> None:
    lane = lane_with(forwarders=(b.forwarder(),), stacks=(b.stack(status="UPDATE_IN_PROGRESS"),))
    assert "wait" in only_skipped(planned(lane, forwarder_upgrade=True)).fix


def test_a_forwarder_without_a_stack_is_upgraded_by_its_own_tool() -> None:
    lane = lane_with(forwarders=(b.forwarder(stack=None, found_by=("tag",)),))
    assert "tool" in only_skipped(planned(lane, forwarder_upgrade=True)).fix


# Extension mode


def test_the_extension_needs_the_secret_but_no_forwarder() -> None:
    plan = planned(via="extension")
    assert [c.resource.kind for c in plan.changes] == ["secret"]
    assert plan.changes[0].step == "instrument"
    assert planned(via="extension", key_source=KeySource(kind="secret", value=SECRET_ARN)).changes == ()
