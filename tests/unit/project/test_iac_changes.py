"""Single changes to a document: what is written where, and what is left to a hand, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ddsetup.project.iac import yamlchange, yamldoc
from ddsetup.project.iac.guard import edited
from ddsetup.project.iac.model import CannotEdit
from ddsetup.project.iac.settings_block import Block, bring, settings_at
from ddsetup.project.iac.source import Source, Splice, spliced
from ddsetup.project.iac.yamldoc import Document
from ddsetup.project.iac.yamltext import Quoted, Ref, block_entries, block_items, flow


def held(document: Document, key: str) -> Any:
    """The node of a key's value."""
    return yamldoc.value_of(document.root, key)


def doc(text: str, name: str = "x.yml") -> Document:
    return yamldoc.parse(Source(Path(name), text.encode(), text))


def after(document: Document, *splices: Splice) -> str:
    return spliced(document.text, list(splices))


# One value, one entry, one item


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a: b # c\n", "d", "a: d # c\n"),
        ("a: 'b'\n", "it's", "a: 'it''s'\n"),
        ('a: "b"\n', "d", 'a: "d"\n'),
        ("a: 1\n", True, "a: true\n"),
        ("a: b\n", Ref("X"), "a: !Ref X\n"),
        ("a: b\n", Quoted("x", '"'), 'a: "x"\n'),
        ('{"a": "b"}', Ref("X"), '{"a": {"Ref": "X"}}'),
        ('{"a": 1}', Quoted("x"), '{"a": "x"}'),
    ],
)
def test_another_value_stands_in_the_same_place(text: str, value: Any, expected: str) -> None:
    document = doc(text)
    node = held(document, "a")
    assert after(document, yamlchange.set_scalar(document, node, value)) == expected


@pytest.mark.parametrize("value", ["&x b", "!Ref b", "|\n  b", ">\n  b", "{b: c}", "[b]"])
def test_a_value_that_is_not_simple_is_left(value: str) -> None:
    document = doc(f"a: {value}\n")
    with pytest.raises(CannotEdit, match="is not a simple one"):
        yamlchange.set_scalar(document, held(document, "a"), "c")


@pytest.mark.parametrize(("key", "expected"), [("a", "n: 1\n"), ("'a'", "'n': 1\n"), ('"a"', '"n": 1\n')])
def test_a_key_is_renamed_in_its_quotes(key: str, expected: str) -> None:
    document = doc(f"{key}: 1\n")
    assert after(document, yamlchange.rename_key(document, document.root.value[0][0], "n")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  b: 1\n", "a:\n  b: 1\n  n: x\n"),
        (
            "a:\n  b: 1\n  # of a\n# of the file\nc: 2\n",
            "a:\n  b: 1\n  # of a\n  n: x\n# of the file\nc: 2\n",
        ),
        ("a:\n  b: 1", "a:\n  b: 1\n  n: x"),
        ("a:\n  b: |\n    t\n\nc: 2\n", "a:\n  b: |\n    t\n  n: x\n\nc: 2\n"),
        ("a:\n  b: |+\n    t\n\nc: 2\n", "a:\n  b: |+\n    t\n\n  n: x\nc: 2\n"),
        ("a:\n  b: >\n    t\n\nc: 2\n", "a:\n  b: >\n    t\n  n: x\n\nc: 2\n"),
        ("a:\n  b: >-\n    t\n\nc: 2\n", "a:\n  b: >-\n    t\n  n: x\n\nc: 2\n"),
        ("a:\n  b: >+\n    t\n\nc: 2\n", "a:\n  b: >+\n    t\n\n  n: x\nc: 2\n"),
        ("a:\n  b:\n  - |\n    t\n\nc: 2\n", "a:\n  b:\n  - |\n    t\n  n: x\n\nc: 2\n"),
        ("a:\n  b:   # nothing\nc: 2\n", "a:\n  b:   # nothing\n  n: x\nc: 2\n"),
        ("a: {b: 1}\n", "a: {b: 1, n: x}\n"),
        ("a: {\n  b: 1\n}\n", "a: {\n  b: 1,\n  n: x\n}\n"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1, "n": "x"}}'),
        ('{"a": {\n\t"b": 1\n}}', '{"a": {\n\t"b": 1,\n\t"n": "x"\n}}'),
        ("a:\r\n  b: 1\r\n", "a:\r\n  b: 1\r\n  n: x\r\n"),
    ],
)
def test_an_entry_is_added_behind_the_last(text: str, expected: str) -> None:
    document = doc(text)
    mapping = held(document, "a")
    assert after(document, yamlchange.add_entries(document, mapping, {"n": "x"})) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", "a: 1\n\nn: x\n"),
        ("a: 1\n\n", "a: 1\n\nn: x\n\n"),
        ("a: |+\n  t\n\n", "a: |+\n  t\n\nn: x\n"),
    ],
)
def test_a_gap_is_left_where_there_is_none(text: str, expected: str) -> None:
    document = doc(text)
    assert after(document, yamlchange.add_entries(document, document.root, {"n": "x"}, gap=True)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n", "a:\n  n: x\n"),
        ("a: {}\n", "a:\n  n: x\n"),
        ("a: ~ # c\n", "a: # c\n  n: x\n"),
        ('{\n  "a": {}\n}', '{\n  "a": {\n    "n": "x"\n  }\n}'),
        ("a: &x\n", "! the empty value has an anchor"),
        ("a: !T {}\n", "! the mapping has a tag of its own"),
    ],
)
def test_an_empty_mapping_is_filled(text: str, expected: str) -> None:
    document = doc(text)
    key, node = document.root.value[0]
    assert _or_reason(lambda: after(document, *yamlchange.fill(document, key, node, {"n": "x"}))) == expected


