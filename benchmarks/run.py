"""Measure ddsetup: `python -m benchmarks.run --n 200 1000 5000`.

An account in memory behind a front with latency and AWS's rates; the stand-in for Datadog beside it.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import first_screen, goals, healthy, once
from benchmarks.account import ACCOUNT, furnished
from benchmarks.front import RATES, Emulator, Front
from benchmarks.measured import (
    API_KEY,
    DONE,
    REGION,
    UNHURRIED,
    Measured,
    at_pace,
    environ,
    measure,
    quota_seconds,
    show,
    stand_in,
)
from benchmarks.memory import MemoryAws

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
    together = [[mode for mode in modes if mode in asked.modes] for modes in _TOGETHER]
    alone = [[mode] for mode in ("wizard", "datadog-ci") if mode in asked.modes]
    figures = [figure for modes in (*together, *alone) if modes for figure in run_account(modes, n, asked)]
    if "doctor" in asked.modes:
        figures += run_doctor(n, asked.latency)
    if _HISTORY in asked.modes and n <= _MOST_HISTORY:
        figures += run_history(n, asked.latency)
    return figures


def run_account(modes: Sequence[str], n: int, asked: argparse.Namespace) -> list[goals.Figure]:
    """These modes one after the other in an account of their own, until one fails."""
    figures: list[goals.Figure] = []
    upstream = (
        Emulator(asked.emulator)
        if asked.emulator
        else MemoryAws(furnished(n, REGION, odd=modes != ["datadog-ci"]))
    )
    quick = modes[0].startswith("memory")
    front = Front(upstream, latency=0 if quick else asked.latency, rates={} if quick else RATES)
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place, stand_in(Path(place)) as datadog:
        env = environ(Path(place), front.url, datadog)
        for mode in modes:
            measured = run_mode(mode, n, front, env)
            if measured is None:
                continue
            show(measured)
            if measured.code not in DONE:
                # What it took says nothing, nor would that of those that build on it.
                print(f"{measured.what} failed: {', '.join(modes)} end here", file=sys.stderr)
                break
            figures.append(figure_of(mode, measured))
    front.close()
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
