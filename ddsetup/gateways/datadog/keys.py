"""Whether a pair of Datadog keys is good for a site, and what exactly is wrong with it if not.

Datadog has no call that lists the permissions of an application key. What can be tried without changing
anything is tried; the rest is "unknown", never "denied".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

from ddsetup.facts.catalog import sites
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.faults import Misread
from ddsetup.gateways.datadog.integration import EDIT, MANAGE, READ
from ddsetup.gateways.datadog.shapes import ANYTHING, Shape
from ddsetup.gateways.overlap import all_of, each
from ddsetup.model.errors import CredentialsError, Denied, GatewayError, NotFound

QUERY_METRICS = "timeseries_query"
READ_LOGS = "logs_read_data"
READ_SPANS = "apm_read"

PermissionState: TypeAlias = Literal["ok", "denied", "unknown"]
KeyKind: TypeAlias = Literal["api", "app", ""]

_API_KEY = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_APP_KEY = re.compile(r"[0-9a-f]{40}|ddapp_[0-9A-Za-z]{34}", re.IGNORECASE)

VALIDITY: Shape = {"valid": bool}
"""The answer to the validation of an API key."""
_WITH_ORGANISATION: Shape = {"included": [{"type": str, "attributes?": {"name?": str}}]}

_NEW_KEYS = "a key made less than a minute ago may need a moment"


class BadApiKey(CredentialsError):
    """The API key is valid on no site."""


class WrongSite(CredentialsError):
    """The API key is valid, but on another site, which `site` names."""

    site = ""


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """A valid pair of keys. `permissions` maps a Datadog permission to what is known of it; `organisation` is
    the name of the one that the keys belong to, empty where Datadog does not tell."""

    site: str
    permissions: Mapping[str, PermissionState]
    organisation: str = ""

    @property
    def denied(self) -> tuple[str, ...]:
        """The permissions that the application key certainly lacks."""
        return tuple(name for name, state in self.permissions.items() if state == "denied")


def key_kind(key: str) -> KeyKind:
    """What a key looks like: API keys are 32 hex digits; application keys 40, or `ddapp_` and 34 characters.

    Empty for anything else (formats as in Datadog's AWS quick start template 4.15.1).
    """
    if _API_KEY.fullmatch(key):
        return "api"
    return "app" if _APP_KEY.fullmatch(key) else ""


def refuse_swapped(keys: DatadogKeys) -> None:
    """Raise CredentialsError when each key has the form of the other."""
    if key_kind(keys.api_key) == "app" and key_kind(keys.app_key) == "api":
        raise CredentialsError(
            "the two Datadog keys are swapped: each has the form of the other",
            fix="put the key of 32 digits into DD_API_KEY, the other one into DD_APP_KEY",
        )


def check_keys(
    dd: Datadog,
    *,
    needed: Collection[str] = (READ,),
    patience: float = 5.0,
    elsewhere: Callable[[str], Datadog] | None = None,
) -> KeyCheck:
    """Check both keys against the site, without changing anything there.

    A refusal is asked again for `patience` seconds, as keys take a moment to be known everywhere. An API
    key that is refused is tried on the other sites, through the clients that `elsewhere` gives (default:
    their public addresses, unless this client has another that is the same for all sites).

    Raises CredentialsError that names the cause: swapped keys, an API key that is invalid or of another
    site, an invalid application key, or a permission of `needed` that is missing. Raises GatewayError when
    Datadog cannot be reached.
    """
    refuse_swapped(dd.keys)
    check_api_key(dd, patience=patience, elsewhere=elsewhere)
    read = all_of(
        {"of": partial(_organisation, dd), "may": partial(_patient_permissions, dd, needed, patience)}
    )
    permissions = read["may"]
    missing = _lacking(permissions, needed)
    if missing:
        raise CredentialsError(
            f"the application key lacks the permission{'s' * (len(missing) > 1)} {', '.join(missing)}",
            fix="use an unscoped application key of a user whose role has them, or add them to its scopes",
            where=dd.url,
        )
    return KeyCheck(dd.site, permissions, read["of"])


def check_api_key(
    dd: Datadog, *, patience: float = 5.0, elsewhere: Callable[[str], Datadog] | None = None
) -> None:
    """The first half of `check_keys`, which needs the API key only.

    Raises BadApiKey, WrongSite, or GatewayError when Datadog cannot be reached.
    """
    if elsewhere is None and dd.knows_sites:
        elsewhere = _without_app_key(dd)
    if not _api_key_valid(dd):
        _refuse_other_site(dd, elsewhere)
        if not _again(dd, patience, _api_key_valid):
            raise BadApiKey(_bad_api_key(dd), fix=_keys_page(dd, "api-keys"), where=dd.url)


def _patient_permissions(
    dd: Datadog, needed: Collection[str], patience: float
) -> Mapping[str, PermissionState]:
    """What the application key may do, asked again for a moment where it is refused.

    Raises CredentialsError when it is not valid.
    """
    pair_valid, permissions = _pair_valid(dd), probe_permissions(dd)
    # A scoped key may be refused by the check itself; one call that it may do proves it.
    if not pair_valid and "ok" not in permissions.values():
        if not _again(dd, patience, _pair_valid):
            raise CredentialsError(_bad_app_key(dd), fix=_keys_page(dd, "application-keys"), where=dd.url)
        permissions = probe_permissions(dd)
    if _lacking(permissions, needed):
        _again(dd, patience, lambda dd: not _lacking(probe_permissions(dd), needed))
        permissions = probe_permissions(dd)
    return permissions


def _lacking(permissions: Mapping[str, PermissionState], needed: Collection[str]) -> list[str]:
    return [name for name in needed if permissions.get(name) == "denied"]


def probe_permissions(dd: Datadog) -> Mapping[str, PermissionState]:
    """What the application key may do, by harmless reads. Permissions to write stay "unknown"."""
    found = all_of({name: partial(_probe, dd, probe) for name, probe in PROBES.items()})
    return found | {EDIT: "unknown", MANAGE: "unknown"}


def _probe(dd: Datadog, probe: Callable[[Datadog], object]) -> PermissionState:
    try:
        probe(dd)
    except Denied:
        return "denied"
    except GatewayError:
        return "unknown"
    return "ok"


def _read_accounts(dd: Datadog) -> object:
    query = {"aws_account_id": "000000000000"}
    return dd.get("/api/v2/integration/aws/accounts", action=READ, query=query, shape={"data": [{}]})


def _query_metrics(dd: Datadog) -> object:
    now = int(dd.clock.now().timestamp())
    query = {"from": str(now - 60), "to": str(now), "query": "avg:aws.lambda.invocations{*}"}
    return dd.get("/api/v1/query", action=QUERY_METRICS, query=query, shape={"series": [{}]})


def _search_logs(dd: Datadog) -> object:
    body = {"filter": {"from": "now-1m", "to": "now", "query": "source:lambda"}, "page": {"limit": 1}}
    return dd.post("/api/v2/logs/events/search", body, action=READ_LOGS, shape={"data": [{}]})


def _search_spans(dd: Datadog) -> object:
    search = {"filter": {"from": "now-1m", "to": "now", "query": "operation_name:aws.lambda"}}
    body = {"data": {"type": "search_request", "attributes": search | {"page": {"limit": 1}}}}
    return dd.post("/api/v2/spans/events/search", body, action=READ_SPANS, shape={"data": [{}]})


PROBES: Mapping[str, Callable[[Datadog], object]] = {
    READ: _read_accounts,
    QUERY_METRICS: _query_metrics,
    READ_LOGS: _search_logs,
    READ_SPANS: _search_spans,
}
"""What proves each permission to read, at no cost."""


def _api_key_valid(dd: Datadog) -> bool:
    try:
        answer = dd.get("/api/v1/validate", action="", shape=VALIDITY)
    except Denied:
        return False
    return bool(answer["valid"])


def _pair_valid(dd: Datadog) -> bool:
    try:
        dd.get("/api/v2/validate_keys", action="", shape=ANYTHING)
    except (Denied, NotFound, Misread):  # a proxy or stand-in may not have the call: the probes decide then
        return False
    return True


def _organisation(dd: Datadog) -> str:
    """The name of the organisation of the application key's owner.

    Any valid pair of keys may ask (Datadog API reference, "Get current user"); a scoped key may be refused.
    """
    try:
        answer = dd.get("/api/v2/current_user", action="", shape=_WITH_ORGANISATION)
    except GatewayError:
        return ""
    for item in answer["included"]:
        if item["type"] == "orgs":
            return str((item.get("attributes") or {}).get("name") or "")
    return ""


def _again(dd: Datadog, patience: float, valid: Callable[[Datadog], bool]) -> bool:
    """Ask again after 1, 2, 4, ... seconds, `patience` seconds in all."""
    pause = 1.0
    while pause <= patience:
        dd.clock.sleep(pause)
        if valid(dd):
            return True
        patience, pause = patience - pause, pause * 2
    return False


def _without_app_key(dd: Datadog) -> Callable[[str], Datadog]:
    keys = DatadogKeys(dd.keys.api_key, "")
    return lambda site: Datadog.connect(site, keys, dd.given or None, clock=dd.clock, attempts=1)


def _refuse_other_site(dd: Datadog, connect: Callable[[str], Datadog] | None) -> None:
    if connect is None:
        return
    others = [site for site in sites() if site.site != dd.site]
    valid = each(lambda site: _valid_on(connect, site.site), others)
    for site, found in zip(others, valid, strict=True):
        if found:
            error = WrongSite(
                f"the API key belongs to the site {site.name} ({site.site}), not to {dd.site}",
                fix=f"repeat it with --site {site.site}",
                where=dd.url,
            )
            error.site = site.site
            raise error


def _valid_on(connect: Callable[[str], Datadog], site: str) -> bool:
    try:
        return _api_key_valid(connect(site))
    except GatewayError:
        return False


def _bad_api_key(dd: Datadog) -> str:
    if key_kind(dd.keys.api_key) == "app":
        return "the API key is not valid: it has the form of an application key"
    odd = "" if key_kind(dd.keys.api_key) else "; it does not have the form of one (32 hex digits)"
    return f"the Datadog API key is not valid on {dd.site}{odd} ({_NEW_KEYS})"


def _bad_app_key(dd: Datadog) -> str:
    if key_kind(dd.keys.app_key) == "api":
        return "the application key is not valid: it has the form of an API key"
    return (
        f"the API key is valid on {dd.site}, but the application key is not: revoked, of another"
        f" organisation, or without any permission that ddsetup needs ({_NEW_KEYS})"
    )


def _keys_page(dd: Datadog, page: str) -> str:
    app = next((site.app_url for site in sites() if site.site == dd.site), "https://app.datadoghq.com")
    return f"see {app}/organization-settings/{page}"
