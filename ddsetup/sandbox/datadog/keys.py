"""API keys and application keys: who may call what."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddsetup.sandbox.datadog.wire import ApiError, Request, text_error

UNSCOPED = "*"
FIREHOSE_KEY = "x-amz-firehose-access-key"


@dataclass(frozen=True, slots=True)
class Keys:
    """The organisation's keys. ``app_keys`` maps an application key to its scopes, None meaning unscoped."""

    api_keys: frozenset[str]
    app_keys: Mapping[str, frozenset[str] | None]

    def __repr__(self) -> str:
        return f"Keys({len(self.api_keys)} API keys, {len(self.app_keys)} application keys)"

    def api_key_of(self, request: Request) -> str | None:
        """The API key a request carries, from its header (Firehose's has a name of its own) or, as intakes
        allow, its query string."""
        headers = request.headers
        key = headers.get("dd-api-key") or headers.get(FIREHOSE_KEY) or request.query.get("api_key")
        return key.strip() if key else None

    def require_api_key(self, request: Request, *, v2: bool = False) -> str:
        """The valid API key of ``request``.

        Raises ApiError 403 as v1 does ("API key required" without one), or 401 where a v2 endpoint asks.
        """
        key = self.api_key_of(request)
        if key in self.api_keys and key is not None:
            return key
        if v2:
            raise text_error(401, "Unauthorized")
        raise text_error(403, "Forbidden" if key else "API key required")

    def require_app_key(self, request: Request, scope: str | None, *, objects: bool = False) -> None:
        """Check the application key and that it carries ``scope``. Raises ApiError 403 in the asked style."""
        key = request.headers.get("dd-application-key") or request.query.get("application_key") or ""
        if key in self.app_keys:
            scopes = self.app_keys[key]
            if scopes is None or scope is None or scope in scopes:
                return
        raise ApiError(403, [{"title": "Forbidden"}]) if objects else text_error(403, "Forbidden")


def api_key_id(key: str) -> str:
    """A stable identifier of an API key that does not give the key away."""
    return str(uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16]))


def build_keys(api_keys: Iterable[str], app_keys: Mapping[str, object]) -> Keys:
    """Keys from plain data: scopes are a list of names, or ``"*"`` for an unscoped key."""
    scopes: dict[str, frozenset[str] | None] = {}
    for key, value in app_keys.items():
        scopes[key] = None if value == UNSCOPED or not isinstance(value, list) else frozenset(map(str, value))
    return Keys(frozenset(api_keys), scopes)
