"""Writers of roles and their policies, against moto's server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ddsetup.facts.iam_documents import trust_policy
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import RolePolicyState, RoleState
from tests.gateways.bench import (
    Bench,
    answer,
    aws,
    bench,
    change,
    moto_url,
    role_of_a_function,
    there_and_back,
)

__all__ = ["aws", "bench", "moto_url"]

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
OTHER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]}
ROLE = RoleState(
    name="DatadogIntegrationRole",
    trust_account="464622532012",
    external_id="e" * 32,
    policies={"DatadogAWSIntegrationPolicyV2": POLICY},
    attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
)


@pytest.fixture
def managed(bench: Bench) -> RoleState:
    made = bench.client("iam").create_policy(PolicyName="ReadMore", PolicyDocument=json.dumps(OTHER))
    return replace(ROLE, attached=(made["Policy"]["Arn"],))


def test_a_role_is_made_whole_and_given_back(bench: Bench, managed: RoleState) -> None:
    there_and_back(bench, change("iam_role", managed.name, None, managed))
    roles = bench.client("iam").list_roles()["Roles"]
    assert roles == []


def test_a_role_trusts_datadog_with_the_external_id_only(bench: Bench, managed: RoleState) -> None:
    bench.one(change("iam_role", managed.name, None, managed))
    role = bench.client("iam").get_role(RoleName=managed.name)["Role"]
    assert role["AssumeRolePolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::464622532012:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "e" * 32}},
            }
        ],
    }
    assert {"Key": "created_by", "Value": "ddsetup"} in role["Tags"]


def test_a_role_that_exists_is_not_taken_over(bench: Bench, managed: RoleState) -> None:
    role_of_a_function(bench, managed.name)
    outcome = bench.one(change("iam_role", managed.name, None, managed))
    assert (outcome.status, "exists already" in outcome.reason) == ("changed_since", True)
    assert bench.client("iam").list_role_policies(RoleName=managed.name)["PolicyNames"] == []


def test_a_role_of_which_no_answer_told_is_made_whole_and_given_back(
    bench: Bench, managed: RoleState
) -> None:
    bench.lose_answer("iam:CreateRole")
    there_and_back(bench, change("iam_role", managed.name, None, managed))
    assert bench.lost == ["iam:CreateRole"]


def test_a_role_that_cannot_be_finished_is_taken_back(bench: Bench) -> None:
    broken = replace(ROLE, attached=("arn:aws:iam::123456789012:policy/none",))
    with pytest.raises(GatewayError):
        bench.one(change("iam_role", broken.name, None, broken))
    assert bench.client("iam").list_roles()["Roles"] == []


def test_a_half_made_role_can_be_given_back(bench: Bench, managed: RoleState) -> None:
    forward = change("iam_role", managed.name, None, managed)
    bench.one(forward)
    iam = bench.client("iam")
    iam.detach_role_policy(RoleName=managed.name, PolicyArn=managed.attached[0])
    iam.delete_role_policy(RoleName=managed.name, PolicyName="DatadogAWSIntegrationPolicyV2")
    assert bench.one(forward.inverse()).status == "applied"
    assert iam.list_roles()["Roles"] == []


MADE = {f"datadog-aws-integration-resource-collection-permissions-v2-{ROLE.name}-{n}": POLICY for n in (1, 2)}


def policies(bench: Bench) -> set[str]:
    return {each["PolicyName"] for each in bench.client("iam").list_policies(Scope="Local")["Policies"]}


def test_policies_of_its_own_come_and_go_with_a_role(bench: Bench) -> None:
    state = replace(ROLE, attached=(), managed=MADE)
    there_and_back(bench, change("iam_role", state.name, None, state))
    assert policies(bench) == set()


def test_policies_of_its_own_are_added_to_a_role_and_taken_away_again(bench: Bench) -> None:
    bench.one(change("iam_role", ROLE.name, None, replace(ROLE, attached=())))
    before = replace(ROLE, policies={}, attached=())
    there_and_back(bench, change("iam_role", ROLE.name, before, replace(before, managed=MADE)))
    assert policies(bench) == set()


def test_a_policy_that_a_run_left_is_taken_up_again_and_another_one_is_not(bench: Bench) -> None:
    (name, other), iam = MADE, bench.client("iam")
    bench.one(change("iam_role", ROLE.name, None, replace(ROLE, attached=())))
    before = replace(ROLE, policies={}, attached=())
    iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(POLICY))
    assert (
        bench.one(change("iam_role", ROLE.name, before, replace(before, managed={name: POLICY}))).status
        == "applied"
    )
    iam.create_policy(PolicyName=other, PolicyDocument=json.dumps(OTHER))
    with pytest.raises(GatewayError, match="says something else"):
        bench.one(change("iam_role", ROLE.name, before, replace(before, managed={other: POLICY})))


def test_a_policy_that_somebody_uses_elsewhere_stays(bench: Bench) -> None:
    state = replace(ROLE, attached=(), managed=MADE)
    forward = change("iam_role", state.name, None, state)
    bench.one(forward)
    # moto deletes what is attached; AWS does not.
    attached = answer(409, "DeleteConflict", "Cannot delete a policy attached to entities.", xml=True)
    bench.refuse("iam:DeletePolicy", [attached])
    assert bench.one(forward.inverse()).status == "applied"
    assert policies(bench) == {next(iter(MADE))}


@pytest.mark.parametrize("touch", ["policy", "foreign policy", "trust", "tag"])
def test_a_role_that_somebody_changed_is_not_deleted(bench: Bench, managed: RoleState, touch: str) -> None:
    forward = change("iam_role", managed.name, None, managed)
    bench.one(forward)
    iam, document = bench.client("iam"), json.dumps(OTHER)
    if touch == "policy":
        iam.put_role_policy(
            RoleName=managed.name, PolicyName="DatadogAWSIntegrationPolicyV2", PolicyDocument=document
        )
    elif touch == "foreign policy":
        iam.put_role_policy(RoleName=managed.name, PolicyName="theirs", PolicyDocument=document)
    elif touch == "trust":
        trust = trust_policy("aws", "464622532012", "another")
        iam.update_assume_role_policy(RoleName=managed.name, PolicyDocument=json.dumps(trust))
    else:
        iam.untag_role(RoleName=managed.name, TagKeys=["created_by"])
    assert bench.one(forward.inverse()).status == "changed_since"
    assert len(iam.list_roles()["Roles"]) == 1


def test_a_foreign_role_is_changed_in_what_is_owned_only(bench: Bench) -> None:
    iam = bench.client("iam")
    role_of_a_function(bench, ROLE.name)
    iam.put_role_policy(RoleName=ROLE.name, PolicyName="theirs", PolicyDocument=json.dumps(OTHER))
    before = replace(ROLE, policies={}, attached=())
    after = replace(before, policies={"ddsetup-datadog-permissions": POLICY})
    there_and_back(bench, change("iam_role", ROLE.name, before, after))
    assert iam.list_role_policies(RoleName=ROLE.name)["PolicyNames"] == ["theirs"]


def test_an_update_cut_short_is_finished_and_given_back(bench: Bench, managed: RoleState) -> None:
    bench.one(change("iam_role", managed.name, None, managed))
    after = replace(managed, external_id="f" * 32, policies={**managed.policies, "more": OTHER})
    forward = change("iam_role", managed.name, managed, after)
    iam = bench.client("iam")
    iam.put_role_policy(RoleName=managed.name, PolicyName="more", PolicyDocument=json.dumps(OTHER))
    assert bench.one(forward.inverse()).status == "applied"
    assert iam.list_role_policies(RoleName=managed.name)["PolicyNames"] == list(managed.policies)
    iam.put_role_policy(RoleName=managed.name, PolicyName="more", PolicyDocument=json.dumps(POLICY))
    assert bench.one(forward).status == "changed_since"


def test_a_policy_on_a_functions_role(bench: Bench) -> None:
    role_of_a_function(bench)
    state = RolePolicyState(role_name="orders-role", policy_name="ddsetup-read", document=POLICY)
    forward = change("role_policy", "orders-role/ddsetup-read", None, state)
    there_and_back(bench, forward)
    bench.client("iam").put_role_policy(
        RoleName="orders-role", PolicyName="ddsetup-read", PolicyDocument=json.dumps(OTHER)
    )
    assert bench.one(forward).status == "changed_since"
    assert bench.one(forward.inverse()).status == "changed_since"
