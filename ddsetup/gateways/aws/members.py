"""Ways into the accounts of an organisation: by a role that may be assumed, with credentials that renew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.shared_clients import renewing
from ddsetup.model.account import Identity, Json, Lane
from ddsetup.model.errors import CredentialsError, GatewayError, Interrupted, SignedOut
from ddsetup.model.organisation import Member

USUAL_ROLES = ("OrganizationAccountAccessRole", "AWSControlTowerExecution")
"""The first is made in accounts that the organisation created, the second in those that Control Tower looks
after; both trust the management account (user guides of AWS Organizations and AWS Control Tower)."""
_SESSION = "ddsetup"


class NotEntered(CredentialsError):
    """No way into an account worked; it says which were tried."""


class Together(Aws):
    """Connections into several accounts as one: a call goes to the account of its lane, by that one's own."""

    def __init__(self, base: Aws, others: Mapping[str, Aws]) -> None:
        super().__init__(base.options, base._session, clock=base.clock)
        self._base = base
        self._others = others

    def call(self, action: str, lane: Lane | None = None, /, **parameters: Any) -> Json:
        """As that of the account's own connection; ours without a lane, or where there is none for it."""
        if self._stopped.is_set():
            raise Interrupted("stopped")
        to = self._base if lane is None else self._others.get(lane.account, self._base)
        return to.call(action, lane, **parameters)

    def client(self, service: str, region: str, read_timeout: int = 30) -> Any:
        """Our own."""
        return self._base.client(service, region, read_timeout)


def enter(aws: Aws, member: Member, roles: Sequence[str]) -> Aws:
    """A connection of its own to a member: the first of `roles` (names or ARNs) that may be assumed.

    The account of `aws` itself is entered already. Needs sts:AssumeRole on the roles. Raises NotEntered,
    and SignedOut when our own credentials have ended.
    """
    if member.profile:
        return _by_profile(aws, member)
    mine = aws.identity()
    if member.account == mine.account and not member.role:
        return aws
    refused: dict[str, str] = {}
    for role in (member.role,) if member.role else roles:
        arn = role if role.startswith("arn:") else f"arn:{mine.partition}:iam::{member.account}:role/{role}"
        try:
            first = _assume(aws, arn)
        except SignedOut:
            raise
        except GatewayError as error:
            refused[arn.rsplit("/", 1)[-1]] = error.what
            continue
        return _checked(_entered(aws, arn, first), member)
    raise NotEntered(
        f"no role may be assumed: {', '.join(refused)} ({next(iter(refused.values()), 'none was named')})",
        fix="name a role that trusts this identity: --member-role NAME",
        where=member.called,
    )


def _by_profile(aws: Aws, member: Member) -> Aws:
    options = replace(aws.options, profile=member.profile, role_arn=None)
    return _checked(aws.beside(options), member)


def _checked(aws: Aws, member: Member) -> Aws:
    """Raises NotEntered where the way leads into another account."""
    found = aws.identity().account
    if found != member.account:
        raise NotEntered(f"the way into it leads to account {found}", where=member.called)
    return aws


def _assume(aws: Aws, arn: str) -> Json:
    return aws.call("sts:AssumeRole", None, RoleArn=arn, RoleSessionName=_SESSION)


def _entered(aws: Aws, arn: str, first: Json) -> Aws:
    def renewed() -> dict[str, str]:
        try:
            return _as_botocore_has_it(_assume(aws, arn)["Credentials"])
        except GatewayError as error:
            raise CredentialsError(f"the role may not be assumed any more: {error.what}") from None

    entered = str((first.get("AssumedRoleUser") or {}).get("Arn") or "")
    credentials = renewing(_as_botocore_has_it(first["Credentials"]), renewed)
    return aws.as_another(credentials, _identity(entered) if entered else None)


def _identity(arn: str) -> Identity:
    """AssumeRole says who one is from then on; nobody has to ask for it again."""
    _, partition, _, _, account, _ = arn.split(":", 5)
    return Identity(account=account, arn=arn, partition=partition)


def _as_botocore_has_it(credentials: Mapping[str, Json]) -> dict[str, str]:
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "token": credentials["SessionToken"],
        "expiry_time": credentials["Expiration"].isoformat(),
    }
