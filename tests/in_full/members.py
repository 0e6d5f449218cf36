"""An organisation of five accounts, the StackSet that is rolled out in it, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddsetup.ask.asking import Scope
from ddsetup.flow.host import Host, Session
from ddsetup.flow.organisation.who import Accounts
from ddsetup.gateways.aws.organizations import Organisation
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stack_sets import Place
from ddsetup.journal.disk import OnDisk
from ddsetup.model.account import Identity, Lane
from ddsetup.model.organisation import Instance, Member
from ddsetup.plan.steps.api_key import OWN_TAGS
from tests.gateways.aws_stand import ACCOUNT, FakeTime
from tests.in_full.calls.world import Answer

REGIONS = ("eu-west-1", "us-east-1")
SHOP, TILL, LAB, GONE = (
    Member(account=str(n) * 12, name=name) for n, name in enumerate(("shop", "till", "lab", "gone"), 1)
)
MASTER = Member(account=ACCOUNT, name="master", management=True)
GONE = replace(GONE, state="PENDING_CLOSURE")
EVERYONE = (GONE, LAB, MASTER, SHOP, TILL)
ORGANISATION = Organisation(id="o-1", management=ACCOUNT, features="ALL")
ROOT: Mapping[str, list[Answer]] = {"ListRoots": [{"Roots": [{"Id": "r-1"}]}]}
SET = {
    "StackSetId": "ddsetup-forwarder:1",
    "PermissionModel": "SERVICE_MANAGED",
    "Tags": [{"Key": k, "Value": v} for k, v in OWN_TAGS.items()],
}
THERE: Mapping[str, list[Answer]] = {
    "DescribeOrganizationsAccess": [{"Status": "ENABLED"}],
    "DescribeStackSet": [{"StackSet": SET}],
    "ListStackSetOperations": [{}],
    "ListStackInstances": [{}],
}
NO_SET: Answer = {"refused": ("StackSetNotFoundException", "not found", 404)}
TAKEN: Answer = {"refused": ("NameAlreadyExistsException", "taken", 409)}
FOREIGN: Answer = {"StackSet": {**SET, "Tags": [{"Key": "owner", "Value": "somebody"}]}}
ADMINISTRATORS: Mapping[str, list[Answer]] = {
    "ListDelegatedAdministrators": [{"DelegatedAdministrators": [{"Id": "1" * 12}]}]
}


class Told:
    """What a case says, and the accounts it is about."""

    def __init__(self, home: Path, time: FakeTime) -> None:
        self.said: list[str] = []
        self.home, self.time = home, time

    def accounts(self, aws: Aws, *members: Member, caller: str = ACCOUNT, **over: Any) -> Accounts:
        host = Host(
            environ={},
            state_dir=self.home,
            memory=OnDisk(self.home),
            on_event=lambda event: self.said.append(event.text),
            clock=self.time.clock,
        )
        identity = Identity(account=caller, arn=f"arn:aws:iam::{caller}:user/me", partition="aws")
        base = Session(host=host, aws=aws, identity=identity, scope=Scope(regions=REGIONS))
        known: dict[str, Any] = {"organisation": ORGANISATION, "everyone": EVERYONE, "roles": ()}
        return Accounts(base=base, members=members or EVERYONE, **{**known, **over})


def place(aws: Aws) -> Place:
    return Place(aws, Lane(ACCOUNT, REGIONS[0]), "ddsetup-forwarder")


def stack(member: Member, region: str, detail: str = "SUCCEEDED", **over: Any) -> Instance:
    made = f"arn:aws:cloudformation:{region}:{member.account}:stack/StackSet-ddsetup-forwarder-x/1"
    known = {"unit": "ou-1", "stack": made}
    return Instance(account=member.account, region=region, detail=detail, **{**known, **over})


def summary(member: Member, region: str, detail: str, reason: str = "") -> dict[str, Any]:
    """A stack as CloudFormation lists it."""
    status = {"StackInstanceStatus": {"DetailedStatus": detail}, "Status": "CURRENT"}
    return {"Account": member.account, "Region": region, "StatusReason": reason, **status}


def operation(*statuses: str, reason: str = "") -> dict[str, list[Answer]]:
    answers = [{"Status": status, "StatusReason": reason} for status in statuses]
    return {"DescribeStackSetOperation": [{"StackSetOperation": each} for each in answers]}
