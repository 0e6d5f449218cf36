"""The account at a glance tells of the streams by which metrics and logs get to Datadog."""

from __future__ import annotations

import json

from ddsetup.facts.functions_at_a_glance import status
from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.lines import Look
from ddsetup.model.metric_stream import MetricStream
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
    assert data["log_policies"] == []
    unread = status(b.snapshot(b.lane_snapshot(b.function("orders"), stacks=Unreadable("x", "denied"))))
    assert unread["streams"] == []


def test_streams_and_log_policies_of_others_are_told() -> None:
    theirs = MetricStream(name="datadog-metrics-stream", delivery="d", running=True, output_format="json")
    arns = ("arn:aws:firehose:r:1:deliverystream/datadog-logs", "arn:aws:firehose:r:1:deliverystream/s3")
    policies = [
        {
            "policyName": "p",
            "policyDocument": json.dumps({"DestinationArn": arn}),
            "selectionCriteria": chosen,
        }
        for arn, chosen in zip(arns, ('LogGroupName NOT IN ["/a"]', ""), strict=True)
    ]
    lane = b.lane_snapshot(
        b.function("orders"), metric_streams=(theirs,), account_filter_policies=tuple(policies)
    )
    data = status(b.snapshot(lane))
    text = plain_text(status_blocks(data, Look()), Look())
    assert f"metrics by Firehose, metric stream datadog-metrics-stream ({b.REGION}), running" in text
    assert f"p ({b.REGION}) leads all log groups but 1 to Datadog by deliverystream/datadog-logs" in text
    assert f"p ({b.REGION}) leads all log groups to deliverystream/s3" in text
