"""The StackSet that a rollout is about: who works on it, where it is, and what there is of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ddsetup.flow.organisation.who import Accounts
from ddsetup.gateways.aws import organizations, stack_sets
from ddsetup.gateways.aws.errors import Refused
from ddsetup.gateways.aws.organizations import Organisation
from ddsetup.gateways.aws.stack_sets import Made, Place
from ddsetup.model.account import Lane
from ddsetup.model.errors import GatewayError, UsageError
from ddsetup.model.organisation import Instance
from ddsetup.plan.rollout import NAMES, What, refused_access
from ddsetup.plan.steps.api_key import OWN_TAGS, made_by_us

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
"""Seconds between looks at an operation: CloudFormation has no waiter for one."""
_UNTIL_TRUSTED = 30
"""Looks at whether trusted access has come into force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The set as it is, None if there is none, and its stacks. `trusted`: StackSets may work in the
    organisation's accounts."""

    place: Place
    made: Made | None = None
    instances: tuple[Instance, ...] = ()
    trusted: bool = True


def find(accounts: Accounts, what: What) -> Found:
    """The set, once nothing of an earlier run is under way any more.

    Raises UsageError for a set of that name that is not ours, and where there is no organisation that can
    have any, or none that these credentials may bring into it.
    """
    organisation, base = accounts.organisation, accounts.base
    if organisation is None:
        raise UsageError("StackSets work in an organisation, and --accounts names a file instead of one")
    if organisation.features != "ALL":
        fix = "enable all features in AWS Organizations first"
        raise UsageError(f"organisation {organisation.id} has {organisation.features} only", fix=fix)
    lane = Lane(base.identity.account, base.scope.regions[0])
    place = Place(base.aws, lane, NAMES[what], _delegated(accounts, organisation))
    access = stack_sets.trusted_access(place)
    if refused := refused_access(access, delegated=place.delegated):
        what_is_wrong, fix = refused
        raise UsageError(what_is_wrong, fix=fix)
    if access != "ENABLED":
        return Found(place=place, trusted=False)
    return _read(accounts, place)


def _delegated(accounts: Accounts, organisation: Organisation) -> bool:
    """Whether these credentials work on StackSets as a delegated administrator. Raises UsageError where they
    are of an account that may not work on them."""
    account = accounts.base.identity.account
    if account == organisation.management:
        return False
    if not organizations.administers_stack_sets(accounts.base.aws, account):
        raise UsageError(
            f"account {account} is neither the management account nor a delegated administrator of StackSets",
            fix=f"in account {organisation.management}: aws organizations "
            f"register-delegated-administrator --account-id {account} "
            f"--service-principal {organizations.STACK_SETS}",
        )
    return True


def _read(accounts: Accounts, place: Place) -> Found:
    base = accounts.base
    made = stack_sets.read_stack_set(place)
    if made is None:
        known = (*base.scope.regions, *base.aws.regions(base.identity.partition))
        place = stack_sets.place_of(place, tuple(dict.fromkeys(known)))
        made = stack_sets.read_stack_set(place)
    if made is None:
        return Found(place=place)
    check_ours(made, place.name)
    for operation in stack_sets.operations_under_way(place):
        base.host.say(f"an operation on {place.name} is still under way; waiting for it")
        ended(accounts, place, operation)
    return Found(place=place, made=made, instances=stack_sets.instances(place))


def check_ours(made: Made, name: str) -> None:
    """Raises UsageError for a set that ddsetup did not make, or that works in another way."""
    fix = "rename or delete it"
    if made.permissions != "SERVICE_MANAGED":
        raise UsageError(
            f"StackSet {name} is there with self-managed permissions, and a rollout is service-managed",
            fix=fix,
        )
    if not made_by_us(made.tags):
        raise UsageError(f"StackSet {name} is there, and ddsetup did not make it", fix=fix)


def trust(accounts: Accounts, found: Found) -> None:
    """Let StackSets work in the organisation, and wait until they may. Raises GatewayError if they still may
    not: CloudFormation would refuse what comes next, without telling why."""
    if found.trusted:
        return
    stack_sets.allow_access(found.place)
    for _ in range(_UNTIL_TRUSTED):
        if stack_sets.trusted_access(found.place) == "ENABLED":
            return
        accounts.base.host.clock.sleep(_FIRST_PAUSE)
    raise GatewayError(
        f"StackSets were let into the organisation, and AWS has not done it in {_UNTIL_TRUSTED} s",
        action="cloudformation:ActivateOrganizationsAccess",
        fix="run this again in a few minutes",
    )


def make_set(
    accounts: Accounts, found: Found, template: Mapping[str, str], parameters: Mapping[str, str]
) -> Found:
    """The set, made if it is not there yet, in an organisation that lets StackSets work."""
    trust(accounts, found)
    if not found.trusted:
        # It may have been made before somebody took the access away.
        found = _read(accounts, found.place)
    if found.made is not None:
        return found
    try:
        # Automatic deployment knows no filters: of a unit it is for all or for none (CloudFormation user
        # guide, "Enable or disable automatic deployments for StackSets in AWS Organizations").
        made = stack_sets.create_stack_set(
            found.place, template, parameters, OWN_TAGS, automatic=not accounts.named
        )
    except Refused as error:
        if error.code != "NameAlreadyExistsException":
            raise
        # An attempt whose answer was lost made it.
        there = stack_sets.read_stack_set(found.place)
        if there is None or not made_by_us(there.tags):
            raise
        made = there.id
    return replace(found, made=Made(id=made, tags=OWN_TAGS, automatic=not accounts.named), trusted=True)


def ended(accounts: Accounts, place: Place, operation: str) -> tuple[str, str]:
    """Wait until an operation has ended; how, and why so. Ctrl-C leaves it to CloudFormation."""
    clock, pause = accounts.base.host.clock, _FIRST_PAUSE
    while True:
        status, reason = stack_sets.operation_status(place, operation)
        if not stack_sets.is_under_way(status):
            return status, reason
        clock.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def stacks_of(found: Found) -> tuple[Instance, ...]:
    """The stacks of the set as they are now; none if it is gone."""
    there = stack_sets.read_stack_set(found.place)
    return stack_sets.instances(found.place) if there is not None else ()


def by_account(instances: Iterable[Instance]) -> Mapping[str, list[Instance]]:
    """The stacks of each account."""
    found: dict[str, list[Instance]] = {}
    for each in instances:
        found.setdefault(each.account, []).append(each)
    return found
