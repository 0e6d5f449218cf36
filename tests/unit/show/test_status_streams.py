"""The account at a glance tells of the streams by which metrics and logs get to Datadog."""

from __future__ import annotations

from ddsetup.facts.functions_at_a_glance import status
from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.lines import Look
from ddsetup.show.layout import plain_text
from ddsetup.show.status_lines import status_blocks
from tests import builders as b


def test_streams_of_metrics_and_of_logs_are_told() -> None:
    names = ("datadog-metric-stream", "datadog-account-logs", "shop")
    stacks = (*(Stack(name=name, status="CREATE_COMPLETE") for name in names),)
    gone = Stack(name="datadog-metric-stream", status="DELETE_COMPLETE")
    data = status(b.snapshot(b.lane_snapshot(b.function("orders"), stacks=(*stacks, gone))))
    assert [(each["stack"], each["carries"]) for each in data["streams"]] == [
        ("datadog-metric-stream", "metrics"),
        ("datadog-account-logs", "logs"),
    ]
    text = plain_text(status_blocks(data, Look()), Look())
    assert f"metrics by Firehose, stack datadog-metric-stream ({b.REGION}), CREATE_COMPLETE" in text
    unread = status(b.snapshot(b.lane_snapshot(b.function("orders"), stacks=Unreadable("x", "denied"))))
    assert unread["streams"] == []
