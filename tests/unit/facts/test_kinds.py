"""The table of kinds has a row for each state, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import Mock

from ddsetup.apply.writers import make_writers
from ddsetup.facts.kinds import KINDS, kind_name
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.model.states import STATES
from tests import builders as b
from tests.unit.world import fake_clock

ROOT = Path(__file__).parents[3]


def test_every_state_has_a_row_and_a_writer() -> None:
    dd = Datadog.connect("datadoghq.eu", DatadogKeys("0" * 32, "0" * 40))
    writers = make_writers(Mock(), dd, None, b.snapshot(), fake_clock(), lambda event: None)
    assert set(KINDS) == set(STATES) == set(writers)


def test_every_kind_has_a_name_for_one_and_for_many() -> None:
    assert (kind_name("alias"), kind_name("alias", 2)) == ("alias", "aliases")
    assert (kind_name("log_group", 0), kind_name("something_new", 3)) == ("log groups", "something news")
    assert all(kind_name(kind) != kind_name(kind, 2) for kind in KINDS)


def test_a_kind_that_is_chosen_stands_where_its_page_says_and_nowhere_else() -> None:
    page = (ROOT / "docs" / "adding-a-kind.md").read_text("utf-8").partition("## With looking")[2]
    told = set(re.findall(r"`(ddsetup/[a-z0-9_/]+\.py)`", page))
    files = (path for path in (ROOT / "ddsetup").rglob("*.py") if "sandbox" not in path.parts)
    named = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if re.search("api_?stage", path.read_text("utf-8"), re.IGNORECASE)
    }
    assert named == told
    assert len(re.findall(r"^\d\. `ddsetup/", page, re.MULTILINE)) == 9
