"""Answers calls with the errors that somebody asked for (see `ddsetup.sandbox.faults`)."""

from __future__ import annotations

import asyncio
import fnmatch
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ddsetup.sandbox.chance import Chance
from ddsetup.sandbox.emulator import connections
from ddsetup.sandbox.faults import INSTANCE, AwsFault

Answer = tuple[int, Any, Any]
Call = Callable[[], Awaitable[Answer]]

_INDEXED = frozenset({"GetResources"})

_QUERY_PROTOCOL = {"iam", "sts", "cloudformation"}


@dataclass(slots=True)
class _Waiting:
    """A fault that was set, and what is left of it."""

    fault: AwsFault
    left: int
    to_skip: int

    def strikes(self, request: Request, chance: Chance) -> bool:
        """Whether this call meets the fault; counts it."""
        fault = self.fault
        named = fnmatch.fnmatchcase(request.operation, fault.operation)
        if not named or fault.contains.encode() not in request.text:
            return False
        if fault.access_key not in ("", request.access_key) or not self.left:
            return False
        if fault.region not in ("", request.region):
            return False
        if self.to_skip:
            self.to_skip -= 1
            return False
        if not chance.strikes(request.whole(), fault.probability, fault.seed):
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Request:
    """What a fault can be chosen by. `text` is the call's path and body."""

    service: str
    operation: str
    access_key: str
    region: str
    text: bytes

    def whole(self) -> bytes:
        """All that tells a call from others."""
        return f"{self.operation} {self.region} {self.access_key} ".encode() + self.text


@dataclass(slots=True)
class Faults:
    """The faults of a file, read again whenever it is replaced."""

    path: Path
    _read: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)
    _chance: Chance = field(default_factory=Chance)
    _answered: dict[tuple[str, str, bytes], Answer] = field(default_factory=dict)

    async def answer(self, request: Request, call: Call) -> tuple[int, Any, Any]:
        """What the call answers: its own answer, or the first fault's that is for it."""
        fault = self.strike(request)
        if fault is None:
            return self._remembered(request, await call())
        if fault.stale:
            return self._answered.get(_name(request)) or await call()
        await asyncio.sleep(fault.delay)
        if not fault.code and not fault.drop and fault.raw is None:
            return await call()
        if fault.after_effect:
            await call()
        if fault.drop:
            connections.reset()
        return _error(request.service, fault)

    def _remembered(self, request: Request, answer: Answer) -> Answer:
        """Keep what reads answered whose index may be told to lag."""
        if request.operation in _INDEXED:
            self._answered[_name(request)] = answer
        return answer

    def strike(self, request: Request) -> AwsFault | None:
        """The first fault that is for this call, which counts it."""
        self._reread()
        for waiting in self._waiting:
            if waiting.strikes(request, self._chance):
                return waiting.fault
        if self._waiting:
            self._chance.passed(request.whole())
        return None

    def reason_of_instance(self, stack_set: str, account: str, region: str) -> str:
        """Why the instance of a StackSet is meant to fail; empty if it is not."""
        text = f"{stack_set} {account}".encode()
        fault = self.strike(Request("cloudformation", INSTANCE, account, region, text))
        return fault.message if fault else ""

    def version(self) -> int:
        """Another one for each file; 0 where there is none."""
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _reread(self) -> None:
        changed = self.version()
        if changed not in (0, self._read):
            described = json.loads(self.path.read_text(encoding="utf-8"))
            faults = [AwsFault(**each) for each in described]
            self._waiting = [_Waiting(f, f.times, f.skip) for f in faults]
            self._chance = Chance()
            self._read = changed


def _name(request: Request) -> tuple[str, str, bytes]:
    return request.operation, request.region, request.text


def _error(service: str, fault: AwsFault) -> tuple[int, Any, Any]:
    if fault.drop:
        return 500, {}, b""
    if fault.raw is not None:
        return fault.status, {"Content-Type": "text/html"}, fault.raw.encode()
    if service == "s3":
        return _error_of_s3(fault)
    if service in _QUERY_PROTOCOL:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(fault.code)}</Code>"
            f"<Message>{escape(fault.message)}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        return fault.status, {"Content-Type": "text/xml"}, body.encode()
    document = {"__type": fault.code, "message": fault.message}
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": fault.code}
    return fault.status, headers, json.dumps(document).encode()


def _error_of_s3(fault: AwsFault) -> tuple[int, Any, Any]:
    """S3 says `SlowDown` with 503 ("Error responses", API reference); a HEAD has nothing but the status."""
    throttled = fault.code == "ThrottlingException"
    code, status = ("SlowDown", 503) if throttled else (fault.code, fault.status)
    body = f"<Error><Code>{escape(code)}</Code><Message>{escape(fault.message)}</Message></Error>"
    return status, {"Content-Type": "application/xml"}, body.encode()
