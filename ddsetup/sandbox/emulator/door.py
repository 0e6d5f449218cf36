"""Lets in only the user who runs the sandbox (see `ddsetup.sandbox.peers`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from ddsetup.sandbox import peers
from ddsetup.sandbox.emulator import connections

Application = Callable[[Any, Any, Any], Awaitable[None]]

_REFUSAL = f"{peers.REFUSAL}\n".encode()


def guarded(application: Application, port: int) -> Application:
    """The application behind the door."""
    known: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()

    async def door(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or (
            scope["type"] == "http"
            and peers.is_plain(_text(scope["headers"]), port)
            and _is_own(scope["client"][1], port, known)
        ):
            await application(scope, receive, send)
        else:
            await _refuse(scope, send)

    return door


def _text(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _is_own(client_port: int, port: int, known: MutableMapping[Any, bool]) -> bool:
    connection = connections.current()
    if connection not in known:
        known[connection] = peers.is_own(client_port, port)
    return known[connection]


async def _refuse(scope: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_REFUSAL)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
