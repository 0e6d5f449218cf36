"""What a template may have that the macro does not do, and what may stand in it twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.project.iac import cloudformation
from ddsetup.project.iac.model import BrokenFile, Proposal
from ddsetup.project.iac.source import read_source
from tests.unit.project.wishes import wish

FORWARDER = "arn:aws:lambda:eu-west-1:123456789012:function:datadog-forwarder"
HEAD = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n"
ORDERS = (
    "Resources:\n  Orders:\n    Type: AWS::Serverless::Function\n    Properties:\n"
    "      FunctionName: orders\n      Runtime: python3.12\n      Handler: app.run\n      CodeUri: s3://a/b\n"
)
TABLE = "  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: a\n"


def proposed(folder: Path, text: str, **more: object) -> Proposal:
    (folder / "template.yaml").write_text(text)
    wanted = wish(site="datadoghq.eu", region="eu-west-1", via="forwarder", **more)  # type: ignore[arg-type]
    return cloudformation.propose(read_source(folder / "template.yaml"), wanted)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}{ORDERS}      AutoPublishAlias: live\n",
        f"{HEAD}Globals:\n  Function:\n    AutoPublishAlias: live\n{ORDERS}",
    ],
)
def test_an_alias_that_sam_publishes_does_not_see_the_macro(tmp_path: Path, text: str) -> None:
    said = [each for each in proposed(tmp_path, text).warnings if "AutoPublishCodeSha256" in each]
    assert len(said) == 1
    assert "Orders" in said[0]
    assert not any("AutoPublish" in each for each in proposed(tmp_path, HEAD + ORDERS).warnings)


def test_globals_are_for_functions_of_sam_only(tmp_path: Path) -> None:
    plain = (
        "".join(ORDERS.splitlines(keepends=True)[1:]).replace("Orders", "Pay").replace("Serverless", "Lambda")
    )
    text = f"{HEAD}Globals:\n  Function:\n    AutoPublishAlias: live\n{ORDERS}{plain}"
    (said,) = (each for each in proposed(tmp_path, text).warnings if "AutoPublishCodeSha256" in each)
    assert "the aliases of Orders get" in said


def test_a_log_group_of_its_own_is_not_subscribed_by_the_macro(tmp_path: Path) -> None:
    text = f"{HEAD}{ORDERS}      LoggingConfig: {{LogGroup: /shop/all}}\n"
    assert any("LoggingConfig" in each for each in proposed(tmp_path, text, forwarders=(FORWARDER,)).warnings)
    assert not any("LoggingConfig" in each for each in proposed(tmp_path, text).warnings)


def test_a_key_that_stands_twice_in_a_resource_is_told_and_no_obstacle(tmp_path: Path) -> None:
    found = proposed(tmp_path, f"{HEAD}{ORDERS}{TABLE}      TableName: b\n")
    assert any("stands last: TableName (line 15)" in each for each in found.warnings)
    assert found.edits[0].after.decode().endswith("TableName: a\n      TableName: b\n")


@pytest.mark.parametrize(
    "text",
    [f"{HEAD}{ORDERS}{TABLE}{TABLE}", f"{HEAD}{HEAD}{ORDERS}", f"{HEAD}{ORDERS}Globals:\n  A: 1\n  A: 2\n"],
)
def test_what_stands_twice_elsewhere_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrokenFile, match="twice"):
        proposed(tmp_path, text)
