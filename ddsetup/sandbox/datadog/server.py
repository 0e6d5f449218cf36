"""The HTTP server: routing, authentication, rate limits, faults, errors. Loopback only."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from ddsetup.facts.catalog import sites
from ddsetup.sandbox import peers
from ddsetup.sandbox.datadog import routes
from ddsetup.sandbox.datadog.faults import Fault
from ddsetup.sandbox.datadog.keys import FIREHOSE_KEY
from ddsetup.sandbox.datadog.wire import ApiError, Request, Response, error_response, text_error
from ddsetup.sandbox.datadog.world import World

LOOPBACK = "127.0.0.1"
_SITES = frozenset(site.site for site in sites())
_KEYS = ("dd-api-key", FIREHOSE_KEY)
MAX_BODY_BYTES = 64_000_000
CONTROL = "/__sandbox/"

_log = logging.getLogger(__name__)


class Watch(Protocol):
    """Sees an exchange."""

    def __call__(self, request: Request, response: Response, *, faulty: bool) -> None: ...


class _Dropped(Exception):
    """The connection ends without an answer."""


class StandIn(ThreadingHTTPServer):
    """The stand-in on a port of loopback (0: any free one). ``crawl`` makes the backend work at once;
    ``watch`` sees every exchange, and whether a fault made its answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        world: World,
        port: int = 0,
        crawl: Callable[[], None] | None = None,
        watch: Watch = lambda *_, **__: None,
    ) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.world = world
        self.crawl = crawl
        self.watch = watch
        self.site = ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away in the middle is no event; anything else is told on stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ddsetup-sandbox"
    sys_version = ""
    server: StandIn

    def setup(self) -> None:
        """Before the first request of a connection."""
        super().setup()
        self._own = peers.is_own(self.client_address[1], self.server.port)

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are kept without query strings, which may hold keys; see RequestLog."""

    def _serve(self) -> None:
        try:
            response = self._response()
        except _Dropped:
            self.close_connection = True
            return
        payload = response.payload()
        try:
            self.send_response(response.status)
            if response.status not in (204, 304):
                self.send_header("Content-Type", response.content_type)
                self.send_header("Content-Length", str(len(payload)))
            for name, value in response.headers.items():
                self.send_header(name, value)
            # Headers and body leave in one write: two small ones would wait for each other (Nagle).
            together = b"" if response.drip else payload
            self._headers_buffer.append(b"\r\n" + together)  # type: ignore[attr-defined]
            self.flush_headers()
            if response.drip:
                self._drip(payload, response.drip)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _drip(self, payload: bytes, pause: float) -> None:
        for byte in payload:
            self.wfile.write(bytes((byte,)))
            time.sleep(pause)

    def _response(self) -> Response:
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            if not self._own or not peers.is_plain(headers, self.server.port):
                raise text_error(403, peers.REFUSAL)
            return respond(self.server, self._request(headers))
        except ApiError as error:
            self.close_connection = True  # what is left of the body is not read
            return error_response(error)

    def _request(self, headers: Mapping[str, str]) -> Request:
        parts = urlsplit(self.path)
        path, headers = _on_site(unquote(parts.path), headers, self.server.site)
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdigit():
            raise text_error(411, "Length required")
        if int(length) > MAX_BODY_BYTES:
            raise text_error(413, "Payload too large")
        return Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=headers,
            raw_body=self.rfile.read(int(length)),
        )


def _on_site(path: str, headers: Mapping[str, str], own: str) -> tuple[str, Mapping[str, str]]:
    """A path without the site that it may begin with, as each of Datadog's sites has an address of its own. A
    key is good on one site only: on another one it is not known."""
    site, _, rest = path.removeprefix("/").partition("/")
    if site not in _SITES:
        return path, headers
    if site != own:
        headers = {name: "of-another-site" if name in _KEYS else value for name, value in headers.items()}
    return f"/{rest}", headers


def respond(server: StandIn, request: Request) -> Response:
    """The answer to one request. Raises _Dropped where a fault drops the connection."""
    if request.path.startswith(CONTROL):
        return _answered(lambda: _control(server, request))
    world = server.world
    rest = repr(sorted(request.query.items())).encode() + request.raw_body
    fault = world.faults.take(request.method, request.path, rest)
    found = routes.find(request)
    if fault is not None and fault.delay:
        time.sleep(fault.delay)
    if fault is not None and fault.status == 0:
        fault = None
    if fault is not None and not fault.after_effect:
        response = _faulty(fault, world, request, found)
    else:
        response = _answered(lambda: _call(world, request, found))
        if fault is not None:
            response = _faulty(fault, world, request, found)
    server.watch(request, response, faulty=fault is not None)
    _keep(world, request, found, response.status)
    return response


def _call(world: World, request: Request, found: tuple[routes.Route, Request] | None) -> Response:
    if found is None:
        raise text_error(404, "Not found")
    route, request = found
    _authorize(route, request, world)
    headers: Mapping[str, str] = {}
    if route.limit is not None:
        verdict = world.limits.count(route.limit)
        headers = verdict.headers
        if not verdict.allowed:
            return Response(429, {"errors": ["Too many requests"]}, headers)
    response = _answered(lambda: route.endpoint(request, world))
    return Response(response.status, response.body, {**headers, **response.headers}, response.content_type)


def _authorize(route: routes.Route, request: Request, world: World) -> None:
    if route.auth in ("api_key", "both"):
        v2_api = route.auth == "both" and request.path.startswith("/api/v2/")
        world.keys.require_api_key(request, v2=v2_api)
    if route.auth == "both":
        objects = request.path.startswith("/api/v2/integration/")
        world.keys.require_app_key(request, route.scope, objects=objects)


def _answered(endpoint: Callable[[], Response]) -> Response:
    try:
        return endpoint()
    except ApiError as error:
        return error_response(error)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        # A body in a shape that no check foresaw: answered with 500 and seen, not a dropped connection.
        _log.exception("an endpoint failed")
        return Response(500, {"errors": ["Internal error of the sandbox"]})


def _faulty(
    fault: Fault, world: World, request: Request, found: tuple[routes.Route, Request] | None
) -> Response:
    if fault.status is None:
        _keep(world, request, found, 0)
        raise _Dropped
    errors = None if fault.payload is not None else {"errors": [f"HTTP {fault.status}"]}
    return Response(fault.status, errors, fault.headers, fault.content_type, fault.payload, fault.drip)


def _keep(world: World, request: Request, found: tuple[routes.Route, Request] | None, status: int) -> None:
    entry = {
        "time": time.time(),
        "method": request.method,
        "path": request.path,
        "status": status,
        "write": found is not None and found[0].writes,
        "intake": found is not None and found[0].auth == "api_key",
    }
    world.requests.add(entry)


def _control(server: StandIn, request: Request) -> Response:
    """Endpoints for the sandbox and its tests only; they do not exist at Datadog."""
    world = server.world
    match request.method, request.path.removeprefix(CONTROL):
        case "POST", "faults":
            body = request.json()
            world.faults.add(body["faults"] if isinstance(body, dict) and "faults" in body else [body])
            return Response(200, {})
        case "DELETE", "faults":
            world.faults.clear()
            return Response(200, {})
        case "GET", "requests":
            return Response(200, {"requests": world.requests.entries()})
        case "GET", "state":
            return Response(200, _state(world))
        case "POST", "crawl" if server.crawl is not None:
            server.crawl()
            return Response(200, {"issues": world.integrations.issues()})
    raise text_error(404, "Not found")


def _state(world: World) -> dict[str, Any]:
    integrations = world.integrations
    accounts = [
        {
            "id": account.id,
            "aws_account_id": account.aws_account_id,
            "issues": integrations.issues().get(account.id),
        }
        for account in integrations.accounts()
    ]
    filters = [
        {
            "region": made.region,
            "log_group": made.log_group,
            "name": made.name,
            "destination": made.destination_arn,
        }
        for made in integrations.filters()
    ]
    with world.documents.lock:
        documents = {"monitors": len(world.documents.monitors), "dashboards": len(world.documents.dashboards)}
    return {"accounts": accounts, "automatic_filters": filters, **documents, **world.telemetry.counts()}
