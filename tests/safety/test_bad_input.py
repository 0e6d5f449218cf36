"""Whatever is typed, kept in a file or broken on a disk: words and an exit code, no traceback, no write.

The command line runs in this process, against an AWS that knows the caller and counts what is asked.
"""

from __future__ import annotations

import inspect
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddsetup.cli.table.main import COMMANDS
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.planfile import save
from ddsetup.journal.runs import Journal
from ddsetup.model.change import Change, Outcome, Plan
from ddsetup.settings import validate
from ddsetup.settings.table import SETTINGS, TABLE
from tests.gateways.aws_stand import ACCOUNT
from tests.safety.desk import EXAMPLES, QUICK, WORDS, Desk, desk
from tests.unit.journal.test_planfile import META, PLAN
from tests.unit.world import AT, creation, header, tagging

__all__ = ["desk"]

# --- the command line

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
PATHS = {"config", "state_dir", "out", "payload"}
"""Options that name files: anything could be meant by them, and some of it exists."""
ELSEWHERE = {"sandbox", "datadog_url", "role_arn", "profile", "forwarder_template_url"}
"""Options that would start something or call somebody."""


def odd_words() -> st.SearchStrategy[str]:
    flags = [flag for s in TABLE if s.key not in PATHS | ELSEWHERE for flag in (s.flag, s.no_flag)]
    arns = st.builds(
        "arn:{}:{}:{}:{}:{}".format,
        st.sampled_from(("aws", "aws-cn", "", "AWS")),
        st.sampled_from(("lambda", "iam", "secretsmanager", "logs")),
        st.sampled_from(("eu-west-1", "us-gov-west-1", "", "mars-1")),
        st.sampled_from((ACCOUNT, "999999999999", "12", "")),
        st.sampled_from(("function:f", "function:f:1", "role/r", "secret:s-AbCdEf", "log-group:g", "")),
    )
    values = st.one_of(
        TEXT, arns, st.sampled_from(("-1", "1e9", "*", "[", "a=b", "=", ",", "a:b=replace", "yes"))
    )
    flag = st.sampled_from(flags)
    return st.one_of(flag, values, st.builds("{}={}".format, flag, values))


@QUICK
@given(
    st.sampled_from([c.name for c in COMMANDS if c.name != "doctor"] + ["", "nonsense"]),
    st.lists(odd_words(), max_size=6),
)
@example("setup", ["--function", "arn:aws:lambda:eu-west-1:999999999999:function:f", "--site", "x"])
@example("plan", ["--region", "-1", "--tag", "=", "--forwarder-param", "="])
def test_any_command_line_ends_in_words(desk: Desk, command: str, words: list[str]) -> None:
    code, text = desk.run(*([command] if command else []), *words)
    assert code in WORDS, text
    assert text.strip()


@QUICK
@given(st.sampled_from([s.key for s in TABLE if s.key not in PATHS | ELSEWHERE]), TEXT)
@example("api_key_stdin", "0.")
def test_any_environment_ends_in_words(desk: Desk, key: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETTINGS[key].env, value)
        code, text = desk.run("plan", "--no-input")
    assert code in WORDS, text
    assert text.strip()


@pytest.mark.parametrize("command", ["apply", "status", "undo", "verify", "doctor"])
@pytest.mark.parametrize("key", ["app_key_stdin", "debug", "require_proof"])
def test_a_wrong_variable_is_named_whichever_command_reads_it_first(
    desk: Desk, command: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTINGS[key].env, "²")
    code, text = desk.run(command, *(["plan.json"] if command == "apply" else []), "--no-input")
    assert code in WORDS, text
    if key != "require_proof":
        assert code == 2
        assert SETTINGS[key].env in text


@settings(max_examples=10 * EXAMPLES, deadline=None)
@given(
    st.sampled_from(
        [f for _, f in inspect.getmembers(validate, inspect.isfunction) if not f.__name__.startswith("_")]
    ),
    st.one_of(
        TEXT, st.from_regex(r"arn:aws[a-z-]{0,6}:\w{0,9}:[\w-]{0,12}:\d{0,13}:.{0,20}", fullmatch=True)
    ),
)
def test_a_value_is_accepted_or_refused_with_words(check: Any, text: str) -> None:
    if inspect.signature(check).parameters.keys() != {"text"}:
        return
    said, accepted = "", ""
    try:
        accepted = check(text)
    except ValueError as error:
        said = str(error)
    assert said or check(accepted) == accepted, "what was accepted is accepted again, unchanged"


# --- ddsetup.toml


def documents() -> st.SearchStrategy[str]:
    value = st.one_of(
        TEXT.map(json.dumps),
        st.integers().map(str),
        st.sampled_from(("true", "nan", "[1, 2]", '["a"]', "{}", "1979-05-27", '"""', "[", "")),
    )
    key = st.one_of(st.sampled_from([s.key for s in TABLE]), st.sampled_from(("api_key", "a.b", "[x]", "é")))
    lines = st.lists(st.builds("{} = {}".format, key, value), max_size=4).map("\n".join)
    return st.one_of(lines, TEXT)


