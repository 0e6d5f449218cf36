"""`status` tells what is there, and never takes "not allowed to look" for "nothing there"."""

from __future__ import annotations

from ddsetup.model import Unreadable
from ddsetup.status import function_rows, status
from tests.builders import account_snapshot, function, lane_snapshot, snapshot


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
