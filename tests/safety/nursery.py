"""Runs the command line many times, each in a process of its own that is forked with everything imported.

    with Nursery() as nursery:
        end = nursery.run(["setup", "--all"], environ, cwd, kill=Kill(0.3, journal_of=state))

A run is a real process, so it can be killed with SIGKILL; it only starts a second earlier than one from a
shell. The server of the forks is a process of its own, single-threaded, because a fork copies one thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL `seconds` after the start or, with `journal_of`, after a new run's journal there holds `once`.

    `signals` are sent in order, one `seconds` after the other; a run that ends earlier is left alone.
    """

    seconds: float
    journal_of: str = ""
    once: str = ""
    signals: tuple[int, ...] = (signal.SIGKILL,)


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended: its exit code (negative: the signal), what it printed, how long it took.

    `wrote_after` is the time from its start until its journal began (held `once`), None if it began none.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    wrote_after: float | None

    @property
    def killed(self) -> bool:
        return self.code == KILLED


class Nursery:
    """The process that forks; ended with the block."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=30)

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        directory: Path,
        kill: Kill | None = None,
        timeout: float = 150,
    ) -> End:
        """Run `ddsetup ARGUMENTS` without a terminal and wait for its end, at most `timeout` seconds."""
        order = {
            "arguments": list(arguments),
            "environ": dict(environ),
            "directory": str(directory),
            "kill": asdict(kill) if kill else None,
            "timeout": timeout,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, "the nursery has died"
        end = json.loads(answer)
        assert not end.pop("hung"), f"ddsetup {' '.join(arguments)} did not end within {timeout} s"
        return End(**end)


def _serve() -> None:
    import ddsetup.cli.setup
    import ddsetup.cli.undo
    import ddsetup.flow.verbs
    import ddsetup.show.jsonreport
    import ddsetup.terminal.prompts  # noqa: F401 - all this is imported before the first fork

    _warm_up()
    for order in sys.stdin:
        sys.stdout.write(json.dumps(_run(json.loads(order))) + "\n")
        sys.stdout.flush()


def _warm_up() -> None:
    """Have botocore and the Datadog client loaded; no call is made."""
    import botocore.session
    import datadog_api_client.v2.api.aws_integration_api  # noqa: F401

    session = botocore.session.Session()
    for service in ("lambda", "iam", "sts", "cloudformation", "logs", "secretsmanager"):
        session.create_client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )


def _run(order: Mapping[str, Any]) -> dict[str, Any]:
    directory = Path(order["directory"])
    printed = [directory / f".printed-{os.getpid()}-{name}" for name in ("out", "err")]
    kill = Kill(**order["kill"]) if order["kill"] else None
    runs = Path(kill.journal_of) / "runs" if kill and kill.journal_of else None
    once = kill.once if kill else ""
    before = _journals(runs, once)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(order, printed)
    due = started + kill.seconds if kill and runs is None else None
    left = list(kill.signals) if kill else []
    wrote_after = None
    hung = False
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        now = time.monotonic()
        if pid:
            break
        if runs is not None and wrote_after is None and _journals(runs, once) - before:
            wrote_after = now - started
            due = now + (kill.seconds if kill else 0)
        if due is not None and now >= due and left:
            os.kill(child, left.pop(0))
            due = now + (kill.seconds if kill else 0)
        if now - started > order["timeout"]:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
    out, err = (path.read_text(errors="replace") for path in printed)
    for path in printed:
        path.unlink()
    return {
        "code": os.waitstatus_to_exitcode(status),
        "stdout": out,
        "stderr": err,
        "seconds": now - started,
        "wrote_after": wrote_after,
        "hung": hung,
    }


def _journals(runs: Path | None, once: str) -> set[str]:
    """The runs whose journals hold a text."""
    if runs is None:
        return set()
    with contextlib.suppress(FileNotFoundError):
        found = runs.glob("*/journal.jsonl")
        return {path.parent.name for path in found if not once or once in path.read_text("utf-8")}
    return set()


def _become(order: Mapping[str, Any], printed: Sequence[Path]) -> NoReturn:
    """Be the command, as if it had been started from a shell."""
    code = 70
    try:
        for descriptor, path in ((1, printed[0]), (2, printed[1])):
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for index, mode in ((0, "r"), (1, "w"), (2, "w")):
            name = ("stdin", "stdout", "stderr")[index]
            setattr(sys, name, os.fdopen(index, mode, closefd=False))
        os.environ.clear()
        os.environ.update(order["environ"])
        os.chdir(order["directory"])
        from ddsetup.cli.app import run

        code = run(order["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
