"""Owned functions are better changed at the source, when the source is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.cli.at_source import source_note
from tests.builders import function, lane_snapshot, snapshot

PLAIN, OWNED = function("plain"), function("shop-dev-hello")
TAGS = {OWNED.arn: {"STAGE": "dev", "aws:cloudformation:stack-name": "shop-dev"}}
SNAPSHOT = snapshot(lane_snapshot(PLAIN, OWNED, tags=TAGS))


def note(directory: Path) -> str:
    return source_note(directory, SNAPSHOT, (PLAIN, OWNED))


def test_the_project_of_the_owner_is_told(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text("service: shop\n")
    assert note(tmp_path).startswith("1 function of this plan is deployed from serverless.yml")


@pytest.mark.parametrize("name", ["cdk.json", "requirements.txt", "notes.txt", "sub/serverless.yml"])
def test_another_project_or_none_is_not(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    assert note(tmp_path) == ""


def test_functions_that_nobody_owns_are_not(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text("service: shop\n")
    assert source_note(tmp_path, SNAPSHOT, (PLAIN,)) == ""
