"""Which IAM actions ddsetup needs for what: data for the policy, the preflight check and the docs.

The action names are those of the AWS Service Authorization Reference; what the Forwarder's template needs of
the one who deploys it is in `stack_access`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.facts.kinds import KINDS, PUT_FILTER, TAG, UNTAG, Kind
from ddsetup.model.account import Json
from ddsetup.model.change import Change
from ddsetup.model.states import FilterState, FunctionState, LogGroupState, RoleState, SecretState, TagsState

LOOK = (
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplateSummary",
    "cloudtrail:LookupEvents",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetricStreams",
    "cloudwatch:ListMetrics",
    "events:DescribeRule",
    "iam:ListAccountAliases",
    "iam:ListRoles",
    "iam:SimulatePrincipalPolicy",
    "lambda:GetAccountSettings",
    "lambda:ListFunctions",
    "logs:DescribeAccountPolicies",
    "logs:DescribeLogGroups",
    "states:ListStateMachines",
    "tag:GetResources",
)
"""Reads that cannot be limited to resources and still show what is there, or that show nothing secret."""

PURPOSE = "@"
"""Between an action and the kind of resource it is asked about, where it is asked about several kinds."""

LOOK_AT_ROLE = ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
LIST_TRAILS = ("cloudtrail:DescribeTrails",)
LOOK_AT_TRAILS = ("cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus")
LOOK_AT_BUILDS = ("codebuild:BatchGetBuilds", "codebuild:ListBuildsForProject")
LOOK_AT_ALARMS = ("cloudwatch:DescribeAlarms",)
LOOK_AT_TEMPLATE = ("cloudformation:GetTemplate",)
"""How `keep install` and `keep status` see whether deployments are heard of, and how runs went."""
LOOK_AT_STREAM = ("cloudwatch:GetMetricStream",)
LOOK_AT_FUNCTION = ("lambda:GetFunction", "lambda:GetPolicy", "lambda:ListAliases")
LOOK_AT_PROVISIONED = ("lambda:ListProvisionedConcurrencyConfigs",)
LOOK_AT_LAYER = ("lambda:GetLayerVersion",)
LOOK_AT_SECRET = ("secretsmanager:DescribeSecret",)
LOOK_AT_FILTERS = ("logs:DescribeSubscriptionFilters",)
LOOK_AT_EVENTS = ("cloudformation:DescribeStackEvents",)
LOOK_AT_KEY_ACCESS = ("iam:GetRolePolicy",)
LOOK_AT_HEALTH = (
    "lambda:GetFunction",
    "lambda:GetFunctionConcurrency",
    "lambda:GetPolicy",
    "lambda:ListVersionsByFunction",
)
LOOK_AT_LOGS = ("logs:FilterLogEvents",)
LOOK_AT_DELIVERIES = ("firehose:DescribeDeliveryStream",)
"""Which delivery streams lead to Datadog is seen by looking; their keys are never told."""
LOOK_AT_KEY = ("secretsmanager:GetSecretValue",)
"""What only the doctor reads; the key is sent to Datadog's validation and kept nowhere."""

DECRYPT = ("kms:Decrypt",)
"""To read an API key that is encrypted with a key of the customer's own."""

OPTIONAL = frozenset(
    {
        "cloudformation:GetTemplateSummary",
        "cloudtrail:LookupEvents",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStream",
        "cloudwatch:ListMetricStreams",
        "cloudwatch:ListMetrics",
        "events:DescribeRule",
        "firehose:DescribeDeliveryStream",
        "iam:ListAccountAliases",
        "iam:ListRoles",
        "iam:SimulatePrincipalPolicy",
        "lambda:GetAccountSettings",
        "lambda:GetPolicy",
        "lambda:ListAliases",
        "logs:DescribeAccountPolicies",
        "states:ListStateMachines",
    }
)
"""Reads without which a run still does its work, with less to say."""


WRITES: Mapping[str, Kind] = {name: kind for name, kind in KINDS.items() if kind.writes}
"""By kind of resource. What is Datadog's takes permissions there, and is not here."""

ATTACH = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
"""For SecurityAudit, and the policies of resource collection, on the integration's role."""
LOOK_AT_POLICY = ("iam:GetPolicy", "iam:GetPolicyVersion")
MAKE_POLICY = ("iam:CreatePolicy", "iam:TagPolicy")
DELETE_POLICY = ("iam:DeletePolicy",)
"""For the policies of resource collection themselves."""


TAG_LOG_GROUP = ("logs:TagResource",)
"""What creating a log group with tags takes besides (CloudWatch Logs API reference, `CreateLogGroup`)."""
TAG_STACK = ("cloudformation:TagResource",)
"""Asked for in some accounts when a stack is created with tags."""


def actions_for(change: Change) -> tuple[str, ...]:
    """The IAM actions that carrying out this very change calls; empty for what is Datadog's.

    What CloudFormation does in the caller's name is not among them, nor what only some cases need.
    """
    before, after = change.before, change.after
    if isinstance(after, RoleState):
        return _role_actions(before if isinstance(before, RoleState) else None, after)
    if isinstance(before, RoleState):
        bare = RoleState(name=before.name, trust_account=before.trust_account, external_id=before.external_id)
        return ("iam:DeleteRole", *_role_actions(before, bare))
    if isinstance(after, TagsState):
        held = before.tags if isinstance(before, TagsState) else {}
        gone = set(held) - set(after.tags)
        new = {k for k, v in after.tags.items() if held.get(k) != v}
        return (*(TAG if new else ()), *(UNTAG if gone else ()))
    if isinstance(after, FunctionState) and after.publish_to:
        return (*WRITES["function"].update, "lambda:PublishVersion")
    if isinstance(after, SecretState):
        return ("secretsmanager:CreateSecret", "secretsmanager:TagResource")
    if isinstance(after, FilterState):
        return PUT_FILTER
    if isinstance(after, LogGroupState) and after.tags:
        return (*WRITES["log_group"].create, *TAG_LOG_GROUP)
    writes = WRITES.get(change.resource.kind)
    return writes.of(change.action) if writes else ()


def _role_actions(before: RoleState | None, after: RoleState) -> tuple[str, ...]:
    if before is None:
        attaching = ATTACH[:1] if after.attached or after.managed else ()
        making = MAKE_POLICY if after.managed else ()
        return ("iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", *attaching, *making)
    trust = (before.trust_account, before.external_id) != (after.trust_account, after.external_id)
    new, old = set(after.managed) - set(before.managed), set(before.managed) - set(after.managed)
    put = any(before.policies.get(name) != document for name, document in after.policies.items())
    needed = {
        "iam:UpdateAssumeRolePolicy": trust,
        "iam:PutRolePolicy": put,
        "iam:DeleteRolePolicy": bool(set(before.policies) - set(after.policies)),
        "iam:AttachRolePolicy": bool(new or set(after.attached) - set(before.attached)),
        "iam:DetachRolePolicy": bool(old or set(before.attached) - set(after.attached)),
        **dict.fromkeys(MAKE_POLICY, bool(new)),
        **dict.fromkeys(DELETE_POLICY, bool(old)),
    }
    return tuple(action for action, wanted in needed.items() if wanted)


def statement(sid: str, actions: tuple[str, ...], resources: tuple[str, ...], condition: Json = None) -> Json:
    """One IAM policy statement; a single resource is not wrapped in a list."""
    held: dict[str, Json] = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(set(actions)),
        "Resource": resources[0] if len(resources) == 1 else sorted(set(resources)),
    }
    return held | {"Condition": condition} if condition else held
