"""Files of a project, lists of what to ignore and the smaller commands' options, all of them odd or wrong.

They end in words and an exit code, and the files that were looked at are as they were.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddsetup.cli.command import Command
from ddsetup.cli.table.groups import GROUPS
from ddsetup.doctor.checks.registry import CHECKS
from tests.safety.desk import QUICK, WORDS, Desk, desk
from tests.safety.test_bad_input import DAMAGES, TEXT, Damage, damaged, odd_words

__all__ = ["desk"]

SAMPLES = sorted((Path(__file__).parents[1] / "data" / "iac").rglob("*.yml"))
SERVICE = next(path for path in SAMPLES if path.stem == "07-flow-plugins").read_bytes()
TEMPLATE = b"""AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12}}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, CodeUri: src/, Environment: {Variables: {TABLE: orders}}}
"""
TERRAFORM = b"""resource "aws_lambda_function" "orders" {
  function_name = "orders"
  runtime       = "python3.12"
  handler       = "app.handler"
  environment {
    variables = {
      TABLE = "orders"
    }
  }
}
"""

# --- commands in groups

SMALL = {
    f"{group.name} {command.name}": command
    for group in GROUPS
    for command in group.commands
    if group.name not in ("sandbox", "code")
}


def their_words(command: Command) -> st.SearchStrategy[str]:
    """Words for a command: its own options among those that all have."""
    own = [flag for extra in command.extras if extra.kind is not Path for flag in extra.flags] or ["--all"]
    odd = st.sampled_from(
        ("-1", "0", "1e400", "nan", "error-rate=", "=5", "a=b=c", "@", "@x y", "*", "p99:x")
    )
    flag = st.sampled_from(own)
    return st.one_of(odd_words(), flag, odd, TEXT, st.builds("{}={}".format, flag, st.one_of(odd, TEXT)))


@QUICK
@given(st.data())
def test_the_options_of_smaller_commands_end_in_words(desk: Desk, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SMALL)))
    words = data.draw(st.lists(their_words(SMALL[name]), max_size=5))
    code, text = desk.run(*name.split(), *words, "--no-input")
    assert code in WORDS, text
    assert text.strip()


@pytest.mark.parametrize("option", ["--threshold", "--on-metric", "--notify", "--only"])
@QUICK
@given(
    value=st.one_of(TEXT, st.sampled_from(("=", "errors=nan", "errors=1e999", "x>", "avg:m>1>2", "@", "@@")))
)
@example(value="")
def test_an_odd_option_of_monitors_ends_in_words(desk: Desk, option: str, value: str) -> None:
    code, text = desk.run("monitors", "plan", "--no-input", f"{option}={value}")
    assert code in WORDS, text


# --- what to ignore


def entries() -> st.SearchStrategy[str]:
    value = st.one_of(TEXT.map(json.dumps), st.sampled_from(("1", "[]", "{}", "true", '"layer-recent"')))
    check = st.sampled_from([check.id for check in CHECKS]).map(json.dumps)
    key = st.sampled_from(("check", "reason", "resource", "checks", "é"))
    pair = st.one_of(st.builds("{} = {}".format, key, value), st.builds("check = {}".format, check))
    return st.lists(pair, max_size=4).map(lambda pairs: "{" + ", ".join(pairs) + "}")


def ignore_lists() -> st.SearchStrategy[str]:
    table = st.sampled_from(("[doctor]", "[[doctor]]", "[doctor.ignore]", "doctor = 1", "[doctors]"))
    listed = st.lists(entries(), max_size=3).map(", ".join)
    wrong = st.sampled_from(("ignore = 1", "ignore = [1]", "ignore = {}", "ignored = []", "ignore ="))
    return st.builds("{}\n{}\n".format, table, st.one_of(wrong, listed.map("ignore = [{}]".format)))


@QUICK
@given(ignore_lists())
@example('[doctor]\nignore = [{check = "layer-recent"}]')
def test_an_odd_list_of_what_to_ignore_ends_in_words(desk: Desk, text: str) -> None:
    path = desk.home / "ignores.toml"
    path.write_text(text, encoding="utf-8")
    code, said = desk.run("doctor", "--no-input", "--config", str(path), "--site", "nowhere")
    assert code == 2, said
    assert path.read_text(encoding="utf-8") == text


# --- files that functions are deployed from


@QUICK
@given(st.sampled_from(SAMPLES), DAMAGES, st.booleans())
def test_a_damaged_serverless_yml_is_left_as_it_is(
    desk: Desk, sample: Path, damages: list[Damage], extension: bool
) -> None:
    _look_at(desk, "serverless.yml", damaged(sample.read_bytes(), damages), extension)


@QUICK
@given(st.sampled_from((("template.yaml", TEMPLATE), ("main.tf", TERRAFORM))), DAMAGES, st.booleans())
def test_a_damaged_template_is_left_as_it_is(
    desk: Desk, kept: tuple[str, bytes], damages: list[Damage], extension: bool
) -> None:
    name, text = kept
    _look_at(desk, name, damaged(text, damages), extension)


@QUICK
@given(st.binary(max_size=60), st.sampled_from(("serverless.yml", "template.json", "cdk.json", "Dockerfile")))
@example(b"\xff\xfe", "serverless.yml")
@example(b"custom: &a [*a]", "serverless.yml")
@example(b"[" * 60, "template.json")
@example(b"{}", "serverless.yml")
def test_any_bytes_are_no_project(desk: Desk, data: bytes, name: str) -> None:
    _look_at(desk, name, data, extension=False)


@pytest.mark.parametrize(
    ("name", "text"),
    [("serverless.yml", SERVICE), ("template.yaml", TEMPLATE), ("main.tf", TERRAFORM)],
    ids=["serverless", "template", "terraform"],
)
def test_undamaged_they_would_be_changed(desk: Desk, name: str, text: bytes) -> None:
    """So what the others see is the damage."""
    code, said = _look_at(desk, name, text, extension=False)
    assert code == 0, said
    assert "would change" in said
    assert "atadog" in said


def _look_at(desk: Desk, name: str, data: bytes, extension: bool) -> tuple[int, str]:
    """Propose changes for a project of one file, with all answers given; what is said. Nothing is written."""
    project = desk.home / "project"
    project.mkdir(exist_ok=True)
    for other in project.iterdir():
        other.unlink()
    file = project / name
    file.write_bytes(data)
    via = "extension" if extension else "forwarder"
    code, text = desk.run(
        *("iac", str(project), "--dry-run", "--no-input", "--via", via, "--site", "datadoghq.eu"),
        *("--api-key-secret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:dd-AbCdEf"),
        *("--forwarder-arn", "arn:aws:lambda:us-east-1:123456789012:function:datadog-forwarder"),
    )
    assert code in WORDS, text
    assert text.strip()
    assert [path.name for path in project.iterdir()] == [name]
    assert file.read_bytes() == data
    return code, text
