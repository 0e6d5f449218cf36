"""Workers of Python functions are forked where the system can tell of their end: Python's own start and the
reading of the library's 300 modules are more than half of what a cold start takes.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator.settings import EmulatorSettings

_SERVER = str(Path(__file__).with_name("fork_server.py"))
_LARGEST_ANSWER = 64
_ENDED = -1
"""What a worker's exit code is said to be: nobody asks which one it was."""


def install(lambda_runtime: Any, launcher: Path, settings: EmulatorSettings) -> None:
    """Have processes that `launcher` would start forked instead, once there is a first one."""
    if hasattr(os, "pidfd_open"):
        lambda_runtime.subprocess = _Subprocess(launcher, Path(settings.library_start))


class _Subprocess:
    """The module `subprocess` with another `Popen`."""

    PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self, launcher: Path, start: Path) -> None:
        self._launcher = str(launcher)
        self._start = str(start)
        self._one_at_a_time = threading.Lock()
        self._server: socket.socket | None = None

    def Popen(self, command: list[str], **named: Any) -> Any:  # noqa: N802 (the name in `subprocess`)
        if command[0] != self._launcher:
            return subprocess.Popen(command, **named)
        ours, theirs = zip(*(os.pipe() if n else os.pipe()[::-1] for n in range(3)), strict=True)
        order = {"script": command[1], "directory": named["cwd"], "environment": named["env"]}
        try:
            pid, ends = self._asked(json.dumps(order).encode(), theirs)
        finally:
            for stream in theirs:
                os.close(stream)
        return _Worker(pid, ends, ours)

    def _asked(self, order: bytes, streams: tuple[int, ...]) -> tuple[int, int | None]:
        """The number of a new worker, and a descriptor that tells of its end unless it has ended.

        A server that was killed is followed by another one. Raises ChildProcessError where that ends, too.
        """
        with self._one_at_a_time:
            for _ in range(2):
                self._server = self._server or self._served()
                try:
                    socket.send_fds(self._server, [order], streams)
                    text, ends, _, _ = socket.recv_fds(self._server, _LARGEST_ANSWER, 1)
                except ConnectionError:
                    text, ends = b"", []
                if text:
                    return int(text), ends[0] if ends else None
                self._server.close()
                self._server = None
        raise ChildProcessError(f"{_SERVER} has ended")

    def _served(self) -> socket.socket:
        """A channel to a new server; it ends with this process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            subprocess.Popen(
                [sys.executable, "-S", "-s", _SERVER, str(theirs.fileno()), self._start, self._launcher],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return ours


class _Worker:
    """A process that is another's child, with as much of `Popen` as the emulator uses."""

    def __init__(self, pid: int, ends: int | None, streams: tuple[int, int, int]) -> None:
        self.pid = pid
        self.returncode = _ENDED if ends is None else None
        self._ends = ends
        self.stdin = os.fdopen(streams[0], "w", buffering=1)
        self.stdout, self.stderr = (os.fdopen(stream, buffering=1) for stream in streams[1:])

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._ends is not None and self.poll() is None:
            signal.pidfd_send_signal(self._ends, number)

    def _look(self, seconds: float | None) -> int | None:
        if self._ends is not None:
            ends = select.poll()  # unlike `select`, with descriptors of any number
            ends.register(self._ends, select.POLLIN)
            if ends.poll(None if seconds is None else seconds * 1000):
                os.close(self._ends)
                self._ends, self.returncode = None, _ENDED
        return self.returncode
