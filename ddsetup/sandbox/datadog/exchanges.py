"""Keeps what was asked and answered, for whoever judges it later: one JSON document a line, without keys."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path

from ddsetup.sandbox.datadog.keys import Keys
from ddsetup.sandbox.datadog.wire import Request, Response

VARIABLE = "DDSETUP_SANDBOX_EXCHANGES"
"""Names the directory where each stand-in writes a file of its own; unset: nothing is kept."""

_MASK = "***"
_KEY_PARAMETERS = ("api_key", "application_key")


class Exchanges:
    """Writes exchanges into a file that is its user's alone. What is said again in the same words is not
    written again, so that waiting for data costs little.

    Of headers only the sender's name is kept, and a body only if ddsetup sent it: what functions and
    Forwarder send may be long.
    """

    def __init__(self, file: Path, keys: Keys) -> None:
        self._keys = (*keys.api_keys, *keys.app_keys)
        self._known: set[bytes] = set()
        self._lock = threading.Lock()
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, request: Request, response: Response, *, faulty: bool) -> None:
        """Keep an exchange; of an answer that a fault made, its status only."""
        agent = request.headers.get("user-agent", "")
        body = request.body().decode(errors="replace") if agent.startswith("ddsetup/") else ""
        document = {
            "method": request.method,
            "path": request.path,
            "query": {n: _MASK if n in _KEY_PARAMETERS else v for n, v in request.query.items()},
            "agent": agent,
            "body": body,
            "status": response.status,
            "answer": "" if faulty else response.payload().decode(errors="replace"),
            "faulty": faulty,
        }
        line = json.dumps(document)
        for key in self._keys:
            line = line.replace(key, _MASK)
        digest = hashlib.sha256(line.encode()).digest()
        with self._lock:
            if digest not in self._known:
                self._known.add(digest)
                os.write(self._file, f"{line}\n".encode())
