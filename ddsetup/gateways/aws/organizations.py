"""AWS Organizations: which accounts there are, where they stand, and their tags.

Asked as the management account or a delegated administrator; elsewhere it refuses (its API reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Json
from ddsetup.model.errors import GatewayError, UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.organisation import Member

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of StackSets (AWS Organizations user guide, "AWS services that you can use")."""
_TOKEN = ("NextToken", "NextToken")
_AT_ONCE = 4
"""Calls side by side: the rates of the API are low, and everybody's in the organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An organisational unit or a root, by its id; `path` is made of the names on the way, / for a root."""

    id: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """`features` is ALL or CONSOLIDATED_BILLING: StackSets with service-managed permissions need ALL."""

    id: str
    management: str
    features: str


def read_organisation(aws: Aws) -> Organisation:
    """The organisation that these credentials are in. Needs organizations:DescribeOrganization.

    Raises GatewayError, which says what to do where there is none.
    """
    try:
        found = aws.call("organizations:DescribeOrganization")["Organization"]
    except GatewayError as error:
        error.fix = error.fix or _WITHOUT
        raise
    return Organisation(id=found["Id"], management=found["MasterAccountId"], features=found["FeatureSet"])


_WITHOUT = "where there is no organisation, name the accounts in a file: --accounts accounts.toml"


def list_members(aws: Aws, organisation: Organisation) -> tuple[Member, ...]:
    """Every account. Needs organizations:ListAccounts, twenty a page."""
    try:
        found = aws.pages("organizations:ListAccounts", None, "Accounts", token=_TOKEN)
    except GatewayError as error:
        error.fix = f"ask as the management account or a delegated administrator; {_WITHOUT}"
        raise
    return tuple(_member(item, organisation) for item in found)


def members_under(
    aws: Aws, organisation: Organisation, wanted: Sequence[str]
) -> tuple[tuple[Member, ...], tuple[Unit, ...]]:
    """The accounts in these units and all below them, and the units; named by id, name or path (`/Prod/EU`).

    Needs organizations:ListRoots, ListOrganizationalUnitsForParent and ListAccountsForParent. Raises
    UsageError for a unit that there is not.
    """
    every = tuple(_tree(aws))
    meant = [unit for name in wanted for unit in _named(name, every)]
    below = {u.id: u for u in every if any(u == top or _is_below(u, top) for top in meant)}
    asked = each(lambda unit: _accounts_in(aws, organisation, unit), below.values(), _AT_ONCE)
    found = {member.account: member for members in asked for member in members}
    return tuple(found.values()), tuple(dict.fromkeys(meant))


def root(aws: Aws) -> Unit:
    """The root of the organisation: there is one (its API reference, ListRoots)."""
    found = aws.pages("organizations:ListRoots", None, "Roots", token=_TOKEN)
    return Unit(id=found[0]["Id"], path="/")


def administers_stack_sets(aws: Aws, account: str) -> bool:
    """Whether an account is a delegated administrator of StackSets. Needs
    organizations:ListDelegatedAdministrators, as its work on StackSets does."""
    action = "organizations:ListDelegatedAdministrators"
    found = aws.pages(action, None, "DelegatedAdministrators", token=_TOKEN, ServicePrincipal=STACK_SETS)
    return account in {item["Id"] for item in found}


def with_tags(aws: Aws, members: Sequence[Member]) -> tuple[Member, ...]:
    """The members with their tags, a call each. Needs organizations:ListTagsForResource."""

    def read(member: Member) -> Member:
        action = "organizations:ListTagsForResource"
        tags = aws.pages(action, None, "Tags", token=_TOKEN, ResourceId=member.account)
        return replace(member, tags={tag["Key"]: tag["Value"] for tag in tags})

    return tuple(each(read, members, _AT_ONCE))


def _tree(aws: Aws) -> Iterator[Unit]:
    left = [root(aws)]
    while left:
        unit = left.pop()
        yield unit
        action = "organizations:ListOrganizationalUnitsForParent"
        below = aws.pages(action, None, "OrganizationalUnits", token=_TOKEN, ParentId=unit.id)
        left += [Unit(id=item["Id"], path=f"{unit.path.rstrip('/')}/{item['Name']}") for item in below]


def _named(name: str, units: Sequence[Unit]) -> list[Unit]:
    found = [unit for unit in units if name in (unit.id, unit.path, unit.path.rsplit("/", 1)[-1])]
    if found:
        return found
    known = [unit.path for unit in units]
    near = did_you_mean(name, known, f"there are {', '.join(known[:10])}")
    raise UsageError(f"{name!r} is no organisational unit that there is", fix=near)


def _is_below(unit: Unit, top: Unit) -> bool:
    return unit.path.startswith(f"{top.path.rstrip('/')}/")


def _accounts_in(aws: Aws, organisation: Organisation, unit: Unit) -> tuple[Member, ...]:
    action = "organizations:ListAccountsForParent"
    found = aws.pages(action, None, "Accounts", token=_TOKEN, ParentId=unit.id)
    return tuple(replace(_member(item, organisation), unit=unit.path) for item in found)


def _member(item: Mapping[str, Json], organisation: Organisation) -> Member:
    return Member(
        account=item["Id"],
        name=item.get("Name") or "",
        state=item.get("State") or item.get("Status") or "ACTIVE",
        management=item["Id"] == organisation.management,
    )
