"""The integration and its role: adopted as they are, created only where nothing is, never planned blind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.facts.iam_documents import allowed_actions, missing_actions
from ddsetup.model.account import Integration, NamespaceFilter, Role, Unreadable
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.errors import UsageError
from ddsetup.model.states import REF_EXTERNAL_ID, IntegrationState, RoleState
from ddsetup.plan.steps import integration
from ddsetup.plan.steps.integration_role import ADDED_POLICY, STANDARD_POLICY
from ddsetup.plan.steps.namespaces import DEFAULT_EXCLUDED, SERVICES, admitting, wanted_namespaces
from ddsetup.settings.table import INTEGRATIONS
from tests import builders as b

OURS = {"created_by": "ddsetup"}


def planned(answers: dict[str, Any] | None = None, **account: Any) -> Plan:
    snapshot = b.snapshot(accounts=[b.account_snapshot(**account)])
    return integration.plan(snapshot, b.answers(**(answers or {})), ())


def change(plan: Plan, kind: str) -> Change:
    (found,) = [c for c in plan.changes if c.resource.kind == kind]
    return found


def role_after(plan: Plan) -> RoleState:
    after = change(plan, "iam_role").after
    assert isinstance(after, RoleState)
    return after


def record_after(plan: Plan) -> IntegrationState:
    after = change(plan, "integration").after
    assert isinstance(after, IntegrationState)
    return after


def skipped(plan: Plan, kind: str) -> Skipped:
    (found,) = [s for s in plan.skipped if s.resource.kind == kind]
    return found


def adopted(role: Role | None = None, live: Integration | None = None, **answers: Any) -> Plan:
    return planned(answers, integration=live or b.integration(), role=role or b.role())


# An untouched account


def test_an_untouched_account_gets_a_role_and_a_record_that_needs_it() -> None:
    plan = planned()
    role, record = change(plan, "iam_role"), change(plan, "integration")
    assert [c.action for c in plan.changes] == ["create", "create"]
    assert record.needs == (role.resource,)
    assert role.resource.region == record.resource.region == ""
    assert plan.skipped == ()


def test_a_new_role_trusts_the_account_of_its_site_with_an_external_id_yet_to_be_issued() -> None:
    assert role_after(planned()).trust_account == "464622532012"
    assert role_after(planned({"site": "ap1.datadoghq.com"})).trust_account == "417141415827"
    assert role_after(planned()).external_id == REF_EXTERNAL_ID


def test_a_new_role_gets_datadogs_list_and_what_ddsetup_relies_on() -> None:
    after = role_after(planned(permissions=("ec2:Describe*",)))
    actions = allowed_actions(after.policies[STANDARD_POLICY])
    assert {"ec2:Describe*", "lambda:List*", "tag:GetResources", "logs:PutSubscriptionFilter"} <= set(actions)


def test_the_audit_policy_is_attached_only_for_resource_collection() -> None:
    assert role_after(planned()).attached == ()
    attached = role_after(planned({"resource_collection": True})).attached
    assert attached == ("arn:aws:iam::aws:policy/SecurityAudit",)
    assert record_after(planned({"resource_collection": True})).resource_collection


CHUNKS = (("ec2:GetA", "waf:ListB"), ("s3:GetC",))
NAME = "datadog-aws-integration-resource-collection-permissions-v2-DatadogIntegrationRole"


def collecting(role: Role | None, **over: Any) -> Plan:
    integration = None if role is None else b.integration()
    return planned(
        {"resource_collection": True}, collection=CHUNKS, role=role, integration=integration, **over
    )


def test_resource_collection_takes_policies_of_its_own_in_datadogs_pieces() -> None:
    managed = role_after(collecting(None)).managed
    assert {name: allowed_actions(d) for name, d in managed.items()} == {
        f"{NAME}-1": CHUNKS[0],
        f"{NAME}-2": CHUNKS[1],
    }
    assert role_after(planned(collection=CHUNKS)).managed == {}


def test_only_rights_that_are_missing_are_added_in_policies_of_further_numbers() -> None:
    held = {f"{NAME}-1": b.policy("ec2:Get*"), f"{NAME}-7": b.policy("s3:GetC")}
    role = b.role(managed=held, attached=tuple(f"arn:aws:iam::1:policy/{name}" for name in held))
    after = role_after(collecting(role))
    assert {name: allowed_actions(d) for name, d in after.managed.items()} == {f"{NAME}-8": ("waf:ListB",)}
    complete = b.role(
        managed={f"{NAME}-1": b.policy("*")}, attached=("arn:aws:iam::aws:policy/SecurityAudit",)
    )
    assert [c for c in collecting(complete).changes if c.resource.kind == "iam_role"] == []


def test_policies_that_cannot_be_read_are_taken_for_datadogs_own() -> None:
    assert role_after(collecting(b.role(managed={f"{NAME}-1": None}))).managed == {}


def test_more_policies_than_a_role_may_have_are_told() -> None:
    role = b.role(attached=tuple(f"arn:aws:iam::1:policy/p{n}" for n in range(8)))
    assert "11 managed policies" in change(collecting(role), "iam_role").note


def test_a_permission_list_too_long_for_inline_policies_is_refused() -> None:
    plan = planned(permissions=tuple(f"service{n}:DescribeSomething{n}" for n in range(400)))
    assert plan.changes == ()
    assert "10240" in skipped(plan, "iam_role").reason
    assert "role" in skipped(plan, "integration").reason


def test_a_new_record_always_says_which_namespaces_it_leaves_out() -> None:
    after = record_after(planned())
    assert (after.namespaces_mode, set(after.namespaces)) == (
        "exclude_only",
        {"AWS/SQS", "AWS/ElasticMapReduce"},
    )


def test_choosing_sqs_takes_it_out_of_the_exclusion() -> None:
    assert "AWS/SQS" not in record_after(planned({"integration_namespaces": ("sqs",)})).namespaces


@pytest.mark.parametrize(
    ("partition", "site", "hint"),
    [
        ("aws-us-gov", "datadoghq.com", "ddog-gov.com"),
        ("aws-cn", "datadoghq.eu", "access keys"),
    ],
)
def test_a_site_that_cannot_assume_roles_in_the_partition_is_refused(
    partition: str, site: str, hint: str
) -> None:
    plan = planned({"site": site}, identity=b.identity(partition=partition))
    assert plan.changes == ()
    assert partition in skipped(plan, "integration").reason
    assert hint in skipped(plan, "integration").fix


def test_a_government_account_uses_the_government_sites_own_account() -> None:
    plan = planned({"site": "ddog-gov.com"}, identity=b.identity(partition="aws-us-gov"))
    assert role_after(plan).trust_account == "065115117704"


# What is there already


def test_a_complete_integration_needs_nothing() -> None:
    plan = adopted()
    assert plan.changes == ()
    assert {s.status for s in plan.skipped} == {"unchanged"}


def test_what_the_plan_makes_is_what_it_then_finds_complete() -> None:
    wanted = {"integration_namespaces": ("sqs", "dynamodb"), "resource_collection": True}
    plan = planned(wanted)
    made, record = role_after(plan), record_after(plan)
    role = b.role(inline=dict(made.policies), attached=made.attached, tags=OURS)
    live = b.integration(
        namespaces=NamespaceFilter(mode="exclude_only", names=record.namespaces), resource_collection=True
    )
    assert planned(wanted, integration=live, role=role).changes == ()


def test_the_account_without_the_namespaces_chosen_gets_them_and_keeps_the_rest() -> None:
    plan = adopted(integration_namespaces=("sqs",))
    record = change(plan, "integration")
    assert isinstance(record.before, IntegrationState)
    assert record.before.namespaces == ("AWS/SQS", "AWS/ElasticMapReduce")
    assert record_after(plan).namespaces == ("AWS/ElasticMapReduce",)
    assert record.action == "update"


def test_a_record_that_crawls_a_few_namespaces_gets_lambda_added() -> None:
    live = b.integration(namespaces=NamespaceFilter(mode="include_only", names=("AWS/EC2",)))
    after = record_after(adopted(live=live))
    assert (after.namespaces_mode, after.namespaces) == ("include_only", ("AWS/EC2", "AWS/Lambda"))


def test_an_unknown_filter_stays_unless_something_excluded_by_default_is_chosen() -> None:
    live = b.integration(namespaces=None)
    assert adopted(live=live).changes == ()
    assert record_after(adopted(live=live, integration_namespaces=("sqs",))).namespaces_mode == "exclude_only"


def test_a_region_that_is_not_admitted_is_added() -> None:
    live = b.integration(regions=("us-east-1",))
    assert record_after(adopted(live=live)).regions == ("us-east-1", b.REGION)
    assert adopted(live=b.integration(regions=(b.REGION,))).changes == ()


def test_both_sides_of_an_update_name_the_records_own_role() -> None:
    live = b.integration(metrics_enabled=False, role_name="Theirs")
    record = change(adopted(role=b.role("Theirs"), live=live), "integration")
    assert isinstance(record.before, IntegrationState)
    assert record.before.role_name == record_after(Plan(changes=(record,))).role_name == "Theirs"


def test_metrics_that_are_off_are_switched_on() -> None:
    assert record_after(adopted(live=b.integration(metrics_enabled=False))).metrics_enabled


def test_resource_collection_that_is_on_is_never_switched_off() -> None:
    assert adopted(live=b.integration(resource_collection=True)).changes == ()


def test_an_integration_with_access_keys_is_kept_and_gets_no_role() -> None:
    live = b.integration(access_key_auth=True, role_name=None, external_id=None)
    plan = planned({"integration_namespaces": ("sqs",)}, integration=live, role=None)
    assert [c.resource.kind for c in plan.changes] == ["integration"]


def test_account_tags_of_others_are_part_of_both_sides() -> None:
    live = b.integration(metrics_enabled=False, raw={"account_tags": ["team:a"]})
    assert record_after(adopted(live=live)).tags == ("team:a",)


# The role behind an integration


def test_missing_rights_go_into_a_policy_of_our_own_beside_theirs() -> None:
    theirs = b.policy("cloudwatch:*", "lambda:List*")
    plan = adopted(role=b.role(inline={"Theirs": theirs}))
    after = role_after(plan)
    assert set(after.policies) == {ADDED_POLICY}
    assert "tag:GetResources" in allowed_actions(after.policies[ADDED_POLICY])
    assert "lambda:List*" not in allowed_actions(after.policies[ADDED_POLICY])
    before = change(plan, "iam_role").before
    assert isinstance(before, RoleState)
    assert before.policies == {}
    assert (before.external_id, before.trust_account) == (after.external_id, after.trust_account)


def test_rights_added_before_are_kept_when_more_are_added() -> None:
    role = b.role(inline={ADDED_POLICY: b.policy("cloudwatch:*", "tag:GetResources")})
    plan = adopted(role=role)
    actions = allowed_actions(role_after(plan).policies[ADDED_POLICY])
    assert {"cloudwatch:*", "tag:GetResources", "lambda:List*"} <= set(actions)
    before = change(plan, "iam_role").before
    assert isinstance(before, RoleState)
    assert before.policies == role.inline


def test_without_automatic_triggers_no_right_to_subscribe_is_added() -> None:
    role = b.role(inline={"Theirs": b.policy("cloudwatch:*", "lambda:List*", "tag:GetResources")})
    assert adopted(role=role, subscribe="direct").changes == ()
    assert "logs:PutSubscriptionFilter" in str(adopted(role=role).changes)


def test_a_right_under_a_condition_or_on_one_resource_does_not_count() -> None:
    conditional = {
        **b.policy("tag:*")["Statement"][0],
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    }
    narrow = {**b.policy("lambda:*")["Statement"][0], "Resource": "arn:aws:lambda:eu-west-1:1:function:x"}
    document = {"Version": "2012-10-17", "Statement": [conditional, narrow]}
    assert missing_actions(("tag:GetResources", "lambda:List*"), [document]) == (
        "tag:GetResources",
        "lambda:List*",
    )


def test_managed_policies_that_were_not_read_are_mentioned() -> None:
    role = b.role(inline={}, attached=("arn:aws:iam::111122223333:policy/DatadogPolicy",))
    assert "managed policies were not read" in change(adopted(role=role), "iam_role").note


def test_the_role_that_datadog_names_but_is_gone_comes_back_with_the_records_external_id() -> None:
    plan = planned(integration=b.integration(role_name="TheirRole"), role=None)
    after = role_after(plan)
    assert (after.name, after.external_id) == ("TheirRole", b.EXTERNAL_ID)


@pytest.mark.parametrize(
    ("trust", "problem"),
    [
        (b.trust_policy("f" * 32), "another external id"),
        (b.trust_policy(principal="arn:aws:iam::999999999999:root"), "does not trust Datadog's account"),
        ({"Version": "2012-10-17", "Statement": []}, "does not trust Datadog's account"),
    ],
)
def test_a_broken_trust_of_somebody_elses_role_is_reported_with_the_command_that_mends_it(
    trust: Any, problem: str
) -> None:
    plan = adopted(role=b.role(trust=trust))
    assert plan.changes == ()
    said = skipped(plan, "iam_role")
    assert (said.status, problem in said.reason) == ("skipped", True)
    assert "update-assume-role-policy" in said.fix
    assert b.EXTERNAL_ID in said.fix


def test_a_broken_trust_of_our_own_role_is_mended() -> None:
    plan = adopted(role=b.role(trust=b.trust_policy("f" * 32), tags=OURS))
    before = change(plan, "iam_role").before
    assert isinstance(before, RoleState)
    assert before.external_id == "f" * 32
    assert role_after(plan).external_id == b.EXTERNAL_ID


def test_trust_written_with_the_account_number_or_several_ids_is_fine() -> None:
    several = b.trust_policy(principal=b.DATADOG_ACCOUNT)
    several["Statement"][0]["Condition"] = {"StringEquals": {"STS:ExternalId": ["other", b.EXTERNAL_ID]}}
    assert adopted(role=b.role(trust=several)).changes == ()


# A role without an integration


def test_a_role_of_an_interrupted_run_is_used_again_with_a_new_external_id() -> None:
    plan = planned(role=b.role(tags=OURS))
    role = change(plan, "iam_role")
    assert role.action == "update"
    assert role_after(plan).external_id == REF_EXTERNAL_ID
    assert change(plan, "integration").needs == (role.resource,)


def test_somebody_elses_role_without_an_integration_is_not_touched() -> None:
    plan = planned(role=b.role())
    assert plan.changes == ()
    assert "--role-name" in skipped(plan, "iam_role").fix
    assert skipped(plan, "integration").status == "skipped"


# What cannot be read


def test_an_unreadable_record_is_not_planned_over() -> None:
    plan = planned(integration=Unreadable("aws_configuration_read", "Forbidden"))
    assert plan.changes == ()
    assert "aws_configuration_read" in skipped(plan, "integration").reason


def test_an_unreadable_role_is_not_planned_over() -> None:
    unreadable = Unreadable("iam:GetRole", "AccessDenied")
    plan = planned(role=unreadable)
    assert plan.changes == ()
    assert "iam:GetRole" in skipped(plan, "iam_role").reason
    with_record = planned({"integration_namespaces": ("sqs",)}, integration=b.integration(), role=unreadable)
    assert [c.resource.kind for c in with_record.changes] == ["integration"]


# Names of services


def test_the_short_names_are_those_of_the_command_line() -> None:
    assert tuple(SERVICES) == INTEGRATIONS


def test_a_misspelt_service_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        planned({"integration_namespaces": ("dynamo",)})
    assert "dynamodb" in raised.value.fix


@pytest.mark.parametrize("name", ["Glue", "AWS/SES", "/aws/sagemaker/jobs"])
def test_a_namespace_may_be_spelled_out(name: str) -> None:
    assert name in wanted_namespaces(b.answers(integration_namespaces=(name, "SQS")))


def test_a_namespace_that_datadog_does_not_list_is_warned_about() -> None:
    (warning,) = planned({"integration_namespaces": ("AWS/Nowhere",)}).warnings
    assert "AWS/Nowhere" in warning


namespaces = st.lists(
    st.sampled_from(["AWS/Lambda", "AWS/SQS", "AWS/EC2", "AWS/DynamoDB", "AWS/Usage"]), unique=True
).map(tuple)
filters = st.none() | st.builds(
    NamespaceFilter, mode=st.sampled_from(["include_only", "exclude_only"]), names=namespaces
)


@given(filters, namespaces, namespaces)
def test_a_filter_changed_admits_what_is_wanted_and_no_less_than_before(
    live: NamespaceFilter | None, wanted: tuple[str, ...], available: tuple[str, ...]
) -> None:
    after = admitting(live, wanted, available)
    if live is not None:
        assert after is not None
        assert all(after.admits(n) for n in wanted)
        assert all(after.admits(n) for n in DEFAULT_EXCLUDED if live.admits(n))
        assert after.mode == live.mode
    elif after is not None:
        assert all(after.admits(n) for n in wanted)
    assert admitting(after, wanted, available) == after


actions = st.sets(st.sampled_from([*b.PERMISSIONS, "s3:Get*", "ec2:DescribeRegions", "iam:PassRole"]))


@given(actions, actions, st.booleans(), st.booleans())
def test_whatever_a_role_had_it_keeps_and_a_second_plan_is_empty(
    theirs: set[str], added: set[str], ours: bool, automatic: bool
) -> None:
    inline = {"Theirs": b.policy(*theirs)} if theirs else {}
    inline |= {ADDED_POLICY: b.policy(*added)} if added else {}
    role = b.role(inline=inline, tags=OURS if ours else {})
    subscribe = "automatic" if automatic else "direct"
    plan = adopted(role=role, subscribe=subscribe)
    policies = dict(role_after(plan).policies) if plan.changes else {}
    after = b.role(inline=inline | policies, tags=role.tags)
    assert not missing_actions(theirs | added, after.inline.values())
    assert adopted(role=after, subscribe=subscribe).changes == ()


def test_a_record_that_reads_more_waits_for_the_role_that_lets_it() -> None:
    plan = adopted(role=b.role(inline={}), live=b.integration(metrics_enabled=False))
    assert change(plan, "integration").needs == (change(plan, "iam_role").resource,)
