"""Writes the role that Datadog assumes, and inline policies on functions' execution roles.

A role that ddsetup did not make is changed only in what a change owns: its trust, single policies, single
attachments.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, gone, moved
from ddsetup.apply.writers.trust import trusts
from ddsetup.facts.iam_documents import trust_policy
from ddsetup.gateways.aws.errors import AlreadyExists, Refused
from ddsetup.gateways.aws.roles import (
    attach_role_policy,
    create_policy,
    create_role,
    delete_policy,
    delete_role,
    delete_role_policy,
    detach_role_policy,
    put_role_policy,
    read_policy,
    read_role,
    read_role_policy,
    update_trust,
)
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Role, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import RolePolicyState, RoleState

CREATED_BY = {"created_by": "ddsetup"}
ROLE_IS_SEEN = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts to write to a role that was just made (IAM user guide: changes "are not always
immediately visible")."""


class _Theirs(GatewayError):
    """A managed policy of the name is there that somebody else made."""


class RoleWriter(OneByOne):
    """Makes, changes and deletes the integration role."""

    def __init__(self, aws: Aws, issued: Issued) -> None:
        super().__init__(issued)
        self._aws = aws
        self._issued = issued
        self._partition = aws.identity().partition

    def write_one(self, change: Change) -> Outcome:
        before, after = change.before, change.after
        if isinstance(after, RoleState):
            # The integration is registered with the external ID that this role trusts.
            self._issued.note_external_id(change.resource.account, after.external_id)
            if before is None:
                return self._create(change, after)
            if isinstance(before, RoleState):
                return self._update(change, before, after)
        if isinstance(before, RoleState):
            return self._delete(change, before)
        raise TypeError("not a change of a role")

    def _create(self, change: Change, after: RoleState) -> Outcome:
        account = change.resource.account
        live = self._read(account, after.name)
        if live is not None:
            off = _off(live, after, after)
            return moved(change, f"role {after.name} exists already") if off else already_so(change)
        trust = trust_policy(self._partition, after.trust_account, after.external_id)
        try:
            tags = {**after.tags, **CREATED_BY}
            create_role(self._aws, account, after.name, trust, tags, after.boundary)
        except AlreadyExists:
            # Also what the repetition of a call says whose answer was lost. Only we know the external ID.
            made = self._read(account, after.name)
            if made is None or not trusts(made.trust, *_trust_of(after)):
                return moved(change, f"role {after.name} was made by somebody else meanwhile")
        self._fill(account, after)
        return applied(change)

    def _fill(self, account: str, after: RoleState) -> None:
        """Give a new role its policies; where that fails, take away what was made, and nothing of others."""
        made: dict[str, Json] = {}
        try:
            for name, document in after.policies.items():
                self._once_seen(partial(put_role_policy, self._aws, account, after.name, name, document))
            for arn in after.attached:
                self._once_seen(partial(attach_role_policy, self._aws, account, after.name, arn))
            for name, document in after.managed.items():
                made[name] = document
                self._make(account, after, name)
        except GatewayError as error:
            if isinstance(error, _Theirs):
                made.popitem()
            self._take_back(account, replace(after, managed=made))
            raise

    def _once_seen(self, write: Callable[[], None]) -> None:
        """Write to a role that was just made: it takes IAM some seconds until all of it knows the role."""
        for pause in ROLE_IS_SEEN:
            try:
                return write()
            except NotFound:
                self._aws.clock.sleep(pause)
        return write()

    def _make(self, account: str, state: RoleState, name: str) -> None:
        """A managed policy, attached. One that is there already is what a run left that was cut short."""
        arn, document = self._arn(account, name), state.managed[name]
        try:
            tags, said = {**state.tags, **CREATED_BY}, "Lets Datadog collect resources"
            create_policy(self._aws, arn, document, tags, said)
        except AlreadyExists:
            if read_policy(self._aws, arn) != document:
                raise _Theirs(f"a policy {name} is there already, and says something else") from None
        self._once_seen(partial(attach_role_policy, self._aws, account, state.name, arn))

    def _unmake(self, account: str, role: str, name: str) -> None:
        """Detached, and deleted unless somebody attached it elsewhere."""
        detach_role_policy(self._aws, account, role, self._arn(account, name))
        try:
            delete_policy(self._aws, self._arn(account, name))
        except Refused as refused:
            if refused.code != "DeleteConflict":
                raise

    def _arn(self, account: str, name: str) -> str:
        return f"arn:{self._partition}:iam::{account}:policy/{name}"

    def _take_back(self, account: str, state: RoleState) -> None:
        """A role that could not be finished is not left half done."""
        with suppress(GatewayError):
            self._empty_and_delete(account, state)

    def _update(self, change: Change, before: RoleState, after: RoleState) -> Outcome:
        live = self._read(change.resource.account, after.name)
        if live is None:
            return moved(change, f"role {after.name} is not there any more")
        if not _off(live, after, before):
            return already_so(change)
        # A write of several calls may have been cut short: as before or as after is nobody else's work.
        neither = set(_off(live, before, after)) & set(_off(live, after, before))
        if neither:
            return moved(change, sorted(neither))
        self._send_update(change.resource.account, before, after)
        return applied(change)

    def _send_update(self, account: str, before: RoleState, after: RoleState) -> None:
        if _trust_of(before) != _trust_of(after):
            trust = trust_policy(self._partition, after.trust_account, after.external_id)
            update_trust(self._aws, account, after.name, trust)
        for name, document in after.policies.items():
            if before.policies.get(name) != document:
                put_role_policy(self._aws, account, after.name, name, document)
        for name in set(before.policies) - set(after.policies):
            delete_role_policy(self._aws, account, after.name, name)
        for arn in set(after.attached) - set(before.attached):
            attach_role_policy(self._aws, account, after.name, arn)
        for arn in set(before.attached) - set(after.attached):
            detach_role_policy(self._aws, account, after.name, arn)
        for name in sorted(set(after.managed) - set(before.managed)):
            self._make(account, after, name)
        for name in sorted(set(before.managed) - set(after.managed)):
            self._unmake(account, after.name, name)

    def _delete(self, change: Change, before: RoleState) -> Outcome:
        live = self._read(change.resource.account, before.name)
        if live is None:
            return gone(change)
        if live.tags.get("created_by") != CREATED_BY["created_by"]:
            return moved(change, f"role {before.name} was not made by ddsetup")
        off = [] if trusts(live.trust, *_trust_of(before)) else ["who may assume it"]
        # A policy of ours that is missing is what a crash in the middle of making the role leaves behind.
        off += [f"policy {n}" for n, d in live.inline.items() if before.policies.get(n) != d]
        account = change.resource.account
        ours = {*before.attached, *(self._arn(account, name) for name in before.managed)}
        off += [f"attached policy {arn}" for arn in live.attached if arn not in ours]
        off += [f"policy {n}" for n, d in live.managed.items() if d not in (None, before.managed.get(n))]
        if off:
            return moved(change, off)
        self._empty_and_delete(account, before)
        return applied(change)

    def _empty_and_delete(self, account: str, state: RoleState) -> None:
        for name in state.policies:
            delete_role_policy(self._aws, account, state.name, name)
        for arn in state.attached:
            detach_role_policy(self._aws, account, state.name, arn)
        for name in state.managed:
            self._unmake(account, state.name, name)
        delete_role(self._aws, account, state.name)

    def _read(self, account: str, name: str) -> Role | None:
        live = read_role(self._aws, account, name)
        if isinstance(live, Unreadable):
            raise GatewayError(f"cannot look at role {name}: {live.reason}", action=live.action)
        return live


