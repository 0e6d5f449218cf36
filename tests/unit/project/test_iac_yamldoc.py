"""What a YAML document says, node by node, held against PyYAML as far as it knows the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ddsetup.model.errors import DdsetupError
from ddsetup.project.iac import yamldoc
from ddsetup.project.iac.source import Source
from ddsetup.project.iac.yamltext import scalar

MERGED = """
base: &base {a: 1, b: base, deep: {x: 1}}
more: &more {b: more, c: 3}
both: &both
  <<: [*base, *more]
  d: 4
one: {<<: *base, a: own}
again: {<<: *both, c: last}
list: [*base, {<<: *more, e: [1, 2]}]
twice: {<<: [*base, *base]}
"""
PLAIN = {
    "merged": MERGED,
    "scalars": "a: text\nb: 3\nc: -3\nd: 0x1F\ne: true\nf: 'No'\ng: null\nh: ~\n",
    "more scalars": "i:\nj: '3'\nk: ''\nl: 1_000\n",
    "lists": "a: [1, [2, []], {b: c}]\nd:\n- 1\n-\n  - x\n- {}\n",
    "json": '{"a": {"b": [1, "2", null, true, false]}, "c": {}}',
    "aliases": "a: &a [1]\nb: *a\nc: &c {d: *a}\ne: *c\n",
}


def root(text: str) -> Any:
    return yamldoc.parse(Source(Path("/x.yaml"), text.encode(), text)).root


@pytest.mark.parametrize("name", PLAIN)
def test_it_says_what_pyyaml_says(name: str) -> None:
    assert yamldoc.as_plain(root(PLAIN[name])) == yaml.safe_load(PLAIN[name])


def test_short_tags_become_their_long_forms() -> None:
    text = "a: !Ref X\nb: !GetAtt X.Arn.Y\nc: !Sub 'x${Y}'\nd: !If [c, !Ref A, 2]\ne: !Condition Z\n"
    text += "f: !GetAtt [X, Arn]\ng: ! odd\nh: !Ref 3\ni: !Base64 {Ref: X}\n"
    assert yamldoc.as_plain(root(text)) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["X", "Arn.Y"]},
        "c": {"Fn::Sub": "x${Y}"},
        "d": {"Fn::If": ["c", {"Ref": "A"}, 2]},
        "e": {"Condition": "Z"},
        "f": {"Fn::GetAtt": ["X", "Arn"]},
        "g": "odd",
        "h": {"Ref": "3"},
        "i": {"Fn::Base64": {"Ref": "X"}},
    }


def test_what_comes_in_by_a_merge_is_found_the_own_first_then_the_nearest() -> None:
    document = root(MERGED)

    def found(name: str, key: str) -> object:
        return yamldoc.literal(yamldoc.value_of(yamldoc.value_of(document, name), key))

    assert [found("both", key) for key in "abcd"] == [1, "base", 3, 4]
    assert [found("one", key) for key in "abc"] == ["own", "base", None]
    assert [found("again", key) for key in "abcd"] == [1, "base", "last", 4]
    assert yamldoc.value_of(yamldoc.value_of(document, "one"), "gone") is None
    assert yamldoc.entry(yamldoc.value_of(document, "one"), "b") is None, "it is not written there"


def test_what_holds_itself_is_nothing_in_there() -> None:
    assert yamldoc.as_plain(root("a: &a {b: *a, c: 1}\n")) == {"a": {"b": None, "c": 1}}
    looped = yamldoc.value_of(root("a: &a {<<: *a, c: 1}\n"), "a")
    assert yamldoc.value_of(looped, "d") is None


def test_literals_are_what_is_written_and_nothing_else() -> None:
    text = (
        "a: x\nb: true\nc: False\nd: 0o17\ne: 08\nf: [1]\ng: {h: 1}\ni: null\nj: 1.5\nk: 2024-01-01\nl: 1_0\n"
    )
    document = root(text)
    said = {key.value: yamldoc.literal(value) for key, value in document.value}
    nothing = dict.fromkeys("fgi")
    plain = {"a": "x", "b": True, "c": False, "d": 15, "e": "08", "j": "1.5", "k": "2024-01-01", "l": 10}
    assert said == plain | nothing
    assert yamldoc.literal(None) is None


def test_words_for_true_and_false_are_those_of_the_version() -> None:
    text = "a: yes\nb: On\nc: true\nd: no\ne: off\nf: y\n"
    older = root(f"%YAML 1.1\n---\n{text}")
    assert yamldoc.as_plain(older) == {"a": True, "b": True, "c": True, "d": False, "e": False, "f": True}
    assert yamldoc.as_plain(root(text)) == {"a": "yes", "b": "On", "c": True, "d": "no", "e": "off", "f": "y"}


def test_what_only_pyyaml_reads_is_read() -> None:
    assert [key.value for key, _ in root("a: 1\n&b:\n").value] == ["a", ""]


def test_what_is_computed_is_told_from_what_is_written() -> None:
    text = "a: x\nb: ${self:x}\nc: !Ref X\nd: [1]\ne: {f: 1}\ng: null\nh: 3\ni: $x\n"
    said = {key.value: yamldoc.is_variable(value) for key, value in root(text).value}
    assert {name for name, computed in said.items() if computed} == set("bcde")
    assert yamldoc.is_variable(None) is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "twice"),
        ("a: {b: 1, b: 2}\n", "twice"),
        ("- a\n", "expected settings (`key: value`) at the top of the file"),
        ("", "expected settings (`key: value`) at the top of the file"),
        ("{}", "expected settings (`key: value`) at the top of the file"),
        (
            "a: 1\n---\nb: 2\n",
            "the file holds several documents (`---`), and its tool reads one document only",
        ),
        ("a:\n\tb: 1\n", "a tab is used for indentation; YAML allows only spaces"),
        ("a: [1\n", "not valid YAML: while parsing a flow sequence"),
        (f"a: {'[' * 101}{']' * 101}\n", "nested more than 100 deep, so not a file to edit"),
        ("a: \x01\n", "a character that YAML does not allow"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(DdsetupError) as caught:
        root(text)
    assert said in caught.value.what
    assert caught.value.where.startswith("/x.yaml")


def test_as_deep_as_allowed_is_read() -> None:
    assert root(f"a: {'[' * 100}{']' * 100}\n") is not None


def test_a_text_keeps_its_quotes_and_its_letters() -> None:
    assert (scalar('é: "x"', style='"'), scalar("é", style="'")) == ('"é: \\"x\\""', "'é'")


@pytest.mark.parametrize(
    ("text", "in_block", "in_flow"),
    [
        ("plain", "plain", "plain"),
        ("a, b", "a, b", "'a, b'"),
        ("a{1}", "a{1}", "'a{1}'"),
        ("12", "'12'", "'12'"),
        ("it's: so", "'it''s: so'", "'it''s: so'"),
    ],
)
def test_texts_are_in_quotes_where_they_need_them(text: str, in_block: str, in_flow: str) -> None:
    assert (scalar(text), scalar(text, flow=True)) == (in_block, in_flow)
    assert (
        yaml.safe_load(f"a: {scalar(text)}")
        == yaml.safe_load(f"{{a: {scalar(text, flow=True)}}}")
        == {"a": text}
    )
