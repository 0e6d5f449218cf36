"""What the emulator's IAM takes for something else: actions of Lambda calls, and the way requests come."""

from __future__ import annotations

import json
import re
from typing import Any

_CONCURRENCY = {"GET": "lambda:GetFunctionConcurrency", "DELETE": "lambda:DeleteFunctionConcurrency"}
"""ministack 1.5.33 goes by the path alone, and calls all of them PutFunctionConcurrency."""
_BUILD = re.compile(r'"ids"\s*:\s*\[\s*"([^":]+):')
"""The project of the first build that is asked for."""
_OF_ALARMS = ("cloudwatch", "monitoring")
_OF_STREAMS = ("PutMetricStream", "GetMetricStream", "DeleteMetricStream")
_LAYER_VERSION = re.compile(r"/layers/[^/]+/versions/\d+/?$")
"""A version of a layer, where ministack sees a listing of layers."""


def install() -> None:
    """Let looks at reserved concurrency and at layers be checked, and logged, as what they are, and HTTP be
    secure."""
    from ministack.core import iam_actions

    plain = iam_actions.extract_iam_action

    def action_of(service: str, method: str, path: str, *rest: Any, **more: Any) -> str | None:
        if service == "lambda" and path.rstrip("/").endswith("/concurrency") and method in _CONCURRENCY:
            return _CONCURRENCY[method]
        if service == "lambda" and method == "GET" and _LAYER_VERSION.search(path):
            return "lambda:GetLayerVersion"
        found: str | None = plain(service, method, path, *rest, **more)
        return found

    iam_actions.extract_iam_action = action_of
    _name_resources()
    _take_loopback_for_secure()


def _name_resources() -> None:
    """What rights are about, which ministack takes for everything: a policy that is created, alarms that are
    looked at, metric streams, the project of builds (AWS's Service Authorization Reference)."""
    from ministack.core import iam_actions

    plain = iam_actions.extract_resource_arn

    def resource_of(service: str, *rest: Any) -> str:
        found: str = plain(service, *rest)
        *_, headers, body, parameters, region, account = rest
        if found == "*" and service in _OF_ALARMS and _asks_for_alarms(headers, parameters):
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:*"
        if found == "*" and service in _OF_ALARMS and _operation(headers) in _OF_STREAMS:
            name = json.loads(body or b"{}").get("Name", "")
            return f"arn:aws:cloudwatch:{region}:{account}:metric-stream/{name}"
        if (
            found == "*"
            and service == "codebuild"
            and (build := _BUILD.search(body.decode("utf-8", "replace")))
        ):
            return f"arn:aws:codebuild:{region}:{account}:project/{build[1]}"
        name = iam_actions._query_param(parameters, "PolicyName") if service == "iam" else ""
        return f"arn:aws:iam::{account}:policy/{name}" if found == "*" and name else found

    iam_actions.extract_resource_arn = resource_of


def _operation(headers: Any) -> str:
    return str(headers.get("x-amz-target", "")).rpartition(".")[2]


def _asks_for_alarms(headers: Any, parameters: Any) -> bool:
    named = str(parameters.get("Action", "")) + str(headers.get("x-amz-target", ""))
    return "DescribeAlarms" in named


def _take_loopback_for_secure() -> None:
    """Everything here comes by plain HTTP on this machine, which no policy has to forbid."""
    from ministack.core import iam_evaluator

    plain = iam_evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else plain(key, context)

    iam_evaluator._resolve_condition_key = resolve
