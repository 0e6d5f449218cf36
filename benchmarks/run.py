"""Measure ddsetup: `python -m benchmarks.run --n 200 1000 5000`.

An account in memory behind a front with latency and AWS's rates; the stand-in for Datadog beside it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import first_screen, goals, healthy, once
from benchmarks.account import ACCOUNT, furnished
from benchmarks.front import RATES, Emulator, Front, Tally
from benchmarks.memory import MemoryAws

API_KEY, APP_KEY = "0" * 31 + "b", "0" * 39 + "b"
REGION = "us-east-1"
SLACK, MARGIN = 5.0, 1.15
_MEASURED = (0, 6)
"""The exit codes of commands that did all their work."""
_AT_PACE = """
import sys
from ddsetup.facts import rates
rates.RATES = {{name: rate * {pace} for name, rate in rates.RATES.items()}}
from ddsetup.__main__ import main
sys.argv[0] = "ddsetup"
main()
"""
UNHURRIED = 200.0
"""The pace at which no quota is felt, to see how much memory a big run takes without waiting for its end."""
_TOOL = [sys.executable, "-m", "ddsetup"]
_SHARED = ("automatic", "again", "status", "plan", "keep", "uninstrument")
_DIRECT = ("direct", "direct-again", "undo")
_QUICK = ("memory", "memory-again", "memory-keep", "memory-uninstrument")
_QUICK_DIRECT = ("memory-direct", "memory-undo")
_TOGETHER = (_SHARED, _DIRECT, ("account",), _QUICK, _QUICK_DIRECT)
_ALL = tuple(mode for modes in _TOGETHER for mode in modes)
_ONCE, _HISTORY = "once", "history"
_EARLIER = 10
"""How often Datadog is put into functions and taken out again before the plan with a history."""
_MOST_HISTORY = 1000
"""With more functions, the runs before would take half an hour of processor time."""
_SETUP = ("setup", "--all", "--yes", "--no-verify", "--output", "json")
_PLAN = ("plan", "--all", "--output", "json")
_TAKE_OUT = ("uninstrument", "--all", "--yes", "--output", "json")
_UNDO = ("undo", "--yes", "--output", "json")
_KEEP = ("keep", "check", "--all", "--output", "json")
_COMMANDS: Mapping[str, Sequence[str]] = {
    "automatic": _SETUP,
    "again": _SETUP,
    "plan": _PLAN,
    "direct": (*_SETUP, "--subscribe", "direct"),
    "direct-again": (*_SETUP, "--subscribe", "direct"),
    "account": (*_SETUP, "--subscribe", "account"),
    "keep": _KEEP,
    "uninstrument": _TAKE_OUT,
    "undo": _UNDO,
    "status": ("status", "--output", "json"),
}
_RATELESS: Mapping[str, Sequence[str]] = {
    "memory": _SETUP,
    "memory-again": _SETUP,
    "memory-keep": _KEEP,
    "memory-uninstrument": _TAKE_OUT,
    "memory-direct": (*_SETUP, "--subscribe", "direct"),
    "memory-undo": _UNDO,
}
_TITLES = {
    "automatic": "setup, first run, automatic subscriptions",
    "again": "setup, second run",
    "direct": "setup, first run, direct filters",
    "direct-again": "setup, second run, direct filters",
    "account": "setup, first run, one policy of the account",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One command: how long, how much of it processor time, how many calls, how much memory."""

    what: str
    n: int
    code: int
    seconds: float
    cpu: float
    begun: float
    tally: Tally
    peak_mb: float
    report: Mapping[str, object]

    @property
    def bound(self) -> float:
        """1.15 times what the slowest quota takes for these calls, and 5 seconds."""
        return MARGIN * max(quota_seconds(self.tally).values(), default=0.0) + SLACK

    @property
    def updating(self) -> tuple[float, float]:
        """When the first update was sent, and when the last look at an update came back."""
        update = "lambda:UpdateFunctionConfiguration"
        last = self.tally.last.get("lambda:GetFunction", self.tally.last.get(update, self.begun))
        return self.tally.first.get(update, self.begun) - self.begun, last - self.begun

    @property
    def calls(self) -> int:
        return sum(self.tally.calls.values())


