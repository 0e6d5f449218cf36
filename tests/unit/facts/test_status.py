"""`status` tells what is there, and never takes "not allowed to look" for "nothing there"."""

from __future__ import annotations

from ddsetup.cli.status import blocks
from ddsetup.facts.functions_at_a_glance import function_rows, status
from ddsetup.model.account import Unreadable
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Report
from ddsetup.show.report_lines import report_lines
from tests.builders import account_snapshot, api_stage, function, lane_snapshot, snapshot, state_machine


def test_a_row_tells_how_a_function_is_instrumented_and_by_what() -> None:
    plain = function("plain")
    ours = function(
        "ours",
        handler="datadog_lambda.handler.handler",
        env={"DD_LAMBDA_HANDLER": "app.handler", "DD_SERVICE": "orders", "DD_ENV": "prod"},
    )
    lane = lane_snapshot(plain, ours, tags={ours.arn: {"dd_ddsetup": "v0.1.0"}})
    rows = {row.function: row for row in function_rows(snapshot(lane))}
    assert rows["plain"].datadog == "none"
    assert rows["plain"].by == ""
    assert rows["ours"].by == "ddsetup"
    assert (rows["ours"].service, rows["ours"].env) == ("orders", "prod")


def test_what_could_not_be_read_is_named_with_its_permission() -> None:
    lane = lane_snapshot(functions=Unreadable("lambda:ListFunctions", "denied"))
    account = account_snapshot(integration=Unreadable("aws_configuration_read", "denied"))
    data = status(snapshot(lane, accounts=(account,)))
    assert {u["action"] for u in data["unreadable"]} == {"lambda:ListFunctions", "aws_configuration_read"}
    assert data["integrations"][0]["state"] == "unreadable"


def test_an_image_is_shown_with_what_to_do_instead() -> None:
    image = function("image", package_type="Image", runtime=None, handler=None)
    (row,) = function_rows(snapshot(lane_snapshot(image)))
    assert row.runtime == "container image"
    assert "image" in row.note


def test_other_sources_are_listed_with_how_they_log() -> None:
    machine = state_machine("brew", level="ERROR", tags={"aws:cloudformation:stack-name": "kitchen"})
    dark = state_machine("dark", settings=Unreadable("states:DescribeStateMachine", "denied"))
    stage = api_stage("shop", destination="arn:aws:logs:eu-west-1:111122223333:log-group:shop")
    data = status(snapshot(lane_snapshot(state_machines=(machine, dark), api_stages=(stage,))))
    first, second = data["state_machines"]
    assert (first["level"], first["owner"], first["traced"]) == (
        "ERROR",
        "CloudFormation (stack kitchen)",
        False,
    )
    assert (second["level"], second["note"]) == ("", "cannot be read: denied")
    assert data["api_stages"][0]["access_logs"].endswith(":shop")
    text = text_of(report_lines(Report(command="status", data=data), Look(), blocks))
    assert "Other sources" in text
    assert "2 state machines, none with logging at ALL" in text
    assert "1 API stage, 1 with access logs" in text


def test_apis_that_were_too_many_to_look_at_are_counted() -> None:
    data = status(snapshot(lane_snapshot(api_stages=(api_stage("shop"), api_stage("menu", stage="")))))
    assert [row["api"] for row in data["api_stages"]] == ["shop"]
    text = text_of(report_lines(Report(command="status", data=data), Look(), blocks))
    assert "1 more API, whose stages are only looked at by name" in text


def test_without_other_sources_nothing_is_said_of_them() -> None:
    data = status(snapshot(lane_snapshot()))
    assert "Other sources" not in text_of(report_lines(Report(command="status", data=data), Look(), blocks))


def test_sources_that_may_not_be_listed_are_named() -> None:
    lane = lane_snapshot(state_machines=Unreadable("states:ListStateMachines", "denied"))
    (unread,) = status(snapshot(lane))["unreadable"]
    assert (unread["what"], unread["action"]) == ("eu-west-1 state machines", "states:ListStateMachines")
