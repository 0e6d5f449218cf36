"""What is in an AWS account of thousands of functions: the state that `benchmarks.memory` answers from."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field

from benchmarks.wire import Json

ACCOUNT = "000000000042"
FORWARDER = "datadog-forwarder"


@dataclass
class Account:
    """The state, in one region: functions, tags, log groups with filters, and IAM roles.

    `events` are what CloudTrail knows, each with its second. `idle` are the log groups of functions that did
    not run within two weeks: CloudWatch knows nothing of them.
    """

    region: str
    functions: dict[str, dict[str, Json]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    filters: dict[str, dict[str, dict[str, Json]]] = field(default_factory=dict)
    roles: dict[str, dict[str, Json]] = field(default_factory=dict)
    policies: dict[str, dict[str, Json]] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)
    events: list[tuple[int, str]] = field(default_factory=list)
    busy_until: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arn(self, function: str) -> str:
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{function}"


def furnished(count: int, region: str = "us-east-1", *, odd: bool = True) -> Account:
    """An account with `count` functions as they come, and a Forwarder. A third has a filter of another tool,
    and three in ten did not run within two weeks.

    `odd` adds what stops tools that take all functions for alike: several runtimes, and log groups (one in
    fifty) that have two filters already.
    """
    account = Account(region)
    runtimes: tuple[str, ...] = ("python3.12", "nodejs20.x", "python3.11", "python3.13", "nodejs22.x")
    runtimes = runtimes if odd else runtimes[:1]
    for number in range(count):
        name = f"service-{number:05d}"
        account.functions[name] = _function(account, name, runtimes[number % len(runtimes)], number)
        if number % 4 == 0:
            account.tags[account.arn(name)] = {"team": f"team-{number % 7}", "service": name}
        filters = {}
        if number % 3 == 0:
            filters["archive"] = _filter(account, name, "archive", "log-archive")
        if odd and number % 50 == 0:
            filters["alarms"] = _filter(account, name, "alarms", "log-alarms")
            filters["archive"] = _filter(account, name, "archive", "log-archive")
        account.filters[f"/aws/lambda/{name}"] = filters
        if number % 10 in (7, 8, 9):
            account.idle.add(f"/aws/lambda/{name}")
    forwarder = _function(account, FORWARDER, "python3.13", 0)
    forwarder["Handler"] = "lambda_function.lambda_handler"
    forwarder["Environment"] = {"Variables": {"DD_SITE": "datadoghq.com", "DD_S3_BUCKET_NAME": "bucket"}}
    account.functions[FORWARDER] = forwarder
    account.tags[account.arn(FORWARDER)] = {"dd_forwarder_version": "5.4.11"}
    return account


def _function(account: Account, name: str, runtime: str, number: int) -> dict[str, Json]:
    variables = {f"SETTING_{i}": f"value {i} of {name}" for i in range(8)}
    return {
        "FunctionName": name,
        "FunctionArn": account.arn(name),
        "Runtime": runtime,
        "Role": f"arn:aws:iam::{ACCOUNT}:role/service-{number % 40}",
        "Handler": "app.handler",
        "CodeSize": 1_000_000,
        "Description": "",
        "Timeout": 30,
        "MemorySize": 512,
        "LastModified": "2026-01-01T00:00:00.000+0000",
        "CodeSha256": "5IHkMTNKDlHBqHLOsvBZKJU2ptxNGjVdfPNXCnYj5wQ=",
        "Version": "$LATEST",
        "Environment": {"Variables": variables},
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": str(uuid.uuid4()),
        "PackageType": "Zip",
        "Architectures": ["x86_64" if number % 2 else "arm64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


def _filter(account: Account, function: str, name: str, destination: str) -> dict[str, Json]:
    return {
        "filterName": name,
        "logGroupName": f"/aws/lambda/{function}",
        "filterPattern": "",
        "destinationArn": account.arn(destination),
        "distribution": "ByLogStream",
        "creationTime": 1_700_000_000_000,
    }
