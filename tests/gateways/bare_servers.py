"""Servers of bytes on loopback, for answers that no stand-in gives."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


@contextmanager
def going_on(head: bytes, piece: bytes) -> Iterator[str]:
    """A server that goes on with a piece until nobody listens, on one connection after the other."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(head)
                while True:
                    connection.sendall(piece)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    answer(server.accept()[0])

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def replying(*answers: bytes) -> Iterator[str]:
    """A server that gives these bytes, each on a connection of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
