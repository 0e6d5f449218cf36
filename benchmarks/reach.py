"""Which test reaches which line: a plugin for pytest on top of coverage, for `benchmarks.mutants`."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
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
        takes; the modules of others that all this needs."""
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
        }


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