@QUICK
@given(documents())
@example("api_key = 'x'")
@example("[function]\na = 1")
def test_any_configuration_file_ends_in_words(desk: Desk, text: str) -> None:
    path = desk.home / "odd.toml"
    path.write_text(text, encoding="utf-8")
    before = path.read_bytes()
    code, said = desk.run("plan", "--no-input", "--config", str(path))
    assert path.read_bytes() == before
    known = _known(text)
    assert code in WORDS if known else code == 2, said
    assert text.strip() == "" or known or "odd.toml" in said


def _known(text: str) -> bool:
    """Whether it is TOML whose keys may be in the file: the rest is wrong usage, nothing else."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return all(key in SETTINGS and SETTINGS[key].in_file for key in document)


# --- plans and journals

Damage = tuple[str, int, int]
DAMAGES = st.lists(
    st.tuples(
        st.sampled_from(("flip", "cut", "drop", "twice", "insert")),
        st.integers(0, 10**6),
        st.integers(1, 255),
    ),
    min_size=1,
    max_size=3,
)


def damaged(data: bytes, damages: list[Damage]) -> bytes:
    """What a disk, an editor or a bad copy makes of a file."""
    for kind, where, what in damages:
        at = where % (len(data) + 1)
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ what]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "drop":
            data = data[:at] + data[at + what :]
        elif kind == "twice":
            data = data[: at + what] + data[at:]
        elif kind == "insert":
            data = data[:at] + bytes([what]) + data[at:]
    return data


@QUICK
@given(DAMAGES)
def test_a_damaged_plan_is_refused_and_left_as_it_is(desk: Desk, damages: list[Damage]) -> None:
    path = desk.home / "plan.json"
    save(path, PLAN, META)
    whole = path.read_bytes()
    data = damaged(whole, damages)
    path.write_bytes(data)
    code, said = desk.run("apply", str(path), "--yes", "--no-input")
    assert path.read_bytes() == data
    assert code in WORDS if _same(whole, data) else code == 2, said


def _same(whole: bytes, data: bytes) -> bool:
    """Blanks may move in a plan; nothing else."""
    try:
        same: bool = json.loads(whole) == json.loads(data)
    except ValueError:
        return False
    return same


@QUICK
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda c: st.lists(c, max_size=3) | st.dictionaries(TEXT, c, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_is_no_plan(desk: Desk, document: Any) -> None:
    path = desk.home / "any.json"
    path.write_text(json.dumps(document))
    assert desk.run("apply", str(path), "--yes", "--no-input")[0] == 2


@QUICK
@given(DAMAGES)
def test_a_damaged_journal_is_refused_and_left_as_it_is(desk: Desk, damages: list[Damage]) -> None:
    run = "20261122T101530Z-ab12"
    state = desk.home / "journals"
    path = state / "runs" / run / "journal.jsonl"
    if not path.exists():
        _write_journal(state, run, path)
    whole = path.with_name("whole").read_bytes()
    data = damaged(whole, damages)
    path.write_bytes(data)
    code, said = desk.run("undo", run, "--yes", "--no-input", "--state-dir", str(state))
    assert path.read_bytes() == data
    # A last line that was cut short is what a killed run leaves, and is no damage.
    assert code in WORDS if _is_start_of(data, whole) else code == 2, said
    assert not [p for p in (state / "runs").iterdir() if p.name != run], "a run was begun"


def _write_journal(state: Path, run: str, path: Path) -> None:
    state.mkdir(mode=0o700)
    journal = Journal.create(OnDisk(state), header(run))
    for change in (creation("a"), tagging("f", "a")):
        seq = journal.start(change, AT)
        journal.done(seq, _done(change), AT)
    journal.close()
    path.with_name("whole").write_bytes(path.read_bytes())


def _done(change: Change) -> Outcome:
    return Outcome(resource=change.resource, status="applied", action=change.action)


def _is_start_of(data: bytes, whole: bytes) -> bool:
    """All lines but the last are as they were written, and there is at least a header."""
    lines = data.split(b"\n")
    kept = lines[:-1] if data else []
    return bool(kept) and whole.startswith(b"\n".join(kept) + b"\n")


def test_the_plan_of_these_tests_is_a_plan(desk: Desk) -> None:
    """Undamaged it gets as far as the keys, so what the others see is the damage."""
    path = desk.home / "good.json"
    save(path, Plan(changes=PLAN.changes), META)
    code, said = desk.run("apply", str(path), "--yes", "--no-input")
    assert (code, "DD_API_KEY" in said) == (2, True), said
