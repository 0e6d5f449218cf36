"""What goes wrong while a plan is carried out: each function has its own outcome, nothing is half done."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ddsetup.sandbox.faults import AwsFault
from tests import patience
from tests.e2e.conftest import DDSETUP, Cli, OpenPlace, Place, Result
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

UPDATE = "UpdateFunctionConfiguration"
ACCOUNTS = "/api/v2/integration/aws/accounts"
REST = ("--yes", "--no-verify", "--output", "json")
SETUP = ("setup", "--all", *REST)


@pytest.fixture(scope="module")
def yard(open_place: OpenPlace) -> Place:
    return open_place("healthy", "many", many=1)


@pytest.fixture(scope="module")
def untouched(yard: Place) -> dict[str, Any]:
    """The account as it was before any test."""
    return yard.world.everything()


@pytest.fixture(scope="module")
def settled(yard: Place, untouched: dict[str, Any]) -> dict[str, Any]:
    """The account with role, integration, Forwarder and one function; getting there has its own troubles."""
    _not_without_the_foundation(yard)
    _a_lost_answer_and_a_rate_limit_are_no_failure(yard)
    until(lambda: bool(yard.world.filters()["/aws/lambda/coffee-kitchen"]), "Datadog's subscription")
    return yard.world.everything()


@pytest.fixture
def place(yard: Place, settled: dict[str, Any]) -> Iterator[Place]:
    """The settled account; what a test applies on top, its undo has to give back."""
    yield yard
    give_back(yard, settled)


def give_back(place: Place, wanted: dict[str, Any]) -> None:
    """Undo runs, the newest first, until the account is as `wanted`."""
    for _ in range(4):
        left = differences(wanted, place.world.everything())
        if not left:
            return
        undone = place.cli("undo", "--yes", "--output", "json")
        assert undone.code == 0, undone.stderr + "\n".join(left)
    assert differences(wanted, place.world.everything()) == []


def until(holds: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> None:
    """Wait for what another process does, unless it has ended."""
    patience.until(holds, what, alive=lambda: process is None or process.poll() is None)


def runs(cli: Cli) -> int:
    """How many runs there have been."""
    return len(list(cli.state_dir.glob("runs/*/journal.jsonl")))


def writes_functions(cli: Cli, known: int) -> bool:
    """Whether a run after the `known` ones has sent a change of a function."""
    kinds = {(line.get("change") or {}).get("resource", {}).get("kind") for line in cli.journal_lines()}
    return runs(cli) > known and "function" in kinds


def _not_without_the_foundation(place: Place) -> None:
    """A stack of that name is somebody else's, and Datadog refuses the account: said, and nobody waits."""
    stacks = place.world.client("cloudformation")
    template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    stacks.create_stack(StackName="datadog-forwarder", TemplateBody=template)
    until(lambda: place.world.stacks().get("datadog-forwarder") == "CREATE_COMPLETE", "the stack")
    with place.datadog_faults({"path": ACCOUNTS, "method": "POST", "status": 403, "times": 9}):
        result = place.cli("setup", "--function", "coffee-kitchen", "--yes", "--output", "json")
    assert result.code == 5, result.stderr
    stack = result.outcomes("stack")["datadog-forwarder"]
    assert stack["status"] == "skipped"
    assert "--forwarder-stack" in stack["fix"]
    (integration,) = result.outcomes("integration").values()
    assert integration["status"] == "failed"
    assert integration["details"]["permission"] == "aws_configurations_manage"
    assert {o["status"] for o in result.outcomes("log_collection").values()} == {"skipped"}
    assert place.world.stacks()["datadog-forwarder"] == "CREATE_COMPLETE"
    stacks.delete_stack(StackName="datadog-forwarder")
    until(lambda: "datadog-forwarder" not in place.world.stacks(), "its deletion")


def _a_lost_answer_and_a_rate_limit_are_no_failure(place: Place) -> None:
    """Datadog registers the account, its answer is lost, and the next question is one too many."""
    limit = {"X-RateLimit-Reset": "1", "X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0"}
    with place.datadog_faults(
        {"path": ACCOUNTS, "method": "GET", "status": 429, "headers": limit},
        {"path": ACCOUNTS, "method": "POST", "status": None, "after_effect": True},
    ):
        result = place.cli("setup", "--function", "coffee-kitchen", *REST)
    assert result.code == 0, result.stderr
    assert {o["status"] for o in result.outcomes("integration").values()} == {"applied"}
    assert len(place.world.integrations()) == 1


