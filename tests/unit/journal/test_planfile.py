"""Plan files: what is applied is what was looked at."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsetup.journal.planfile import PlanMeta, load, save
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.states import FilterState, FunctionState
from tests.unit.world import AT, creation, resource, tagging

META = PlanMeta(
    account="111122223333",
    regions=("eu-west-1",),
    site="datadoghq.eu",
    version="0.0.0",
    made=AT,
    extra={"answers": {"via": "forwarder"}},
)
FUNCTION = Change(
    step="instrument",
    resource=resource("arn:aws:lambda:eu-west-1:111122223333:function:f", "function"),
    before=FunctionState(handler="app.handler"),
    after=FunctionState(handler="datadog_lambda.handler.handler", layers=("arn:l:1",), env={"DD_ENV": "ü"}),
    why="it runs python3.12",
    precondition="revision",
    note="only $LATEST changes",
)
FILTER = Change(
    step="subscriptions",
    resource=resource("g:f", "subscription_filter"),
    before=FilterState(log_group="g", name="f", destination_arn="arn:x", apply_on_transformed_logs=False),
    after=None,
    why="it is in the way",
    needs=(resource("a"),),
)
PLAN = Plan(
    changes=(creation("a"), tagging("f", "a"), FUNCTION, FILTER),
    skipped=(Skipped(resource=resource("i", "function"), status="skipped", reason="an image", fix="x"),),
    warnings=("careful",),
)


def test_a_plan_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(path, PLAN, META)
    assert load(path) == (PLAN, META)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_permission_that_was_missing_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    (skipped,) = PLAN.skipped
    save(path, replace(PLAN, skipped=(replace(skipped, permission="iam:GetRole"),)), META)
    assert set(json.loads(path.read_text())["skipped"][0]) == {"resource", "status", "reason", "fix", "step"}
    assert load(path) == (PLAN, META)


def test_saving_replaces_an_older_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(path, PLAN, META)
    save(path, Plan(), META)
    assert load(path)[0] == Plan()


def test_a_folder_that_is_not_there_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DdsetupError, match="cannot write the plan"):
        save(tmp_path / "none" / "plan.json", PLAN, META)
    (tmp_path / "taken").mkdir()
    with pytest.raises(DdsetupError, match="cannot write the plan"):
        save(tmp_path / "taken", PLAN, META)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_edit_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    save(path, PLAN, META)
    document = json.loads(path.read_bytes())
    parent, key = data.draw(st.sampled_from(list(_places(document))))
    parent[key] = "something else" if parent[key] != "something else" else "x"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=r"plan\.json is not a plan that can be applied"):
        load(path)


def test_layout_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(path, PLAN, META)
    path.write_text(json.dumps(json.loads(path.read_bytes()), sort_keys=True))
    assert load(path)[0] == PLAN


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"schema": "ddsetup-plan/2"}', b"\xff\xfe"])
def test_what_is_no_plan_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"plan\.json"):
        load(path)
    assert path.read_bytes() == content


def test_a_missing_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the plan"):
        load(tmp_path / "none.json")


def _places(document: Json) -> list[tuple[Json, Json]]:
    """Every value in the document, as its container and its key there."""
    found: list[tuple[Json, Json]] = []
    pairs: list[tuple[Json, Json]] = []
    if isinstance(document, dict):
        pairs = list(document.items())
    elif isinstance(document, list):
        pairs = list(enumerate(document))
    for key, value in pairs:
        found.append((document, key))
        found.extend(_places(value))
    return found
