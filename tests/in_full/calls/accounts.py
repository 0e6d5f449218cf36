"""Calls about the accounts of an organisation, the ways into them, and what a StackSet does there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ddsetup.gateways.aws import members, organizations, stack_sets
from ddsetup.gateways.aws.organizations import Organisation
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stack_sets import Place
from ddsetup.model.organisation import Member, Targets
from tests.gateways.aws_stand import ACCOUNT
from tests.in_full.calls.world import LANE, Answer, Call

ORGANISATION = Organisation(id="o-1", management=ACCOUNT, features="ALL")
SHOP = "111111111111"
_ACCOUNTS = [
    {"Id": ACCOUNT, "Name": "master", "State": "ACTIVE", "Status": "SUSPENDED"},
    {"Id": SHOP, "Name": "shop", "Status": "PENDING_CLOSURE"},
    {"Id": "222222222222"},
]
_TARGETS = Targets(units=("ou-1", "ou-2"), regions=("eu-west-1", "us-east-1"))
_EXISTS: Answer = {"refused": ("OperationIdAlreadyExistsException", "there is one", 409)}
_IDENTITY: Mapping[str, list[Answer]] = {
    "GetCallerIdentity": [{"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me"}],
    "ListAccountAliases": [{}],
}


def _place(aws: Aws, *, delegated: bool = False) -> Place:
    return Place(aws, LANE, "set", delegated)


def _about(call: Callable[[Place], Any], *, delegated: bool = False) -> Callable[[Aws], Any]:
    return lambda aws: call(_place(aws, delegated=delegated))


def _units(*wanted: str) -> Callable[[Aws], Any]:
    return lambda aws: organizations.members_under(aws, ORGANISATION, wanted)


_TREE: Mapping[str, list[Answer]] = {
    "ListRoots": [{"Roots": [{"Id": "r-1"}]}],
    "ListOrganizationalUnitsForParent r-1": [
        {"OrganizationalUnits": [{"Id": "ou-1", "Name": "Prod"}], "NextToken": "t"},
        {"OrganizationalUnits": [{"Id": "ou-2", "Name": "Production"}]},
    ],
    "ListOrganizationalUnitsForParent ou-1": [{"OrganizationalUnits": [{"Id": "ou-3", "Name": "EU"}]}],
    "ListOrganizationalUnitsForParent ou-2": [{"OrganizationalUnits": [{"Id": "ou-4", "Name": "EU"}]}],
    "ListOrganizationalUnitsForParent": [{}],
    "ListAccountsForParent r-1": [{"Accounts": _ACCOUNTS[:1]}],
    "ListAccountsForParent ou-1": [{"Accounts": _ACCOUNTS[1:2]}],
    "ListAccountsForParent ou-3": [{"Accounts": _ACCOUNTS[2:]}],
    "ListAccountsForParent": [{}],
}


def _bring(targets: Targets) -> Callable[[Aws], Any]:
    more = {"OperationPreferences": {"MaxConcurrentCount": 1}}
    return _about(lambda place: stack_sets.start(place, "set:1", "CreateStackInstances", targets, **more))


def _operation(status: str, reason: str = "") -> Answer:
    return {"StackSetOperation": {"Status": status, **({"StatusReason": reason} if reason else {})}}


ORGANISATIONS: Mapping[str, Call] = {
    "its accounts": (
        lambda aws: organizations.list_members(aws, ORGANISATION),
        {"ListAccounts": [{"Accounts": _ACCOUNTS[:1], "NextToken": "t"}, {"Accounts": _ACCOUNTS[1:]}]},
    ),
    **{
        f"accounts under {' and '.join(wanted)}": (_units(*wanted), _TREE)
        for wanted in (("/",), ("/Prod",), ("ou-1", "Production"), ("EU",), ("/Prod/EU", "ou-1"), ("Prof",))
    },
    "tags of accounts": (
        lambda aws: organizations.with_tags(aws, [Member(account=SHOP)]),
        {
            f"ListTagsForResource {SHOP}": [
                {"Tags": [{"Key": "a", "Value": "b"}], "NextToken": "t"},
                {"Tags": [{"Key": "c", "Value": "d"}]},
            ],
            "ListTagsForResource": [{}],
        },
    ),
    "no way into an account": (
        lambda aws: members.enter(
            aws, Member(account=SHOP, name="shop"), ("first", "arn:aws:iam::1:role/x/y")
        ),
        {**_IDENTITY, "AssumeRole": [{"refused": ("AccessDenied", "not authorized", 403)}]},
    ),
    "no way but one that was named": (
        lambda aws: members.enter(aws, Member(account=SHOP, role="own"), ("first",)),
        {**_IDENTITY, "AssumeRole": [{"refused": ("AccessDenied", "not authorized", 403)}]},
    ),
    "no role to try": (lambda aws: members.enter(aws, Member(account=SHOP), ()), _IDENTITY),
    "a way in while our own credentials end": (
        lambda aws: members.enter(aws, Member(account=SHOP), ("first", "second")),
        {**_IDENTITY, "AssumeRole": [{"refused": ("ExpiredToken", "it is expired", 403)}]},
    ),
    "our own account is entered already": (
        lambda aws: members.enter(aws, Member(account=ACCOUNT), ("first",)) is aws,
        _IDENTITY,
    ),
    "our own account by a role": (
        lambda aws: members.enter(aws, Member(account=ACCOUNT, role="r"), ("first",)),
        {**_IDENTITY, "AssumeRole": [{"refused": ("AccessDenied", "not authorized", 403)}]},
    ),
}
OPERATIONS: Mapping[str, Call] = {
    "access of StackSets": (
        _about(stack_sets.trusted_access),
        {"DescribeOrganizationsAccess": [{"Status": "ENABLED"}]},
    ),
    "no stack set": (
        _about(stack_sets.read_stack_set),
        {"DescribeStackSet": [{"refused": ("StackSetNotFoundException", "not found", 404)}]},
    ),
    "bring stacks": (_bring(_TARGETS), {"CreateStackInstances": [{}]}),
    "bring some stacks": (
        _bring(Targets(units=("ou-1",), regions=("eu-west-1",), accounts=(SHOP,), filter="INTERSECTION")),
        {"CreateStackInstances": [{}]},
    ),
    "bring stacks that come already": (
        _bring(_TARGETS),
        {"CreateStackInstances": [_EXISTS], "DescribeStackSetOperation": [_operation("QUEUED")]},
    ),
    "bring stacks that came in vain": (
        _bring(_TARGETS),
        {
            "CreateStackInstances": [_EXISTS, _EXISTS, {}],
            "DescribeStackSetOperation": [_operation("FAILED"), _operation("STOPPED")],
        },
    ),
    **{
        f"operation, {status}": (
            _about(lambda place: stack_sets.is_under_way(stack_sets.operation_status(place, "op")[0])),
            {"DescribeStackSetOperation": [_operation(status, "because")]},
        )
        for status in ("RUNNING", "QUEUED", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED")
    },
    "operation and why": (
        _about(lambda place: stack_sets.operation_status(place, "op"), delegated=True),
        {"DescribeStackSetOperation": [_operation("FAILED", "because")]},
    ),
}
