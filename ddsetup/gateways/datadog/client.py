"""The connection to one Datadog site: authentication, retries, rate limits, errors.

Calls go through the official client's transport and speak plain JSON: its generated models drop the fields
and refuse the values that they do not know, and a write has to carry over what is there, known or not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from ddsetup._version import __version__
from ddsetup.gateways.datadog.attempts import Call, Trouble, judge, number, unreachable
from ddsetup.gateways.datadog.exchange import LONGEST, Request, Unbounded, exchange
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.model.account import Json
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import GatewayError, UsageError

if TYPE_CHECKING:
    from datadog_api_client import ApiClient

T = TypeVar("T")

CONNECTIONS = 16
ATTEMPTS = 4
LONGEST_WAIT = 60.0
"""Seconds that a call waits at most, all its retries together, for a rate limit to lift."""


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

    `url` is the API host in use; `given` is what it was made of, empty where it is the site's own.
    `limits` holds the newest rate limit seen for each path.
    """

    site: str
    url: str
    given: str
    keys: DatadogKeys
    clock: Clock
    attempts: int
    patience: float
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
        patience: float = LONGEST,
    ) -> Datadog:
        """A client for `site` (e.g. "datadoghq.eu"), or for the API at `url` (a proxy, a stand-in), in which
        `{site}` stands for the site.

        `attempts` is how often a call is sent at most, `patience` how many seconds an attempt may take.
        Nothing is sent yet. Raises GatewayError when `url`
        is not an HTTP address.
        """
        base = (url or "https://api.{site}").replace("{site}", site).rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GatewayError(f"not an address of an API: {base!r}", fix="e.g. https://api.datadoghq.com")
        return cls(
            site=site,
            url=base,
            given=url or "",
            keys=keys,
            clock=clock,
            attempts=attempts,
            patience=patience,
            _client=_transport(base, keys),
        )

    def __repr__(self) -> str:
        return f"Datadog(site={self.site!r}, url={self.url!r})"

    @property
    def overridden(self) -> bool:
        """Whether the address was given rather than derived from the site."""
        return bool(self.given)

    @property
    def knows_sites(self) -> bool:
        """Whether the other sites can be asked by the same way."""
        return not self.given or "{site}" in self.given

    def get(self, path: str, *, action: str, shape: Shape, query: Mapping[str, str] | None = None) -> Json:
        """`call` with GET."""
        return self.call("GET", path, action=action, shape=shape, query=query)

    def post(self, path: str, body: Json, *, action: str, shape: Shape) -> Json:
        """`call` with POST."""
        return self.call("POST", path, action=action, shape=shape, body=body)

    def call(
        self,
        method: str,
        path: str,
        *,
        action: str,
        shape: Shape,
        query: Mapping[str, str] | None = None,
        body: Json = None,
    ) -> Json:
        """The answer's JSON, None if it has no content. `action` is the permission the call needs, `shape`
        what its answer has to look like.

        Dropped connections, 408, 429 and 5xx are tried again, whatever the method: what makes something new
        at every call goes through `create`. Raises Denied (401, 403), NotFound, RateLimited, Rejected (other
        4xx), Misread (an answer that is none) or GatewayError.
        """
        call = Call(method=method, path=path, action=action, shape=shape, query=query, body=body)
        waited = 0.0
        for attempt in range(1, self.attempts + 1):
            try:
                return self._once(call, attempt)
            except Trouble as trouble:
                pause = self._pause(trouble, attempt, waited)
                if pause is None:
                    raise trouble.error from None
            waited += pause
            self.clock.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")  # pragma: no cover

    def create(
        self, path: str, body: Json, *, action: str, shape: Shape, look: Callable[[], T | None]
    ) -> Json | T:
        """POST what makes something new at every call; the answer's JSON.

        An attempt whose answer was lost may have taken effect. So `look` is asked before the next one and
        after the last: what it finds is returned in place of the answer. Raises as `call` does.
        """
        call = Call(method="POST", path=path, action=action, shape=shape, body=body)
        waited = 0.0
        for attempt in range(1, self.attempts + 1):
            try:
                return self._once(call, attempt)
            except Trouble as trouble:
                pause = self._pause(trouble, attempt, waited)
                waited += pause or 1.0
                if pause or trouble.lost:
                    self.clock.sleep(pause or 1.0)
                if trouble.lost and (found := _looked(look, trouble.error)) is not None:
                    return found
                if pause is None:
                    raise trouble.error from None
        raise AssertionError("unreachable: the last attempt returns or raises")  # pragma: no cover

    def _pause(self, trouble: Trouble, attempt: int, waited: float) -> float | None:
        """Seconds to wait before the next attempt; None where there is none."""
        pause = trouble.pause
        return None if pause is None or attempt == self.attempts or waited + pause > LONGEST_WAIT else pause

    def _once(self, call: Call, attempt: int) -> Json:
        from urllib3.exceptions import HTTPError

        try:
            answer = exchange(self._client.rest_client.pool_manager, self._request(call), self.patience)
        except (HTTPError, Unbounded) as error:
            raise unreachable(error, self.url, attempt) from None
        self._note(call.path, answer.headers)
        if answer.status >= 400:
            answer = replace(answer, data=self._redacted(answer.data))
        return judge(call, answer, self.url, attempt)

    def _request(self, call: Call) -> Request:
        query = f"?{urlencode(call.query)}" if call.query else ""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return Request(
            method=call.method,
            url=f"{self.url}{quote(call.path)}{query}",
            headers={**self._client.default_headers, **headers},
            body=None if call.body is None else json.dumps(call.body).encode(),
        )

    def _redacted(self, data: bytes) -> bytes:
        for key in (self.keys.api_key, self.keys.app_key):
            if key:
                data = data.replace(key.encode(), b"***")
        return data

    def _note(self, path: str, headers: Mapping[str, str]) -> None:
        if "x-ratelimit-remaining" not in headers:
            return
        limit = RateLimit(
            name=headers.get("x-ratelimit-name", ""),
            limit=int(number(headers.get("x-ratelimit-limit"), 0)),
            remaining=int(number(headers.get("x-ratelimit-remaining"), 0)),
            reset=number(headers.get("x-ratelimit-reset"), 0.0),
            period=number(headers.get("x-ratelimit-period"), 0.0),
        )
        with self._lock:
            self.limits[path] = limit


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


def _looked(look: Callable[[], T | None], error: GatewayError) -> T | None:
    """What `look` finds. When it cannot look either, `error` is raised, and says what that leaves open."""
    try:
        return look()
    except GatewayError:
        error.what += "; it may have taken effect all the same"
        error.args = (error.what,)
        raise error from None
