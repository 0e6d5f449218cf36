"""The writers of Datadog's side: the AWS integration and its log collection, against the stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from ddsetup.apply.run import Settling, Writer, apply
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import (
    delete_integration,
    read_integration,
    set_log_collection,
    update_integration,
)
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, new_run_id, read_run
from ddsetup.model.account import Integration
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import ChangedSince, GatewayError
from ddsetup.model.states import REF_EXTERNAL_ID, IntegrationState, LogCollectionState, RoleState
from tests.gateways.bench import ACCOUNT, KEYS, REGION, Bench, aws, bench, change, moto_url
from tests.gateways.standin import running

__all__ = ["aws", "bench", "moto_url"]

FORWARDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:datadog-forwarder"
THEIRS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:theirs"
ROLE = RoleState(name="DatadogIntegrationRole", trust_account="464622532012", external_id=REF_EXTERNAL_ID)
STATE = IntegrationState(
    aws_account_id=ACCOUNT,
    partition="aws",
    role_name=ROLE.name,
    namespaces_mode="exclude_only",
    namespaces=("AWS/ElasticMapReduce",),
    regions=(REGION,),
)
CREATE = change("integration", ACCOUNT, None, STATE)


@pytest.fixture
def both(bench: Bench) -> Iterator[Bench]:
    """AWS and Datadog."""
    with running() as standin:
        bench.dd = Datadog.connect("datadoghq.eu", KEYS, standin.server.url, clock=bench.clock)
        yield bench


def dd(bench: Bench) -> Datadog:
    assert bench.dd is not None
    return bench.dd


def record(bench: Bench) -> Integration | None:
    found = read_integration(dd(bench), ACCOUNT)
    assert found is None or isinstance(found, Integration)
    return found


def set_up(bench: Bench) -> None:
    """Role and integration, in one run, as `apply` writes them."""
    writers = bench.writers()
    for planned in (change("iam_role", ROLE.name, None, ROLE), CREATE):
        writer = writers[planned.resource.kind]
        assert [o.status for o in writer.write([writer.resolve(planned)])] == ["applied"]


def test_role_and_integration_share_the_external_id_that_datadog_issued(both: Bench) -> None:
    set_up(both)
    trust = both.client("iam").get_role(RoleName=ROLE.name)["Role"]["AssumeRolePolicyDocument"]
    issued = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
    live = record(both)
    assert live is not None
    assert (live.external_id, live.role_name, live.regions) == (issued, ROLE.name, (REGION,))
    assert len(issued) == 32


def test_an_integration_comes_and_goes(both: Bench) -> None:
    set_up(both)
    assert both.one(CREATE).status == "unchanged"
    assert both.one(CREATE.inverse()).status == "applied"
    assert record(both) is None
    assert both.one(CREATE.inverse()).status == "unchanged"


def test_a_later_run_takes_the_external_id_from_the_role(both: Bench) -> None:
    set_up(both)
    both.one(CREATE.inverse())
    assert both.one(CREATE).status == "applied"
    trust = both.client("iam").get_role(RoleName=ROLE.name)["Role"]["AssumeRolePolicyDocument"]
    live = record(both)
    assert live is not None
    assert live.external_id == trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]


def test_without_a_role_nothing_is_registered(both: Bench) -> None:
    with pytest.raises(GatewayError, match="is not there, or trusts no external ID"):
        both.one(CREATE)
    assert record(both) is None


def test_an_account_registered_otherwise_is_left_alone(both: Bench) -> None:
    set_up(both)
    other = change("integration", ACCOUNT, None, replace(STATE, role_name="Another"))
    outcome = both.one(other)
    assert (outcome.status, "role_name" in outcome.reason) == ("changed_since", True)
    assert both.one(other.inverse()).status == "changed_since"
    assert record(both) is not None


def test_an_update_goes_there_and_back_and_keeps_the_rest(both: Bench) -> None:
    set_up(both)
    before = record(both)
    wanted = replace(STATE, namespaces=(), regions=(REGION, "us-east-1"))
    forward = change("integration", ACCOUNT, STATE, wanted)
    assert both.one(forward).status == "applied"
    changed = record(both)
    assert changed is not None
    assert changed.regions == (REGION, "us-east-1")
    assert both.one(forward).status == "unchanged"
    assert both.one(forward.inverse()).status == "applied"
    after = record(both)
    assert before is not None
    assert after is not None
    assert _stable(after) == _stable(before)


def test_what_somebody_else_changed_in_between_stays(both: Bench) -> None:
    set_up(both)
    live = record(both)
    assert live is not None
    theirs = replace(STATE, regions=("us-west-2",))
    update_integration(dd(both), live.config_id, STATE, theirs, live)
    update = change("integration", ACCOUNT, STATE, replace(STATE, regions=(REGION, "us-east-1")))
    with pytest.raises(ChangedSince, match="regions"):
        both.one(update)
    assert both.one(CREATE.inverse()).status == "changed_since"
    left = record(both)
    assert left is not None
    assert left.regions == ("us-west-2",)


def test_an_integration_that_others_send_logs_through_is_not_deleted(both: Bench) -> None:
    set_up(both)
    live = record(both)
    assert live is not None
    set_log_collection(dd(both), live, [THEIRS], ["s3"])
    outcome = both.one(CREATE.inverse())
    assert (outcome.status, "log forwarders" in outcome.reason) == ("changed_since", True)


def test_log_collection_adds_and_takes_out_its_own(both: Bench) -> None:
    set_up(both)
    live = record(both)
    assert live is not None
    set_log_collection(dd(both), live, [THEIRS], ["s3"])
    after = LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",))
    forward = change("log_collection", ACCOUNT, LogCollectionState(), after)
    assert both.one(forward).status == "applied"
    changed = record(both)
    assert changed is not None
    assert (changed.lambdas, set(changed.sources)) == ((THEIRS, FORWARDER), {"s3", "lambda"})
    assert both.one(forward).status == "unchanged"
    assert both.one(forward.inverse()).status == "applied"
    restored = record(both)
    assert restored is not None
    assert (restored.lambdas, restored.sources) == ((THEIRS,), ("s3",))


def test_log_collection_that_moved_is_left_alone(both: Bench) -> None:
    set_up(both)
    before = LogCollectionState(sources=("s3",))
    after = LogCollectionState(lambdas=(FORWARDER,), sources=())
    outcome = both.one(change("log_collection", ACCOUNT, before, after))
    assert (outcome.status, outcome.reason) == (
        "changed_since",
        "changed since: log source s3 is not registered",
    )
    live = record(both)
    assert live is not None
    assert live.lambdas == ()


def test_no_key_is_in_what_writers_say(both: Bench) -> None:
    set_up(both)
    said = repr(both.writers()) + repr(both.one(CREATE)) + repr(both.events)
    assert KEYS.api_key not in said
    assert KEYS.app_key not in said


def _stable(live: Integration) -> str:
    return json.dumps({k: v for k, v in live.raw.items() if k != "modified_at"}, sort_keys=True)


# --- runs side by side, one for each region: the natural case of a job for each

REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1")


def registering(region: str) -> Change:
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:datadog-forwarder"
    wanted = LogCollectionState(lambdas=(arn,), sources=("lambda",))
    return change("log_collection", ACCOUNT, None, wanted)


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
    at = SYSTEM_CLOCK.now()
    run = new_run_id(at)
    made = Header(
        run=run,
        version="0",
        command="setup",
        accounts=(ACCOUNT,),
        regions=(),
        site="datadoghq.eu",
        started=at,
    )
    own = replace(bench, dd=Datadog.connect("datadoghq.eu", KEYS, url), clock=SYSTEM_CLOCK)
    with closing(Journal.create(OnDisk(state), made)) as journal:
        writers = own.writers()
        if meanwhile:
            writers["log_collection"] = Overtaken(writers["log_collection"], [meanwhile])
        return apply(
            [planned],
            writers,
            journal,
            clock=SYSTEM_CLOCK,
            on_event=lambda _: None,
            cancel=threading.Event(),
        )


def test_forwarders_registered_side_by_side_are_all_there_in_the_end(both: Bench, tmp_path: Path) -> None:
    """Each reads the list, and all that were slower write theirs over it."""
    set_up(both)
    url = dd(both).url
    slow = {"path": "/api/v2/integration/aws/accounts/*", "method": "PATCH", "status": 0, "times": 99}
    faults = json.dumps({"faults": [slow | {"delay": 0.3}]}).encode()
    urlopen(Request(f"{url}/__sandbox/faults", faults), timeout=10).close()
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
    slow = {"path": "/api/v2/integration/aws/accounts/*", "method": "PATCH", "status": 0, "times": 99}
    faults = json.dumps({"faults": [slow | {"delay": 0.3}]}).encode()
    urlopen(Request(f"{dd(both).url}/__sandbox/faults", faults), timeout=10).close()
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
    told = [run.communicate(timeout=120)[0].strip() for run in runs]
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
    dropped = {"path": "/api/v2/integration/aws/accounts/*", "method": "PATCH", "status": 200, "times": 99}
    faults = json.dumps({"faults": [dropped | {"body": {"data": {}}}]}).encode()
    urlopen(Request(f"{dd(both).url}/__sandbox/faults", faults), timeout=10).close()
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
    at, memory = SYSTEM_CLOCK.now(), OnDisk(tmp_path)
    run = new_run_id(at)
    header = Header(
        run=run, version="0", command="setup", accounts=(ACCOUNT,), regions=(), site="", started=at
    )
    with closing(Journal.create(memory, header)) as journal:
        (told,) = apply(
            [CREATE],
            {"integration": Forgetful()},
            journal,
            clock=SYSTEM_CLOCK,
            on_event=lambda _: None,
            cancel=threading.Event(),
        )
    (kept,) = read_run(memory, run).entries
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
