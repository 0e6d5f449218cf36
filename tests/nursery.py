"""Runs the command line many times, each in a process of its own that is forked with everything imported.

    with Nursery() as nursery:
        end = nursery.run(["setup", "--all"], environ, cwd, kill=Kill(0.3, journal_of=state))
        pid = nursery.begin(["setup"], environ, cwd, terminal="/dev/pts/7")

A run is a real process, so it can be killed with SIGKILL; it only starts a second earlier than one from a
shell, and that second is most of what a run costs. What is the same in each is done before the fork:
modules are imported (those that a run had to import by itself are there for the next), and botocore's
descriptions of the services are read. The server of the forks is a process of its own, single-threaded,
because a fork copies one thread.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from tests.patience import PATIENCE

KILLED = -signal.SIGKILL
SERVICES = (
    *("lambda", "iam", "sts", "cloudformation", "logs", "secretsmanager", "cloudwatch", "s3", "events"),
    *("resourcegroupstaggingapi", "stepfunctions", "apigateway", "apigatewayv2"),
)
"""Whose descriptions the runs of most tests need."""


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
    """The process that forks; ended with the block, or with the process that made it."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=PATIENCE)

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        directory: Path,
        kill: Kill | None = None,
        timeout: float = 2.5 * PATIENCE,
    ) -> End:
        """Run `ddsetup ARGUMENTS` without a terminal and wait for its end, at most `timeout` seconds."""
        end = self._asked(
            {
                "arguments": list(arguments),
                "environ": dict(environ),
                "directory": str(directory),
                "kill": asdict(kill) if kill else None,
                "timeout": timeout,
            }
        )
        assert not end.pop("hung"), f"ddsetup {' '.join(arguments)} did not end within {timeout} s"
        return End(**end)

    def begin(
        self, arguments: Sequence[str], environ: Mapping[str, str], directory: Path, terminal: str
    ) -> int:
        """Run `ddsetup ARGUMENTS` on a terminal, as the leader of a session there; the process's number."""
        order = {"arguments": list(arguments), "environ": dict(environ), "directory": str(directory)}
        return int(self._asked({**order, "terminal": terminal})["pid"])

    def ended(self, pid: int) -> int:
        """Wait for the end of what was begun: its exit code (negative: the signal)."""
        return int(self._asked({"ended": pid})["code"])

    def _asked(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._one_at_a_time:
            self._server.stdin.write(json.dumps(order) + "\n")
            self._server.stdin.flush()
            answer = self._server.stdout.readline()
        assert answer, "the nursery has died"
        answered: dict[str, Any] = json.loads(answer)
        return answered


@functools.cache
def shared() -> Nursery:
    """One for all tests of this process."""
    return Nursery()


def _serve() -> None:
    _import("ddsetup.__main__", "ddsetup.flow.verbs", *_commands())
    _warm_up()
    for order in sys.stdin:
        gc.collect()
        gc.freeze()  # or each fork's collector would copy what all have in common
        sys.stdout.write(json.dumps(_carried_out(json.loads(order))) + "\n")
        sys.stdout.flush()
        _import(*_learnt())


def _carried_out(order: Mapping[str, Any]) -> dict[str, Any]:
    if "ended" in order:
        return {"code": os.waitstatus_to_exitcode(os.waitpid(order["ended"], 0)[1])}
    return _begin(order) if "terminal" in order else _run(order)


def _commands() -> list[str]:
    import ddsetup.cli

    return [module.name for module in pkgutil.walk_packages(ddsetup.cli.__path__, "ddsetup.cli.")]


def _import(*names: str) -> None:
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _learnt() -> list[str]:
    """What the last run imported; nothing if it was killed."""
    file = _own_directory() / "imported"
    if not file.exists():
        return []
    names: list[str] = json.loads(file.read_text())
    file.unlink()
    return names


def _warm_up() -> None:
    """Have botocore and the Datadog client loaded, and what a plan compiles and reads; no call is made."""
    import datadog_api_client.v2.api.aws_integration_api  # noqa: F401
    from botocore import session

    from tests import descriptions

    descriptions.read_once()
    known = session.Session()
    for service in SERVICES:
        known.create_client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
    _make_a_plan()


def _make_a_plan() -> None:
    from ddsetup.model.lines import Look
    from ddsetup.plan.whole import make_plan
    from ddsetup.show.plan_at_a_glance import brief_lines
    from tests import builders

    functions, answers = (builders.function("coffee"),), builders.answers()
    plan = make_plan(builders.snapshot(builders.lane_snapshot(*functions)), answers, functions)
    brief_lines(plan, answers, Look())


def _begin(order: Mapping[str, Any]) -> dict[str, Any]:
    """Start a run on a terminal; once this has answered, the run holds the terminal open."""
    terminal = os.open(order["terminal"], os.O_RDWR | os.O_NOCTTY)
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        _become(order, (terminal, terminal, terminal))
    os.close(terminal)
    return {"pid": child}


def _run(order: Mapping[str, Any]) -> dict[str, Any]:
    printed = [_own_directory() / name for name in ("out", "err")]
    kill = Kill(**order["kill"]) if order["kill"] else None
    runs = Path(kill.journal_of) / "runs" if kill and kill.journal_of else None
    once = kill.once if kill else ""
    before = _journals(runs, once)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        files = (os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for path in printed)
        _become(order, (os.open(os.devnull, os.O_RDONLY), *files))
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
        _pause(child, 0.002 if kill else 0.5)
    out, err = (path.read_text(errors="replace") for path in printed)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "stdout": out,
        "stderr": err,
        "seconds": now - started,
        "wrote_after": wrote_after,
        "hung": hung,
    }


def _pause(child: int, seconds: float) -> None:
    """Wait so long, or until the child ends where the system can tell that."""
    if not hasattr(os, "pidfd_open"):
        time.sleep(min(seconds, 0.01))
        return
    watched = os.pidfd_open(child)
    try:
        select.select([watched], [], [], seconds)
    finally:
        os.close(watched)


@functools.cache
def _own_directory() -> Path:
    made = tempfile.mkdtemp(prefix="nursery-")
    atexit.register(shutil.rmtree, made)
    return Path(made)


def _journals(runs: Path | None, once: str) -> set[str]:
    """The runs whose journals hold a text."""
    if runs is None:
        return set()
    with contextlib.suppress(FileNotFoundError):
        found = runs.glob("*/journal.jsonl")
        return {path.parent.name for path in found if not once or once in path.read_text("utf-8")}
    return set()


def _become(order: Mapping[str, Any], streams: Sequence[int]) -> NoReturn:
    """Be the command, as if it had been started from a shell with these for its standard streams."""
    code: Any = 70
    known = set(sys.modules)
    try:
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
        for stream in set(streams):
            os.close(stream)
        for index, mode in ((0, "r"), (1, "w"), (2, "w")):
            name = ("stdin", "stdout", "stderr")[index]
            setattr(sys, name, os.fdopen(index, mode, closefd=False))
        os.environ.clear()
        os.environ.update(order["environ"])
        os.chdir(order["directory"])
        time.tzset()
        sys.argv = ["ddsetup", *order["arguments"]]
        from ddsetup.__main__ import main

        main()
    except SystemExit as end:
        code = end.code
        whole = _own_directory() / f"imported.{os.getpid()}"
        whole.write_text(json.dumps(sorted(set(sys.modules) - known)))
        whole.replace(
            _own_directory() / "imported"
        )  # at any moment: a run on a terminal has others beside it
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
