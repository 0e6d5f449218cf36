"""Sandboxes that stay up after the command that started them: a small process of their own owns them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import Any

from ddsetup.model.errors import DdsetupError
from ddsetup.sandbox import aws, state
from ddsetup.sandbox.control import check_scenarios, start
from ddsetup.sandbox.errors import SandboxStartError
from ddsetup.sandbox.model import Sandbox, SandboxOptions

_UP_SECONDS = 300.0
"""An organisation took 75 seconds with twenty others after the same two processors."""
_DOWN_SECONDS = 15.0
_POLL_SECONDS = 0.05


def up(options: SandboxOptions) -> Sandbox:
    """Start a sandbox that runs until `down`. Raises what `start` raises."""
    aws.require_extra()
    check_scenarios(options.scenarios)
    if options.registry is not None:
        state.check_name(options.registry, options.name)
    home = Path(tempfile.mkdtemp(prefix="ddsetup-sandbox-owner-"))
    try:
        options_file = home / "options.json"
        options_file.write_text(json.dumps(_as_document(options)), encoding="utf-8")
        return _await_owner(_start_owner(options_file), home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def status(registry: Path) -> tuple[Sandbox, ...]:
    """Every sandbox of a registry that runs, detached or not, the newest first."""
    return state.running(registry)


def down(registry: Path, *names: str) -> tuple[Sandbox, ...]:
    """Stop the detached sandboxes of these names; returns the stopped ones.

    Clears away, too, what sandboxes left whose owner could not.
    """
    stopped = tuple(each for each in state.running(registry) if each.detached and each.name in names)
    for sandbox in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(sandbox.pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    for sandbox in stopped:
        while _is_alive(sandbox.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if _is_alive(sandbox.pid):
            os.kill(sandbox.pid, signal.SIGKILL)
    state.clear_abandoned(registry)
    return stopped


def _is_alive(pid: int) -> bool:
    """Whether the owner runs; one that this process started must be collected to be gone."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return state.is_alive(pid)


def _start_owner(options_file: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (options_file.parent / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ddsetup.sandbox.detached", str(options_file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
        )


def _await_owner(owner: subprocess.Popen[bytes], home: Path) -> Sandbox:
    deadline = time.monotonic() + _UP_SECONDS
    announcement = home / "directory"
    while not announcement.exists():
        if owner.poll() is not None:
            raise SandboxStartError((home / "log").read_text(errors="replace").strip())
        if time.monotonic() > deadline:
            owner.terminate()
            said = f"The sandbox was not up after {_UP_SECONDS:.0f} s."
            raise SandboxStartError(said, fix="try again when the machine has less to do")
        time.sleep(_POLL_SECONDS)
    sandbox = state.read(Path(announcement.read_text(encoding="utf-8")))
    if sandbox is None:
        raise SandboxStartError("The sandbox ended as soon as it was up.")
    return sandbox


def _own(options_file: Path) -> None:
    """What the owner does: bring the sandbox up, say where it is, wait to be told to stop."""
    signal.signal(signal.SIGTERM, _stop)
    options = _from_document(json.loads(options_file.read_text(encoding="utf-8")))
    with contextlib.suppress(KeyboardInterrupt), start(options) as sandbox:
        state.write(replace(sandbox, detached=True))
        announcement = options_file.with_name("directory.new")
        announcement.write_text(str(sandbox.directory), encoding="utf-8")
        announcement.rename(options_file.with_name("directory"))
        while True:
            signal.pause()


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _as_document(options: SandboxOptions) -> dict[str, Any]:
    document = asdict(options)
    for name in ("forwarder_zip", "cache_directory", "registry"):
        document[name] = None if document[name] is None else str(Path(document[name]).resolve())
    return document


def _from_document(document: dict[str, Any]) -> SandboxOptions:
    for name in ("forwarder_zip", "cache_directory", "registry"):
        document[name] = None if document[name] is None else Path(document[name])
    for name in ("scenarios", "regions"):
        document[name] = tuple(document[name])
    return SandboxOptions(**document)


if __name__ == "__main__":
    try:
        _own(Path(sys.argv[1]))
    except DdsetupError as error:
        sys.exit(f"{error.what}\n{error.fix}".strip())
