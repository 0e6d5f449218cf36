"""Faults on demand: errors, dropped connections, answers that are none, slow ones, and requests that take
effect but are never answered."""

from __future__ import annotations

import fnmatch
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ddsetup.sandbox.chance import Chance
from ddsetup.sandbox.datadog.wire import JSON, JsonObject, text_error


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to matching requests. ``status`` None drops the connection without an answer; 0 answers as
    if there were no fault, only late.

    ``payload`` is answered as it is; None: an error in Datadog's shape. ``delay`` is waited before anything
    happens, ``drip`` between the bytes of the answer (both in seconds). ``after_effect`` lets the request do
    its work first: the caller cannot know that it did. A matching request meets the fault with
    ``probability``, a few times in a row at most; which ones do is the same in every sandbox.
    """

    path: str
    method: str = "*"
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: bytes | None = None
    content_type: str = JSON
    delay: float = 0.0
    drip: float = 0.0
    after_effect: bool = False
    probability: float = 1.0


class Faults:
    """Faults waiting for their request, each for a number of times."""

    def __init__(self, described: Iterable[JsonObject] = ()) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int]] = []
        self._chance = Chance()
        self.add(described)

    def add(self, described: Iterable[JsonObject]) -> None:
        """Add faults given as plain data: an object with the fields of Fault and ``times``.

        ``path`` may hold ``*``. Raises ApiError 400 on what is no fault.
        """
        parsed = [_parse(item) for item in described]
        with self._lock:
            self._waiting.extend(parsed)

    def take(self, method: str, path: str, rest: bytes = b"") -> Fault | None:
        """The fault this request meets, one time fewer for the next. `rest` is what else it asks or says."""
        call = f"{method} {path} ".encode() + rest
        with self._lock:
            for index, (fault, times) in enumerate(self._waiting):
                meant = fault.method in ("*", method) and fnmatch.fnmatchcase(path, fault.path)
                if meant and self._chance.strikes(call, fault.probability, index):
                    self._waiting[index] = (fault, times - 1)
                    if times <= 1:
                        del self._waiting[index]
                    return fault
            self._chance.passed(call)
        return None

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._waiting.clear()
            self._chance = Chance()


_KNOWN = {
    *("path", "method", "status", "times", "headers", "body", "raw", "content_type", "delay", "drip"),
    *("after_effect", "probability"),
}


def _parse(item: JsonObject) -> tuple[Fault, int]:
    """``body`` is answered as JSON, ``raw`` as the text that it is."""
    if not isinstance(item, dict) or not isinstance(item.get("path"), str) or set(item) - _KNOWN:
        raise text_error(400, f"a fault has a path and some of {', '.join(sorted(_KNOWN))}")
    payload = json.dumps(item["body"]) if "body" in item else item.get("raw")
    fault = Fault(
        path=item["path"],
        method=str(item.get("method", "*")).upper(),
        status=item.get("status"),
        headers={str(k): str(v) for k, v in item.get("headers", {}).items()},
        payload=None if payload is None else str(payload).encode("utf-8", "surrogateescape"),
        content_type=str(item.get("content_type", JSON)),
        delay=float(item.get("delay", 0)),
        drip=float(item.get("drip", 0)),
        after_effect=bool(item.get("after_effect")),
        probability=float(item.get("probability", 1)),
    )
    return fault, int(item.get("times", 1))
