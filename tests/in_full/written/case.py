"""One change beside what its writer finds, and what AWS answers where a case says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import State
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply
from tests.in_full.calls.world import FUNCTION

Refusal = tuple[str, str, int]
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*"}]}
OTHER = {"Version": "2012-10-17", "Statement": []}
OURS = {"created_by": "ddsetup"}
DENIED: Refusal = ("AccessDeniedException", "User: u is not authorized to perform: x:Y on r", 403)
GONE: Refusal = ("ResourceNotFoundException", "it is gone", 404)
NO_ROLE: Refusal = ("NoSuchEntity", "no role", 404)
TAKEN: Refusal = ("EntityAlreadyExists", "taken", 409)
JUST_NOW = datetime(2026, 11, 22, 9, 59, tzinfo=UTC)
"""A minute before the run."""
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