def quota_seconds(tally: Tally) -> dict[str, float]:
    """What the calls of each class take at its rate."""
    groups: dict[str, float] = {}
    for name, count in tally.calls.items():
        group = name if name in RATES else name.split(":")[0]
        if rate := RATES.get(group):
            groups[group] = groups.get(group, 0.0) + count / rate
    return groups


@contextmanager
def stand_in(home: Path) -> Iterator[str]:
    """Datadog's stand-in as a process of its own; yields its URL."""
    port_file = home / "port"
    command = [sys.executable, "-m", "ddsetup.sandbox.datadog", "--port-file", str(port_file)]
    command += ["--api-key", API_KEY, "--app-key", APP_KEY]
    with (home / "datadog.log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            while not port_file.exists():
                if process.poll() is not None:
                    raise RuntimeError((home / "datadog.log").read_text())
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port_file.read_text()}"
        finally:
            process.terminate()


def environ(home: Path, aws: str, datadog: str) -> dict[str, str]:
    """A clean environment that leads to the front and to the stand-in."""
    keep = ("PATH", "LANG", "TMPDIR")
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "HOME": str(home),
        "DDSETUP_STATE_DIR": str(home / "state"),
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DDSETUP_DATADOG_URL": datadog,
        "DD_SITE": "datadoghq.com",
        "DD_API_KEY": API_KEY,
        "DD_APP_KEY": APP_KEY,
    }


def at_pace(pace: float) -> list[str]:
    """How ddsetup is started that keeps quotas of so many times the documented ones."""
    return [sys.executable, "-c", _AT_PACE.format(pace=pace)]


