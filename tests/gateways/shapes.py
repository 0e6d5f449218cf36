"""What a document looks like, apart from what only names or counts something.

Models are slow, and the same is said again and again with another id, time or number. Of two documents of
one shape either both fit a model or none does: kept are all members, the words, and how large numbers and how
long texts are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

_WORD = 80
"""Characters of the longest text that may be one of a list of values that a model knows."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]{8,}")
_DIGIT = re.compile(r"\d")


def shape(value: Any, *, counted: bool) -> str:
    """The shape of a JSON document. `counted`: how often something stands in a list is part of it, where a
    model may allow so many and no more; else it is "once" or "more than once"."""
    return json.dumps(_shape(value, counted), sort_keys=True)


class Fitting:
    """What was found to fit, by this process or by another that has the same file: each line a digest."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._known: set[bytes] = set()
        self._read = 0

    def __contains__(self, asked: str) -> bool:
        digest = _digest(asked)
        if digest not in self._known:
            self._read_on()
        return digest in self._known

    def add(self, asked: str) -> None:
        os.write(self._file, _digest(asked) + b"\n")

    def _read_on(self) -> None:
        while text := os.pread(self._file, 1 << 20, self._read):
            whole = text[: text.rfind(b"\n") + 1]
            self._known.update(whole.split())
            self._read += len(whole)
            if len(whole) < len(text):
                break


def _digest(asked: str) -> bytes:
    return hashlib.sha256(asked.encode()).hexdigest().encode()


def _shape(value: Any, counted: bool) -> Any:
    if isinstance(value, dict):
        return {name: _shape(item, counted) for name, item in value.items()}
    if isinstance(value, list):
        items = [_shape(item, counted) for item in value]
        return items if counted else _few(items)
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool) else [type(value).__name__, len(str(int(value)))]


def _few(items: list[Any]) -> list[Any]:
    """At most two of a kind, in their order."""
    kept: dict[str, int] = {}
    few = []
    for item in items:
        known = json.dumps(item, sort_keys=True)
        kept[known] = kept.get(known, 0) + 1
        if kept[known] <= 2:
            few.append(item)
    return few


def _text(text: str) -> Any:
    if len(text) > _WORD:
        return ["text", len(text).bit_length()]
    return _DIGIT.sub("0", _HEX.sub("hex", _UUID.sub("uuid", text)))