def test_faults_of_aws_touch_only_the_function_they_are_about(place: Place) -> None:
    faults = (
        AwsFault("ListFunctions", "TooManyRequestsException", 429, times=2),
        AwsFault("TagResources", "ThrottlingException", times=1),
        AwsFault("GetRole", "ServiceFailure", 500, times=1),
        AwsFault(UPDATE, "TooManyRequestsException", 429, times=3, contains="coffee-orders"),
        AwsFault(UPDATE, "ResourceConflictException", 409, times=1, contains="coffee-stock"),
        AwsFault(UPDATE, "ServiceException", 500, times=1, contains="coffee-invoices", after_effect=True),
        AwsFault(UPDATE, "AccessDeniedException", 403, times=9, contains="coffee-loyalty"),
        AwsFault(UPDATE, "InvalidParameterValueException", 400, times=9, contains="coffee-payments"),
    )
    with place.aws_faults(*faults):
        result = place.cli(*SETUP)
    assert result.code == 5, result.stderr
    failed = {name for name, o in result.outcomes().items() if o["status"] == "failed"}
    applied = {name for name, o in result.outcomes().items() if o["status"] == "applied"}
    assert failed == {"coffee-loyalty", "coffee-payments"}
    assert {"coffee-orders", "coffee-stock", "coffee-invoices"} <= applied
    denied = result.outcomes()["coffee-loyalty"]
    assert denied["status"] == "failed"
    assert denied["details"]["permission"] == "lambda:UpdateFunctionConfiguration"
    assert "DD_FLUSH_TO_LOG" not in place.world.env_of("coffee-loyalty")

    again = place.cli(*SETUP)
    assert again.code == 0, again.stderr
    applied = {name for name, o in again.outcomes().items() if o["status"] == "applied"}
    assert applied == {"coffee-loyalty", "coffee-payments"}


def test_a_plan_goes_on_without_what_was_deleted_or_moved_meanwhile(place: Place) -> None:
    plan = place.cli.home / "plan.json"
    functions = place.world.client("lambda")
    before = functions.get_function(FunctionName="many-0000")["Configuration"]
    usual = functions.get_function_configuration(FunctionName="coffee-stock")["Timeout"]
    assert place.cli("plan", "--all", "--out", str(plan)).code == 0
    functions.delete_function(FunctionName="many-0000")
    functions.update_function_configuration(FunctionName="coffee-stock", Timeout=7)
    try:
        result = place.cli("apply", str(plan), "--yes", "--no-verify", "--output", "json")
    finally:
        functions.update_function_configuration(FunctionName="coffee-stock", Timeout=usual)
        made = {k: before[k] for k in ("FunctionName", "Runtime", "Role", "Handler", "MemorySize", "Timeout")}
        _make_again(place, {**made, "Architectures": before["Architectures"]})
    assert result.code == 5, result.stderr
    outcomes = result.outcomes()
    assert outcomes["many-0000"]["status"] == "changed_since"
    assert "deleted" in outcomes["many-0000"]["reason"]
    assert outcomes["coffee-stock"]["status"] == "changed_since"
    assert outcomes["coffee-orders"]["status"] == "applied"


def _make_again(place: Place, made: dict[str, Any]) -> None:
    from ddsetup.sandbox.scenarios.functions import package

    code = {"ZipFile": package("coffee")}
    functions = place.world.client("lambda")
    functions.create_function(**made, Code=code, Tags={"team": "team-0"})
    functions.get_waiter("function_active_v2").wait(FunctionName=made["FunctionName"])


def test_of_two_runs_the_second_says_who_the_first_is(place: Place) -> None:
    with place.aws_faults(
        AwsFault(UPDATE, "", delay=patience.PATIENCE / 5, times=1, contains="coffee-orders")
    ):
        known = runs(place.cli)
        first = place.cli.start(*SETUP)
        until(lambda: writes_functions(place.cli, known), "the first run's write", first)
        second = place.cli("setup", "--function", "coffee-orders", *REST)
        done = place.cli.ended(first)
    assert second.code == 1, second.stderr
    assert f"pid {first.pid}" in second.json["error"]["what"]
    assert done.code == 0, done.stderr


