"""Runs a function's worker with the root logger that Lambda's Python runtimes set up, and without network.

Executed by path, without this package on the module path: it must import nothing of ddsetup. The request id
is not known when a record is formatted; the emulator puts it in place of the mark, and line breaks in place
of theirs, so that a record stays one event.
"""

import errno
import logging
import runpy
import socket
import sys
import time
from typing import Any

REQUEST_ID_MARK = "{request-id}"
LINE_BREAK = "\x1f"


class LambdaLoggerHandler(logging.Handler):
    """Writes records the way Lambda's own handler of that name does (the Datadog library looks for it)."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record).rstrip("\n").replace("\n", LINE_BREAK) + "\n")
        sys.stderr.flush()


def _add_request_id(record: logging.LogRecord) -> bool:
    record.aws_request_id = REQUEST_ID_MARK
    return True


def _stay_on_this_machine() -> None:
    """Let sockets reach this machine only: a sandbox's data must not go to the real Datadog."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def is_here(address: object) -> bool:
        host = str(address[0]) if isinstance(address, tuple) else "localhost"
        return host.startswith("127.") or host in {"::1", "localhost", ""}

    def connect_here(self: socket.socket, address: Any) -> None:
        if not is_here(address):
            raise OSError(errno.ENETUNREACH, "a function of the sandbox has no network")
        connect(self, address)

    def connect_ex_here(self: socket.socket, address: Any) -> int:
        return connect_ex(self, address) if is_here(address) else errno.ENETUNREACH

    def resolve_here(host: Any, *arguments: Any, **named: Any) -> Any:
        if host is not None and not is_here((host if isinstance(host, str) else host.decode(),)):
            raise socket.gaierror(socket.EAI_NONAME, "a function of the sandbox has no network")
        return resolve(host, *arguments, **named)

    socket.socket.connect = connect_here  # type: ignore[method-assign,assignment]
    socket.socket.connect_ex = connect_ex_here  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = resolve_here


def main() -> None:
    """Set up logging and the network, then run the script named by the first argument as the main program."""
    handler = LambdaLoggerHandler()
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_add_request_id)
    logging.getLogger().addHandler(handler)
    _stay_on_this_machine()
    sys.argv = sys.argv[1:]
    sys.path.pop(0)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
