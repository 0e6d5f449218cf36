"""What each test costs: `pytest -p tests.spent --spent=FILE` adds a JSON document a line to FILE.

Seconds of processors, those of every process that the test started among them, and seconds of the clock.
`--durations` knows the clock only, which beside other programs tells more of them than of the test. What a
shared fixture costs is part of the test that made it, and of the one that ended it. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_BECOME_FOSTER_PARENT = 36
"""`PR_SET_CHILD_SUBREAPER` of prctl(2): what a killed process leaves behind is ours, not init's."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--spent", default="", help="where to add what each test costs")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("spent") and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_BECOME_FOSTER_PARENT, 1, 0, 0, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    file = item.config.getoption("spent")
    if not file:
        return (yield)
    cpu, clock = _processors(), time.monotonic()
    try:
        return (yield)
    finally:
        took = {"test": item.nodeid, "cpu": round(_processors() - cpu, 2)}
        took["clock"] = round(time.monotonic() - clock, 2)
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(json.dumps(took) + "\n")


def _processors() -> float:
    """Seconds of this process and of all below it, ended ones among them."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    tick = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            pid = int(entry.parent.name)
            parents[pid] = int(fields[1])
            spent[pid] = sum(map(int, fields[11:15])) / tick
    return sum(seconds for pid, seconds in spent.items() if _is_ours(pid, parents))


def _is_ours(pid: int, parents: dict[int, int]) -> bool:
    while pid and pid != os.getpid():
        pid = parents.get(pid, 0)
    return bool(pid)
