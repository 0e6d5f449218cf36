"""An account of many functions in memory, set up through a front that counts and refuses calls.

The account is the benchmarks' own; no rate is enforced and time is not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.account import furnished
from benchmarks.front import Front
from benchmarks.measured import is_write
from benchmarks.memory import MemoryAws
from ddsetup.ask.asking import Scope
from ddsetup.ask.credentials import FoundKeys
from ddsetup.ask.signin import SignedIn
from ddsetup.flow import verbs
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.keys import KeyCheck
from ddsetup.journal.disk import OnDisk
from ddsetup.model.change import Outcome
from ddsetup.settings.given import from_flags
from tests.gateways.standin import API_KEY, APP_KEY, running

N = 100
REGION = "us-east-1"


@dataclass
class Bench:
    """An account of N functions and a Datadog; every run connects anew."""

    front: Front
    memory: MemoryAws
    datadog_url: str
    state_dir: Path

    def session(self, rate_scale: float = 400) -> verbs.Session:
        aws = Aws.connect(AwsOptions(), endpoint_url=self.front.url, rate_scale=rate_scale)
        keys = DatadogKeys(API_KEY, APP_KEY)
        signed_in = SignedIn(
            site="datadoghq.com",
            dd=Datadog.connect("datadoghq.com", keys, self.datadog_url),
            found=FoundKeys(keys, "DD_API_KEY", "DD_APP_KEY"),
            check=KeyCheck("datadoghq.com", {}),
        )
        host = verbs.Host(
            environ={}, state_dir=self.state_dir, memory=OnDisk(self.state_dir), on_event=lambda event: None
        )
        return verbs.Session(
            host=host,
            aws=aws,
            identity=aws.identity(),
            scope=Scope("datadoghq.com", (REGION,)),
            signing=lambda: signed_in,
        )

    def set_up(self, **flags: object) -> Run:
        """What `setup --all --yes` does."""
        session = self.session()
        given = from_flags({"all": True, "site": "datadoghq.com", "region": (REGION,), **flags})
        prepared = verbs.prepare(session, given, late=True)
        applied = verbs.carry_out(
            session, prepared.plan.changes, prepared.snapshot, command="setup", late=prepared.late
        )
        done = verbs.complete(session, prepared)
        return Run(session, prepared, done, applied.outcomes)


@dataclass
class Run:
    session: verbs.Session
    before: verbs.Prepared
    after: verbs.Prepared
    outcomes: tuple[Outcome, ...]

    @property
    def calls(self) -> Mapping[str, int]:
        return self.session.aws.calls

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    @property
    def writes(self) -> set[str]:
        return {name for name in self.calls if is_write(name)}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000042")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    memory = MemoryAws(furnished(N, REGION), update_seconds=0.05)
    front = Front(memory, latency=0, rates={})
    with running() as standin:
        yield Bench(front, memory, f"http://127.0.0.1:{standin.server.port}", tmp_path / "state")
    front.close()
