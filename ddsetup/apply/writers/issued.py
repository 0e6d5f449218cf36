"""Values that AWS and Datadog issue while a plan is carried out, and how they get into the changes.

A plan says `ref:secret:NAME` where the ARN of a secret of the same region will stand, and `ref:external-id`
for the external ID that Datadog issues for the role's trust policy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from ddsetup.gateways.aws.secrets import read_secret
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Lane, Unreadable
from ddsetup.model.change import Change
from ddsetup.model.errors import GatewayError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import REF_EXTERNAL_ID, REF_SECRET, State, from_json, to_json
from ddsetup.plan.steps.api_key import own_secret


class Issued:
    """What was issued so far in this run. Safe to use from several threads."""

    def __init__(self, aws: Aws, snapshot: Snapshot, new_external_id: Callable[[], str]) -> None:
        self._aws = aws
        self._new_external_id = new_external_id
        self._lock = threading.Lock()
        self._secrets: dict[tuple[Lane, str], str] = {}
        self._external_ids: dict[str, str] = {}
        for lane, seen in snapshot.lanes.items():
            secrets = {} if isinstance(seen.secrets, Unreadable) else seen.secrets
            for name, secret in secrets.items():
                if not secret.deleted:
                    self._secrets[lane, name] = secret.arn

    def resolve(self, change: Change) -> Change:
        """`change` with every reference replaced. Raises GatewayError when a value cannot be had."""
        lane = Lane(change.resource.account, change.resource.region)
        kind = change.resource.kind

        def value(reference: str) -> str:
            if own_secret(reference):
                return reference
            if reference == REF_EXTERNAL_ID:
                return self.external_id(change.resource.account)
            return self.secret_arn(lane, reference.removeprefix(REF_SECRET))

        def renewed(text: str) -> str:
            return self._anew(lane, text) if own_secret(text) else value(text)

        return replace(
            change, before=_replaced(kind, change.before, value), after=_replaced(kind, change.after, renewed)
        )

    def _anew(self, lane: Lane, arn: str) -> str:
        """The ARN of ddsetup's secret as it is now: one that was deleted and made again has another."""
        try:
            return self.secret_arn(lane, own_secret(arn)) if f":{lane.region}:" in arn else arn
        except GatewayError:
            return arn

    def note_secret(self, lane: Lane, name: str, arn: str) -> None:
        """Remember a secret that was just made."""
        with self._lock:
            self._secrets[lane, name] = arn

    def secret_arn(self, lane: Lane, name: str) -> str:
        """The ARN of a secret. Raises GatewayError when it cannot be read, or is not there."""
        with self._lock:
            known = self._secrets.get((lane, name))
        if known:
            return known
        found = read_secret(self._aws, lane, name)
        if isinstance(found, Unreadable):
            raise GatewayError(f"cannot look up the secret {name}: {found.reason}", action=found.action)
        if found is None or found.deleted:
            raise GatewayError(
                f"the secret {name} is not in {lane.region}", fix="run `ddsetup setup` again: it makes it"
            )
        self.note_secret(lane, name, found.arn)
        return found.arn

    def external_id(self, account: str) -> str:
        """The external ID that was issued for the account in this run; Datadog is asked once."""
        with self._lock:
            if account not in self._external_ids:
                self._external_ids[account] = self._new_external_id()
            return self._external_ids[account]

    def note_external_id(self, account: str, external_id: str) -> None:
        """Remember the external ID that the role of the account trusts."""
        with self._lock:
            self._external_ids[account] = external_id

    def known_external_id(self, account: str) -> str | None:
        """The external ID that a role was given in this run, None if no role was written."""
        with self._lock:
            return self._external_ids.get(account)


def _replaced(kind: str, state: State | None, value: Callable[[str], str]) -> State | None:
    document = to_json(state)
    fresh = _replace_in(document, value)
    return state if fresh == document else from_json(kind, fresh)


def _replace_in(document: Json, value: Callable[[str], str]) -> Json:
    if isinstance(document, str):
        issued = document.startswith((REF_SECRET, REF_EXTERNAL_ID)) or own_secret(document)
        return value(document) if issued else document
    if isinstance(document, list):
        return [_replace_in(item, value) for item in document]
    if isinstance(document, dict):
        return {key: _replace_in(item, value) for key, item in document.items()}
    return document
