"""An account that is set up and in use, so that the doctor can be measured on it.

The account in memory is set up by ddsetup itself. What AWS and Datadog would add afterwards is planted here:
the filters that Datadog puts, and the data of each function in the stand-in for Datadog.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from benchmarks.account import ACCOUNT, FORWARDER, Account
from benchmarks.memory import MemoryAws
from benchmarks.wire import AwsError, Call, Json, Reply, Request, answered, refused

_BATCH = 500
"""Items per request to the stand-in, which takes 1,000 logs at once as Datadog does."""
_AUTOMATIC = "DD_LOG_SUBSCRIPTION_FILTER_"


class HealthyAws(MemoryAws):
    """The account with what only the doctor asks for."""

    def __init__(self, account: Account, api_key: str) -> None:
        super().__init__(account, update_seconds=0)
        self._api_key = api_key

    def answer(self, request: Request, call: Call) -> Reply:
        """The answer of AWS, or its error."""
        more: Mapping[str, Callable[[Mapping[str, Json]], Json]] = {
            "lambda:GetFunctionConcurrency": lambda _: {},
            "lambda:GetPolicy": lambda _: {"Policy": json.dumps(_lets_logs_in()), "RevisionId": "1"},
            "lambda:ListVersionsByFunction": lambda _: {"Versions": []},
            "logs:FilterLogEvents": lambda _: {"events": []},
            "secretsmanager:GetSecretValue": lambda _: {"SecretString": self._api_key},
            "secretsmanager:DescribeSecret": lambda _: {"ARN": _secret_arn(), "Name": "key", "Tags": []},
        }
        if call.name not in more:
            return super().answer(request, call)
        try:
            return answered(call, more[call.name](call.parameters))
        except AwsError as error:
            return refused(call.protocol, error)


def states(account: Account, datadog: str, api_key: str) -> Iterator[str]:
    """Put the account into one state after the other; yields what each is called.

    All functions ran since it was set up: CloudWatch has seen every filter deliver that Datadog has data of.
    """
    names = [name for name in account.functions if name != FORWARDER]
    time.sleep(1)
    subscribe(account)
    settle(account)
    account.idle.clear()
    plant(datadog, api_key, account, names[: len(names) * 7 // 10])
    yield "all well, three functions in ten idle"
    for name in names:
        account.functions[name]["LastModified"] = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
    yield "all deployed a moment ago"
    settle(account)
    double(account, names[7])
    yield "all well, but one log group leads to the Forwarder twice"


def told(report: Mapping[str, Json]) -> str:
    """What the doctor found and what it did not look at, in a line."""
    data = report.get("data") or {}
    found = [f["check"] for f in report.get("findings") or ()]
    return f"found {sorted(set(found))}, could not look {data.get('unreadable')}"


def double(account: Account, name: str) -> None:
    """A second filter of this function's log group leads to the Forwarder."""
    group = f"/aws/lambda/{name}"
    account.filters[group] = {
        filter_name: _filter(account, group, filter_name)
        for filter_name in (f"{_AUTOMATIC}{group}", "by-hand")
    }


def subscribe(account: Account) -> None:
    """Put the filters of Datadog's automatic triggers; a log group that has two has no room for one."""
    for group, filters in account.filters.items():
        if len(filters) < 2 and not group.endswith(FORWARDER):
            name = f"{_AUTOMATIC}{group}"
            filters[name] = _filter(account, group, name)


def _filter(account: Account, group: str, name: str) -> dict[str, Json]:
    return {
        "filterName": name,
        "logGroupName": group,
        "filterPattern": "",
        "destinationArn": account.arn(FORWARDER),
        "distribution": "ByLogStream",
        "creationTime": 1_700_000_000_000,
    }


def make_room(account: Account) -> None:
    """Take a filter away where there are two."""
    for filters in account.filters.values():
        if len(filters) > 1:
            del filters["alarms"]


def settle(account: Account) -> None:
    """Give the Forwarder its key, and let the last change of every function be an hour and more ago."""
    archive = account.functions[FORWARDER] | {"FunctionName": "log-archive", "Environment": {"Variables": {}}}
    account.functions["log-archive"] = archive | {"FunctionArn": account.arn("log-archive")}
    forwarder = account.functions[FORWARDER]
    forwarder["Environment"]["Variables"]["DD_API_KEY_SECRET_ARN"] = _secret_arn()
    for function in account.functions.values():
        function["LastModified"] = "2026-01-01T00:00:00.000+0000"


def plant(url: str, api_key: str, account: Account, names: Sequence[str]) -> None:
    """Let data of these functions be in Datadog: metrics, a log and a span of each.

    It is of now: what came before Datadog's record of the account was last changed proves nothing.
    """
    now = time.time()
    for part in _parts(names):
        _send(url, api_key, "/api/v2/logs", [_log(account, name, now) for name in part])
        points = [series for name in part for series in _metrics(account, name, now)]
        _send(url, api_key, "/api/v1/distribution_points", {"series": points})
        spans = {"traces": [[_span(account, name, now)] for name in part]}
        _send(url, api_key, "/api/v0.2/traces", spans)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[at : at + _BATCH] for at in range(0, len(names), _BATCH))


def _tags(account: Account, name: str) -> list[str]:
    return [
        f"functionname:{name}",
        f"region:{account.region}",
        f"aws_account:{ACCOUNT}",
        f"forwardername:{FORWARDER}",
    ]


def _log(account: Account, name: str, at: float) -> Json:
    return {
        "message": "START RequestId: 0",
        "ddsource": "lambda",
        "ddtags": ",".join(_tags(account, name)),
        "timestamp": int(at * 1000),
    }


def _metrics(account: Account, name: str, at: float) -> Iterator[Json]:
    tags = [*_tags(account, name), "cold_start:true"]
    for metric in ("aws.lambda.invocations", "aws.lambda.enhanced.invocations"):
        yield {"metric": metric, "points": [[at, [1.0]]], "tags": tags}


def _span(account: Account, name: str, at: float) -> Json:
    meta = dict(tag.split(":", 1) for tag in _tags(account, name))
    return {
        "name": "aws.lambda",
        "service": "aws.lambda",
        "resource": name,
        "trace_id": f"{abs(hash(name)) % 2**60:x}",
        "span_id": f"{abs(hash(name)) % 2**59:x}",
        "start": int(at * 1e9),
        "duration": 1_000_000,
        "type": "serverless",
        "meta": {**meta, "function_arn": account.arn(name)},
    }


def _send(url: str, api_key: str, path: str, body: Json) -> None:
    headers = {"DD-API-KEY": api_key, "Content-Type": "application/json"}
    request = HttpRequest(url + path, json.dumps(body).encode(), headers, method="POST")
    with urlopen(request, timeout=60) as answer:
        answer.read()


def _secret_arn() -> str:
    return f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ddsetup/datadog-api-key-AbCdEf"


def _lets_logs_in() -> Json:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
