"""Tells by which connection a request came, and can reset it, as a broken load balancer does."""

from __future__ import annotations

import contextvars
from typing import Any

_writer: contextvars.ContextVar[Any] = contextvars.ContextVar("writer")


def install() -> None:
    """Have every request know the connection that it came by; the server does not tell its application."""
    from hypercorn.asyncio.tcp_server import TCPServer

    run = TCPServer.run

    async def known(self: Any) -> None:
        # The tasks that handle the connection's requests are made below and inherit this.
        _writer.set(self.writer)
        await run(self)

    TCPServer.run = known  # type: ignore[method-assign]


def current() -> Any:
    """The connection of the request under way, one object for as long as it lasts."""
    return _writer.get()


def reset() -> None:
    """Reset the connection of the request under way; what it is answered later goes nowhere."""
    _writer.get().transport.abort()
