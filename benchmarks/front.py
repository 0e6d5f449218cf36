"""A front between a tool and an AWS emulator: it adds latency, keeps AWS's rates and counts the calls.

What lies behind is either the account in memory of `benchmarks.memory`, or any emulator by its URL.
"""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import urlsplit

from benchmarks.wire import AwsError, Call, Reply, Request, refused, throttled, understand

RATES: Mapping[str, float] = {
    # AWS Lambda quotas page: the control plane is one quota, but for these two.
    "lambda": 15,
    "lambda:GetFunction": 100,
    "lambda:GetPolicy": 15,
    # CloudWatch Logs quotas page: one quota for each operation.
    "logs:DescribeLogGroups": 10,
    "logs:CreateLogGroup": 10,
    "logs:DescribeSubscriptionFilters": 5,
    "logs:PutSubscriptionFilter": 5,
    "logs:DeleteSubscriptionFilter": 5,
    # CloudTrail API reference, of LookupEvents.
    "cloudtrail": 2,
}
"""Calls per second in an account and region; what is not here has no published rate and is let through."""


class Upstream(Protocol):
    """What answers the calls that the front lets through."""

    def answer(self, request: Request, call: Call) -> Reply: ...


@dataclass
class Allowance:
    """A token bucket that refuses instead of waiting; a second's worth of calls may come at once."""

    rate: float
    at: float = field(default_factory=time.monotonic)
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.rate

    def take(self, now: float) -> bool:
        self.tokens = min(self.rate, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Tally:
    """What went through the front so far; when (monotonic) an operation first came and last succeeded."""

    calls: Counter[str] = field(default_factory=Counter)
    throttles: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    most_at_once: int = 0


class Front:
    """Serves on a free port of 127.0.0.1 until it is closed."""

    def __init__(
        self, upstream: Upstream, *, latency: float = 0.04, rates: Mapping[str, float] = RATES
    ) -> None:
        self.tally = Tally()
        self._upstream = upstream
        self._latency = latency
        self._rates = rates
        self._allowances: dict[tuple[str, str, str], Allowance] = {}
        self._lock = threading.Lock()
        self._refused: dict[str, tuple[int, str]] = {}
        self._expires = sys.maxsize
        self._inside = 0
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def _handle(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {key.lower(): value for key, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                reply = front.answer(request)
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle  # noqa: N815 - the base's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing: the tally does."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def refuse(self, name: str, *, after: int = 0, code: str = "AccessDeniedException") -> None:
        """From now on, let `after` calls of an operation through and refuse all that follow."""
        self._refused[name] = self.tally.calls[name] + after, code

    def expire(self, *, after: int = 0) -> None:
        """From now on, let `after` calls through and answer all that follow that the credentials expired."""
        self._expires = sum(self.tally.calls.values()) + after

    def reset(self) -> Tally:
        """Begin a new tally and return the old one."""
        with self._lock:
            old, self.tally = self.tally, Tally()
        return old

    def answer(self, request: Request) -> Reply:
        """What the account behind answers, a little later, or that calls come too fast."""
        try:
            call = understand(request)
        except AwsError as error:
            with self._lock:
                self.tally.unknown[error.message] += 1
            return refused("json", error)
        allowed = self._enter(call)
        expired = sum(self.tally.calls.values()) > self._expires
        most, code = self._refused.get(call.name, (sys.maxsize, ""))
        denied = self.tally.calls[call.name] > most
        try:
            time.sleep(self._latency)
            if expired:
                return refused(call.protocol, AwsError("ExpiredTokenException", status=403))
            if denied:
                return refused(call.protocol, AwsError(code, f"not allowed: {call.name}", 403))
            reply = self._upstream.answer(request, call) if allowed else throttled(call)
        finally:
            with self._lock:
                self._inside -= 1
        self._leave(call, reply, allowed=allowed)
        return reply

    def _enter(self, call: Call) -> bool:
        group = call.name if call.name in self._rates else call.service
        rate = self._rates.get(group)
        with self._lock:
            self._inside += 1
            self.tally.most_at_once = max(self.tally.most_at_once, self._inside)
            self.tally.calls[call.name] += 1
            self.tally.first.setdefault(call.name, time.monotonic())
            if rate is None:
                return True
            key = (call.key, call.region, group)
            if key not in self._allowances:
                self._allowances[key] = Allowance(rate)
            allowed = self._allowances[key].take(time.monotonic())
            self.tally.throttles[call.name] += not allowed
            return allowed

    def _leave(self, call: Call, reply: Reply, *, allowed: bool) -> None:
        with self._lock:
            if reply.status < 300:
                self.tally.last[call.name] = time.monotonic()
            elif allowed and b"UnknownOperation" in reply.body:
                self.tally.unknown[call.name] += 1


class Emulator:
    """An AWS emulator at a URL, one connection for each thread of the front."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._local = threading.local()

    def answer(self, request: Request, call: Call) -> Reply:  # noqa: ARG002 - what every upstream takes
        """Pass the request on as it came."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            connection.request(request.method, request.target, request.body, dict(request.headers))
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._local.connection = None
            return Reply(502, b"{}")
        kept = tuple((k, v) for k, v in answer.getheaders() if k.lower().startswith("x-amz"))
        return Reply(answer.status, body, answer.getheader("Content-Type") or "application/json", kept)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
