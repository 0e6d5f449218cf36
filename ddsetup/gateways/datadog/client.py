"""The connection to one Datadog site: authentication, retries, rate limits, errors.

Calls go through the official client's transport and speak plain JSON: its generated models drop the fields
and refuse the values that they do not know, and a write has to carry over what is there, known or not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ddsetup._version import __version__
from ddsetup.clock import SYSTEM_CLOCK, Clock
from ddsetup.errors import GatewayError, UsageError
from ddsetup.gateways.datadog.faults import RateLimited, causes, fault
from ddsetup.model import Json

if TYPE_CHECKING:
    from datadog_api_client import ApiClient

TIMEOUTS = (5.0, 30.0)
"""Seconds to connect and to wait for an answer."""

CONNECTIONS = 16
ATTEMPTS = 4
LONGEST_WAIT = 60.0
"""Seconds that a call waits at most, all its retries together, for a rate limit to lift."""

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, repr=False)
class DatadogKeys:
    """An API key and an application key. Neither shows in any textual form, nor can they be pickled."""

    api_key: str
    app_key: str

    def __post_init__(self) -> None:
        # Such a value could not be sent as a header, and the refusal would quote it.
        if any(not "!" <= char <= "~" for char in self.api_key + self.app_key):
            raise UsageError("a Datadog key holds characters that no key has (spaces, line ends, accents)")

    def __repr__(self) -> str:
        return "DatadogKeys(api_key=***, app_key=***)"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What IPython and hypothesis ask first; they show a dataclass by its fields otherwise."""
        printer.text(repr(self))

    def __reduce__(self) -> NoReturn:
        raise TypeError("Datadog keys are not stored")

    __getstate__ = __reduce__


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the last answer said of its rate limit (`X-RateLimit-*`): calls per `period` seconds."""

    name: str
    limit: int
    remaining: int
    reset: float
    period: float


@dataclass(slots=True, repr=False, eq=False)
class Datadog:
    """One Datadog organisation. Safe to use from several threads.

    `url` is the API host in use; `overridden` tells that it was given rather than derived from `site`.
    `limits` holds the newest rate limit seen for each path.
    """

    site: str
    url: str
    overridden: bool
    keys: DatadogKeys
    clock: Clock
    attempts: int
    _client: ApiClient
    limits: dict[str, RateLimit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def connect(
        cls,
        site: str,
        keys: DatadogKeys,
        url: str | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        attempts: int = ATTEMPTS,
    ) -> Datadog:
        """A client for `site` (e.g. "datadoghq.eu"), or for the API at `url` (a proxy, a stand-in).

        `attempts` is how often a call is sent at most. Nothing is sent yet. Raises GatewayError when `url`
        is not an HTTP address.
        """
        base = (url or f"https://api.{site}").rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GatewayError(f"not an address of an API: {base!r}", fix="e.g. https://api.datadoghq.com")
        return cls(
            site=site,
            url=base,
            overridden=bool(url),
            keys=keys,
            clock=clock,
            attempts=attempts,
            _client=_transport(base, keys),
        )

    def __repr__(self) -> str:
        return f"Datadog(site={self.site!r}, url={self.url!r})"

    def get(self, path: str, *, action: str, query: Mapping[str, str] | None = None) -> Json:
        """`call` with GET."""
        return self.call("GET", path, action=action, query=query)

    def post(self, path: str, body: Json, *, action: str) -> Json:
        """`call` with POST."""
        return self.call("POST", path, action=action, body=body)

    def call(
        self,
        method: str,
        path: str,
        *,
        action: str,
        query: Mapping[str, str] | None = None,
        body: Json = None,
    ) -> Json:
        """The answer's JSON, None if it has no content. `action` is the permission the call needs.

        Dropped connections, 408, 429 and 5xx are tried again, whatever the method: callers that create
        must expect that a first attempt took effect. Raises Denied (401, 403), NotFound, RateLimited,
        Rejected (other 4xx) or GatewayError.
        """
        waited = 0.0
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts
            try:
                status, headers, data = self._send(method, path, query, body)
            except _Unreachable as error:
                if last or not error.transient:
                    raise GatewayError(error.text, where=self.url, fix=error.fix) from None
                pause = 2.0 ** (attempt - 1)
            else:
                self._note(path, headers)
                document = self._parse(status, data if status < 400 else self._redacted(data))
                if status < 400:
                    return document
                pause = _pause(status, headers, attempt)
                if status not in _TRANSIENT or last or waited + pause > LONGEST_WAIT:
                    raise self._refusal(status, document, headers, action)
            waited += pause
            self.clock.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")  # pragma: no cover

    def _refusal(self, status: int, body: Json, headers: Mapping[str, str], action: str) -> GatewayError:
        if status != 429:
            return fault(status, body, action=action, where=self.url)
        wait = _number(headers.get("x-ratelimit-reset"), 60.0)
        name = headers.get("x-ratelimit-name", "")
        what = f"Datadog's rate limit {name} is used up; it resets in {wait:.0f} s".replace("  ", " ")
        return RateLimited(what, retry_after=wait, where=self.url)

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Json
    ) -> tuple[int, Mapping[str, str], bytes]:
        from datadog_api_client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            response: Any = self._client.call_api(
                path,
                method,
                query_params=list(query.items()) if query else None,
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                preload_content=False,
                request_timeout=TIMEOUTS,
            )
            return response.status, _lowered(response.headers), response.data
        except ApiException as error:
            if not error.status:  # the client reports a broken TLS connection as an answer without status
                raise self._unreachable(str(error.reason), transient=False) from None
            return error.status, _lowered(error.headers or {}), json.dumps(error.body).encode()
        except HTTPError as error:
            transient = not any("CERTIFICATE" in str(cause).upper() for cause in causes(error))
            raise self._unreachable(str(list(causes(error))[-1]), transient=transient) from None

    def _unreachable(self, cause: str, *, transient: bool) -> _Unreachable:
        host = urlsplit(self.url).netloc.rsplit("@", 1)[-1]
        fix = f"check that {host} can be reached from here (proxy: HTTPS_PROXY)"
        if "CERTIFICATE" in cause.upper():
            fix = "the certificate is not trusted here; name your proxy's authority in SSL_CERT_FILE"
        text = f"no connection to Datadog at {host}: {cause.rsplit('>: ', 1)[-1].strip()}"
        return _Unreachable(text, fix, transient=transient)

    def _redacted(self, data: bytes) -> bytes:
        for key in (self.keys.api_key, self.keys.app_key):
            if key:
                data = data.replace(key.encode(), b"***")
        return data

    def _parse(self, status: int, data: bytes) -> Json:
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except ValueError:
            if status >= 400:
                return None
            host = urlsplit(self.url).netloc
            raise GatewayError(
                f"what answers at {host} is not Datadog's API (no JSON)",
                where=self.url,
                fix="check the address and the proxy",
            ) from None

    def _note(self, path: str, headers: Mapping[str, str]) -> None:
        if "x-ratelimit-remaining" not in headers:
            return
        limit = RateLimit(
            name=headers.get("x-ratelimit-name", ""),
            limit=int(_number(headers.get("x-ratelimit-limit"), 0)),
            remaining=int(_number(headers.get("x-ratelimit-remaining"), 0)),
            reset=_number(headers.get("x-ratelimit-reset"), 0.0),
            period=_number(headers.get("x-ratelimit-period"), 0.0),
        )
        with self._lock:
            self.limits[path] = limit


class _Unreachable(Exception):
    def __init__(self, text: str, fix: str, *, transient: bool) -> None:
        super().__init__(text)
        self.text = text
        self.fix = fix
        self.transient = transient


def _transport(base: str, keys: DatadogKeys) -> ApiClient:
    """The official client for `base`. Its retries are off: ours wait on the clock, and not for an hour."""
    from datadog_api_client import ApiClient, Configuration
    from urllib3.util import Retry

    # Given explicitly, or the client takes keys and site from the environment and checks the site's name.
    configuration = Configuration(host=base, api_key={}, retry_policy=Retry(total=0, redirect=0))
    parts = urlsplit(base)
    if not proxy_bypass(parts.hostname or ""):
        configuration.proxy = getproxies().get(parts.scheme)
    client = ApiClient(configuration)
    # More threads than the client's four connections would make urllib3 warn on stderr.
    client.rest_client.pool_manager.connection_pool_kw["maxsize"] = CONNECTIONS
    client.set_default_header("DD-API-KEY", keys.api_key)
    if keys.app_key:
        client.set_default_header("DD-APPLICATION-KEY", keys.app_key)
    client.user_agent = f"ddsetup/{__version__} {client.user_agent}"
    return client


def _pause(status: int, headers: Mapping[str, str], attempt: int) -> float:
    backoff = 2.0 ** (attempt - 1)
    if status != 429:
        return backoff
    return max(_number(headers.get("x-ratelimit-reset"), backoff), 1.0)


def _number(text: str | None, default: float) -> float:
    try:
        return float(text) if text is not None else default
    except ValueError:
        return default


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
