"""The codec of records: what is written is read again, and nothing else is believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ddsetup.journal.planfile import PlanMeta, load, save
from ddsetup.model.change import Outcome, ResourceId, Skipped
from ddsetup.model.errors import UsageError
from ddsetup.model.states import STATES
from ddsetup.model.typed import decode, encode, schema, told
from tests.unit.journal.test_planfile import META, PLAN
from tests.unit.world import resource

RECORDS = (
    META,
    resource("r", "stack"),
    Skipped(resource=resource("r", "stack"), status="skipped", reason="because"),
    Outcome(resource=resource("r", "stack"), status="applied", action="create", details={"a": "b"}),
)
ODD: tuple[Any, ...] = (None, 7, 1.5, True, "odd", [], [7], {}, {"odd": 7})


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_written_and_read(record: Any) -> None:
    document = json.loads(json.dumps(encode(record)))
    assert decode(type(record), document) == record
    jsonschema.Draft202012Validator(schema(type(record))).validate(document)


def test_what_is_told_in_a_way_of_its_own_is_left_out() -> None:
    record = RECORDS[-1]
    assert told(record, without=frozenset({"action"})) == {
        k: v for k, v in told(record).items() if k != "action"
    }


def test_every_state_has_a_schema() -> None:
    for kind in STATES.values():
        jsonschema.Draft202012Validator.check_schema(schema(kind))


def test_what_may_be_missing_is_left_out_of_what_is_told_and_null_in_what_is_kept() -> None:
    kept = schema(str | None)
    assert kept == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert schema(str | None, {}) == {"type": "string"}
    assert schema(str | int | None, {}) == {"anyOf": [{"type": "string"}, {"type": "integer"}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "k", "id": "i", "region": ""}, "missing or unknown field 'account'"),
        ({"kind": "k", "id": "i", "region": "", "account": "", "x": 1}, "missing or unknown field 'x'"),
        ({"kind": "k", "id": 7, "region": "", "account": ""}, "ResourceId.id is not a text"),
        ([], "ResourceId is not an object"),
    ],
)
def test_what_does_not_fit_is_named(document: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        decode(ResourceId, document)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in a document, its innermost parts last."""
    if path:
        yield path
    if isinstance(document, dict | list):
        inside = document.items() if isinstance(document, dict) else enumerate(document)
        for name, item in inside:
            yield from places(item, (*path, name))


def test_a_forged_plan_is_refused_or_a_plan(tmp_path: Path) -> None:
    """Each value of a plan replaced by others, with a digest that fits: what is read can be written again."""
    path, again = tmp_path / "plan.json", tmp_path / "again.json"
    save(path, PLAN, META)
    whole = json.loads(path.read_text())
    del whole["digest"]
    refused = read = 0
    for place in list(places(whole)):
        for odd in ODD:
            forged = json.loads(json.dumps(whole))
            inner = forged
            for name in place[:-1]:
                inner = inner[name]
            inner[place[-1]] = odd
            text = json.dumps(forged, sort_keys=True, separators=(",", ":"))
            forged["digest"] = hashlib.sha256(text.encode()).hexdigest()
            path.write_text(json.dumps(forged))
            try:
                plan, meta = load(path)
            except UsageError:
                refused += 1
            else:
                read += 1
                assert isinstance(meta, PlanMeta)
                save(again, plan, meta)
                assert load(again) == (plan, meta)
    assert refused > 300
    assert read


def test_a_plan_without_a_bottom_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UsageError, match="nested too deeply"):
        load(path)
