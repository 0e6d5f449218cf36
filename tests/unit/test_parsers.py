"""Every parser, given what nobody meant to write: a result, or words and the place; never another exception.

`tests/data/corpus/PARSER` holds what is begun from, and whatever once broke one. Each run takes them as they
are and as hypothesis mutilates them. To search with other luck:
`DDSETUP_FUZZ=2000 pytest --hypothesis-profile=search tests/unit/test_parsers.py`; what that finds becomes a
file there.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddsetup.facts.catalog import parse_layer
from ddsetup.facts.filters import describe
from ddsetup.facts.kinds import CHOSEN
from ddsetup.gateways.datadog.shapes import mismatch, parse_json
from ddsetup.journal.codec import change_from_json
from ddsetup.journal.planfile import load
from ddsetup.model.account import SubscriptionFilter, log_group_in
from ddsetup.model.errors import DdsetupError
from ddsetup.project.iac import docker_read, hcl, template, yamldoc
from ddsetup.project.iac.source import Source, Splice, spliced
from ddsetup.sandbox.emulator.filter_patterns import matches
from ddsetup.settings import validate
from ddsetup.settings.config import read_config
from ddsetup.settings.table import SETTINGS

CORPUS = Path(__file__).parents[1] / "data" / "corpus"
WORDS = (
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "${",
    "%{",
    "\\",
    "\n",
    "\t",
    "\r",
    "\x00",
    "#",
    "<<EOF",
    ":",
    "-",
    "&a",
    "*a",
    "!Ref ",
    "null",
    "1e999",
    "NaN",
    ",",
    "=",
    "é",
    "\u202e",
    "FROM",
    "arn:aws:",
    "*",
    "?",
    "{$.",
    "&&",
    "\ud7ff",
    "\U0001f980",
)


def source(text: str, name: str) -> Source:
    return Source(Path(name), text.encode("utf-8", "surrogatepass"), text)


def _yaml(text: str) -> None:
    document = yamldoc.parse(source(text, "template.yaml"))
    read = template.read(document)
    template.functions(read)
    template.state_machines(read)
    yamldoc.as_plain(document.root)


def _dockerfile(text: str) -> None:
    docker_read.images(text)


def _hcl(text: str) -> None:
    hcl.parse(source(text, "main.tf"))
    hcl.items(text)
    hcl.literal(text)


def _toml(text: str) -> None:
    for key, value in tomllib.loads(text).items():
        if key in SETTINGS:
            SETTINGS[key].parse(value)


def _json_of_datadog(text: str) -> None:
    document = parse_json(text.encode("utf-8", "replace"))
    mismatch(document, {"data": [{"id": str, "attributes?": {"name?": str}}]})


def _journal(text: str) -> None:
    change_from_json(json.loads(text))


def _filter_pattern(text: str) -> None:
    matches(text, '{"level": "ERROR", "n": 1, "a": {"b": [1]}} ERROR x')
    describe(SubscriptionFilter(name=text, log_group=text, pattern=text, destination_arn=text))


def _arn(text: str) -> None:
    parse_layer(text)
    log_group_in(text)
    checks: tuple[Callable[[str], str], ...] = (
        *(validate.role_arn, validate.secret_arn, validate.parameter_arn, validate.function_arn),
        *(validate.policy_arn, validate.conflict, validate.site),
        *(partial(validate.service, kind) for kind in CHOSEN.values()),
        *(validate.region, validate.url, validate.tag_rule, validate.extra_tag, validate.ciphertext),
    )
    for check in checks:
        try:
            check(text)
        except ValueError:
            continue


PARSERS: Mapping[str, tuple[Callable[[str], None], tuple[type[Exception], ...]]] = {
    "yaml": (_yaml, (DdsetupError,)),
    "hcl": (_hcl, (DdsetupError,)),
    "dockerfile": (_dockerfile, (DdsetupError,)),
    "toml": (_toml, (ValueError,)),
    "answer": (_json_of_datadog, (ValueError, DdsetupError)),
    "journal": (_journal, (ValueError, DdsetupError)),
    "pattern": (_filter_pattern, ()),
    "arn": (_arn, ()),
}
"""What each does with a text, and what it may raise."""


def says_something(error: Exception) -> None:
    assert str(error)


def seeds(name: str) -> list[str]:
    return [
        path.read_bytes().decode("utf-8", "surrogateescape") for path in sorted((CORPUS / name).iterdir())
    ]


def mutilated(text: str, draw: Any) -> str:
    """`text` with some pieces cut out, doubled, swapped for words that parsers mind, or moved."""
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(("", text[at:end] * 2, *WORDS)) | st.text(max_size=4))
        text = text[:at] + piece + text[end:]
    return text


@pytest.mark.parametrize("name", PARSERS)
def test_what_once_broke_a_parser_does_not(name: str) -> None:
    parse, mine = PARSERS[name]
    found = seeds(name)
    assert len(found) > 1
    for text in found:
        try:
            parse(text)
        except mine as error:
            says_something(error)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=int(os.environ.get("DDSETUP_FUZZ", "60")), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_parsed_ends_in_a_result_or_in_words(name: str, data: st.DataObject) -> None:
    parse, mine = PARSERS[name]
    text = data.draw(st.sampled_from(seeds(name)))
    text = mutilated(text, data.draw).encode("utf-8", "replace").decode("utf-8")
    try:
        parse(text)
    except mine as error:
        says_something(error)


@settings(max_examples=60)
@given(text=st.text(max_size=60), data=st.data())
def test_a_splice_changes_what_it_names_and_nothing_else(text: str, data: st.DataObject) -> None:
    cuts = sorted(
        data.draw(
            st.lists(st.integers(0, len(text)), min_size=2, max_size=6).filter(lambda c: len(c) % 2 == 0)
        )
    )
    pairs = list(zip(cuts[::2], cuts[1::2], strict=True))
    splices = [Splice(start, end, data.draw(st.text(max_size=5))) for start, end in pairs]
    done, at = "", 0
    for splice in splices:
        done, at = done + text[at : splice.start] + splice.text, splice.end
    assert spliced(text, data.draw(st.permutations(splices))) == done + text[at:] or len(set(pairs)) < len(
        pairs
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_whatever_bytes_are_no_plan_and_no_settings(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(DdsetupError, match=r".+"):
        load(path)
    try:
        read_config(path)
    except DdsetupError as error:
        says_something(error)
    assert path.read_bytes() == data