def test_an_empty_mapping_on_the_line_of_another_is_filled_there() -> None:
    document = doc("a:\n  - b: {}\n    c: 1\n")
    key, node = held(document, "a").value[0].value[0]
    assert after(document, *yamlchange.fill(document, key, node, {"n": "x"})) == (
        "a:\n  - b: {n: x}\n    c: 1\n"
    )


@pytest.mark.parametrize(
    ("text", "item", "last", "first"),
    [
        ("a:\n- b\n", "new", "a:\n- b\n- new\n", "a:\n- new\n- b\n"),
        (
            "a:\n  # of b\n  - 'b'\n",
            "new",
            "a:\n  # of b\n  - 'b'\n  - 'new'\n",
            "a:\n  - 'new'\n  # of b\n  - 'b'\n",
        ),
        ("a: [b]\n", "new", "a: [b, new]\n", "a: [new, b]\n"),
        ("a: [\n  b\n]\n", "new", "a: [\n  b,\n  new\n]\n", "a: [\n  new,\n  b\n]\n"),
        ("a: ['b', \"c\"]\n", "new", "a: ['b', \"c\", new]\n", "a: [new, 'b', \"c\"]\n"),
        ('{"a": ["b"]}', "new", '{"a": ["b", "new"]}', '{"a": ["new", "b"]}'),
        (
            '{\n  "a": [\n    "b"\n  ]\n}',
            {"N": "n"},
            '{\n  "a": [\n    "b",\n    {\n      "N": "n"\n    }\n  ]\n}',
            '{\n  "a": [\n    {\n      "N": "n"\n    },\n    "b"\n  ]\n}',
        ),
        ('{"a": ["b"]}', {"N": "n"}, '{"a": ["b", {"N": "n"}]}', '{"a": [{"N": "n"}, "b"]}'),
    ],
)
def test_an_item_is_added_at_the_end_or_before_another(text: str, item: Any, last: str, first: str) -> None:
    document = doc(text)
    items = held(document, "a")
    assert after(document, yamlchange.add_item(document, items, item)) == last
    assert after(document, yamlchange.add_item(document, items, item, before=items.value[0])) == first


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n- b\n- c\n- d\n", "a:\n- c\n- b\n- d\n"),
        ("a:\n  # of b\n  - b\n  - c # c\n  - d", "a:\n  - c # c\n  # of b\n  - b\n  - d"),
        ("a: [b, c, d]\n", "a: [c, b, d]\n"),
        (
            "a:\n- b\n- |\n  c\n- d\n",
            "! the list is written in a way that its order cannot be changed safely",
        ),
        (
            "a:\n- b\n- {c: 1}\n- d\n",
            "! the list is written in a way that its order cannot be changed safely",
        ),
    ],
)
def test_an_item_is_moved_before_another(text: str, expected: str) -> None:
    document = doc(text)
    items = held(document, "a")
    moved = items.value[1], items.value[0]
    assert _or_reason(lambda: after(document, *yamlchange.move_item(document, items, *moved))) == expected


