"""What services other than Lambda count in CloudWatch, as far as samples use them.

Names and dimensions are those of AWS's pages on the metrics of Step Functions, API Gateway, SQS, SNS,
EventBridge and CloudWatch Logs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def install() -> None:
    """Count executions, requests, messages, publications and events."""
    from ministack.services import cloudwatch_logs, eventbridge, sns, sqs, stepfunctions

    _before(stepfunctions, "_run_execution", _execution)
    _before(sqs, "_act_send_message", _message)
    _before(sns, "_fanout", _publication)
    _before(eventbridge, "_put_events", _events)
    _before(cloudwatch_logs, "_fanout_to_subscription_filters", _log_events)


def _log_events(group: str, _stream: str, events: Sequence[Any], *_: Any, **__: Any) -> None:
    """Whatever a log group got goes by its filters: the number of events, and their text in bytes."""
    size = sum(len(str(each["message"]).encode()) for each in events)
    for dimensions in ({"LogGroupName": group}, {}):
        _record("AWS/Logs", "IncomingLogEvents", len(events), dimensions)
        _record("AWS/Logs", "IncomingBytes", size, dimensions)


def request(stage: dict[str, str]) -> None:
    """Count a request to the stage of an API; `stage` are the dimensions that name it."""
    _record("AWS/ApiGateway", "Count", 1, stage)


def _execution(arn: str, *_: Any, **__: Any) -> None:
    from ministack.services import stepfunctions

    execution = stepfunctions._executions.get(arn)
    if execution:
        _record("AWS/States", "ExecutionsStarted", 1, {"StateMachineArn": execution["stateMachineArn"]})


def _message(_data: Any, url: str, *_: Any, **__: Any) -> None:
    _record("AWS/SQS", "NumberOfMessagesSent", 1, {"QueueName": str(url).rpartition("/")[2]})


def _publication(topic: str, *_: Any, **__: Any) -> None:
    _record("AWS/SNS", "NumberOfMessagesPublished", 1, {"TopicName": topic.rpartition(":")[2]})


def _events(data: Any, *_: Any, **__: Any) -> None:
    for entry in data.get("Entries", []):
        _record("AWS/Events", "MatchedEvents", 1, {"EventBusName": entry.get("EventBusName", "default")})


def _record(namespace: str, metric: str, value: float, dimensions: dict[str, str]) -> None:
    from ministack.services import cloudwatch

    cloudwatch.record_metric(namespace, metric, value, "Count", dimensions)


def _before(module: Any, name: str, count: Callable[..., None]) -> None:
    """Count each time the function of that name is called, also where a table holds it."""
    plain = getattr(module, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        count(*arguments, **named)
        return plain(*arguments, **named)

    setattr(module, name, counted)
    for table in [each for each in vars(module).values() if isinstance(each, dict)]:
        for key in [key for key, value in table.items() if value is plain]:
            table[key] = counted
