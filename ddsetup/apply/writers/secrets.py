"""Writes the secrets that hold the Datadog keys, in each region that needs them."""

from __future__ import annotations

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, gone, moved
from ddsetup.gateways.aws.errors import AlreadyExists
from ddsetup.gateways.aws.secrets import (
    StillGoing,
    create_secret,
    delete_secret,
    put_secret_value,
    read_secret,
    restore_secret,
)
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import DatadogKeys
from ddsetup.model.account import Lane, Secret, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import SecretState
from ddsetup.plan.steps.api_key import APP_SECRET_NAME

NAME_IS_FREE = (2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between attempts while the name of a secret that was deleted at once is not free yet: its deletion
goes on in the background (API reference of Secrets Manager, `DeleteSecret`)."""
JUST_DELETED_SECONDS = 900.0


class SecretWriter(OneByOne):
    """Makes the secret with the API key, or that with the application key, and deletes one that ddsetup made.

    `keys` are None where none are known (an undo needs none), and good on `site`. The key of another site
    is not known: a secret that holds it is deleted so that it can be restored.
    """

    def __init__(self, aws: Aws, issued: Issued, keys: DatadogKeys | None, site: str = "") -> None:
        super().__init__(issued)
        self._aws = aws
        self._issued = issued
        self._keys = keys
        self._site = site

    def __repr__(self) -> str:
        return "SecretWriter(keys=***)"

    def write_one(self, change: Change) -> Outcome:
        lane = Lane(change.resource.account, change.resource.region)
        live = read_secret(self._aws, lane, change.resource.id)
        if isinstance(live, Unreadable):
            raise GatewayError(
                f"cannot look at secret {change.resource.id}: {live.reason}", action=live.action
            )
        if isinstance(change.after, SecretState) and change.before is None:
            return self._create(change, change.after, lane, live)
        if isinstance(change.before, SecretState) and change.after is None:
            return self._delete(change, change.before, lane, live)
        raise TypeError("a secret is made or deleted, not changed")

    def _create(self, change: Change, after: SecretState, lane: Lane, live: Secret | None) -> Outcome:
        if live is not None and not live.deleted:
            self._issued.note_secret(lane, after.name, live.arn)
            return already_so(change, "it exists; the key in it is used as it is")
        if self._elsewhere(after):
            return self._restore(change, after, lane, live)
        if not self._key_of(after):
            what, variable = ("API", "DD_API_KEY")
            if after.name == APP_SECRET_NAME:
                what, variable = ("application", "DD_APP_KEY")
            return failed(change, f"no Datadog {what} key is known", f"give it in {variable}")
        if live is None or self._goes(live):
            return self._make(change, after, lane)
        if not _is_ours(live, after):
            return moved(
                change,
                f"secret {after.name} is scheduled for deletion, and it was not made by ddsetup",
                f"aws secretsmanager restore-secret --secret-id {after.name} --region {lane.region}",
            )
        arn = restore_secret(self._aws, lane, after.name)
        put_secret_value(self._aws, lane, after.name, self._key_of(after))
        self._issued.note_secret(lane, after.name, arn)
        return applied(change, "it was scheduled for deletion and is restored")

    def _key_of(self, state: SecretState) -> str:
        if self._keys is None:
            return ""
        return self._keys.app_key if state.name == APP_SECRET_NAME else self._keys.api_key

    def _elsewhere(self, state: SecretState) -> bool:
        """Whether the key in a secret is one of another site than this run's."""
        return bool(state.site and self._site) and state.site != self._site

    def _restore(self, change: Change, after: SecretState, lane: Lane, live: Secret | None) -> Outcome:
        """Take back the deletion of a secret whose key nobody here knows."""
        if live is None or not _is_ours(live, after):
            fix = f"ddsetup setup --site {after.site}, with the keys of that site, makes it again"
            return failed(change, f"the API key of {after.site} that it held is not known here", fix)
        self._issued.note_secret(lane, after.name, restore_secret(self._aws, lane, after.name))
        return applied(change, "it was scheduled for deletion and is restored")

    def _make(self, change: Change, after: SecretState, lane: Lane) -> Outcome:
        try:
            arn = self._once_free(after, lane)
        except StillGoing as error:
            return failed(
                change, error.what, "it takes AWS some minutes to free the name: run this again then"
            )
        except AlreadyExists:
            # Also what the repetition of a call says whose first answer was lost.
            made = read_secret(self._aws, lane, after.name)
            if not isinstance(made, Secret) or made.deleted or not _is_ours(made, after):
                raise
            self._issued.note_secret(lane, after.name, made.arn)
            return applied(change, "found in place after the connection was lost")
        self._issued.note_secret(lane, after.name, arn)
        return applied(change)

    def _goes(self, live: Secret) -> bool:
        """Whether it was deleted a moment ago, perhaps at once: such a one must not be restored, only waited
        for. ddsetup deletes at once; a deletion with a window to restore it in takes a week at least."""
        if live.deleted_at is None:
            return False
        return abs((self._aws.clock.now() - live.deleted_at).total_seconds()) < JUST_DELETED_SECONDS

    def _once_free(self, after: SecretState, lane: Lane) -> str:
        for pause in NAME_IS_FREE:
            try:
                return create_secret(self._aws, lane, after, self._key_of(after))
            except StillGoing:
                self._aws.clock.sleep(pause)
        return create_secret(self._aws, lane, after, self._key_of(after))

    def _delete(self, change: Change, before: SecretState, lane: Lane, live: Secret | None) -> Outcome:
        if live is None or live.deleted:
            return gone(change)
        if not _is_ours(live, before):
            return moved(change, f"secret {before.name} does not carry the tags that ddsetup gave it")
        # At once: the key is Datadog's to show again, and the name has to be free for the next run.
        delete_secret(self._aws, lane, before.name, force=not self._elsewhere(before))
        return applied(change)


def _is_ours(live: Secret, state: SecretState) -> bool:
    return bool(state.tags) and all(live.tags.get(key) == value for key, value in state.tags.items())