class RolePolicyWriter(OneByOne):
    """Puts an inline policy on a role that is not ours, and takes it away again."""

    def __init__(self, aws: Aws, issued: Issued) -> None:
        super().__init__(issued)
        self._aws = aws

    def write_one(self, change: Change) -> Outcome:
        before, after = change.before, change.after
        state = after if after is not None else before
        if not isinstance(state, RolePolicyState):
            raise TypeError("not a change of a role's policy")
        live = read_role_policy(self._aws, change.resource.account, state.role_name, state.policy_name)
        if isinstance(live, Unreadable):
            return failed(change, f"cannot look at policy {state.policy_name}: {live.reason}")
        wanted = after.document if isinstance(after, RolePolicyState) else None
        expected = before.document if isinstance(before, RolePolicyState) else None
        if live == wanted:
            return already_so(change) if after is not None else gone(change)
        if live != expected:
            return moved(change, f"policy {state.policy_name} on role {state.role_name}")
        if after is None:
            delete_role_policy(self._aws, change.resource.account, state.role_name, state.policy_name)
        else:
            put_role_policy(self._aws, change.resource.account, state.role_name, state.policy_name, wanted)
        return applied(change)


def _trust_of(state: RoleState) -> tuple[str, str]:
    return state.trust_account, state.external_id


def _off(live: Role, wanted: RoleState, other: RoleState) -> list[str]:
    """What the two sides of a change own and is not on the live role as `wanted` says."""
    off = []
    if (_trust_of(wanted) != _trust_of(other) or wanted is other) and not trusts(
        live.trust, *_trust_of(wanted)
    ):
        off.append("who may assume it")
    policies = sorted({*wanted.policies, *other.policies})
    off += [f"policy {name}" for name in policies if live.inline.get(name) != wanted.policies.get(name)]
    for name in sorted({*wanted.managed, *other.managed}):
        there = name in live.managed
        same = live.managed.get(name) in (None, wanted.managed.get(name))
        if there != (name in wanted.managed) or (there and not same):
            off.append(f"policy {name}")
    attached = sorted({*wanted.attached, *other.attached})
    off += [
        f"attached policy {arn}" for arn in attached if (arn in live.attached) != (arn in wanted.attached)
    ]
    return off
