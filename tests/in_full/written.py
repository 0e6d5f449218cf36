"""Changes of every kind, each beside what its writer finds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ddsetup.facts.iam_documents import trust_policy
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import (
    REF_VERSION,
    AliasState,
    ApiStageState,
    FilterState,
    IntegrationState,
    LogCollectionState,
    LogGroupState,
    RolePolicyState,
    RoleState,
    SecretState,
    StackState,
    State,
    StateMachineState,
    TagsState,
)
from ddsetup.plan.steps.forwarder_stack import LEFT_LOG_GROUP, LOSE_FAILED_EVENTS
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply
from tests.in_full.test_aws_calls import ARN, FUNCTION, MACHINE

Refusal = tuple[str, str, int]
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*"}]}
OTHER = {"Version": "2012-10-17", "Statement": []}
OURS = {"created_by": "ddsetup"}
DENIED: Refusal = ("AccessDeniedException", "User: u is not authorized to perform: x:Y on r", 403)
GONE: Refusal = ("ResourceNotFoundException", "it is gone", 404)
NO_ROLE: Refusal = ("NoSuchEntity", "no role", 404)
TAKEN: Refusal = ("EntityAlreadyExists", "taken", 409)
ANSWERS: dict[str, Any] = {
    "GetCallerIdentity": {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/u"},
    "ListAccountAliases": {},
    "CreateRole": {"Role": {"Arn": "arn:r"}},
    "ListRolePolicies": {"PolicyNames": []},
    "ListAttachedRolePolicies": {"AttachedPolicies": []},
    "CreateSecret": {"ARN": "arn:s"},
    "DeleteSecret": {"ARN": "arn:s"},
    "PutSecretValue": {"ARN": "arn:s"},
    "RestoreSecret": {"ARN": "arn:s"},
    "CreateStack": {"StackId": "arn:stack"},
    "UpdateStack": {"StackId": "arn:stack"},
    "ListStackResources": {"StackResourceSummaries": []},
    "DescribeStackEvents": {"StackEvents": []},
    "GetFunction": GONE,
    "DescribeLogStreams": {"logStreams": []},
    "DescribeSubscriptionFilters": {"subscriptionFilters": []},
    "ListTagsForResource": {"tags": []},
    "UpdateStateMachine": {"updateDate": datetime(2026, 1, 1, tzinfo=UTC)},
    "PublishVersion": {**FUNCTION, "Version": "8"},
    "GetResources": {"ResourceTagMappingList": [], "PaginationToken": ""},
    "ListTags": {"Tags": {}},
}


@dataclass(frozen=True)
class Case:
    kind: str
    id: str
    before: State | None
    after: State | None
    answers: Mapping[str, Any] = field(default_factory=dict)
    precondition: str = ""
    replies: Sequence[Reply] = ()

    def change(self) -> Change:
        region = "" if self.kind in ("iam_role", "role_policy", "integration", "log_collection") else REGION
        resource = ResourceId(self.kind, self.id, region, ACCOUNT)
        return Change(
            step="test",
            resource=resource,
            before=self.before,
            after=self.after,
            why="test",
            precondition=self.precondition,
        )


# Roles

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

# Secrets

SECRET = SecretState(name="k", description="d", tags=OURS)
STILL: Refusal = ("InvalidRequestException", "a secret with this name is already scheduled for deletion", 400)


def a_secret(before: State | None, after: State | None, live: Any, **answers: Any) -> Case:
    return Case("secret", "k", before, after, {"DescribeSecret": live, **answers})


def held(tags: Mapping[str, str] = OURS, deleted: datetime | None = None) -> dict[str, Any]:
    found = {
        "ARN": "arn:s",
        "Name": "k",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {**found, **({"DeletedDate": deleted} if deleted else {})}


LONG_AGO, JUST_NOW = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 22, 9, 59, tzinfo=UTC)
EXISTS: Refusal = ("ResourceExistsException", "it exists", 400)
SECRETS = {
    "made": a_secret(None, SECRET, [GONE]),
    "made, there": a_secret(None, SECRET, [held({})]),
    "made, not to be seen": a_secret(None, SECRET, [DENIED]),
    "made, scheduled for deletion": a_secret(None, SECRET, [held(deleted=LONG_AGO)]),
    "made, theirs scheduled for deletion": a_secret(None, SECRET, [held({}, LONG_AGO)]),
    "made, deleted a moment ago": a_secret(None, SECRET, [held(deleted=JUST_NOW)]),
    "made, name not free yet": a_secret(None, SECRET, [GONE], CreateSecret=[STILL, STILL, {"ARN": "arn:s"}]),
    "made, name never free": a_secret(None, SECRET, [GONE], CreateSecret=[STILL]),
    "made, answer lost": a_secret(None, SECRET, [GONE, held()], CreateSecret=[EXISTS]),
    "made, taken": a_secret(None, SECRET, [GONE, held({})], CreateSecret=[EXISTS]),
    "made, taken and deleted": a_secret(None, SECRET, [GONE, held(deleted=JUST_NOW)], CreateSecret=[EXISTS]),
    "deleted": a_secret(SECRET, None, [held()]),
    "deleted, gone": a_secret(SECRET, None, [GONE]),
    "deleted already": a_secret(SECRET, None, [held(deleted=LONG_AGO)]),
    "deleted, theirs": a_secret(SECRET, None, [held({})]),
    "deleted, without tags": a_secret(replace(SECRET, tags={}), None, [held()]),
    "changed": a_secret(SECRET, SECRET, [held()]),
}

# Log groups and filters

GROUP = LogGroupState(name="/g")


def a_group(before: State | None, after: State | None, **answers: Any) -> Case:
    return Case("log_group", "/g", before, after, answers)


def listed(*filters: Mapping[str, Any]) -> list[Any]:
    return [{"subscriptionFilters": [{"logGroupName": "/g", **each} for each in filters]}]


def as_listed(state: FilterState, **over: Any) -> dict[str, Any]:
    pairs = {"filterName": state.name, "destinationArn": state.destination_arn, **over}
    return {"filterPattern": state.pattern, **pairs}


AUTOMATIC = "DD_LOG_SUBSCRIPTION_FILTER_/g"
GROUPS = {
    "made": a_group(None, GROUP),
    "made, there": a_group(None, GROUP, CreateLogGroup=[("ResourceAlreadyExistsException", "x", 400)]),
    "deleted": a_group(GROUP, None),
    "deleted, gone": a_group(GROUP, None, DeleteLogGroup=[GONE]),
    "deleted, gone before": a_group(GROUP, None, DescribeLogStreams=[GONE]),
    "deleted, with logs": a_group(GROUP, None, DescribeLogStreams=[{"logStreams": [{"logStreamName": "s"}]}]),
    "deleted, not to be seen": a_group(GROUP, None, DescribeLogStreams=[DENIED]),
    "deleted, with a filter": a_group(GROUP, None, DescribeSubscriptionFilters=listed({"filterName": "x"})),
    "deleted, with datadog's": a_group(
        GROUP, None, DescribeSubscriptionFilters=listed({"filterName": AUTOMATIC})
    ),
    "deleted, filters not to be seen": a_group(GROUP, None, DescribeSubscriptionFilters=[DENIED]),
    "nothing": a_group(None, None),
}
OWN = FilterState(log_group="/g", name="ddsetup-fwd", destination_arn="arn:f")
THEIRS = FilterState(log_group="/g", name="audit", destination_arn="arn:k", pattern="ERROR", role_arn="arn:r")
WHOLE = replace(
    THEIRS,
    distribution="Random",
    apply_on_transformed_logs=True,
    emit_system_fields=("@a", "@b"),
    field_selection_criteria="c",
)
REFUSED_TARGET: Refusal = ("InvalidParameterException", "Could not execute the lambda function", 400)


def a_filter(before: State | None, after: State | None, live: list[Any], **answers: Any) -> Case:
    answers = {"DescribeSubscriptionFilters": live, **answers}
    return Case("subscription_filter", f"/g:{(after or before or OWN).name}", before, after, answers)  # type: ignore[union-attr]


FILTERS = {
    "put": a_filter(None, OWN, listed()),
    "put, as it is": a_filter(None, OWN, listed(as_listed(OWN, distribution="ByLogStream"))),
    "put, another of that name": a_filter(None, OWN, listed(as_listed(OWN, destinationArn="arn:x"))),
    "put, not to be seen": a_filter(None, OWN, [DENIED]),
    "put, not to be invoked yet": a_filter(None, OWN, listed(), PutSubscriptionFilter=[REFUSED_TARGET, {}]),
    "put, never to be invoked": a_filter(None, OWN, listed(), PutSubscriptionFilter=[REFUSED_TARGET]),
    "put back": a_filter(None, WHOLE, listed()),
    "put back into a full group": a_filter(
        None, THEIRS, listed({"filterName": "x"}, {"filterName": AUTOMATIC})
    ),
    "put back, datadog's gone meanwhile": a_filter(
        None, THEIRS, listed({"filterName": "x"}, {"filterName": AUTOMATIC}), DeleteSubscriptionFilter=[GONE]
    ),
    "put back into a group full of others": a_filter(
        None, THEIRS, listed({"filterName": "x"}, {"filterName": "y"})
    ),
    "put back beside datadog's": a_filter(None, THEIRS, listed({"filterName": AUTOMATIC})),
    "changed": a_filter(THEIRS, WHOLE, listed(as_listed(THEIRS, roleArn="arn:r"))),
    "changed, gone": a_filter(THEIRS, WHOLE, listed()),
    "changed, in every field": a_filter(
        WHOLE, THEIRS, listed({"filterName": "audit", "destinationArn": "arn:z", "filterPattern": "x"})
    ),
    "deleted": a_filter(OWN, None, listed(as_listed(OWN))),
    "deleted, gone": a_filter(OWN, None, listed(as_listed(THEIRS))),
    "deleted, changed": a_filter(OWN, None, listed(as_listed(OWN, roleArn="arn:r"))),
    "nothing": a_filter(None, None, listed()),
}

# Tags and aliases


def tagged(**tags: str) -> list[Any]:
    found = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": found}], "PaginationToken": ""}]


def some_tags(before: Any, after: Any, indexed: list[Any], now: Any = None, **answers: Any) -> Case:
    was, now_ = (TagsState(tags=each) if each is not None else None for each in (before, after))
    answers = {"GetResources": indexed, "ListTags": [now if now is not None else {"Tags": {}}], **answers}
    return Case("function_tags", ARN, was, now_, answers)


FAILED_TAG = {"FailedResourcesMap": {ARN: {"StatusCode": 400, "ErrorCode": "C", "ErrorMessage": "m"}}}
TAGS = {
    "set": some_tags({}, {"a": "1"}, tagged()),
    "set, as it is": some_tags({}, {"a": "1"}, tagged(a="1"), {"Tags": {"a": "1"}}),
    "set, the index lags": some_tags({}, {"a": "1"}, tagged(a="0"), {"Tags": {}}),
    "set, moved": some_tags({}, {"a": "1"}, tagged(a="0"), {"Tags": {"a": "0"}}),
    "set, not to be asked": some_tags({}, {"a": "1"}, tagged(a="0"), DENIED),
    "set from nothing": some_tags(None, {"a": "1"}, tagged()),
    "changed": some_tags({"a": "0", "b": "1"}, {"a": "1", "c": "2"}, tagged(a="0", b="1", d="3")),
    "changed in part": some_tags(
        {"a": "0", "b": "1"}, {"a": "1"}, tagged(a="1", b="1"), {"Tags": {"a": "1", "b": "1"}}
    ),
    "removed": some_tags({"a": "1"}, {}, tagged(a="1")),
    "removed, all": some_tags({"a": "1"}, None, tagged(a="1")),
    "set in vain": some_tags({}, {"a": "1"}, tagged(), TagResources=[FAILED_TAG]),
    "changed in vain": some_tags({"b": "1"}, {"a": "1"}, tagged(b="1"), TagResources=[FAILED_TAG]),
    "not to be seen": some_tags({}, {"a": "1"}, [DENIED]),
    "another kind": Case("function_tags", ARN, None, GROUP),
}
LIVE = AliasState(function="orders", alias="live", version="3")


def an_alias(after: str = "8", version: Any = "3", **answers: Any) -> Case:
    answers = {
        "GetAlias": [{"FunctionVersion": version, "Name": "live", "RevisionId": "r"}],
        "GetFunction": [{"Configuration": {**FUNCTION, "Version": after}}],
        **answers,
    }
    return Case("alias", f"{ARN}:live", LIVE, replace(LIVE, version=after), answers)


WEIGHTED = {"FunctionVersion": "3", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}}
ALIASES = {
    "moved": an_alias(),
    "published and moved": an_alias(REF_VERSION),
    "moved already": an_alias(version="8"),
    "serves another": an_alias(version="5"),
    "weighted": an_alias(GetAlias=[WEIGHTED]),
    "weighted to the new one": an_alias("3", GetAlias=[WEIGHTED]),
    "gone": an_alias(GetAlias=[GONE]),
    "its version is gone": an_alias(GetFunction=[GONE]),
    "version that fails": an_alias(GetFunction=[{"Configuration": {**FUNCTION, "State": "Failed"}}]),
    "denied": an_alias(UpdateAlias=[DENIED]),
    "moved by another": an_alias(UpdateAlias=[("PreconditionFailedException", "moved", 412)]),
    "made": replace(an_alias(), before=None),
}

# State machines and stages

OFF = StateMachineState()
ON = StateMachineState(
    level="ALL", include_execution_data=True, destinations=("arn:aws:logs:g:*",), tags={"DD_TRACE": "true"}
)


def logging(level: str = "OFF", data: bool = False, group: str = "") -> dict[str, Any]:
    where = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}] if group else []
    said = {"level": level, "includeExecutionData": data, "destinations": where}
    return {"stateMachineArn": MACHINE, "roleArn": "arn:aws:iam::1:role/m", "loggingConfiguration": said}


def a_machine(before: State | None, after: State | None, live: Any, tags: Any = (), **answers: Any) -> Case:
    known = [{"tags": [{"key": key, "value": value} for key, value in tags]}]
    answers = {"DescribeStateMachine": [live], "ListTagsForResource": known, **answers}
    return Case("state_machine", MACHINE, before, after, answers)


SET = logging("ALL", True, "arn:aws:logs:g:*")
NO_RIGHT: Refusal = ("AccessDeniedException", "The state machine IAM Role is not authorized to log", 400)
MACHINES = {
    "set": a_machine(OFF, ON, logging()),
    "set, as it is": a_machine(OFF, ON, SET, [("DD_TRACE", "true")]),
    "set, tags left": a_machine(OFF, ON, SET),
    "set, logging left": a_machine(OFF, ON, logging(), [("DD_TRACE", "true")]),
    "set, moved": a_machine(OFF, ON, logging("ERROR"), [("DD_TRACE", "x")]),
    "set, gone": a_machine(OFF, ON, ("StateMachineDoesNotExist", "gone", 400)),
    "set, not to be seen": a_machine(OFF, ON, DENIED),
    "set, role refused": a_machine(OFF, ON, logging(), UpdateStateMachine=[NO_RIGHT]),
    "taken back": a_machine(ON, OFF, SET, [("DD_TRACE", "true")]),
    "only tags": a_machine(
        replace(OFF, tags={"a": "1"}), replace(OFF, tags={"b": "2"}), logging(), [("a", "1")]
    ),
    "only logging": a_machine(OFF, replace(ON, tags={}), logging()),
    "made": a_machine(None, ON, logging()),
}
BARE = ApiStageState(api="shop", protocol="REST")
LOGGED = replace(BARE, destination="arn:g", format="$context")


def a_stage(before: State | None, after: State | None, destination: str, form: str, **answers: Any) -> Case:
    rest = {"stageName": "prod", "accessLogSettings": {"destinationArn": destination, "format": form}}
    http = {"StageName": "prod", "AccessLogSettings": {"DestinationArn": destination, "Format": form}}
    protocol = getattr(after or before, "protocol", "REST")
    answers = {"GetStage": [rest if protocol == "REST" else http], **answers}
    return Case("api_stage", "a1/prod", before, after, answers)


STAGES = {
    "set": a_stage(BARE, LOGGED, "", ""),
    "set, as it is": a_stage(BARE, LOGGED, "arn:g", "$context"),
    "set, another format": a_stage(BARE, LOGGED, "arn:g", "x"),
    "set, moved": a_stage(BARE, LOGGED, "arn:z", ""),
    "set, gone": a_stage(BARE, LOGGED, "", "", GetStage=[("NotFoundException", "gone", 404)]),
    "set, not to be seen": a_stage(BARE, LOGGED, "", "", GetStage=[DENIED]),
    "taken back": a_stage(LOGGED, BARE, "arn:g", "$context"),
    "set, http": a_stage(replace(BARE, protocol="HTTP"), replace(LOGGED, protocol="HTTP"), "", ""),
    "taken back, http": a_stage(
        replace(LOGGED, protocol="HTTP"), replace(BARE, protocol="HTTP"), "arn:g", "$context"
    ),
    "made": a_stage(None, LOGGED, "", ""),
}

# Stacks

STACK = StackState(
    name="fwd",
    template_url="https://t/5.yaml",
    version="5",
    parameters={"DdSite": "datadoghq.eu", "FunctionName": "fwd"},
    tags=OURS,
)
NEWER = replace(STACK, template_url="https://t/6.yaml", version="6", parameters={"DdSite": "datadoghq.com"})


def there(
    status: str = "CREATE_COMPLETE", tags: Mapping[str, str] = OURS, **parameters: str
) -> dict[str, Any]:
    known = {"DdSite": "datadoghq.eu", "FunctionName": "fwd", "DdApiKey": "****", **parameters}
    stack = {
        "StackName": "fwd",
        "StackId": "arn:stack",
        "StackStatus": status,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in known.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {"Stacks": [stack]}


NO_STACK: Refusal = ("ValidationError", "Stack with id fwd does not exist", 400)


def a_stack(before: State | None, after: State | None, *live: Any, on: str = "", **answers: Any) -> Case:
    return Case("stack", "fwd", before, after, {"DescribeStacks": [*live], **answers}, precondition=on)


def happened(*events: tuple[str, str, str]) -> list[Any]:
    """What CloudFormation tells, newest first, as it grows with each look."""
    every = [
        {
            "EventId": str(number),
            "StackId": "arn:stack",
            "StackName": "fwd",
            "Timestamp": JUST_NOW,
            "LogicalResourceId": name,
            "ResourceType": "AWS::CloudFormation::Stack" if name == "fwd" else "AWS::Lambda::Function",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }
        for number, (name, status, reason) in enumerate(events)
    ]
    return [{"StackEvents": every[:number][::-1]} for number in range(1, len(every) + 1)]


BEGUN = ("fwd", "CREATE_IN_PROGRESS", "")
BROKEN = ("Forwarder", "CREATE_FAILED", "User: u is not authorized to perform: iam:PassRole on r")
BUCKET = [
    {
        "StackResourceSummaries": [
            {
                "ResourceType": kind,
                "PhysicalResourceId": name,
                "LogicalResourceId": name,
                "ResourceStatus": status,
            }
            for kind, name, status in (
                ("AWS::S3::Bucket", "b", "CREATE_COMPLETE"),
                ("AWS::S3::Bucket", "c", "DELETE_COMPLETE"),
                ("AWS::S3::Bucket", "", "CREATE_FAILED"),
                ("AWS::Lambda::Function", "f", "CREATE_COMPLETE"),
            )
        ]
    }
]
ENDED = there("DELETE_COMPLETE")
STACKS = {
    "made": a_stack(
        None,
        STACK,
        NO_STACK,
        there("CREATE_IN_PROGRESS"),
        there(),
        DescribeStackEvents=happened(
            BEGUN, ("Forwarder", "CREATE_COMPLETE", ""), ("fwd", "CREATE_COMPLETE", "")
        ),
    ),
    "made, failed": a_stack(
        None,
        STACK,
        NO_STACK,
        there("ROLLBACK_IN_PROGRESS"),
        there("ROLLBACK_COMPLETE"),
        DescribeStackEvents=happened(BEGUN, BROKEN, ("fwd", "ROLLBACK_COMPLETE", "")),
    ),
    "made, events not to be seen": a_stack(None, STACK, NO_STACK, there(), DescribeStackEvents=[DENIED]),
    "made, never done": a_stack(None, STACK, NO_STACK, there("CREATE_IN_PROGRESS")),
    "made, gone meanwhile": a_stack(None, STACK, NO_STACK, NO_STACK),
    "made, as it is": a_stack(None, STACK, there()),
    "made, with other parameters": a_stack(None, STACK, there(DdSite="x")),
    "made, theirs is there": a_stack(None, STACK, there(tags={})),
    "made, a failed one is there": a_stack(None, STACK, there("ROLLBACK_COMPLETE")),
    "made after a failed one": a_stack(
        None, STACK, there("ROLLBACK_COMPLETE", {}), ENDED, there(), on="ROLLBACK_COMPLETE"
    ),
    "made after theirs in review": a_stack(
        None, STACK, there("REVIEW_IN_PROGRESS", {}), on="REVIEW_IN_PROGRESS"
    ),
    "made after ours in review": a_stack(
        None, STACK, there("REVIEW_IN_PROGRESS"), ENDED, there(), on="REVIEW_IN_PROGRESS"
    ),
    "made after one was deleted": a_stack(None, STACK, ENDED, there()),
    "made, a log group left": a_stack(None, STACK, NO_STACK, there(), on=LEFT_LOG_GROUP),
    "made, a log group left that stays": a_stack(
        None, STACK, NO_STACK, there(), on=LEFT_LOG_GROUP, DeleteLogGroup=[DENIED]
    ),
    "made, a log group of a function that is there": a_stack(
        None, STACK, NO_STACK, there(), on=LEFT_LOG_GROUP, GetFunction=[{"Configuration": FUNCTION}]
    ),
    "made, answer lost": a_stack(
        None,
        STACK,
        NO_STACK,
        there("CREATE_IN_PROGRESS"),
        there(),
        CreateStack=[("AlreadyExistsException", "x", 400)],
    ),
    "made, taken": a_stack(
        None, STACK, NO_STACK, there(tags={}), CreateStack=[("AlreadyExistsException", "x", 400)]
    ),
    "changed": a_stack(
        STACK,
        NEWER,
        there(),
        there("UPDATE_COMPLETE", DdSite="datadoghq.com"),
        GetTemplateSummary=[{"Parameters": [{"ParameterKey": "DdSite"}, {"ParameterKey": "New"}]}],
    ),
    "changed, template unread": a_stack(
        STACK, NEWER, there(), there("UPDATE_COMPLETE"), GetTemplateSummary=[DENIED]
    ),
    "changed in parameters only": a_stack(
        STACK, replace(STACK, parameters={"DdSite": "datadoghq.com"}), there(), there("UPDATE_COMPLETE")
    ),
    "changed, failed": a_stack(
        STACK,
        NEWER,
        there(),
        there("UPDATE_ROLLBACK_COMPLETE"),
        GetTemplateSummary=[{"Parameters": []}],
        DescribeStackEvents=happened(
            ("fwd", "CREATE_COMPLETE", ""),
            ("Forwarder", "UPDATE_FAILED", "no room"),
            ("fwd", "UPDATE_ROLLBACK_COMPLETE", ""),
        ),
    ),
    "changed, nothing to do": a_stack(
        STACK,
        NEWER,
        there(),
        GetTemplateSummary=[{"Parameters": []}],
        UpdateStack=[("ValidationError", "No updates are to be performed.", 400)],
    ),
    "changed, as it is": a_stack(STACK, replace(STACK, parameters={"DdApiKey": "x"}), there()),
    "changed, moved": a_stack(STACK, NEWER, there(DdSite="x")),
    "changed, gone": a_stack(STACK, NEWER, NO_STACK),
    "changed back, template unknown": a_stack(
        NEWER, replace(STACK, template_url=""), there(DdSite="datadoghq.com")
    ),
    "deleted": a_stack(STACK, None, there(), ENDED),
    "deleted, gone": a_stack(STACK, None, NO_STACK),
    "deleted, theirs": a_stack(STACK, None, there(tags={})),
    "deleted, moved": a_stack(STACK, None, there(DdSite="x")),
    "deleted, at work": a_stack(
        STACK, None, there("CREATE_IN_PROGRESS"), there("CREATE_IN_PROGRESS"), there(), there(), ENDED
    ),
    "deleted, gone while at work": a_stack(
        STACK, None, there("DELETE_IN_PROGRESS"), there("DELETE_IN_PROGRESS"), ENDED, ENDED
    ),
    "deleted, with a bucket": a_stack(
        STACK,
        None,
        there(),
        ENDED,
        ListStackResources=BUCKET,
        ListObjectVersions=[{"Versions": [{"Key": "a"}, {"Key": "b"}]}, {}],
    ),
    "deleted, with what datadog did not take": a_stack(
        STACK, None, there(), ENDED, ListStackResources=BUCKET, ListObjectsV2=[{"Contents": [{"Key": "x"}]}]
    ),
    "deleted, that may be lost": a_stack(
        STACK,
        None,
        there(),
        ENDED,
        on=LOSE_FAILED_EVENTS,
        ListStackResources=BUCKET,
        ListObjectsV2=[{"Contents": [{"Key": "x"}]}],
    ),
    "deleted, a bucket that fills again": a_stack(
        STACK,
        None,
        there(),
        there("DELETE_FAILED"),
        ENDED,
        ListStackResources=BUCKET,
        DescribeStackEvents=happened(
            ("fwd", "DELETE_IN_PROGRESS", ""),
            ("B", "DELETE_FAILED", "The bucket you tried to delete is not empty"),
            ("fwd", "DELETE_FAILED", "B"),
        ),
    ),
    "deleted, failed": a_stack(
        STACK,
        None,
        there(),
        there("DELETE_FAILED"),
        DescribeStackEvents=happened(
            ("fwd", "DELETE_IN_PROGRESS", ""),
            ("Forwarder", "DELETE_FAILED", "no"),
            ("fwd", "DELETE_FAILED", "x"),
        ),
    ),
    "another kind": Case("stack", "fwd", None, GROUP),
}

KINDS = {
    "roles": ROLES,
    "policies": POLICIES,
    "secrets": SECRETS,
    "groups": GROUPS,
    "filters": FILTERS,
    "tags": TAGS,
    "aliases": ALIASES,
    "machines": MACHINES,
    "stages": STAGES,
    "stacks": STACKS,
}

# Datadog's side

RECORD = {
    "id": "c0nf",
    "attributes": {
        "aws_account_id": ACCOUNT,
        "aws_partition": "aws",
        "auth_config": {"role_name": "R", "external_id": "e" * 32},
        "metrics_config": {"enabled": True, "namespace_filters": {"exclude_only": ["AWS/SQS"]}},
        "aws_regions": {"include_all": True},
        "resources_config": {"extended_collection": False},
    },
}
REGISTERED = IntegrationState(
    aws_account_id=ACCOUNT,
    partition="aws",
    role_name="R",
    namespaces_mode="exclude_only",
    namespaces=("AWS/SQS",),
)


def collecting(*lambdas: str, sources: Sequence[str] = ("lambda",)) -> dict[str, Any]:
    config = {"logs_config": {"lambda_forwarder": {"lambdas": [*lambdas], "sources": [*sources]}}}
    return {**RECORD, "attributes": {**RECORD["attributes"], **config}}  # type: ignore[dict-item]


def known(*records: Any) -> Reply:
    return Reply({"data": [*records]})


def one(record: Any) -> Reply:
    return Reply({"data": record})


def a_record(before: State | None, after: State | None, *replies: Reply, **answers: Any) -> Case:
    return Case("integration", ACCOUNT, before, after, answers, replies=replies)


NOT_YET = Reply({"errors": ["Datadog could not assume the role"]}, 400)
FORBIDDEN = Reply({"errors": ["Forbidden"]}, 403)
FULL = replace(REGISTERED, regions=(REGION,), resource_collection=True, metrics_enabled=False)
RECORDS = {
    "made": a_record(None, REGISTERED, known(), one(RECORD), **role()),
    "made, role not seen yet": a_record(None, REGISTERED, known(), NOT_YET, NOT_YET, one(RECORD), **role()),
    "made, role never seen": a_record(None, REGISTERED, known(), NOT_YET, **role()),
    "made, no role": a_record(None, REGISTERED, known(), **NOBODY),
    "made, role without an external id": a_record(None, REGISTERED, known(), **role(trust={"Statement": []})),
    "made, as it is": a_record(None, REGISTERED, known(RECORD)),
    "made, another is there": a_record(None, FULL, known(RECORD)),
    "made, not to be seen": a_record(None, REGISTERED, FORBIDDEN),
    "changed": a_record(REGISTERED, FULL, known(RECORD), one(RECORD)),
    "changed, as it is": a_record(FULL, REGISTERED, known(RECORD)),
    "changed, gone": a_record(REGISTERED, FULL, known()),
    "deleted": a_record(REGISTERED, None, known(RECORD), Reply({})),
    "deleted, gone": a_record(REGISTERED, None, known()),
    "deleted, with forwarders": a_record(REGISTERED, None, known(collecting("arn:f"))),
    "deleted, changed": a_record(FULL, None, known(RECORD)),
    "nothing": a_record(None, None, known()),
}


def some_lists(
    before: Sequence[str], after: Sequence[str], *replies: Reply, sources: Sequence[Sequence[str]] = ((), ())
) -> Case:
    was, then = (
        LogCollectionState(lambdas=tuple(lambdas), sources=tuple(each))
        for lambdas, each in zip((before, after), sources, strict=True)
    )
    # Whether a source that is to be added is there by now is looked at before anything is remembered.
    looked = replies[:1] if set(then.sources) - set(was.sources) else ()
    return Case("log_collection", ACCOUNT, was, then, replies=(*looked, *replies))


ON_LAMBDA = ((), ("lambda",))
COLLECTIONS = {
    "registered": some_lists(
        (), ("arn:f",), known(RECORD), one(collecting("arn:f")), one(collecting("arn:f")), sources=ON_LAMBDA
    ),
    "registered beside others": some_lists(
        (),
        ("arn:f",),
        known(collecting("arn:g", sources=["s3"])),
        one(collecting("arn:g", "arn:f")),
        sources=ON_LAMBDA,
    ),
    "registered, as it is": some_lists((), ("arn:f",), known(collecting("arn:f")), sources=ON_LAMBDA),
    "registered in part": some_lists((), ("arn:f", "arn:g"), known(collecting("arn:f")), sources=ON_LAMBDA),
    "registered, no record": some_lists((), ("arn:f",), known()),
    "registered, does not stay": some_lists(
        (), ("arn:f",), known(RECORD), one(RECORD), known(RECORD), one(RECORD), known(RECORD)
    ),
    "taken out, no record": some_lists(("arn:f",), (), known()),
    "taken out, gone": some_lists(("arn:f",), (), known(collecting("arn:g"))),
    "taken out in part": some_lists(("arn:f", "arn:g"), (), known(collecting("arn:g"))),
    "a source alone": some_lists(
        (), (), known(collecting("arn:g", sources=[])), one(collecting("arn:g")), sources=ON_LAMBDA
    ),
    "a source taken out": some_lists(
        (),
        (),
        known(collecting("arn:g", sources=["lambda", "s3"])),
        one(collecting("arn:g", sources=["s3"])),
        sources=(("lambda",), ()),
    ),
    "a source taken out, gone": some_lists(
        (), (), known(collecting("arn:g", sources=["s3"])), sources=(("lambda", "x"), ())
    ),
    "not to be seen": some_lists((), ("arn:f",), FORBIDDEN),
    "another kind": Case("log_collection", ACCOUNT, None, GROUP, replies=(known(RECORD),)),
}
