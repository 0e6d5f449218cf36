"""Which test reaches which line: a plugin for pytest on top of coverage, for `benchmarks.mutants`.

A map that was made once is carried along: lines that moved are found again by their text, lines that are new
count as reached by what reaches the line before, and only test files that changed, or of which something that
they import did, are run again.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]


class Reach:
    """Counts lines per test function, fixtures included; a test that fails does not count."""

    def __init__(self) -> None:
        self.coverage = coverage.Coverage(data_file=None, source=[str(ROOT / "ddsetup")], config_file=False)
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        name = item.nodeid.split("[")[0]
        self.coverage.switch_context(name)
        begun = time.process_time()
        result = yield
        self.seconds[name] += time.process_time() - begun
        self.coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid.split("[")[0])

    def document(self) -> dict[str, Any]:
        """Per file and line the tests; the lines that run while modules are imported; how long each test
        takes; the modules of others that all this needs; the code, and the tests, that this was seen with."""
        data = self.coverage.get_data()
        lines = {
            str(Path(file).relative_to(ROOT)): {
                line: sorted(set(tests) - self.failed - {""})
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        early = {
            str(Path(file).relative_to(ROOT)): sorted(
                line for line, tests in data.contexts_by_lineno(file).items() if "" in tests
            )
            for file in data.measured_files()
        }
        own = ("ddsetup", "tests", "benchmarks", "__main__", "coverage")
        others = sorted(name for name in sys.modules if name.split(".")[0] not in own)
        return {
            "lines": lines,
            "early": early,
            "seconds": self.seconds,
            "modules": others,
            "failed": sorted(self.failed),
            "sources": {name: (ROOT / name).read_text("utf-8") for name in lines},
            "tests": {name: digest(name) for name in sorted({_file(test) for test in self.seconds})},
        }


def _file(test: str) -> str:
    return test.partition("::")[0]


@cache
def digest(name: str) -> str:
    """Of a test file and all of `tests` that it imports."""
    files, left = {name}, [name]
    while left:
        for other in _imported(left.pop()) - files:
            files.add(other)
            left.append(other)
    return sha256(b"".join((ROOT / each).read_bytes() for each in sorted(files))).hexdigest()


@cache
def _imported(name: str) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tests":
            module = str(node.module).replace(".", "/")
            found |= {f"{module}.py", *(f"{module}/{each.name}.py" for each in node.names)}
            found.add(f"{module}/__init__.py")
    return frozenset(each for each in found if (ROOT / each).is_file())


def carried(lines: dict[str, Any], before: str, now: str) -> dict[str, Any]:
    """What was known of the lines of a file, by where these lines are now."""
    match = SequenceMatcher(None, before.splitlines(), now.splitlines(), autojunk=False)
    was = {b + n + 1: a + n + 1 for a, b, size in match.get_matching_blocks() for n in range(size)}
    found: dict[str, Any] = {}
    last: Any = []
    for line in range(1, len(now.splitlines()) + 1):
        held = lines.get(str(was[line])) if line in was else last
        if held is not None:
            found[str(line)] = last = held
    return found


def up_to_date(place: Path, tests: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
    """The map in a file, made anew as far as that is needed, and kept there."""
    held: dict[str, Any] = json.loads(place.read_text("utf-8")) if place.is_file() else {}
    if not held:
        _run(place, [*tests, *options])
        return dict(json.loads(place.read_text("utf-8")))
    for name, before in held["sources"].items():
        now = (ROOT / name).read_text("utf-8") if (ROOT / name).is_file() else ""
        if now != before:
            early = carried({str(line): [line] for line in held["early"].get(name, ())}, before, now)
            held["early"][name] = [int(line) for line in early]
            held["lines"][name] = carried(held["lines"][name], before, now)
            held["sources"][name] = now
    stale = _stale(held["tests"], tests, [each.partition("=")[2] for each in options])
    present = [name for name in stale if (ROOT / name).is_file()]
    part: dict[str, Any] = {}
    if present:
        other = place.with_suffix(".part")
        _run(other, present)
        part = json.loads(other.read_text("utf-8"))
    place.write_text(json.dumps(_joined(held, part, stale)), "utf-8")
    return held


def _stale(known: dict[str, str], tests: Sequence[str], left_out: Sequence[str]) -> list[str]:
    files = (str(path.relative_to(ROOT)) for each in tests for path in (ROOT / each).rglob("test_*.py"))
    here = {name for name in files if not name.startswith(tuple(left_out))}
    return sorted({name for name in here if known.get(name) != digest(name)} | (set(known) - here))


def _joined(held: dict[str, Any], part: dict[str, Any], stale: Iterable[str]) -> dict[str, Any]:
    anew = frozenset(stale)
    for lines in held["lines"].values():
        for line, tests in lines.items():
            lines[line] = [test for test in tests if _file(test) not in anew]
    for key in ("seconds", "tests"):
        kept = {name: value for name, value in held[key].items() if _file(name) not in anew}
        held[key] = kept | part.get(key, {})
    held["failed"] = [test for test in held["failed"] if _file(test) not in anew] + part.get("failed", [])
    for name, lines in part.get("lines", {}).items():
        own = held["lines"].setdefault(name, {})
        for line, tests in lines.items():
            own[line] = [*own.get(line, ()), *tests]
        held["sources"][name] = part["sources"][name]
        held["early"][name] = sorted({*held["early"].get(name, ()), *part["early"][name]})
    return held


def _run(target: Path, arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "benchmarks.reach", str(target), *arguments, "-n", "0"]
    subprocess.run(command, cwd=ROOT, check=False)


def main(target: str, *arguments: str) -> int:
    """Run the tests named, write what they reach to `target`."""
    reach = Reach()
    reach.coverage.start()
    code = pytest.main([*arguments, "-q", "-p", "no:cacheprovider"], plugins=[reach])
    reach.coverage.stop()
    Path(target).write_text(json.dumps(reach.document()), "utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
