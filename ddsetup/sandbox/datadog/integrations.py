"""The registered AWS accounts, their external ids, and what the backend made of them."""

from __future__ import annotations

import copy
import json
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ddsetup.sandbox.datadog import account_config
from ddsetup.sandbox.datadog.account_config import invalid
from ddsetup.sandbox.datadog.wire import ApiError, JsonObject, object_error

#: An external id from ``generate_new_external_id`` stays usable this long (seconds; Datadog's documentation).
EXTERNAL_ID_LIFETIME = 48 * 3600


@dataclass(frozen=True, slots=True)
class Account:
    """One registered account: its id (``aws_account_config_id``) and its attributes."""

    id: str
    attributes: Mapping[str, Any]

    @property
    def aws_account_id(self) -> str:
        """The 12-digit AWS account number."""
        return str(self.attributes["aws_account_id"])


@dataclass(frozen=True, slots=True)
class AutomaticFilter:
    """A subscription filter that the backend created for a registered Forwarder."""

    config_id: str
    region: str
    log_group: str
    name: str
    destination_arn: str


class Integrations:
    """Accounts by id, kept in ``file`` (JSON) when one is given. ``clock`` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float], file: Path | None = None) -> None:
        self._clock = clock
        self._file = file
        self._lock = threading.RLock()
        self._accounts: dict[str, JsonObject] = {}
        self._external_ids: dict[str, float] = {}
        self._filters: set[AutomaticFilter] = set()
        self._issues: dict[str, list[str]] = {}
        self._load()

    def accounts(self) -> list[Account]:
        """All registered accounts, in the order of registration."""
        with self._lock:
            return [Account(i, copy.deepcopy(attributes)) for i, attributes in self._accounts.items()]

    def get(self, config_id: str) -> Account:
        """One account. Raises ApiError 400 when the id is no UUID, 404 when unknown."""
        try:
            uuid.UUID(config_id)
        except ValueError:
            detail = 'invalid parameter "aws_account_config_id" in "path"; expected type "uuid"'
            raise object_error(400, "Invalid Parameter", detail) from None
        with self._lock:
            if config_id not in self._accounts:
                raise object_error(404, "Account not found", "AWS account with provided id is not integrated")
            return Account(config_id, copy.deepcopy(self._accounts[config_id]))

    def create(self, sent: Mapping[str, Any], config_id: str | None = None) -> Account:
        """Register an account. Raises ApiError 400 on invalid attributes, 409 when it is registered.

        ``config_id`` is for accounts that somebody registered before; their external id is taken as it is.
        """
        attributes = {key: value for key, value in sent.items() if key != "id"}
        account_config.check(attributes, creating=True)
        with self._lock:
            if any(a["aws_account_id"] == attributes["aws_account_id"] for a in self._accounts.values()):
                raise object_error(
                    409, "Account already exists", "AWS account with provided id already exists"
                )
            auth = dict(attributes["auth_config"])
            if "role_name" in auth:
                external_id = auth.get("external_id") or self.new_external_id()
                if config_id is not None:
                    self._external_ids[external_id] = self._clock()
                self._require_issued(external_id)
                auth["external_id"] = external_id
            stored = account_config.merged(account_config.defaults(), attributes)
            now = iso_timestamp(self._clock())
            stored.update(auth_config=auth, created_at=now, modified_at=now)
            config_id = config_id or str(uuid.uuid4())
            self._accounts[config_id] = stored
            self._save()
            return self.get(config_id)

    def update(self, config_id: str, sent: Mapping[str, Any]) -> Account:
        """Merge into an account. Raises ApiError 400 or 404."""
        with self._lock:
            stored = dict(self.get(config_id).attributes)
            account_config.check(sent, creating=False)
            if sent["aws_account_id"] != stored["aws_account_id"]:
                raise invalid("aws_account_id", "the account id cannot change")
            auth = sent.get("auth_config") or {}
            if auth and ("role_name" in auth) != ("role_name" in stored["auth_config"]):
                raise ApiError(
                    400,
                    [{"title": "Generic Error", "detail": "cannot switch between role and key based auth"}],
                )
            if auth.get("external_id") not in (None, stored["auth_config"].get("external_id")):
                self._require_issued(auth["external_id"])
            result = account_config.merged(stored, sent)
            account_config.check({k: v for k, v in result.items() if not k.endswith("ed_at")}, creating=True)
            result["modified_at"] = iso_timestamp(self._clock())
            self._accounts[config_id] = result
            self._save()
            return self.get(config_id)

    def delete(self, config_id: str) -> None:
        """Forget an account. Raises ApiError 400 or 404."""
        with self._lock:
            self.get(config_id)
            del self._accounts[config_id]
            self._issues.pop(config_id, None)
            self._filters = {made for made in self._filters if made.config_id != config_id}
            self._save()

    def new_external_id(self) -> str:
        """An external id of 32 hex characters, usable for a while."""
        external_id = secrets.token_hex(16)
        with self._lock:
            self._external_ids[external_id] = self._clock()
            self._save()
        return external_id

    def _require_issued(self, external_id: Any) -> None:
        issued = self._external_ids.get(str(external_id))
        if issued is None or self._clock() - issued > EXTERNAL_ID_LIFETIME:
            raise invalid("external_id", "the external id was not issued by Datadog or has expired")

    def set_issues(self, config_id: str, issues: list[str]) -> None:
        """What the backend could not do for an account at its last visit."""
        with self._lock:
            if config_id in self._accounts:
                self._issues[config_id] = list(issues)

    def issues(self) -> dict[str, list[str]]:
        """The issues of all accounts that were visited, by config id."""
        with self._lock:
            return {key: list(value) for key, value in self._issues.items()}

    def add_filter(self, made: AutomaticFilter) -> None:
        """Remember a filter, so that it can be taken back."""
        with self._lock:
            self._filters.add(made)
            self._save()

    def forget_filter(self, made: AutomaticFilter) -> None:
        """The filter is gone."""
        with self._lock:
            self._filters.discard(made)
            self._save()

    def filters(self) -> list[AutomaticFilter]:
        """The filters the backend made and has not taken back."""
        with self._lock:
            return sorted(self._filters, key=lambda made: (made.region, made.log_group, made.name))

    def _load(self) -> None:
        text = self._file.read_text(encoding="utf-8") if self._file and self._file.exists() else ""
        if text:
            kept = json.loads(text)
            self._accounts = kept["accounts"]
            self._external_ids = kept["external_ids"]
            self._filters = {AutomaticFilter(**made) for made in kept["filters"]}

    def _save(self) -> None:
        if self._file is None:
            return
        kept = {
            "accounts": self._accounts,
            "external_ids": self._external_ids,
            "filters": [asdict(made) for made in self._filters],
        }
        self._file.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def iso_timestamp(seconds: float) -> str:
    """A time with nanoseconds, as recorded: ``2025-08-06T17:41:41.111886478Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
