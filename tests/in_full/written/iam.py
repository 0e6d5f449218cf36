"""Roles with their policies, and single policies of roles that others made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddsetup.facts.iam_documents import trust_policy
from ddsetup.model.states import LogGroupState, RolePolicyState, RoleState, State
from tests.in_full.written.case import DENIED, NO_ROLE, OTHER, OURS, POLICY, TAKEN, Case

ROLE = RoleState(
    name="R",
    trust_account="464622532012",
    external_id="e" * 32,
    policies={"P": POLICY},
    attached=("arn:aws:iam::1:policy/a",),
)
MORE = replace(
    ROLE, external_id="f" * 32, policies={"P": OTHER, "Q": POLICY}, attached=("arn:aws:iam::1:policy/b",)
)


def role(
    state: RoleState = ROLE, *, tags: Mapping[str, str] = OURS, trust: Any = None, **over: Any
) -> dict[str, Any]:
    said = trust or trust_policy("aws", state.trust_account, state.external_id)
    policies, attached = over.get("policies", state.policies), over.get("attached", state.attached)
    found = {
        "RoleName": state.name,
        "Arn": "arn:r",
        "Path": "/",
        "AssumeRolePolicyDocument": json.dumps(said),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {
        "GetRole": [{"Role": found}],
        "ListRolePolicies": [{"PolicyNames": [*policies]}],
        "GetRolePolicy": [{"PolicyDocument": json.dumps(each)} for each in policies.values()] or [NO_ROLE],
        "ListAttachedRolePolicies": [{"AttachedPolicies": [{"PolicyArn": arn} for arn in attached]}],
    }


def a_role(
    before: RoleState | None, after: RoleState | None, live: Mapping[str, Any], **answers: Any
) -> Case:
    return Case("iam_role", "R", before, after, {**live, **answers})


NOBODY = {"GetRole": [NO_ROLE]}
ROLES = {
    "made": a_role(None, ROLE, NOBODY),
    "made with a boundary and tags": a_role(
        None, replace(ROLE, boundary="arn:aws:iam::1:policy/b", tags={"team": "x"}), NOBODY
    ),
    "made, as it is": a_role(None, ROLE, role()),
    "made, another is there": a_role(None, ROLE, role(policies={})),
    "made, not to be seen": a_role(None, ROLE, {"GetRole": [DENIED]}),
    "made, taken meanwhile": a_role(None, ROLE, NOBODY, CreateRole=[TAKEN]),
    "made, taken by ourselves": a_role(
        None, ROLE, {**role(), "GetRole": [NO_ROLE, role()["GetRole"][0]]}, CreateRole=[TAKEN]
    ),
    "made, taken by another": a_role(
        None,
        ROLE,
        {**role(), "GetRole": [NO_ROLE, role(MORE)["GetRole"][0]]},
        CreateRole=[TAKEN],
    ),
    "made, not known everywhere yet": a_role(None, ROLE, NOBODY, PutRolePolicy=[NO_ROLE, NO_ROLE, {}]),
    "made, never known": a_role(None, ROLE, NOBODY, AttachRolePolicy=[NO_ROLE]),
    "made in part": a_role(None, ROLE, NOBODY, AttachRolePolicy=[DENIED], DeleteRole=[DENIED]),
    "changed": a_role(ROLE, MORE, role()),
    "changed, as it is": a_role(ROLE, MORE, role(MORE)),
    "changed, in part already": a_role(ROLE, MORE, role(ROLE, policies={"P": OTHER, "Q": POLICY})),
    "changed, not as before": a_role(ROLE, MORE, role(ROLE, policies={"P": {"x": 1}}, attached=())),
    "changed, another may assume it": a_role(ROLE, MORE, role(replace(ROLE, external_id="9" * 32))),
    "changed, gone": a_role(ROLE, MORE, NOBODY),
    "only trust changed": a_role(ROLE, replace(ROLE, external_id="f" * 32), role()),
    "only a policy changed": a_role(
        ROLE, replace(ROLE, policies={"P": OTHER}), role(trust={"Statement": []})
    ),
    "deleted": a_role(ROLE, None, role()),
    "deleted, gone": a_role(ROLE, None, NOBODY),
    "deleted, theirs": a_role(ROLE, None, role(tags={})),
    "deleted, in part": a_role(ROLE, None, role(policies={}, attached=())),
    "deleted, with more": a_role(
        ROLE, None, role(policies={"P": POLICY, "X": OTHER}, attached=("arn:aws:iam::1:policy/z",))
    ),
    "deleted, with another policy": a_role(ROLE, None, role(policies={"P": OTHER})),
    "deleted, another may assume it": a_role(ROLE, None, role(replace(ROLE, external_id="9" * 32))),
    "nothing": a_role(None, None, {}),
    "another kind": Case("iam_role", "R", LogGroupState(name="x"), None),
}
MANAGED = replace(ROLE, attached=(), managed={"M": POLICY})
ATTACHED: dict[str, Any] = {"attached": ("arn:aws:iam::123456789012:policy/M",)}
VERSIONS: dict[str, Any] = {
    "GetPolicy": [{"Policy": {"Arn": ATTACHED["attached"][0], "DefaultVersionId": "v1"}}],
    "GetPolicyVersion": [{"PolicyVersion": {"Document": json.dumps(POLICY), "VersionId": "v1"}}],
}
OTHERS = {"GetPolicyVersion": [{"PolicyVersion": {"Document": json.dumps(OTHER), "VersionId": "v1"}}]}
ROLES |= {
    "managed, made": a_role(None, MANAGED, NOBODY),
    "managed, made before": a_role(None, MANAGED, {**NOBODY, **VERSIONS}, CreatePolicy=[TAKEN]),
    "managed, another's": a_role(None, MANAGED, {**NOBODY, **VERSIONS, **OTHERS}, CreatePolicy=[TAKEN]),
    "managed, the second another's": a_role(
        None,
        replace(MANAGED, managed={"L": POLICY, "M": POLICY, "N": POLICY}),
        {**NOBODY, **VERSIONS, **OTHERS},
        CreatePolicy=[{}, TAKEN],
    ),
    "managed, denied": a_role(None, MANAGED, NOBODY, CreatePolicy=[DENIED]),
    "managed, as it is": a_role(None, MANAGED, {**role(MANAGED, **ATTACHED), **VERSIONS}),
    "managed, added": a_role(replace(MANAGED, managed={}), MANAGED, {**role(MANAGED), **VERSIONS}),
    "managed, taken out": a_role(
        MANAGED, replace(MANAGED, managed={}), {**role(MANAGED, **ATTACHED), **VERSIONS}
    ),
    "managed, deleted": a_role(MANAGED, None, {**role(MANAGED, **ATTACHED), **VERSIONS}),
    "managed, deleted, attached elsewhere": a_role(
        MANAGED,
        None,
        {**role(MANAGED, **ATTACHED), **VERSIONS},
        DeletePolicy=[("DeleteConflict", "attached elsewhere", 409)],
    ),
}
GRANT = RolePolicyState(role_name="R", policy_name="P", document=POLICY)
NEXT = replace(GRANT, document=OTHER)


def a_policy(before: State | None, after: State | None, live: Any) -> Case:
    found = {"PolicyDocument": json.dumps(live)} if isinstance(live, dict) else live
    return Case("role_policy", "R/P", before, after, {"GetRolePolicy": [found]})


POLICIES = {
    "put": a_policy(None, GRANT, NO_ROLE),
    "put, as it is": a_policy(None, GRANT, POLICY),
    "put, another is there": a_policy(None, GRANT, OTHER),
    "put, not to be seen": a_policy(None, GRANT, DENIED),
    "changed": a_policy(GRANT, NEXT, POLICY),
    "changed, gone": a_policy(GRANT, NEXT, NO_ROLE),
    "deleted": a_policy(GRANT, None, POLICY),
    "deleted, gone": a_policy(GRANT, None, NO_ROLE),
    "deleted, another": a_policy(GRANT, None, OTHER),
    "nothing": a_policy(None, None, NO_ROLE),
}
