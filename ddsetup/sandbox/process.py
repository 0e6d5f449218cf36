"""Child processes that end with the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.sandbox.errors import SandboxStartError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_POLL_SECONDS = 0.02
_LOG_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Child:
    """A tethered process that leads a process group of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End the process and everything it started; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process.wait()


def spawn(
    module: str,
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    remove: Path | None = None,
) -> Child:
    """Start ``python -m MODULE ARGUMENT…`` tethered to this process, its output in `log`.

    `remove` is a directory to delete if the owner dies without stopping the child.
    """
    command = [sys.executable, "-m", "ddsetup.sandbox.tether"]
    if remove is not None:
        command += ["--remove", str(remove)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, module, *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=log.parent,
            process_group=0,
        )
    return Child(process, log)


def wait_for(child: Child, ready: Callable[[], bool], *, what: str, timeout: float) -> None:
    """Return once `ready` is true.

    Raises `SandboxStartError` when the child ends first or `timeout` seconds have passed.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        if child.process.poll() is not None:
            raise SandboxStartError(f"{what} ended while starting:\n{_tail(child.log)}")
        if time.monotonic() > deadline:
            raise SandboxStartError(f"{what} was not ready after {timeout:.0f} s:\n{_tail(child.log)}")
        time.sleep(_POLL_SECONDS)


def base_environment(home: Path) -> dict[str, str]:
    """What a child inherits: nothing of the user's AWS or Datadog settings, and `home` for all it writes."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV") if name in os.environ
    }
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONUNBUFFERED": "1",
    }


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-_LOG_TAIL_LINES:])