def measure(what: str, n: int, command: Sequence[str], front: Front, env: Mapping[str, str]) -> Measured:
    """Run one command and watch it."""
    front.reset()
    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, env=dict(env), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        peak = PeakMemory(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        seconds, cpu = time.monotonic() - begun, used.ru_utime + used.ru_stime
        out.seek(0)
        err.seek(0)
        text, said = out.read().decode(), err.read().decode()
    tally = front.reset()
    if code not in _MEASURED:
        print(said[-3000:] or text[-3000:], file=sys.stderr)
    # Of lines the last one is the report.
    whole = text if '"event"' not in text.partition("\n")[0] else text.splitlines()[-1]
    report = json.loads(whole) if whole.startswith("{") else {}
    return Measured(what, n, code, seconds, cpu, begun, tally, peak.stop(), report)


class PeakMemory:
    """The most memory (RSS) that a process ever had, asked of Linux while it runs."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/status")
        self._peak = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            try:
                lines = self._file.read_text().splitlines()
            except OSError:
                return
            found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
            self._peak = max([self._peak, *(int(kb) / 1024 for kb in found)])

    def stop(self) -> float:
        """In MB; 0 where /proc is not there."""
        self._done.set()
        self._thread.join()
        return self._peak


def show(m: Measured) -> None:
    """A result, as text."""
    writes = sum(c for name, c in m.tally.calls.items() if is_write(name))
    ratio = (m.seconds - SLACK) / max(m.bound - SLACK, 0.001) * MARGIN
    print(f"\n{m.what}, N = {m.n}: exit {m.code}")
    print(
        f"  wall {m.seconds:.1f} s; processor {m.cpu:.1f} s; bound {m.bound:.1f} s; "
        f"wall / bound {m.seconds / m.bound:.2f}; (wall - {SLACK:.0f} s) / slowest quota {ratio:.2f}"
    )
    if m.tally.calls["lambda:UpdateFunctionConfiguration"]:
        first, last = m.updating
        print(
            f"  first update after {first:.1f} s, every function instrumented and seen so after {last:.1f} s "
            f"({last - first:.1f} s later; 1.15 N / 15 = {MARGIN * m.n / 15:.1f} s)"
        )
    print(
        f"  calls {m.calls} = {m.calls / m.n:.3f} N; writes {writes}; "
        f"throttles {sum(m.tally.throttles.values())}; at once {m.tally.most_at_once}; "
        f"peak memory {m.peak_mb:.0f} MB"
    )
    quotas = quota_seconds(m.tally)
    for name, count in m.tally.calls.most_common():
        throttles = m.tally.throttles[name]
        when = f"  {m.tally.first[name] - m.begun:6.1f} to {m.tally.last.get(name, m.begun) - m.begun:.1f} s"
        print(f"    {count:6d}  {name:44s}{when}" + (f"  ({throttles} throttled)" if throttles else ""))
    print("  at the quotas: " + ", ".join(f"{k} {v:.1f} s" for k, v in sorted(quotas.items())))
    if m.tally.unknown:
        print(f"  unknown calls: {dict(m.tally.unknown)}")


def is_write(name: str) -> bool:
    """Whether a call changes something."""
    verb = name.split(":")[1]
    return not verb.startswith(("List", "Get", "Describe", "Simulate", "Filter", "Lookup"))


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--n", type=int, nargs="*", default=[200, 1000, 5000], help="how many functions")
    parser.add_argument("--latency", type=float, default=0.04, help="seconds that each call takes longer")
    parser.add_argument(
        "--modes",
        nargs="*",
        default=[*_ALL, _HISTORY, _ONCE],
        choices=[*_ALL, _HISTORY, _ONCE, "doctor", "wizard", "datadog-ci"],
    )
    parser.add_argument("--emulator", help="URL of an emulator to use instead of the account in memory")
    asked = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')}, Python {platform.python_version()}, {os.cpu_count()} CPUs, "
        f"{platform.system()} {platform.machine()}; latency {asked.latency * 1000:.0f} ms"
    )
    figures = [figure for n in asked.n for figure in run_size(n, asked)]
    print("\n" + goals.table(figures))
    print("\n" + goals.calls_tables(figures))
    if _ONCE in asked.modes:
        print("\n" + run_once(asked.latency))
    return 0


def run_size(n: int, asked: argparse.Namespace) -> list[goals.Figure]:
    """All modes with one number of functions: those of `_SHARED` and of `_DIRECT` share an account each, the
    others do not."""
    figures: list[goals.Figure] = []
    together = [[mode for mode in modes if mode in asked.modes] for modes in _TOGETHER]
    alone = [[mode] for mode in ("wizard", "datadog-ci") if mode in asked.modes]
    for modes in (*together, *alone):
        if not modes:
            continue
        with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place:
            home = Path(place)
            upstream = (
                Emulator(asked.emulator)
                if asked.emulator
                else MemoryAws(furnished(n, REGION, odd=modes != ["datadog-ci"]))
            )
            quick = modes[0].startswith("memory")
            front = Front(upstream, latency=0 if quick else asked.latency, rates={} if quick else RATES)
            with stand_in(home) as datadog:
                env = environ(home, front.url, datadog)
                for mode in modes:
                    measured = run_mode(mode, n, front, env)
                    if measured is None:
                        continue
                    show(measured)
                    if measured.code not in _MEASURED:
                        # What it took says nothing, nor would that of those that build on it.
                        print(f"{measured.what} failed: {', '.join(modes)} end here", file=sys.stderr)
                        break
                    figures.append(figure_of(mode, measured))
            front.close()
    if "doctor" in asked.modes:
        figures += run_doctor(n, asked.latency)
    if _HISTORY in asked.modes and n <= _MOST_HISTORY:
        figures += run_history(n, asked.latency)
    return figures


def run_history(n: int, latency: float) -> list[goals.Figure]:
    """A plan for functions that were set up, where nothing else is remembered and after many earlier runs."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place:
        home, aws = Path(place), MemoryAws(furnished(n, REGION), update_seconds=0)
        quick, front = Front(aws, latency=0, rates={}), Front(aws, latency=latency)
        with stand_in(home) as datadog:
            figures = []
            for mode, times in (("history-none", 0), (_HISTORY, _EARLIER)):
                for words in (*([*_SETUP], [*_TAKE_OUT]) * times, [*_SETUP]):
                    measure(
                        "",
                        n,
                        [*at_pace(UNHURRIED), *words],
                        quick,
                        environ(home, quick.url, datadog),
                    )
                measured = measure(mode, n, [*_TOOL, *_PLAN], front, environ(home, front.url, datadog))
                show(measured)
                figures.append(figure_of(mode, measured))
        quick.close()
        front.close()
    return figures


def run_once(latency: float) -> str:
    """What does not depend on how many functions there are."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place:
        home = Path(place)
        with stand_in(home) as datadog:
            return goals.once_table(once.rows(latency, environ(home, "", datadog)))


def figure_of(mode: str, m: Measured) -> goals.Figure:
    """What goes into the table."""
    first, last = m.updating
    return goals.Figure(mode, m.n, m.calls, m.seconds, m.cpu, m.peak_mb, m.tally.calls, last - first)


def run_doctor(n: int, latency: float) -> list[goals.Figure]:
    """The gate after a deployment: the doctor on an account that is well, that was just deployed, and of
    which one log group is not well."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place:
        home = Path(place)
        account = furnished(n, REGION)
        aws = healthy.HealthyAws(account, API_KEY)
        healthy.make_room(account)
        with stand_in(home) as datadog:
            quick = Front(aws, latency=0, rates={})
            command = [*at_pace(UNHURRIED), *_SETUP]
            done = measure("setup", n, command, quick, environ(home, quick.url, datadog))
            quick.close()
            if done.code:
                raise RuntimeError("the account could not be set up")
            front = Front(aws, latency=latency)
            env = environ(home, front.url, datadog)
            doctor = [*_TOOL, "doctor", "--fail-on", "error", "--output", "json"]
            figures = []
            for state in healthy.states(account, datadog, API_KEY):
                measured = measure(f"doctor, {state}", n, doctor, front, env)
                show(measured)
                print(f"  {healthy.told(measured.report)}")
                figures.append(figure_of("doctor", measured))
            front.close()
    return figures[:1]


def run_mode(mode: str, n: int, front: Front, env: Mapping[str, str]) -> Measured | None:
    """One command of a kind, measured; None if its tool is not here, or it has a measure of its own."""
    if mode == "wizard":
        opened = first_screen.open_wizard([*_TOOL, "setup", "--region", REGION], env, front, n)
        print(first_screen.said(opened, n, max(quota_seconds(opened.tally).values(), default=0.0)))
        return None
    if mode == "datadog-ci":
        tool = shutil.which("datadog-ci")
        if tool is None:
            print("\ndatadog-ci is not installed: left out")
            return None
        return measure("datadog-ci lambda instrument", n, _datadog_ci(tool), front, env)
    if mode in _RATELESS:
        command = [*at_pace(UNHURRIED), *_RATELESS[mode]]
        return measure(f"{goals.GOALS[mode].what} (no rates)", n, command, front, env)
    return measure(_TITLES.get(mode, mode), n, [*_TOOL, *_COMMANDS[mode]], front, env)


def _datadog_ci(tool: str) -> list[str]:
    """Layers and Forwarder, as its documentation has it. It stops at a log group that is full and at several
    runtimes, so its account has neither."""
    command = [tool, "lambda", "instrument", "--functions-regex", "service-.*", "--region", REGION]
    forwarder = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:datadog-forwarder"
    return [*command, "--layer-version", "110", "--forwarder", forwarder, "--no-source-code-integration"]


if __name__ == "__main__":
    sys.exit(main())