def test_an_item_is_moved_to_the_end() -> None:
    for text, expected in (("a:\n- b\n- c\n", "a:\n- c\n- b\n"), ("a: [b, c]\n", "a: [c, b]\n")):
        document = doc(text)
        items = held(document, "a")
        assert after(document, *yamlchange.move_item(document, items, items.value[0], None)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2 # c\nc: 3\n", "a: 1\nc: 3\n"),
        ("a: 1\nb:\nc: 3\n", "a: 1\nc: 3\n"),
        ("a: 1\nb: 2", "a: 1\n"),
        ("\nb: 2\nc: 3\n", "\nc: 3\n"),
        ("b: 2\nc: 3\n", "c: 3\n"),
        ("a: 1\nb: 'x\n  y'\n", "! a setting that has to go shares its line with others"),
        ("a: 1\nb:\n  2\n", "! a setting that has to go shares its line with others"),
        ("a: 1\nb: [2]\n", "! a setting that has to go shares its line with others"),
        ('{"a": 1,\n"b": 2}', "! a setting that has to go shares its line with others"),
        ("{a: 1, b: 2}\n", "! a setting that has to go shares its line with others"),
    ],
)
def test_an_entry_goes_with_its_line(text: str, expected: str) -> None:
    document = doc(text)
    own = yamldoc.entry(document.root, "b")
    assert own is not None
    assert _or_reason(lambda: after(document, yamlchange.remove_entry(document, *own))) == expected


def _or_reason(made: Callable[[], str]) -> str:
    try:
        return made()
    except CannotEdit as error:
        return f"! {error}"


# A block of settings

PATH = ("custom", "datadog")
WANTED = Block({"site": "eu"}, {"env": "prod"}, {"exclude": ("f",)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", "a: 1\n\ncustom:\n  datadog:\n    site: eu\n    env: prod\n    exclude:\n      - f\n"),
        ("custom:\n", "custom:\n  datadog:\n    site: eu\n    env: prod\n    exclude:\n      - f\n"),
        ("custom:\n  datadog:\n    site: eu\n    env: x\n    exclude: [f]\n", "="),
        (
            "custom:\n  datadog:\n    site: com\n    exclude: [g]\n",
            "custom:\n  datadog:\n    site: eu\n    exclude: [g, f]\n    env: prod\n",
        ),
        (
            "custom:\n  datadog:\n    site: ${x}\n    env:\n    exclude: [f]\n",
            "custom:\n  datadog:\n    site: ${x}\n    env: prod\n    exclude: [f]\n",
        ),
        ("x: &x {a: 1}\ncustom: *x\n", "! `custom` is an alias of something else in the file"),
        (
            "x: &x {datadog: {a: 1}}\ncustom:\n  <<: *x\n",
            "! `custom.datadog` comes from somewhere else by `<<`",
        ),
        ("custom: ${file(x.yml)}\n", "! `custom` comes from a variable (${file(x.yml)})"),
        ("custom: text\n", "! `custom` at x.yml:1:9 is not a mapping"),
        ("custom: [a]\n", "! `custom` at x.yml:1:9 is not a mapping"),
        (
            "custom:\n  datadog:\n    site: eu\n    exclude: f\n",
            "! `exclude` is not a list that is written in this file",
        ),
        (
            "custom:\n  datadog:\n    site: eu\n    exclude: []\n",
            "! `exclude` is an empty list; put f into it",
        ),
        (
            "x: &x [g]\ncustom:\n  datadog:\n    site: eu\n    exclude: *x\n",
            "! `exclude` is not a list that is written in this file",
        ),
        (
            "x: &x com\ncustom:\n  datadog:\n    site: *x\n",
            "! `site` is an alias of something else in the file",
        ),
    ],
)
def test_a_block_of_settings_is_brought_to_what_is_wanted(text: str, expected: str) -> None:
    document = doc(text)
    made = _or_reason(lambda: after(document, *bring(document, PATH, WANTED).splices))
    assert made == (text if expected == "=" else expected)