def test_ctrl_c_finishes_what_was_begun_and_undo_gives_it_back(place: Place) -> None:
    with place.aws_faults(AwsFault(UPDATE, "", delay=patience.PATIENCE / 15, times=16)):
        known = runs(place.cli)
        process = place.cli.start("setup", "--all", "--yes", "--output", "json")
        until(lambda: writes_functions(place.cli, known), "the first write to a function", process)
        process.send_signal(signal.SIGINT)
        result = place.cli.ended(process)
    assert result.code == 130, result.stderr
    assert "interrupted" in result.json["error"]["what"]
    run = result.json["run"]
    assert f"ddsetup undo {run}" in result.json["next"]
    assert all(o["reason"] for o in result.json["outcomes"] if o["status"] == "skipped")
    applied = [o for o in result.json["outcomes"] if o["status"] == "applied"]
    done = [line for line in place.cli.journal_lines() if line.get("outcome", {}).get("status") == "applied"]
    assert len(done) == len(applied) > 0


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no terminals that hang up")
def test_a_closed_terminal_ends_a_run_in_order(place: Place) -> None:
    with place.aws_faults(AwsFault(UPDATE, "", delay=patience.PATIENCE / 15, times=16)):
        known = runs(place.cli)
        process = place.cli.start("setup", "--all", "--yes", "--output", "json")
        until(lambda: writes_functions(place.cli, known), "the first write to a function", process)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        result = place.cli.ended(process)
    assert result.code == 130, result.stderr
    applied = [o for o in result.json["outcomes"] if o["status"] == "applied"]
    done = [line for line in place.cli.journal_lines() if line.get("outcome", {}).get("status") == "applied"]
    assert len(done) == len(applied) > 0


@pytest.mark.parametrize(
    ("output", "said"), [(">/dev/full", True), ("2>/dev/full | true; exit ${PIPESTATUS[0]}", False)]
)
def test_a_run_that_nobody_reads_is_finished_and_names_itself_where_it_can(
    place: Place, output: str, said: bool
) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {output}', "bash", DDSETUP, *SETUP],
        env=place.cli.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3 * patience.PATIENCE,
        check=False,
    )
    run = max(path.name for path in place.cli.state_dir.glob("runs/*"))
    ends = [line["outcome"]["status"] for line in place.cli.journal_lines() if "outcome" in line]
    assert (done.returncode, set(ends)) == (5, {"applied"}), done.stderr
    assert (f"ddsetup undo {run}" in done.stderr) == said
    assert "Traceback" not in done.stderr


def test_what_cannot_be_written_into_the_journal_is_not_sent(place: Place, tmp_path: Path) -> None:
    writes, cli = len(place.world.operator_writes()), place.new_cli(tmp_path)
    command = f"ulimit -f 1 && exec {DDSETUP} {' '.join(SETUP)}"
    done = subprocess.run(
        ["sh", "-c", command],
        env=cli.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    result = Result(done.returncode, done.stdout, done.stderr)
    assert result.code == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "journal" in result.stdout
    assert place.world.operator_writes()[writes:] == []


def test_a_journal_that_was_edited_is_refused_and_left_alone(place: Place, tmp_path: Path) -> None:
    assert place.cli("setup", "--function", "coffee-stock", "--yes", "--no-verify").code == 0
    (journal, *_) = sorted(place.cli.state_dir.glob("runs/*/journal.jsonl"))[-1:]
    whole = journal.read_bytes()
    edited = whole.replace(b"coffee-stock", b"coffee-other")
    journal.write_bytes(edited)
    run = journal.parent.name
    try:
        result = place.cli("undo", run, "--yes", "--output", "json")
        listed = place.cli("undo", "--list", "--output", "json")
        assert journal.read_bytes() == edited
    finally:
        journal.write_bytes(whole)
    assert result.code == 2, result.stderr
    assert run in str(result.json["error"])
    assert listed.code == 0
    assert run not in [row["run"] for row in listed.json["data"]["runs"]]
    assert run in listed.stderr
