"""What the tests of the AWS gateway stand on: a clock without waiting, credentials, and an AWS by script."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.model.clock import Clock

REGION = "eu-west-1"
ACCOUNT = "123456789012"


class FakeTime:
    """Time that passes only when somebody sleeps; `slept` holds every pause in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    @property
    def clock(self) -> Clock:
        start = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
        return Clock(
            now=lambda: start + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds
            self.slept.append(seconds)


def nobody(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Credentials of nobody, and none of this machine's AWS settings."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    patch.setenv("HOME", str(home))


@pytest.fixture
def aws_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As `nobody`, for one test."""
    nobody(monkeypatch, tmp_path)


@dataclass(frozen=True)
class Reply:
    """One answer of the script. `drop` closes the connection without a word."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


def fault(code: str, message: str = "", status: int = 400, **headers: str) -> Reply:
    """An error in the form that Lambda and the JSON services share."""
    return Reply({"message": message, "__type": code}, status, {"x-amzn-errortype": code, **headers})


DROPPED = Reply(drop=True)


@dataclass
class ScriptedAws:
    """An endpoint that gives the scripted answers in order and then repeats the last one."""

    url: str
    replies: list[Reply] = field(default_factory=list)
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    authorized: list[str] = field(default_factory=list)
    """The header `authorization` of each request."""

    @property
    def signed(self) -> list[str]:
        """By which access key each request was signed."""
        return [each.partition("=")[2].partition("/")[0] for each in self.authorized]

    def script(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def sent(self, index: int = -1) -> Any:
        """The JSON body of a request."""
        return json.loads(self.requests[index][2])


@contextmanager
def scripted_aws() -> Iterator[ScriptedAws]:
    """Serve a script on a free port of the loopback."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet for each answer: with two, delayed acknowledgements cost 40 ms a call.
        wbufsize = 65536

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with lock:
                aws.requests.append((self.command, self.path, body))
                aws.authorized.append(self.headers.get("authorization", ""))
                reply = aws.replies.pop(0) if len(aws.replies) > 1 else aws.replies[0]
            if reply.drop:
                # A reset, as from a broken load balancer, rather than an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            data = text.encode()
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the names are http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    aws = ScriptedAws(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def script(aws_env: None) -> Iterator[ScriptedAws]:
    with scripted_aws() as aws:
        yield aws


@pytest.fixture(scope="module")
def served() -> Iterator[ScriptedAws]:
    """A script for a module, which takes it for whatever it likes."""
    with scripted_aws() as script:
        yield script


def connect(url: str, time: FakeTime | None = None, *, rate_scale: float = 1000) -> Aws:
    """A connection to one endpoint for all services, fast unless the test is about pace."""
    time = time or FakeTime()
    return Aws.connect(AwsOptions(), endpoint_url=url, clock=time.clock, rate_scale=rate_scale)
