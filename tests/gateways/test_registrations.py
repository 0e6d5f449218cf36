"""Forwarders registered by runs side by side, one for each region: the natural case of a job for each."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ddsetup.apply.run import Settling, Writer
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import (
    delete_integration,
    read_integration,
    set_log_collection,
)
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import list_runs, read_runs
from ddsetup.model.account import Integration
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from tests.gateways.bench import ACCOUNT, KEYS, REGION, Bench, aws, bench, moto_url
from tests.gateways.integrated import CREATE, both, dd, fault, record, set_up
from tests.gateways.registrar import carried_out, registering
from tests.patience import PATIENCE

__all__ = ["aws", "bench", "both", "moto_url"]

REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1")
WRITES: dict[str, object] = {"path": "/api/v2/integration/aws/accounts/*", "method": "PATCH", "times": 99}


class Overtaken(Writer):
    """A writer, and what happens once between its look and its write."""

    def __init__(self, writer: Writer, meanwhile: list[Callable[[], object]]) -> None:
        self.batch = writer.batch
        self._writer = writer
        self._meanwhile = meanwhile

    def resolve(self, change: Change) -> Change:
        resolved = self._writer.resolve(change)
        while self._meanwhile:
            self._meanwhile.pop()()
        return resolved

    def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return self._writer.write(changes)


def one_run(
    bench: Bench, url: str, planned: Change, state: Path, meanwhile: Callable[[], object] | None = None
) -> Sequence[Outcome]:
    """A run of its own, as a process has it: connection, writers, journal, the clock of this machine.

    `meanwhile` happens once, between its look and its write.
    """
    own = replace(bench, dd=Datadog.connect("datadoghq.eu", KEYS, url), clock=SYSTEM_CLOCK)
    writers = own.writers()
    if meanwhile:
        writers["log_collection"] = Overtaken(writers["log_collection"], [meanwhile])
    return carried_out(planned, writers, state)


def test_forwarders_registered_side_by_side_are_all_there_in_the_end(both: Bench, tmp_path: Path) -> None:
    """Each reads the list, and all that were slower write theirs over it."""
    set_up(both)
    url = dd(both).url
    fault(both, **WRITES, status=0, delay=0.3)
    changes = [registering(region) for region in REGIONS]
    with ThreadPoolExecutor(len(changes)) as pool:
        ended = pool.map(lambda one: one_run(both, url, one, tmp_path), changes)
        told = [outcome.status for outcomes in ended for outcome in outcomes]
    live = record(both)
    assert live is not None
    there = {arn.split(":")[3] for arn in live.lambdas}
    assert told == ["applied"] * len(REGIONS)
    assert there == set(REGIONS)
    assert len(live.lambdas) == len(REGIONS)


def test_forwarders_registered_by_processes_of_their_own_are_all_there_in_the_end(
    both: Bench, tmp_path: Path
) -> None:
    """One run for each region, as a CI job has them: each reads the list before any has written its own."""
    set_up(both)
    fault(both, **WRITES, status=0, delay=0.3)
    regions, go = REGIONS[:4], tmp_path / "go"
    ends = (both.client("lambda").meta.endpoint_url, dd(both).url)
    runs = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.gateways.registrar", region, *ends),
                *(str(tmp_path / region), str(go)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for region in regions
    ]
    go.touch()
    told = [run.communicate(timeout=2 * PATIENCE)[0].strip() for run in runs]
    live = record(both)
    assert live is not None
    assert told == ["applied"] * len(regions)
    assert {arn.split(":")[3] for arn in live.lambdas} == set(regions)


def test_a_log_source_that_another_run_added_is_left_by_the_undo(both: Bench) -> None:
    set_up(both)
    first, second = registering(REGIONS[0]), registering(REGIONS[1])
    assert both.one(first).status == "applied"
    resolved = both.writers()["log_collection"].resolve(second)
    assert both.one(resolved).status == "applied"
    assert both.one(resolved.inverse()).status == "applied"
    live = record(both)
    assert live is not None
    assert (live.sources, len(live.lambdas)) == (("lambda",), 1)


def test_a_log_source_that_another_run_adds_between_the_look_and_the_write_is_no_conflict(
    both: Bench, tmp_path: Path
) -> None:
    set_up(both)
    first, second = registering(REGIONS[0]), registering(REGIONS[1])
    told = one_run(both, dd(both).url, first, tmp_path, lambda: one_run(both, dd(both).url, second, tmp_path))
    assert [outcome.status for outcome in told] == ["applied"]
    live = record(both)
    assert live is not None
    assert (live.sources, len(live.lambdas)) == (("lambda",), 2)


def test_a_registration_that_datadog_drops_is_told(both: Bench) -> None:
    set_up(both)
    fault(both, **WRITES, status=200, body={"data": {}})
    outcome = both.one(registering(REGION))
    assert (outcome.status, "keeps other forwarders" in outcome.reason) == ("failed", True)


class Forgetful:
    """A writer that finds at the end of the run that what it wrote is lost."""

    batch = 1

    def resolve(self, change: Change) -> Change:
        return change

    def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return [change.outcome("applied", "") for change in changes]

    def settle(self, _cancelled: Callable[[], bool]) -> Mapping[ResourceId, Outcome]:
        return {CREATE.resource: CREATE.outcome("failed", "others wrote over it", "again")}


def test_what_was_lost_in_the_end_is_not_applied_in_the_journal_either(tmp_path: Path) -> None:
    memory = OnDisk(tmp_path)
    (told,) = carried_out(CREATE, {"integration": Forgetful()}, tmp_path)
    (run,) = list_runs(memory).readable
    (whole,) = read_runs(memory, (run.id,))
    (kept,) = whole.entries
    assert kept.outcome == told
    assert told.status == "failed"


def test_a_registration_that_does_not_stay_is_told(both: Bench, tmp_path: Path) -> None:
    """Somebody writes their own list over it again and again: not "done"."""
    set_up(both)
    url, stop = dd(both).url, threading.Event()
    theirs = Datadog.connect("datadoghq.eu", KEYS, url)

    def insist() -> None:
        while not stop.wait(0.05):
            live = read_integration(theirs, ACCOUNT)
            assert isinstance(live, Integration)
            set_log_collection(theirs, live, (), ())

    planned = registering(REGION)
    own = replace(both, clock=Clock(SYSTEM_CLOCK.now, SYSTEM_CLOCK.monotonic, lambda _: time.sleep(0.3)))
    writers = own.writers()
    with ThreadPoolExecutor(1) as pool:
        writer = writers["log_collection"]
        assert isinstance(writer, Settling)
        assert writer.write([planned])[0].status == "applied"
        pool.submit(insist)
        try:
            lost = writer.settle(lambda: False)
        finally:
            stop.set()
    outcome = lost[planned.resource]
    assert outcome.status == "failed"
    assert "somebody registered others at the same time" in outcome.reason


@pytest.mark.parametrize("gone", [True, False])
def test_what_an_undo_took_out_with_the_whole_record_is_not_lost(both: Bench, gone: bool) -> None:
    """The end of an undo looks at the lists again when the record that held them was deleted, too."""
    set_up(both)
    planned = registering(REGION)
    assert both.one(planned).status == "applied"
    writers = both.writers()
    lists, whole = writers["log_collection"], writers["integration"]
    assert lists.write([planned.inverse()])[0].status == "applied"
    if gone:
        assert whole.write([CREATE.inverse()])[0].status == "applied"
    assert isinstance(lists, Settling)
    assert lists.settle(lambda: False) == {}


def test_a_registration_whose_record_went_is_lost(both: Bench) -> None:
    set_up(both)
    planned = registering(REGION)
    writers = both.writers()
    lists = writers["log_collection"]
    assert lists.write([planned])[0].status == "applied"
    live = record(both)
    assert live is not None
    delete_integration(dd(both), live.config_id)
    assert isinstance(lists, Settling)
    assert lists.settle(lambda: False)[planned.resource].status == "failed"
