"""Answers calls with the errors that somebody asked for (see `ddsetup.sandbox.faults`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ddsetup.sandbox.faults import AwsFault

Call = Callable[[], Awaitable[tuple[int, Any, Any]]]

_QUERY_PROTOCOL = {"iam", "sts", "cloudformation"}


@dataclass(slots=True)
class Faults:
    """The faults of a file, read again whenever it is replaced."""

    path: Path
    _read: int = 0
    _left: list[tuple[AwsFault, list[int]]] = field(default_factory=list)

    async def answer(self, service: str, operation: str, text: bytes, call: Call) -> tuple[int, Any, Any]:
        """What the call answers: its own answer, or the first fault's that is for it."""
        fault = self._next(operation, text)
        if fault is None:
            return await call()
        await asyncio.sleep(fault.delay)
        if not fault.code:
            return await call()
        if fault.after_effect:
            await call()
        return _error(service, fault)

    def _next(self, operation: str, text: bytes) -> AwsFault | None:
        self._reread()
        for fault, left in self._left:
            if fault.operation == operation and left[0] > 0 and fault.contains.encode() in text:
                left[0] -= 1
                return fault
        return None

    def _reread(self) -> None:
        try:
            changed = self.path.stat().st_ino
        except FileNotFoundError:
            return
        if changed != self._read:
            described = json.loads(self.path.read_text(encoding="utf-8"))
            self._left = [(fault, [fault.times]) for fault in (AwsFault(**each) for each in described)]
            self._read = changed


def _error(service: str, fault: AwsFault) -> tuple[int, Any, Any]:
    if service in _QUERY_PROTOCOL:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(fault.code)}</Code>"
            f"<Message>{escape(fault.message)}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        return fault.status, {"Content-Type": "text/xml"}, body.encode()
    document = {"__type": fault.code, "message": fault.message}
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": fault.code}
    return fault.status, headers, json.dumps(document).encode()
