"""Reads a CloudWatch Logs delivery: which function wrote it, and what each line is."""

import base64
import gzip
import json
import re
from dataclasses import dataclass, field

from sandbox_forwarder.settings import VERSION

_STREAM_OF_FUNCTION = re.compile(r"^\d{4}/\d{2}/\d{2}/(?P<name>[A-Za-z0-9_.-]+)\[(\$LATEST|\d+)\]")
_LAMBDA_GROUP = "/lambda/"
_SOURCES = (
    ("/aws/vendedlogs/states", "stepfunction"),
    ("api-gateway", "apigateway"),
    ("/aws/api-gateway", "apigateway"),
    ("/aws/http-api", "apigateway"),
)
"""Where a log group is from by how its name begins, in lower case, as the official Forwarder tells it."""


@dataclass
class Delivery:
    """One batch of one log stream. `function` is in lower case; empty when a function did not write it."""

    group: str
    stream: str
    owner: str
    region: str
    function: str
    function_arn: str
    logs: list = field(default_factory=list)
    metrics: list = field(default_factory=list)
    traces: list = field(default_factory=list)

    def tags(self, settings, resource_tags, context):
        """The tags that the official Forwarder puts on every log, library metric and trace it passes on."""
        own = [f"forwardername:{context.function_name.lower()}", f"forwarder_version:{VERSION}"]
        if self.function:
            own += [f"functionname:{self.function}", f"region:{self.region}"]
            own += [f"account_id:{self.owner}", f"aws_account:{self.owner}"]
        tags = [*filter(None, settings.tags.split(",")), *own, *resource_tags]
        if not any(tag.startswith("env:") for tag in tags):
            tags.append("env:none")
        return tags

    def as_intake_logs(self, settings, tags, context):
        """The lines that are logs, as the logs intake takes them."""
        source = settings.source or ("lambda" if self.function else _source(self.group, self.stream))
        service = next((tag[8:] for tag in tags if tag.startswith("service:")), self.function or source)
        common = {
            "ddsource": source,
            "ddsourcecategory": "aws",
            "ddtags": ",".join(tags),
            "service": service,
            "host": self.function_arn or self.group,
            "aws": {
                "awslogs": {"logGroup": self.group, "logStream": self.stream, "owner": self.owner},
                "invoked_function_arn": context.invoked_function_arn,
            },
        }
        if self.function:
            common["lambda"] = {"arn": self.function_arn}
        return [{**common, **log} for log in self.logs if _wanted(log["message"], settings)]


def read(event, context):
    """Sort the events of a delivery. Raises KeyError for an event that is not from CloudWatch Logs."""
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    region = context.invoked_function_arn.split(":")[3]
    function = _function_name(data["logGroup"], data["logStream"])
    arn = f"arn:aws:lambda:{region}:{data['owner']}:function:{function}" if function else ""
    delivery = Delivery(data["logGroup"], data["logStream"], data["owner"], region, function, arn)
    for each in data["logEvents"]:
        _sort(each, delivery)
    return delivery


def _source(group, stream):
    if stream.startswith("states/"):
        return "stepfunction"
    return next((name for prefix, name in _SOURCES if group.lower().startswith(prefix)), "cloudwatch")


def _function_name(group, stream):
    match = _STREAM_OF_FUNCTION.match(stream)
    if match:
        return match["name"].lower()
    return group.split(_LAMBDA_GROUP, 1)[1].lower() if _LAMBDA_GROUP in group else ""


def _sort(event, delivery):
    message = event["message"].strip()
    document = _document(message)
    if document is not None and {"m", "v", "e", "t"} <= document.keys():
        delivery.metrics.append(document)
    elif document is not None and isinstance(document.get("traces"), list):
        delivery.traces.append(document)
    else:
        delivery.logs.append(
            {"id": event["id"], "timestamp": event["timestamp"], "message": event["message"]}
        )


def _document(message):
    if not message.startswith("{"):
        return None
    try:
        document = json.loads(message)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _wanted(message, settings):
    if settings.exclude is not None and settings.exclude.search(message):
        return False
    return settings.include is None or settings.include.search(message) is not None