def test_what_is_changed_is_said() -> None:
    document = doc("custom:\n  datadog:\n    site: com\n    env:\n    logs: ${x}\n    exclude: [g]\n")
    wanted = Block({"site": "eu", "logs": True}, {"env": "prod", "new": 1}, {"exclude": ("f",), "none": ()})
    brought = bring(document, PATH, wanted)
    assert brought.why == ("exclude: f", "site: eu instead of com", "env: had no value", "adds new")
    assert brought.warnings == ("`logs` comes from a variable and was left; it has to be true",)
    assert bring(doc("a: 1\n"), PATH, wanted).why == ("custom.datadog: site, logs, env, new, exclude",)
    assert bring(doc("custom: {a: 1}\n"), PATH, Block({"site": "eu"})).why == ("custom.datadog: site",)


def test_where_settings_stand() -> None:
    found = settings_at(doc("custom:\n  datadog:\n    a: 1\n"), PATH)
    assert yamldoc.as_plain(found) == {"a": 1}
    assert settings_at(doc("custom: {}\n"), PATH) is None
    assert settings_at(doc("custom:\n  datadog: ~\n"), PATH) is None


# What must not change


@pytest.mark.parametrize(
    ("before", "now", "fine"),
    [
        ("a: 1\n", "a: 1\nt: 2\n", True),
        ("a: 1\nt: 2\n", "a: 1\nt: 3\n", True),
        ("a: 1\n", "a: 2\n", False),
        ("a: 1\n", "a: '1'\n", False),
        ("a: 1\n", "b: 1\n", False),
        ("a: 1\n", "a: 1\nb: 1\n", False),
        ("a: &x 1\n", "a: &y 1\n", False),
        ("a: [1, 2]\n", "a: [1]\n", False),
        ("a: [1, 2]\n", "a: [1, 3]\n", False),
        ("a: {b: 1}\n", "a: {c: 1}\n", False),
        ("a: {b: 1}\n", "a: {b: 2}\n", False),
        ("a: {b: 1}\n", "a: [b, 1]\n", False),
        ("x: 1\n", "x: 1\nc: {t: 2}\n", True),
        ("c: {a: 1}\n", "c: {a: 1, t: 2}\n", True),
        ("c: {a: 1}\n", "c: {a: 2, t: 2}\n", False),
        ("c: {a: 1}\n", "c: {t: 2}\n", False),
        ("x: 1\n", "x: 1\nc: {t: 2, a: 1}\n", False),
        ("c: ~\nx: 1\n", "c: {t: 2}\nx: 1\n", True),
        ("c: {a: 1}\nx: 1\n", "c: 3\nx: 1\n", False),
        ("c: {a: 1}\nx: 1\n", "x: 1\n", False),
        ("a: 1\n", "a: [\n", False),
    ],
)
def test_nothing_but_what_is_touched_may_mean_something_else(before: str, now: str, fine: bool) -> None:
    document = doc(before)
    whole = [Splice(0, len(before), now)]
    touched = frozenset({("t",), ("c", "t")})
    if fine:
        assert edited(document, whole, touched).text == now
    else:
        with pytest.raises(CannotEdit):
            edited(document, whole, touched)


# How values are written


def test_lists_of_all_kinds_are_written() -> None:
    items: list[Any] = ["a", ["b", 1], {"c": {"d": [True]}, "e": "f"}]
    assert block_items(items, 1, 2, dash=2) == [
        " - a",
        " - [b, 1]",
        " - c:",
        "     d:",
        "       - true",
        "   e: f",
    ]
    assert block_entries({"a": {"b": ["c"]}}, 0, 4) == ["a:", "    b:", "    - c"]
    assert flow({"a": ["b", {"c": "d, e"}], "f": "g"}) == "{a: [b, {c: 'd, e'}], f: g}"
