"""For all tests: an environment of their own, and the guard that looks for secrets in what gets out."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import environment

HOME = environment.own()
# Collecting makes a great many objects that stay: to look for garbage among them is wasted.
gc.disable()

from tests.patience import PATIENCE  # noqa: E402

os.environ.setdefault("PYTEST_TIMEOUT", f"{3 * PATIENCE:.0f}")

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
    _seconds[_file(report.nodeid)] = _seconds.get(_file(report.nodeid), 0.0) + report.duration
    if report.passed:
        for name, text in report.sections:
            GUARD.look(text, f"{name} of {report.nodeid}")


SANDBOXES = ("tests/e2e/", "tests/safety/")
"""Where a file has whole sandboxes to itself: minutes of waiting beside little work."""
LONGEST = (
    *("e2e/test_doctor", "e2e/test_org_sandbox", "e2e/test_org", "safety/test_kills", "e2e/test_running"),
    *("e2e/test_wizard", "safety/test_faults", "safety/test_competitor", "e2e/test_sandbox"),
    *("gateways/test_verify", "e2e/test_own_policies", "e2e/test_anywhere", "e2e/test_explore"),
    *("e2e/test_as_on_aws", "e2e/test_forwarder_stack", "gateways/test_calls_per_function"),
    *("safety/test_year", "safety/test_odd_answers", "safety/test_other_site", "e2e/test_contract"),
    *("unit/plan/test_step_properties", "unit/cli/test_command_line", "unit/show/test_page"),
    *("unit/repository/test_environment", "e2e/test_extension", "gateways/test_stack_sets_sandbox"),
)
"""What takes longest where no earlier run has told."""
SECONDS = "ddsetup/seconds_by_file"
"""In pytest's cache: what the last whole run took."""
_seconds: dict[str, float] = {}


def pytest_xdist_auto_num_workers() -> int:
    """Two thirds of what takes long is waiting, so there are more processes than processors."""
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(3 * able, 16)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first, so that none is left over at the end, alone."""
    cache = getattr(config, "cache", None)
    took: dict[str, float] = (cache.get(SECONDS, None) if cache else None) or {}
    items.sort(key=lambda item: (-took.get(_file(item.nodeid), 0.0), _rank(_file(item.nodeid))))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remember what each file took; where there are workers, their controller does."""
    cache = getattr(session.config, "cache", None)
    if cache and not hasattr(session.config, "workerinput"):
        cache.set(SECONDS, (cache.get(SECONDS, None) or {}) | _seconds)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _rank(file: str) -> int:
    name = file.removeprefix("tests/").removesuffix(".py")
    if name in LONGEST:
        return LONGEST.index(name)
    if file.startswith(SANDBOXES):
        return len(LONGEST)
    return len(LONGEST) + (1 if file.startswith("tests/gateways/") else 2)


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
