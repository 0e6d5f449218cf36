"""Writes subscription filter policies: one for all log groups of an account and region."""

from __future__ import annotations

import json

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.logs import until_invocable
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone, moved
from ddsetup.facts.account_policies import FilterPolicy, policies_of
from ddsetup.gateways.aws.logs import account_filter_policies, delete_account_policy, put_account_policy
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import AccountPolicyState


class AccountPolicyWriter(OneByOne):
    """Puts and deletes the policy; what is there is compared in every part first."""

    def __init__(self, aws: Aws, issued: Issued, clock: Clock) -> None:
        super().__init__(issued)
        self._aws = aws
        self._clock = clock

    def write_one(self, change: Change) -> Outcome:
        before, after = _policy(change.before), _policy(change.after)
        lane = Lane(change.resource.account, change.resource.region)
        live = self._live(lane, change.resource.id)
        if after is not None and live is not None and same(live.state, after):
            return already_so(change)
        if live is None and before is not None:
            return gone(change) if after is None else moved(change, "the policy is not there any more")
        if live is not None and (before is None or not same(live.state, before)):
            return moved(change, f"a policy of this name is there, to {live.destination_arn}")
        if after is None:
            return (
                applied(change)
                if delete_account_policy(self._aws, lane, change.resource.id)
                else gone(change)
            )
        until_invocable(lambda: put_account_policy(self._aws, lane, after), self._clock)
        return applied(change)

    def _live(self, lane: Lane, name: str) -> FilterPolicy | None:
        found = account_filter_policies(self._aws, lane)
        if isinstance(found, Unreadable):
            raise GatewayError(f"cannot look at the account's policies: {found.reason}", action=found.action)
        return next((policy for policy in policies_of(found) if policy.state.name == name), None)


def same(one: AccountPolicyState, other: AccountPolicyState) -> bool:
    """Whether both say the same, whatever the JSON looks like."""
    return _parts(one) == _parts(other)


def _parts(state: AccountPolicyState) -> tuple[object, str]:
    try:
        document: object = json.loads(state.document)
    except ValueError:
        document = state.document
    return document, " ".join(state.selection.split())


def _policy(state: object) -> AccountPolicyState | None:
    if state is not None and not isinstance(state, AccountPolicyState):
        raise TypeError("not a change of an account's policy")
    return state
