"""Lets in only the user who runs the sandbox.

The emulated account runs code, and its root credentials are no secret. So a request is refused when a browser
sends it for some web page (such requests carry an origin), when it is addressed to another host name (a page
that had its name point here), and, where the system tells (Linux), when another user of the machine sends it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from ddsetup.sandbox.emulator import connections

Application = Callable[[Any, Any, Any], Awaitable[None]]

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_REFUSAL = b"This sandbox belongs to another user, or the request came from a web page.\n"


def guarded(application: Application, port: int) -> Application:
    """The application behind the door."""
    hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
    known: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()

    async def door(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or (
            scope["type"] == "http"
            and _is_plain(dict(scope["headers"]), hosts)
            and _is_own(scope["client"][1], port, known)
        ):
            await application(scope, receive, send)
        else:
            await _refuse(scope, send)

    return door


def _is_plain(headers: dict[bytes, bytes], hosts: set[bytes]) -> bool:
    return b"origin" not in headers and b"sec-fetch-site" not in headers and headers.get(b"host") in hosts


def _is_own(client_port: int, port: int, known: MutableMapping[Any, bool]) -> bool:
    """Whether the connection is of the sandbox's user: it never changes hands, so it is looked up once."""
    connection = connections.current()
    if connection not in known:
        known[connection] = _owner(client_port, port) in {None, os.getuid(), 0}
    return known[connection]


def _owner(client_port: int, port: int) -> int | None:
    """The user id of the client's end of the connection; None where the system does not tell."""
    ends = (f":{client_port:04X}", f":{port:04X}")
    for table in _TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
                return int(fields[7])
    return None


async def _refuse(scope: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_REFUSAL)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
