"""What was typed: taken back in turn, kept for the next run, and never a key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ddsetup.ask.dialogue import Dialogue, forget, keep, unfinished
from ddsetup.gateways.datadog.client import DatadogKeys
from ddsetup.settings.config import as_words
from ddsetup.settings.setting import Value

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
KEYS = DatadogKeys("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef01234567")


def typed() -> Dialogue:
    dialogue = Dialogue(keys=KEYS)
    dialogue.answer("region", {"region": ("eu-west-1",)})
    dialogue.answer("functions", {"all": True, "which": "uninstrumented"})
    dialogue.answer("env", {})
    return dialogue


def test_answers_are_taken_back_in_turn_and_remembered_as_suggestions() -> None:
    dialogue = typed()
    assert [dialogue.back() for _ in range(4)] == ["env", "functions", "region", ""]
    assert dialogue.earlier == {"region": ("eu-west-1",), "all": True, "which": "uninstrumented"}
    assert dialogue.values() == {}


def test_what_was_typed_is_found_by_the_next_run_and_gone_once_it_is_used(tmp_path: Path) -> None:
    assert keep(typed(), tmp_path, AT)
    left = unfinished(tmp_path)
    assert left is not None
    assert (left.at, left.typed) == (AT, typed().typed)
    assert (tmp_path / "unfinished.json").stat().st_mode & 0o777 == 0o600
    forget(tmp_path)
    forget(tmp_path)
    assert unfinished(tmp_path) is None


def test_keys_are_neither_kept_nor_shown(tmp_path: Path) -> None:
    dialogue = typed()
    keep(dialogue, tmp_path, AT)
    for key in (KEYS.api_key, KEYS.app_key):
        assert key not in (tmp_path / "unfinished.json").read_text() + repr(dialogue)


def test_nothing_typed_is_nothing_kept(tmp_path: Path) -> None:
    assert not keep(Dialogue(), tmp_path, AT)
    assert unfinished(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"at": "yesterday", "typed": {}}',
        json.dumps({"at": AT.isoformat(), "typed": {"via": {"via": "pigeon"}}}),
        json.dumps({"at": AT.isoformat(), "typed": {"new": {"no_such_option": True}}}),
        json.dumps({"at": AT.isoformat(), "typed": {"env": "prod"}}),
    ],
)
def test_a_file_that_cannot_be_understood_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "unfinished.json").write_text(text)
    assert unfinished(tmp_path) is None


values = st.fixed_dictionaries(
    {},
    optional={
        "region": st.lists(st.sampled_from(["eu-west-1", "us-east-1"]), min_size=1, unique=True).map(tuple),
        "via": st.sampled_from(["forwarder", "extension"]),
        "logs": st.booleans(),
        "env": st.text("abc", min_size=1),
        "conflict": st.just(("/aws/lambda/pay:kinesis=replace",)),
    },
)


@for_all(values)
def test_every_answer_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, Value]
) -> None:
    directory = tmp_path_factory.mktemp("state")
    dialogue = Dialogue()
    for key, value in given.items():
        dialogue.answer(key, {key: value})
    keep(dialogue, directory, AT)
    left = unfinished(directory)
    assert ({} if left is None else left.typed) == dialogue.typed
    assert all(f"--{key}" in as_words(given) or f"--no-{key}" in as_words(given) for key in given)
