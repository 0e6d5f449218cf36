"""For all tests: the guard that looks for secrets in whatever ddsetup lets out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.guard import GUARD, LeakError, on_duty

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
