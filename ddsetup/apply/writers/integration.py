"""Writes Datadog's record of the AWS account.

It reads the record right before it writes: Datadog has no revision to write on.
"""

from __future__ import annotations

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone, moved
from ddsetup.apply.writers.trust import external_id_of
from ddsetup.gateways.aws.roles import read_role
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import (
    create_integration,
    delete_integration,
    integration_state,
    read_integration,
    update_integration,
)
from ddsetup.model.account import Integration, Role, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import IntegrationState

ROLE_SETTLES = (5.0, 10.0, 15.0)
"""Seconds between attempts while Datadog cannot assume the role yet: IAM is eventually consistent."""


class IntegrationWriter(OneByOne):
    """Registers an account with Datadog, changes the registration, or takes back one that ddsetup made."""

    def __init__(self, aws: Aws, dd: Datadog, issued: Issued, clock: Clock) -> None:
        super().__init__(issued)
        self._aws = aws
        self._dd = dd
        self._issued = issued
        self._clock = clock

    def write_one(self, change: Change) -> Outcome:
        live = readable(read_integration(self._dd, change.resource.account))
        before, after = change.before, change.after
        if isinstance(after, IntegrationState):
            if before is None:
                return self._create(change, after, live)
            if isinstance(before, IntegrationState):
                return self._update(change, before, after, live)
        if isinstance(before, IntegrationState):
            return self._delete(change, before, live)
        raise TypeError("not a change of an integration")

    def _create(self, change: Change, after: IntegrationState, live: Integration | None) -> Outcome:
        if live is not None:
            differing = after.differing(integration_state(live))
            if differing:
                return moved(
                    change, f"the account is registered with Datadog already ({', '.join(differing)})"
                )
            return already_so(change)
        external_id = self._external_id(after)
        for pause in (*ROLE_SETTLES, None):
            try:
                create_integration(self._dd, after, external_id)
                break
            except GatewayError as error:
                if pause is None or "assume" not in error.what.lower():
                    raise
                self._clock.sleep(pause)
        return applied(change)

    def _external_id(self, state: IntegrationState) -> str:
        """The one that the role trusts: issued in this run, or found in a role that was there before."""
        issued = self._issued.known_external_id(state.aws_account_id)
        if issued:
            return issued
        role = read_role(self._aws, state.aws_account_id, state.role_name)
        found = external_id_of(role.trust) if isinstance(role, Role) else None
        if found is None:
            raise GatewayError(
                f"role {state.role_name} is not there, or trusts no external ID",
                fix="run `ddsetup setup` again: it looks at the role first",
            )
        return found

    def _update(
        self, change: Change, before: IntegrationState, after: IntegrationState, live: Integration | None
    ) -> Outcome:
        if live is None:
            return moved(change, "the account is no longer registered with Datadog")
        if not _changed(before, after, integration_state(live)):
            return already_so(change)
        update_integration(self._dd, live.config_id, before, after, live)
        return applied(change)

    def _delete(self, change: Change, before: IntegrationState, live: Integration | None) -> Outcome:
        if live is None:
            return gone(change)
        differing = list(before.differing(integration_state(live)))
        if live.lambdas:
            differing.append("log forwarders were registered with it")
        if differing:
            return moved(change, differing)
        delete_integration(self._dd, live.config_id)
        return applied(change)


def readable(live: Integration | Unreadable | None) -> Integration | None:
    if isinstance(live, Unreadable):
        raise GatewayError(f"cannot look at the integration: {live.reason}", action=live.action)
    return live


def _changed(before: IntegrationState, after: IntegrationState, now: IntegrationState) -> list[str]:
    """The fields that the change is about and that are not as in `after` yet."""
    return [name for name in before.differing(after) if name in after.differing(now)]
