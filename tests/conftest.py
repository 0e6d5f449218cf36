"""For all tests: an environment of their own, and the guard that looks for secrets in what gets out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import environment

HOME = environment.own()

from tests.guard import GUARD, LeakError, on_duty  # noqa: E402  what it imports may read the environment

# How long an example takes says more of the machine than of the code; pytest's own timeout is the limit.
# The examples are the same in every run, so that a run is red or green whatever the luck; what luck finds
# (`pytest --hypothesis-profile=search`) is kept as an `@example`.
settings.register_profile("ddsetup", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("ddsetup")


@pytest.fixture(scope="session", autouse=True)
def guard_on_duty() -> Iterator[None]:
    with on_duty():
        yield


@pytest.fixture(autouse=True)
def no_secret_gets_out(guard_on_duty: None) -> Iterator[None]:
    """Fails the test after which a secret was found."""
    yield
    GUARD.files()
    leaks = GUARD.leaks()
    if leaks:
        raise LeakError(f"a secret is in {', '.join(sorted(set(leaks)))}")


@pytest.hookimpl
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # A failed test shows its own lines, with the values that it planted.
    if report.passed:
        for name, text in report.sections:
            GUARD.look(text, f"{name} of {report.nodeid}")


SANDBOXES = ("tests/e2e/", "tests/safety/")
"""Where a file has whole sandboxes to itself: minutes of waiting beside little work."""
LONGEST = ("test_wizard", "test_doctor", "test_sandbox", "test_running", "test_faults", "test_kills")


def pytest_xdist_auto_num_workers() -> int:
    """Half of what takes long is waiting, so there are more processes than processors."""
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(max(3, 2 * able), 16)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that none is left over at the end, alone."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    file = nodeid.partition("::")[0]
    if not file.startswith(SANDBOXES):
        return len(LONGEST) + 1
    name = file.rpartition("/")[2].removesuffix(".py")
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
