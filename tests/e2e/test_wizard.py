"""The guided run, by keyboard: from the first screen to the proof, back from anywhere, out at any time."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ddsetup.sandbox.faults import AwsFault
from tests.e2e.conftest import Cli, OpenPlace, Place
from tests.e2e.terminal import CTRL_C, DOWN, ENTER, ESC, SPACE, Terminal

pytestmark = pytest.mark.e2e

QUESTIONS = (
    "Which of",
    "Use these settings?",
    "A deployment tool manages",
    "serves a published version",
    "What about filter datadog",
    "has two filters",
    "Carry this out?",
)
"""Every question that the messy account leads to, by what is on the screen while it waits."""


@pytest.fixture(scope="module")
def messy(open_place: OpenPlace) -> Place:
    return open_place("messy")


@pytest.fixture
def cli(messy: Place, tmp_path: Path) -> Cli:
    """The command of somebody new at every test."""
    return messy.new_cli(tmp_path)


def test_enter_all_the_way_proves_a_healthy_account_and_a_second_run_has_nothing_to_do(
    open_place: OpenPlace,
) -> None:
    shop = open_place("healthy")
    with Terminal(shop.cli, "setup", "--region", "us-east-1") as terminal:
        terminal.until("Which of 6 functions?")
        for fact in (
            "What is there",
            "account 123456789012",
            "organisation Coffee",
            "site US1",
            "none yet",
            "6 without Datadog",
        ):
            assert fact in terminal.text
        assert shop.world.operator_writes() == []
        asked = [q for q in QUESTIONS if not any(w in q for w in ("deployment tool", "filter", "published"))]
        for question in asked:
            terminal.answer(question)
            if question != "Carry this out?":
                assert shop.world.operator_writes() == []
        terminal.answer("Invoke them for the proof?")
        terminal.until("Look at what has arrived?", 150).press("2" + ENTER)
        shown = "cold starts in"
        again = "Look at what has arrived?"
        terminal.until(lambda: again in terminal.text.partition(shown)[2], 150).press(ENTER)
        assert terminal.end() == 0
        for said in ("6 of 6 functions with everything", "ddsetup undo", "for CI", "--no-input", "Next"):
            assert said in terminal.text
        assert "What becomes billable" in terminal.text
    writes = len(shop.world.operator_writes())
    with Terminal(shop.cli, "setup", "--all", "--region", "us-east-1", "--no-verify") as terminal:
        for question in asked[1:-1]:
            terminal.answer(question)
        assert terminal.end() == 0
        assert "Nothing to do" in terminal.text
        assert "Carry this out?" not in terminal.text
    assert shop.world.operator_writes()[writes:] == []


def leave_at(messy: Place, cli: Cli, stops: Sequence[int]) -> None:
    """Leave a run at each of these questions in turn; every run goes on where the one before was left."""
    writes = len(messy.world.operator_writes())
    reached = 0
    for stop in stops:
        with Terminal(cli, "setup") as terminal:
            if reached:
                terminal.answer("Go on with its")
            for question in QUESTIONS[reached:stop]:
                terminal.answer(question)
            terminal.answer(QUESTIONS[stop], CTRL_C)
            assert terminal.end() == 130
            assert "nothing was changed" in terminal.text
            assert ("goes on" in terminal.text) is (stop > 0)
        reached = stop
    assert len(messy.world.operator_writes()) == writes


def test_ctrl_c_at_a_question_changes_nothing_and_the_next_run_goes_on_there(messy: Place, cli: Cli) -> None:
    leave_at(messy, cli, (0, 1, 2, 4, 5, 6))


@pytest.mark.slow
def test_ctrl_c_at_every_question_changes_nothing_and_the_next_run_goes_on_there(
    messy: Place, cli: Cli
) -> None:
    leave_at(messy, cli, range(len(QUESTIONS)))


@pytest.mark.parametrize("keys", ["", "6", "5"], ids=["menu", "list", "text"])
def test_an_interrupt_by_signal_leaves_every_kind_of_prompt(cli: Cli, keys: str) -> None:
    """As one that is typed before a prompt has the keyboard comes."""
    with Terminal(cli, "setup", "--region", "us-east-1") as terminal:
        terminal.until(QUESTIONS[0])
        drawn = len(terminal.raw)
        if keys:
            terminal.press(keys + ENTER).until(lambda: "Ctrl-C quit" in terminal.raw[drawn:])
        terminal.send(signal.SIGINT)
        assert terminal.end() == 130


def test_ctrl_c_once_all_is_done_leaves_out_the_proof_and_nothing_else(cli: Cli) -> None:
    given = ("--region", "us-east-1", "--function", "roaster-slow", "--via", "forwarder", "--env", "test")
    with Terminal(
        cli, "setup", *given, "--service", "own", "--version-tag", "1", "--subscribe", "none"
    ) as terminal:
        terminal.answer(QUESTIONS[1])
        terminal.answer("Carry this out?")
        terminal.answer("Invoke them for the proof?", CTRL_C)
        assert terminal.end() == 0
        for said in (
            "not waiting for proof",
            "ddsetup verify --wait 900",
            "To give it back: ddsetup undo",
            "for CI",
        ):
            assert said in terminal.text
    assert cli("undo", "--yes").code == 0


def test_every_question_leads_back_to_the_one_before(cli: Cli) -> None:
    with Terminal(cli, "setup") as terminal:
        for number, question in enumerate(QUESTIONS):
            terminal.until(question)
            if number:
                terminal.back(QUESTIONS[number - 1]).press(ENTER)
                again = terminal.raw.count(question)
                terminal.until(
                    lambda question=question, again=again: terminal.raw.count(question) > again  # type: ignore[misc]
                )
            if question != QUESTIONS[-1]:
                terminal.press(ENTER)
        terminal.press("p" + ENTER)
        terminal.answer("Which part?", "f" + ENTER)
        terminal.until(lambda: "Carry this out?" in terminal.text.partition("? Which part? Forwarder")[2])
        drawn = terminal.raw.count("Which part?")
        terminal.press("p" + ENTER)
        terminal.until(lambda: terminal.raw.count("Which part?") > drawn)
        terminal.press(ESC)
        terminal.until(lambda: "Carry this out?" in terminal.text.rpartition("Which part?")[2])
        terminal.press("n" + ENTER)
        assert terminal.end() == 1
        assert "nothing was changed" in terminal.text


def test_a_plan_in_full_on_request_and_a_filter_is_only_removed_when_that_was_answered(cli: Cli) -> None:
    given = ("--region", "us-east-1", "--function", "till-old-forwarder", "--via", "forwarder")
    with Terminal(
        cli, "setup", *given, "--env", "test", "--service", "till", "--version-tag", "1"
    ) as terminal:
        terminal.answer(QUESTIONS[1])
        terminal.until("What about filter datadog").until("DatadogLambdaLogForwarder")
        assert "it carries every line" in terminal.text
        terminal.press("2" + ENTER)
        terminal.answer("Carry this out?", "d" + ENTER)
        terminal.until(
            lambda: terminal.text.count("delete") > 0 and terminal.text.count("Carry this out?") > 1
        )
        assert "removes datadog" in terminal.text
        terminal.press(CTRL_C)
        assert terminal.end() == 130


def test_functions_are_picked_from_a_list_that_says_what_each_is(cli: Cli) -> None:
    with Terminal(cli, "plan", "--region", "us-east-1", "--env", "x") as terminal:
        terminal.answer("Which of", "6" + ENTER)
        terminal.until("chosen, ")
        terminal.press("tea-node")
        terminal.until("2 of 27 shown" if "of 27 shown" in terminal.seen else "2 of")
        terminal.until("nodejs22.x")
        terminal.until("arm64")
        terminal.until("Runs/24h")
        terminal.press(SPACE + ENTER)
        terminal.until("1 chosen")
        terminal.until(QUESTIONS[1])
        assert "tea-node" in terminal.text
        terminal.press(CTRL_C)
        assert terminal.end() == 130


def test_a_dumb_terminal_gets_numbered_questions_and_no_escapes(cli: Cli) -> None:
    given = ("--region", "us-east-1", "--function", "own-settings", "--service", "x", "--version-tag", "1")
    with Terminal(cli, "setup", *given, TERM="dumb") as terminal:
        terminal.answer(QUESTIONS[1], "3" + ENTER)
        terminal.answer("How should the data get to Datadog?", "7" + ENTER)
        terminal.until("is not between 1 and 2")
        terminal.until(lambda: terminal.text.count("How should the data get to Datadog?") > 1)
        terminal.press("2" + ENTER)
        terminal.answer("What should be sent?", "<" + ENTER)
        terminal.until(lambda: terminal.text.count("How should the data get to Datadog?") > 2)
        terminal.press("1" + ENTER)
        terminal.until(lambda: terminal.text.count("What should be sent?") > 1)
        terminal.press("1 2" + ENTER)
        terminal.answer("Which environment", "test" + ENTER)
        for question in (
            "Metrics of which other",
            "Who subscribes the Forwarder",
            "Logs of which AWS services?",
        ):
            terminal.answer(question)
        terminal.answer("Carry this out?", "no" + ENTER)
        assert terminal.end() == 1
        assert "\x1b" not in terminal.raw


def test_no_colours_and_nothing_but_ascii_where_the_terminal_has_no_more(cli: Cli) -> None:
    given = ("--region", "us-east-1", "--function", "own-settings", "--via", "forwarder", "--env", "x")
    plain: dict[str, Any] = {"LC_ALL": "C", "NO_COLOR": "1"}
    named = ("--service", "x", "--version-tag", "1")
    # What a locale makes of a process is settled when its interpreter starts.
    with Terminal(cli, "plan", *given, *named, installed=True, **plain) as terminal:
        terminal.answer(QUESTIONS[1])
        assert terminal.end() == 0
        assert terminal.raw.isascii()
        codes = re.findall(r"\x1b\[([0-9;]*)m", terminal.raw)
        coloured = {str(n) for n in (*range(30, 50), *range(90, 108))}
        assert not [code for code in codes if coloured & set(code.split(";"))]


def test_regions_are_listed_with_their_functions_and_one_without_any_leads_back(cli: Cli) -> None:
    nowhere: dict[str, Any] = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"))
    with Terminal(cli, "setup", **nowhere) as terminal:
        terminal.until("1 chosen")
        assert re.search(r"> \[x\] us-east-1 +\d+ functions", terminal.seen)
        assert re.search(r"  \[ \] af-south-1 +-", "\n".join(terminal.lines))
        terminal.press(SPACE + DOWN + SPACE + ENTER)
        terminal.until("there is no function here (af-south-1)")
        terminal.answer("1 chosen", SPACE + ENTER)
        terminal.until("Which of").press(CTRL_C)
        assert terminal.end() == 130


def test_keys_are_asked_for_hidden_checked_at_once_and_forgiven_their_blanks(messy: Place, cli: Cli) -> None:
    wrong, right = "0" * 32, messy.sandbox.api_key
    with Terminal(cli, "setup", "--region", "us-east-1", DD_API_KEY=None, DD_APP_KEY=None) as terminal:
        terminal.until("https://app.datadoghq.com/organization-settings/api-keys")
        terminal.answer("Your Datadog API key?", wrong + ENTER)
        refused = "is not valid on datadoghq.com"
        terminal.until(refused)
        assert "Your Datadog application key?" not in terminal.text
        terminal.until(lambda: "Your Datadog API key?" in terminal.text.rpartition(refused)[2])
        terminal.press(f" {right} " + ENTER)
        terminal.answer("Your Datadog application key?", "1" * 40 + ENTER)
        refused_app = "but the application key is not"
        terminal.until(refused_app)
        terminal.until(lambda: "Your Datadog application key?" in terminal.text.rpartition(refused_app)[2])
        assert "Your Datadog API key?" not in terminal.text.rpartition(refused_app)[2]
        terminal.press(messy.sandbox.app_key + ENTER)
        if "keyring" in terminal.seen:
            terminal.press("n")
        terminal.until("Which of").press(CTRL_C)
        assert terminal.end() == 130


def test_without_aws_credentials_the_ways_to_get_them_are_told(cli: Cli) -> None:
    absent: dict[str, Any] = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    config = cli.home / "config"
    config.write_text("[profile dev]\nregion = us-east-1\n")
    with Terminal(cli, "setup", AWS_CONFIG_FILE=str(config), **absent) as terminal:
        terminal.until("How to go on?")
        for way in ("aws sso login --profile NAME", "AWS_SECRET_ACCESS_KEY", "Use the profile dev"):
            assert way in terminal.text
        terminal.press("s" + ENTER)
        assert terminal.end() == 4


def test_credentials_that_end_on_the_way_are_renewed_without_asking_anything_twice(
    messy: Place, cli: Cli
) -> None:
    """While it looks, and once more while the plan is read: asked again is only what was not answered yet."""
    operator = messy.sandbox.operator.access_key_id
    looking = AwsFault("DescribeLogGroups", "ExpiredTokenException", 403, access_key=operator)
    reading = AwsFault("GetCallerIdentity", "ExpiredToken", 403, skip=2, access_key=operator)
    given = ("--function", "own-settings", "--via", "forwarder", "--env", "x", "--service", "x")
    with messy.aws_faults(looking, reading), Terminal(cli, "setup", *given, "--version-tag", "1") as terminal:
        terminal.answer(QUESTIONS[1])
        terminal.until(QUESTIONS[-1])
        assert terminal.text.count("Datadog site datadoghq.com: keys are valid") == 2
        assert terminal.text.count("What is there") == 1
        terminal.answer(QUESTIONS[-1])
        terminal.until(
            lambda: terminal.text.count(QUESTIONS[-1]) > 1 and terminal.seen.endswith("Ctrl-C quit")
        )
        assert terminal.text.count("What is there") == 2
        assert terminal.text.count("keys are valid") == 3
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert "nothing was changed" in terminal.text


def changes_of(path: Path) -> str:
    """What a saved plan would change, to the byte."""
    plan: dict[str, Any] = json.loads(path.read_text())
    return json.dumps([plan["changes"], plan["skipped"], plan["warnings"]])


def test_the_same_answers_by_prompts_flags_environment_and_file_are_the_same_plan(cli: Cli) -> None:
    with Terminal(cli, "plan", "--out", "prompts.json") as terminal:
        terminal.answer("Which of", "3" + ENTER)
        terminal.answer("Which runtimes?", "nodejs" + "\x01" + ENTER)
        terminal.answer(QUESTIONS[1], "3" + ENTER)
        terminal.answer("How should the data", DOWN + ENTER)
        terminal.answer("What should be sent?", DOWN + SPACE + ENTER)
        terminal.answer("Which environment", "prod" + ENTER)
        terminal.answer("One service name", "tea" + ENTER)
        terminal.answer("Which version", "1.2" + ENTER)
        terminal.answer("Metrics of which other", "sqs" + SPACE + ENTER)
        assert terminal.end() == 0
    runtimes = ("nodejs20.x", "nodejs22.x")
    flags = [f"--runtime={runtime}" for runtime in runtimes]
    flags += ["--region=us-east-1", "--via=extension", "--no-traces", "--env=prod", "--service=tea"]
    flags += ["--version-tag=1.2", "--integration-namespace=sqs"]
    environment: dict[str, Any] = {
        "DDSETUP_RUNTIME": ",".join(runtimes),
        "DDSETUP_REGION": "us-east-1",
        "DDSETUP_VIA": "extension",
        "DDSETUP_TRACES": "no",
        "DDSETUP_ENV": "prod",
        "DDSETUP_SERVICE": "tea",
        "DDSETUP_VERSION_TAG": "1.2",
        "DDSETUP_INTEGRATION_NAMESPACE": "sqs",
    }
    (cli.home / "answers.toml").write_text(
        'runtime = ["nodejs20.x", "nodejs22.x"]\nregion = ["us-east-1"]\nvia = "extension"\ntraces = false\n'
        'env = "prod"\nservice = "tea"\nversion_tag = "1.2"\nintegration_namespace = ["sqs"]\n'
    )
    assert cli("plan", "--out", "flags.json", *flags).code == 0
    assert cli("plan", "--out", "environment.json", **environment).code == 0
    assert cli("plan", "--out", "file.json", "--config", "answers.toml").code == 0
    prompted = changes_of(cli.home / "prompts.json")
    assert len(json.loads(prompted)[0]) > 2
    for way in ("flags", "environment", "file"):
        assert changes_of(cli.home / f"{way}.json") == prompted, way
