"""Calls about what keeps an account by itself: its template, its builds, its alarms, and trails."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.gateways.aws import builds, metrics, stacks, trail
from tests.in_full.calls.world import AT, LANE, Call

TRAIL = "arn:aws:cloudtrail:eu-west-1:1:trail/all"
_FIELDS = [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["true"]}]

KEEPER: Mapping[str, Call] = {
    "template of its own": (
        lambda aws: stacks.read_template(aws, LANE, "s"),
        {"GetTemplate": [{"TemplateBody": {"Resources": {}}}]},
    ),
    "template in YAML": (
        lambda aws: stacks.read_template(aws, LANE, "s"),
        {"GetTemplate": [{"TemplateBody": "Resources: {}"}]},
    ),
    "create stack of a template": (
        lambda aws: stacks.create_stack(aws, LANE, "s", {"Resources": {}}, {}, {"a": "b"}),
        {"CreateStack": [{"StackId": "id"}]},
    ),
    "update stack to a template": (
        lambda aws: stacks.update_stack(aws, LANE, "s", {"Resources": {}}, {}, {}),
        {"UpdateStack": [{"StackId": "id"}]},
    ),
    "builds": (
        lambda aws: builds.last_builds(aws, LANE, "p", 2),
        {
            "ListBuildsForProject": [{"ids": ["p:3", "p:2", "p:1"]}],
            "BatchGetBuilds": [
                {
                    "builds": [
                        {
                            "id": "p:2",
                            "buildStatus": "FAILED",
                            "startTime": AT,
                            "endTime": AT,
                            "initiator": "rule/r",
                            "phases": [
                                {"phaseType": "INSTALL", "phaseStatus": "SUCCEEDED"},
                                {
                                    "phaseType": "BUILD",
                                    "phaseStatus": "FAILED",
                                    "contexts": [
                                        {"statusCode": "COMMAND_EXECUTION_ERROR", "message": "exit 4"}
                                    ],
                                },
                                {"phaseType": "COMPLETED"},
                            ],
                            "logs": {"deepLink": "https://logs"},
                        },
                        {"id": "p:3", "buildStatus": "IN_PROGRESS", "startTime": AT},
                    ]
                }
            ],
        },
    ),
    "no builds": (lambda aws: builds.last_builds(aws, LANE, "p", 2), {"ListBuildsForProject": [{"ids": []}]}),
    "alarms": (
        lambda aws: metrics.alarm_states(aws, LANE, ("b", "a")),
        {
            "DescribeAlarms": [
                {
                    "MetricAlarms": [
                        {"AlarmName": "b", "StateValue": "ALARM"},
                        {"AlarmName": "a", "StateValue": "OK"},
                    ]
                }
            ]
        },
    ),
    "a trail that tells": (
        lambda aws: trail.tells_of_changes(aws, LANE),
        {"DescribeTrails": [{"trailList": [{"TrailARN": TRAIL}]}], "GetTrailStatus": [{"IsLogging": True}]},
    ),
    "a trail that is off": (
        lambda aws: trail.tells_of_changes(aws, LANE),
        {"DescribeTrails": [{"trailList": [{"TrailARN": TRAIL}]}], "GetTrailStatus": [{"IsLogging": False}]},
    ),
    "no trail": (lambda aws: trail.tells_of_changes(aws, LANE), {"DescribeTrails": [{"trailList": []}]}),
    "a trail of reads alone": (
        lambda aws: trail.tells_of_changes(aws, LANE),
        {
            "DescribeTrails": [{"trailList": [{"TrailARN": TRAIL, "HasCustomEventSelectors": True}]}],
            "GetTrailStatus": [{"IsLogging": True}],
            "GetEventSelectors": [{"AdvancedEventSelectors": [{"FieldSelectors": _FIELDS}]}],
        },
    ),
    "a trail of writes": (
        lambda aws: trail.tells_of_changes(aws, LANE),
        {
            "DescribeTrails": [{"trailList": [{"TrailARN": TRAIL, "HasCustomEventSelectors": True}]}],
            "GetTrailStatus": [{"IsLogging": True}],
            "GetEventSelectors": [
                {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]}
            ],
        },
    ),
    "two trails, the second one of writes": (
        lambda aws: trail.tells_of_changes(aws, LANE),
        {
            "DescribeTrails": [
                {"trailList": [{"Name": "off"}, {"TrailARN": TRAIL, "HasCustomEventSelectors": False}]}
            ],
            "GetTrailStatus": [{"IsLogging": False}, {"IsLogging": True}],
        },
    ),
}
