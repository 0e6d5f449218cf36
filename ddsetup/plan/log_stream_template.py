"""The stack by which a policy of the account sends log groups to Datadog: a delivery stream and its roles.

What it holds is what Datadog's guide on account-level log subscriptions has people make by hand.
"""

from __future__ import annotations

from ddsetup.facts.firehose import STACK, logs_url
from ddsetup.model.account import Json
from ddsetup.plan.delivery_stream import Delivery, putting

BUFFER_SECONDS, BUFFER_MB = 60, 2
"""Lines are there about a minute later; of single lines the guide recommends buffers of 2 MB."""


def template(*, role_path: str = "/", role_boundary: str = "") -> Json:
    """The template, as JSON types. The names of the stream and of the role of CloudWatch Logs are told."""
    delivery = Delivery(
        name=STACK,
        intake=logs_url,
        seconds=BUFFER_SECONDS,
        megabytes=BUFFER_MB,
        compressed=True,
        role_path=role_path,
        role_boundary=role_boundary,
    )
    source = {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"}
    role = delivery.role(
        "logs.amazonaws.com",
        (putting(),),
        condition={"StringLike": {"aws:SourceArn": source}},
        name={"Fn::Sub": f"{STACK}-${{AWS::Region}}"},
    )
    said = (
        "Sends log groups to Datadog by Amazon Data Firehose. Made by ddsetup; a subscription policy of the "
        "account leads to it."
    )
    return delivery.template(said, {"LogsRole": role})
