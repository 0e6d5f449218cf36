"""Starts functions' workers by forking a Python that has begun: ``fork_server.py CHANNEL START LAUNCHER``.

Executed by path, like the bootstrap beside it, in which each worker goes on. What a fork has in common with
others is what no function can tell: modules of the standard library, regular expressions in the cache of
`re`, and the compiled code of modules that functions are likely to import, by file. That code is run in the
worker, with the worker's environment and where the worker's module path leads to that file. Where the
function could tell, because it or a layer brings a module of such a name, or because of a variable that
Python or the C library reads at the start, the fork starts Python anew.

CHANNEL is the number of a socket, START the file that `layers` makes, LAUNCHER what it stands for (it tells
whoever looks at processes which sandbox's they are). An order is a JSON document with
`script`, `directory` and `environment`, and comes with the descriptors of the three standard streams; the
answer is the worker's number, with a descriptor that tells of its end unless it has ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.machinery
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bootstrap  # type: ignore[import-not-found]  # beside this file

_AT_THE_START = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "OPENSSL_", "TZDIR")
"""How variables begin that are read before any module of a function is."""
_LARGEST_ORDER = 1 << 18
_COLLECT_EVERY = 50_000
"""Objects. What a function imports stays: to look for garbage in it is a fifth of a cold start."""


def main() -> None:
    """Serve orders until the emulator ends; a fork carries its order out and leaves by the same way."""
    channel, start = socket.socket(fileno=int(sys.argv[1])), json.loads(Path(sys.argv[2]).read_text("utf-8"))
    for name in start["modules"]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for pattern, flags in start["patterns"]:
        with contextlib.suppress(re.error):
            re.compile(pattern, flags)
    known: dict[tuple[int, int], Any] = {}
    for path in start["files"]:
        with contextlib.suppress(OSError):
            known[_identity(path)] = importlib.machinery.SourceFileLoader("", path).get_code("")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers here
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)
    order = _next(channel)
    if order is not None:
        _read_code_from(known)
        sys.argv = [bootstrap.__file__, order["script"]]
        bootstrap.main()


def _next(channel: socket.socket) -> dict[str, Any] | None:
    """In a fork its order, its surroundings being as ordered; in the server None, in the end."""
    while True:
        text, streams, _, _ = socket.recv_fds(channel, _LARGEST_ORDER, 3)
        if not text:
            return None
        child = os.fork()
        if child == 0:
            channel.close()
            order: dict[str, Any] = json.loads(text)
            _become(order, streams)
            return order
        for stream in streams:
            os.close(stream)
        _tell(channel, child)


def _tell(channel: socket.socket, child: int) -> None:
    ends = []
    with contextlib.suppress(ProcessLookupError):
        ends.append(os.pidfd_open(child))
    socket.send_fds(channel, [str(child).encode()], ends)
    for descriptor in ends:
        os.close(descriptor)


def _become(order: dict[str, Any], streams: list[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    os.chdir(order["directory"])
    environment = order["environment"]
    if _could_tell(environment):
        command = [sys.executable, "-S", "-s", bootstrap.__file__, order["script"]]
        os.execve(command[0], command, environment)  # noqa: S606 (this Python)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _could_tell(environment: dict[str, str]) -> bool:
    """Whether a worker in this directory would come to something else if it were started anew."""
    if _at_the_start(environment) != _at_the_start(os.environ):
        return True
    layers = [Path(each) for each in environment.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep) if each]
    if any((layer / "python" / "lib").is_dir() for layer in layers):  # where .pth files may name any place
        return True
    places = [Path.cwd(), *layers, *(layer / "python" for layer in layers)]
    brought = {each.name.partition(".")[0] for place in places if place.is_dir() for each in place.iterdir()}
    return any(name in sys.modules for name in brought)


def _at_the_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_AT_THE_START)}


def _identity(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_dev, status.st_ino


def _read_code_from(known: dict[tuple[int, int], Any]) -> None:
    """Have modules whose files are known not read and unmarshalled again."""
    loader = importlib.machinery.SourceFileLoader
    read = loader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        return known.get(_identity(self.path)) or read(self, fullname)

    loader.get_code = get_code  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
