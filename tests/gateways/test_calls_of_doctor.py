"""How many calls the doctor makes on an account of many functions: as a gate it has seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import healthy
from benchmarks.account import furnished
from benchmarks.front import Front
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.look import Visit, Wanted, examine
from ddsetup.model.evidence import Looking
from ddsetup.model.report import Severity
from ddsetup.settings.given import from_flags
from tests.gateways.crowd import REGION, Bench, N
from tests.gateways.standin import API_KEY, running

SAMPLE = 2
"""Log groups that are read to learn where filters of the name "archive" lead."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000042")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    account = furnished(N, REGION)
    healthy.make_room(account)
    memory = healthy.HealthyAws(account, API_KEY)
    front = Front(memory, latency=0, rates={})
    with running() as standin:
        yield Bench(front, memory, f"http://127.0.0.1:{standin.server.port}", tmp_path / "state")
    front.close()


def consult(bench: Bench) -> tuple[Visit, int]:
    """The doctor's word on the account, and how many log groups it read the filters of."""
    session = bench.session()
    given = from_flags({"site": "datadoghq.com", "region": (REGION,)})
    visit = examine(session, given, Looking(environ={}), Wanted(checks=CHECKS))
    return visit, session.aws.calls["logs:DescribeSubscriptionFilters"]


def test_filters_are_read_only_where_something_is_wrong(bench: Bench) -> None:
    bench.set_up()
    states = healthy.states(bench.memory.account, bench.datadog_url, API_KEY)

    def seen() -> tuple[Severity | None, int]:
        next(states)
        visit, reads = consult(bench)
        assert visit.case.evidence.unseen
        return visit.diagnosis.worst(), reads

    assert seen() == ("info", SAMPLE), "all well"
    assert seen() == ("info", SAMPLE), "all deployed a moment ago"
    assert seen() == ("error", SAMPLE + 1), "one log group leads to the Forwarder twice"
