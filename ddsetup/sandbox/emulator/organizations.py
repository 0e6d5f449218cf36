"""AWS Organizations, for one organisation with several accounts.

The emulator's own answers everybody with an organisation of their own. Here there is one, for whoever is in
it: a member may ask `DescribeOrganization` and nothing else, delegated administrators may read, the
management account may do all of it (Organizations API reference: "You can only call this operation from the
management account or a member account that is a delegated administrator"); elsewhere it is not in use. Lists
have 20 entries a page at most, and a page may be empty though more follows (botocore's `organizations`
model). Accounts that are made get the role that lets the management account in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ddsetup.sandbox.emulator import member_roles, org_tree
from ddsetup.sandbox.emulator.org_tree import Member, Organization
from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets import member_stacks

_MOST = 20
_MANY = 10
"""More accounts than these, and the first page of them is empty."""
ROLE = "OrganizationAccountAccessRole"
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of StackSets (Organizations user guide, on its integration)."""
_TARGET = "AWSOrganizationsV20161128."
_SERVICE_PRINCIPAL = ".amazonaws.com"


Operation = Callable[[Organization, Mapping[str, Any]], Mapping[str, Any]]


def install() -> None:
    """Answer in place of the emulator's own, and let nobody into accounts that are not active."""
    from ministack.services import organizations, sts

    organizations.handle_request = _handle
    handle = sts.handle_request

    async def into_active_accounts(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        found = org_tree.current()
        closed = [each.id for each in found.members.values() if not each.active] if found else []
        if any(f"%3A{account}%3Arole".encode() in body for account in closed):
            text = "User is not authorized to perform: sts:AssumeRole on that resource"
            return sts._error(403, "AccessDenied", text, ns="sts")
        return await handle(method, path, headers, body, query)

    sts.handle_request = into_active_accounts


async def _handle(_method: str, _path: str, headers: Any, body: bytes, _query: Any) -> Any:
    from ministack.core.responses import error_response_json, get_account_id, json_response

    operation = str(headers.get("x-amz-target", "")).removeprefix(_TARGET)
    try:
        answer = _answer(operation, get_account_id(), json.loads(body or b"{}"))
    except Refusal as refused:
        return error_response_json(refused.code, refused.text, 400)
    return json_response(answer)


def _answer(operation: str, caller: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    organization = org_tree.of_account(caller)
    if operation == "CreateOrganization":
        return _create_organization(organization, caller, data)
    if organization is None:
        raise Refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    reads, writes = _READS.get(operation), _WRITES.get(operation)
    manages = caller == organization.management
    allowed = manages or (reads and (operation in _FOR_ALL or organization.administers(caller)))
    if not allowed:
        raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")
    found = reads or writes
    if found is None:
        raise Refusal("InvalidInputException", f"The sandbox does not know {operation}.")
    return found(organization, data)


def _create_organization(
    organization: Organization | None, caller: str, data: Mapping[str, Any]
) -> Mapping[str, Any]:
    if organization is not None or org_tree.current() is not None:
        text = "The account is already a member of an organization."
        raise Refusal("AlreadyInOrganizationException", text)
    return _describe_organization(org_tree.create(caller, data.get("FeatureSet", "ALL")), data)


def _describe_organization(organization: Organization, _data: Mapping[str, Any]) -> Mapping[str, Any]:
    master = organization.members[organization.management]
    described = {
        "Id": organization.id,
        "Arn": organization.arn(f"organization/{organization.id}"),
        "FeatureSet": organization.features,
        "MasterAccountArn": organization.arn(f"account/{organization.id}/{master.id}"),
        "MasterAccountId": master.id,
        "MasterAccountEmail": master.email,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    return {"Organization": described}


def _page(key: str, items: Sequence[Any], data: Mapping[str, Any], *, lazy: bool = False) -> dict[str, Any]:
    """One page; a `lazy` list gives nothing but the way on at first if it is long."""
    most = int(data.get("MaxResults") or _MOST)
    if not 1 <= most <= _MOST:
        raise Refusal("InvalidInputException", "You provided a value that is out of range for MaxResults.")
    token = data.get("NextToken")
    if token is None and lazy and len(items) > _MANY:
        return {key: [], "NextToken": "from-0"}
    try:
        first = int(str(token or "from-0").removeprefix("from-"))
    except ValueError:
        raise Refusal("InvalidInputException", "You specified an invalid value for nextToken.") from None
    more = {"NextToken": f"from-{first + most}"} if len(items) > first + most else {}
    return {key: list(items[first : first + most]), **more}


def _list_accounts(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    members = [organization.described(each) for each in organization.members.values()]
    return _page("Accounts", members, data, lazy=True)


def _list_roots(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return _page("Roots", [organization.described_unit(organization.units[organization.root])], data)


def _parent(organization: Organization, data: Mapping[str, Any]) -> str:
    parent = str(data.get("ParentId", ""))
    if parent not in organization.units:
        text = "We can't find a root or organizational unit (OU) with the ParentId that you specified."
        raise Refusal("ParentNotFoundException", text)
    return parent


def _list_units(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    parent = _parent(organization, data)
    units = [organization.described_unit(u) for u in organization.units.values() if u.parent == parent]
    return _page("OrganizationalUnits", units, data)


def _list_accounts_for_parent(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    parent = _parent(organization, data)
    members = [organization.described(m) for m in organization.members.values() if m.parent == parent]
    return _page("Accounts", members, data, lazy=True)


def _list_parents(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    child = str(data.get("ChildId", ""))
    held: dict[str, Any] = {**organization.units, **organization.members}
    if child not in held or child == organization.root:
        raise Refusal("ChildNotFoundException", "We can't find an organizational unit (OU) or account.")
    parent = held[child].parent
    kind = "ROOT" if parent == organization.root else "ORGANIZATIONAL_UNIT"
    return _page("Parents", [{"Id": parent, "Type": kind}], data)


def _member(organization: Organization, data: Mapping[str, Any]) -> Member:
    member = organization.members.get(str(data.get("AccountId", "")))
    if member is None:
        text = "You specified an account that doesn't exist."
        raise Refusal("AccountNotFoundException", text)
    return member


def _describe_account(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Account": organization.described(_member(organization, data))}


def _describe_unit(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    unit = organization.units.get(str(data.get("OrganizationalUnitId", "")))
    if unit is None or unit.id == organization.root:
        text = "You specified an organizational unit that doesn't exist."
        raise Refusal("OrganizationalUnitNotFoundException", text)
    return {"OrganizationalUnit": organization.described_unit(unit)}


def _tagged(organization: Organization, data: Mapping[str, Any]) -> str:
    target = str(data.get("ResourceId", ""))
    if not organization.holds(target):
        text = "We can't find a root, OU, account, or policy with the TargetId that you specified."
        raise Refusal("TargetNotFoundException", text)
    return target


def _list_tags(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = organization.tags.get(_tagged(organization, data), {})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _given_tags(data: Mapping[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in data.get("Tags", ())}


def _tag(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    target = _tagged(organization, data)
    given = _given_tags(data)
    state = given.pop(org_tree.STATE_TAG, "")
    if state and target in organization.members:
        organization.members[target].state = state
    organization.tags.setdefault(target, {}).update(given)
    return {}


def _untag(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = organization.tags.get(_tagged(organization, data), {})
    for key in data.get("TagKeys", ()):
        tags.pop(key, None)
    return {}


def _list_services(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    enabled = [{"ServicePrincipal": s, "DateEnabled": at} for s, at in organization.services.items()]
    return _page("EnabledServicePrincipals", enabled, data)


def _list_administrators(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = data.get("ServicePrincipal")
    since: dict[str, float] = {}
    for (account, service), at in organization.administrators.items():
        if wanted in (None, service):
            since[account] = min(at, since.get(account, at))
    found = []
    for account, at in since.items():
        described = organization.described(organization.members[account])
        del described["Paths"]
        found.append({**described, "DelegationEnabledDate": at})
    return _page("DelegatedAdministrators", found, data)


def _list_delegated_services(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    account = _member(organization, data).id
    held = organization.administrators.items()
    found = [{"ServicePrincipal": s, "DelegationEnabledDate": at} for (a, s), at in held if a == account]
    if not found:
        text = "The specified account is not a delegated administrator for this service."
        raise Refusal("AccountNotRegisteredException", text)
    return _page("DelegatedServices", found, data)


def _create_unit(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    parent, name = _parent(organization, data), str(data.get("Name", ""))
    if any(each.parent == parent and each.name == name for each in organization.units.values()):
        raise Refusal("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
    unit = organization.add_unit(parent, name)
    organization.tags[unit.id] = _given_tags(data)
    return {"OrganizationalUnit": organization.described_unit(unit)}


def _create_account(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    number = organization.new_account()
    name, email = str(data.get("AccountName", "")), str(data.get("Email", ""))
    request = f"car-{org_tree.named(f'{organization.management}{len(organization.requests)}', 32)}"
    status = {"Id": request, "AccountName": name, "RequestedTimestamp": time.time()}
    if any(each.email == email for each in organization.members.values()):
        organization.requests[request] = {
            **status,
            "State": "FAILED",
            "FailureReason": "EMAIL_ALREADY_EXISTS",
        }
        return {"CreateAccountStatus": organization.requests[request]}
    organization.members[number] = Member(number, name, email, organization.root)
    organization.tags[number] = _given_tags(data)
    _let_in(number, organization.management, str(data.get("RoleName") or ROLE))
    if STACK_SETS in organization.services:
        member_stacks.let_in(number, organization.management)
    organization.tell(number, "", organization.root)
    done = {"State": "SUCCEEDED", "CompletedTimestamp": time.time(), "AccountId": number}
    organization.requests[request] = {**status, **done}
    return {"CreateAccountStatus": {**status, "State": "IN_PROGRESS"}}


def _let_in(account: str, management: str, role: str) -> None:
    """The role by which the management account gets into an account that was made for it."""
    from ministack.core.responses import get_region, request_scope

    with request_scope(account, get_region()):
        member_roles.create(role, f"arn:aws:iam::{management}:root")


def _creation(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    status = organization.requests.get(str(data.get("CreateAccountRequestId", "")))
    if status is None:
        raise Refusal("CreateAccountStatusNotFoundException", "We can't find a create account request.")
    return {"CreateAccountStatus": status}


def _move(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    member = _member(organization, data)
    if member.parent != data.get("SourceParentId"):
        raise Refusal(
            "SourceParentNotFoundException", "We can't find a source root or OU with that ParentId."
        )
    target = str(data.get("DestinationParentId", ""))
    if target not in organization.units:
        text = "We can't find the destination container (a root or OU) with the ParentId that you specified."
        raise Refusal("DestinationParentNotFoundException", text)
    if target == member.parent:
        raise Refusal("DuplicateAccountException", "That account is already present in the destination.")
    organization.move(member.id, target)
    return {}


def _close(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    member = _member(organization, data)
    if member.id == organization.management:
        raise Refusal("ConstraintViolationException", "You can't close the management account.")
    if not member.active:
        raise Refusal("AccountAlreadyClosedException", "You attempted to close an account that is closed.")
    member.state = "CLOSED"
    return {}


def _service(data: Mapping[str, Any]) -> str:
    service = str(data.get("ServicePrincipal", ""))
    if not service.endswith(_SERVICE_PRINCIPAL):
        text = "You specified an unrecognized service principal."
        raise Refusal("InvalidInputException", text)
    return service


def _enable_service(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    organization.services.setdefault(_service(data), time.time())
    return {}


def _disable_service(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    organization.services.pop(_service(data), None)
    return {}


def _register(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    key = (_member(organization, data).id, _service(data))
    if key[0] == organization.management:
        text = "You cannot register master account/yourself as delegated administrator for your organization."
        raise Refusal("ConstraintViolationException", text)
    if key in organization.administrators:
        text = "The provided account is already a delegated administrator for your organization."
        raise Refusal("AccountAlreadyRegisteredException", text)
    organization.administrators[key] = time.time()
    return {}


def _deregister(organization: Organization, data: Mapping[str, Any]) -> Mapping[str, Any]:
    key = (_member(organization, data).id, _service(data))
    if organization.administrators.pop(key, None) is None:
        text = "The provided account is not a registered delegated administrator for your organization."
        raise Refusal("AccountNotRegisteredException", text)
    return {}


_FOR_ALL = frozenset({"DescribeOrganization"})
_READS: Mapping[str, Operation] = {
    "DescribeOrganization": _describe_organization,
    "ListAccounts": _list_accounts,
    "ListRoots": _list_roots,
    "ListOrganizationalUnitsForParent": _list_units,
    "ListAccountsForParent": _list_accounts_for_parent,
    "ListParents": _list_parents,
    "DescribeAccount": _describe_account,
    "DescribeOrganizationalUnit": _describe_unit,
    "ListTagsForResource": _list_tags,
    "ListAWSServiceAccessForOrganization": _list_services,
    "ListDelegatedAdministrators": _list_administrators,
    "ListDelegatedServicesForAccount": _list_delegated_services,
}
_WRITES: Mapping[str, Operation] = {
    "CreateOrganizationalUnit": _create_unit,
    "CreateAccount": _create_account,
    "DescribeCreateAccountStatus": _creation,
    "MoveAccount": _move,
    "CloseAccount": _close,
    "TagResource": _tag,
    "UntagResource": _untag,
    "EnableAWSServiceAccess": _enable_service,
    "DisableAWSServiceAccess": _disable_service,
    "RegisterDelegatedAdministrator": _register,
    "DeregisterDelegatedAdministrator": _deregister,
}
