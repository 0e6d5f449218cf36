"""What does not depend on how many functions there are: start-up, 17 regions, the trial, the journal."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.account import ACCOUNT, Account, furnished
from benchmarks.front import Front
from benchmarks.goals import Row
from benchmarks.memory import MemoryAws
from benchmarks.start_up import cpu_seconds, cpu_until_called
from benchmarks.wire import Call, Reply, Request
from ddsetup.journal.disk import OnDisk, OpenFile
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, new_run_id
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import LogGroupState

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1", "ap-northeast-2"),
    *("ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-west-1"),
    *("eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1"),
)
"""Those that every account has from the start (AWS General Reference)."""
_IN_USE = 3
_ROUNDS = 5
_DISK_SECONDS = 0.005
"""What waiting for a disk takes on top of what it takes here, where it may be memory."""
_DDSETUP = (sys.executable, "-m", "ddsetup")


class Regions:
    """An account with functions in a few of its regions, and nothing in the others."""

    def __init__(self, count: int) -> None:
        used = REGIONS[:_IN_USE]
        self._here = {r: MemoryAws(furnished(count, r) if r in used else Account(r)) for r in REGIONS}

    def answer(self, request: Request, call: Call) -> Reply:
        """The answer of the region that is asked."""
        return self._here.get(call.region, self._here[REGIONS[0]]).answer(request, call)


def rows(latency: float, environ: Mapping[str, str]) -> Iterator[Row]:
    """Each as it is measured."""
    bare = _median(lambda: cpu_seconds([sys.executable, "-c", "pass"]))
    helped = _median(lambda: cpu_seconds([*_DDSETUP, "setup", "--help"]))
    yield Row("setup --help, x bare Python", helped / bare, 10)
    first = _median(lambda: cpu_until_called([*_DDSETUP, "status", "--no-input"]))
    yield Row("first call of AWS, CPU s", first, 0.6)
    front = Front(Regions(70), latency=latency)
    command = [*_DDSETUP, "status", "--output", "json"]
    command += [word for region in REGIONS for word in ("--region", region)]
    seconds, cpu = _run(command, {**environ, "AWS_ENDPOINT_URL": front.url})
    front.close()
    yield Row("status of 17 regions, s", seconds, 2.5)
    yield Row("status of 17 regions, CPU s", cpu)
    yield from _trial(environ)
    yield Row("journal, waits for the disk a change, 16 at once", waits_for_the_disk(), 0.25)


def waits_for_the_disk(threads: int = 16, changes: int = 1600) -> float:
    """How often a journal waits for the disk for each change, where as many are begun and ended at once."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place:
        memory = _Counting(Path(place))
        at = datetime.now(UTC)
        header = Header(
            run=new_run_id(at),
            version="",
            command="setup",
            accounts=(ACCOUNT,),
            regions=REGIONS[:1],
            site="",
            started=at,
        )
        journal = Journal.create(memory, header)

        def change(number: int) -> None:
            resource = ResourceId("log_group", f"group-{number}", REGIONS[0], ACCOUNT)
            made = Change(
                step="bench", resource=resource, before=None, after=LogGroupState(name="x"), why="bench"
            )
            journal.done(journal.start(made, at), made.outcome("applied"), at)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(change, range(changes)))
        journal.close()
        return memory.opened[0].waits / changes


@dataclass(frozen=True, slots=True)
class _Counting(OnDisk):
    """A memory on a disk that takes a while, whose journals count how often they wait for it."""

    opened: list[_CountingFile] = field(default_factory=list)

    def begin(self, run: str, first: bytes) -> OpenFile:
        self.opened.append(_CountingFile(OnDisk.begin(self, run, first)))
        return self.opened[-1]


class _CountingFile(OpenFile):
    def __init__(self, file: OpenFile) -> None:
        self.__dict__ |= vars(file)
        self.waits = 0

    def append(self, lines: bytes) -> None:
        self.waits += 1
        time.sleep(_DISK_SECONDS)
        super().append(lines)


def _trial(environ: Mapping[str, str]) -> Iterator[Row]:
    """A trial from start to end, the second in a row: the first makes what later ones take again."""
    command = [*_DDSETUP, "setup", "--sandbox", "--yes", "--no-input", "--all", "--output", "json"]
    kept = {name: environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in environ}
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as home:
        for warm in (False, True):
            seconds, cpu = _run(command, {**kept, "HOME": home})
            if warm:
                yield Row("setup --sandbox, warm, s", seconds, 15)
                yield Row("setup --sandbox, warm, CPU s", cpu, 9)


def _run(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """How long a command takes, and how much processor time it and its children."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        print(done.stderr.decode()[-2000:], file=sys.stderr)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(_ROUNDS))
