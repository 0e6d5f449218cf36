"""Which field a setting fills is said once, by the setting."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from ddsetup.settings.fields import answers_of, values_of
from ddsetup.settings.setting import USUAL, field_of
from ddsetup.settings.table import SETTINGS, TABLE


def leaves(record: object, path: str = "") -> set[str]:
    """The paths of all fields that are no records themselves."""
    if not is_dataclass(record) or path == "key_source":
        return {path}
    return {
        p for f in fields(record) for p in leaves(getattr(record, f.name), f"{path}.{f.name}".lstrip("."))
    }


def test_every_field_of_the_answers_has_a_setting() -> None:
    assert {setting.field for setting in TABLE if setting.field} == leaves(USUAL)


def test_nothing_said_is_what_is_usual() -> None:
    assert answers_of({}) == USUAL
    assert values_of(USUAL) == {}


def test_what_is_told_as_the_default_is_what_nothing_said_gives() -> None:
    told = [setting for setting in TABLE if " Default: " in setting.meaning and setting.field]
    assert len(told) > 15
    for setting in told:
        assert field_of(answers_of({}), setting.field) == setting.default


def test_pairs_go_both_ways() -> None:
    given = {"tag": ("a=b=c",), "conflict": ("/g=x:f=skip",), "extra_tag": ("k:v:w",)}
    answers = answers_of(given)
    assert answers.selection.tags == (("a", "b=c"),)
    assert answers.conflicts == {"/g=x:f": "skip"}
    assert values_of(answers) == given
    assert SETTINGS["conflict"].pair_at_end
