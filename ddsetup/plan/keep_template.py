"""The stack by which `ddsetup keep apply` runs in AWS by itself: its template, made of what it keeps. Pure.

An EventBridge rule hears, through CloudTrail, of functions that somebody else made or changed; another one is
a schedule; both start a build of a CodeBuild project that runs ddsetup. The names of Lambda's events are
those that Datadog's own instrumenter listens to (serverless-remote-instrumentation, `lambda-event.js`).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json

STACK = "ddsetup-keep"
"""The name of the stack, and of the project in it; its other names begin so."""
EVENTS_RULE = f"{STACK}-deployments"
SCHEDULE_RULE = f"{STACK}-schedule"
FAILED_ALARM = f"{STACK}-failed"
SILENT_ALARM = f"{STACK}-silent"
LOG_GROUP = f"/aws/codebuild/{STACK}"
IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
"""CodeBuild's own image of Amazon Linux 2023, which has Python 3.12 (user guide, "Available runtimes")."""
MOST_BYTES = 51_200
"""What CloudFormation takes as a template in a request (its quotas page)."""
EVERY = (1, 2, 3, 4, 6, 8, 12, 24)
"""The hours between two runs of the schedule that divide a day evenly."""
KEPT_DAYS = 30
LONGEST_MINUTES = 60
RETRIED_SECONDS = 900
"""How long EventBridge tries again when a build could not be started, as another one is running."""
HEARD = ("CreateFunction20150331", "UpdateFunctionConfiguration20150331v2", "DeleteSubscriptionFilter")
_END = "END-OF-DDSETUP-TOML"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be kept, and how.

    `toml` is the text of the `ddsetup.toml` that is kept, `variables` what such a file may not hold, by name.
    `policy` is what `ddsetup policy --for keep` prints for it. `api_key` and `app_key` are the secrets with
    the Datadog keys, by name or ARN. `package` is what pip installs, empty where the `image` has ddsetup.
    """

    region: str
    account: str
    partition: str
    toml: str
    policy: Json
    state: str
    api_key: str
    app_key: str
    package: str
    image: str = IMAGE
    every: int = 1
    topic: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    role_path: str = "/"
    role_boundary: str = ""
    version: str = ""

    def arn(self, service: str, tail: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{tail}"


def template(wish: Wish) -> Json:
    """The template, as JSON types. Every name in it is told beforehand, but those of its two roles."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Keeps Datadog on the functions of this account: runs `ddsetup keep apply` on a "
        "schedule and after deployments. Made by ddsetup; `ddsetup keep uninstall` takes it away.",
        "Resources": {
            "Log": _log(),
            "RunnerRole": _runner_role(wish),
            "Project": _project(wish),
            "StarterRole": _starter_role(wish),
            "Deployments": _deployments(),
            "Schedule": _schedule(wish),
            "FailedAlarm": _failed(wish),
            "SilentAlarm": _silent(wish),
        },
        "Outputs": {
            "Version": {"Value": wish.version},
            "Every": {"Value": str(wish.every)},
            "State": {"Value": wish.state},
        },
    }


def _log() -> Json:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {"LogGroupName": LOG_GROUP, "RetentionInDays": KEPT_DAYS},
    }


def _role(wish: Wish, service: str, policies: Mapping[str, Json]) -> Json:
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": wish.account}},
    }
    boundary = {"PermissionsBoundary": wish.role_boundary} if wish.role_boundary else {}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Path": wish.role_path,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [{"PolicyName": n, "PolicyDocument": d} for n, d in policies.items()],
            **boundary,
        },
    }


def _runner_role(wish: Wish) -> Json:
    """Exactly what keeping takes, and what the build itself needs: its log and the keys."""
    return _role(wish, "codebuild.amazonaws.com", {"keep": wish.policy, "build": runner_policy(wish)})


def runner_policy(wish: Wish) -> Json:
    """What the build needs besides what ddsetup does: to write its log, and to read the keys."""
    keys = tuple(sorted({_secret_arn(wish, wish.api_key), _secret_arn(wish, wish.app_key)}))
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{wish.region}.amazonaws.com"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            statement(
                "Log",
                ("logs:CreateLogStream", "logs:PutLogEvents"),
                (wish.arn("logs", f"log-group:{LOG_GROUP}:*"),),
            ),
            statement("Keys", ("secretsmanager:GetSecretValue",), keys),
            statement("KeysDecrypt", ("kms:Decrypt",), (wish.arn("kms", "key/*"),), via),
        ],
    }


def _secret_arn(wish: Wish, secret: str) -> str:
    """The pattern that a secret's ARN fits; Secrets Manager adds six characters to a name."""
    return secret if secret.startswith("arn:") else wish.arn("secretsmanager", f"secret:{secret}-??????")


def _project(wish: Wish) -> Json:
    plain = {"DDSETUP_STATE": wish.state, "DDSETUP_NO_INPUT": "true", **wish.variables}
    secret = {"DD_API_KEY": wish.api_key, "DD_APP_KEY": wish.app_key}
    return {
        "Type": "AWS::CodeBuild::Project",
        "Properties": {
            "Name": STACK,
            "Description": "Runs ddsetup keep apply",
            "ServiceRole": {"Fn::GetAtt": ["RunnerRole", "Arn"]},
            "Artifacts": {"Type": "NO_ARTIFACTS"},
            "Source": {"Type": "NO_SOURCE", "BuildSpec": buildspec(wish)},
            "Environment": {
                "Type": "LINUX_CONTAINER",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "Image": wish.image,
                "EnvironmentVariables": [
                    *({"Name": n, "Type": "PLAINTEXT", "Value": v} for n, v in plain.items()),
                    *({"Name": n, "Type": "SECRETS_MANAGER", "Value": v} for n, v in secret.items()),
                ],
            },
            "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": {"Ref": "Log"}}},
            "ConcurrentBuildLimit": 1,
            "TimeoutInMinutes": LONGEST_MINUTES,
        },
    }


def buildspec(wish: Wish) -> str:
    """What a build does. JSON is YAML as well, so that no text needs an indentation of its own."""
    write = f"cat > ddsetup.toml <<'{_END}'\n{wish.toml.rstrip()}\n{_END}\n"
    install = {
        "runtime-versions": {"python": "3.12"},
        "commands": [f"pip install --quiet --disable-pip-version-check {shlex.quote(wish.package)}"],
    }
    phases = {
        **({"install": install} if wish.package else {}),
        "build": {"commands": [write, "ddsetup keep apply --yes --config ddsetup.toml"]},
    }
    return json.dumps({"version": 0.2, "phases": phases}, indent=1)


def _starter_role(wish: Wish) -> Json:
    starting = statement("Start", ("codebuild:StartBuild",), (wish.arn("codebuild", f"project/{STACK}"),))
    policy = {"Version": "2012-10-17", "Statement": [starting]}
    return _role(wish, "events.amazonaws.com", {"start": policy})


def _target() -> Json:
    return [
        {
            "Id": "project",
            "Arn": {"Fn::GetAtt": ["Project", "Arn"]},
            "RoleArn": {"Fn::GetAtt": ["StarterRole", "Arn"]},
            "RetryPolicy": {"MaximumEventAgeInSeconds": RETRIED_SECONDS, "MaximumRetryAttempts": 10},
        }
    ]


def event_pattern() -> Json:
    """What wakes it: somebody else made or changed a function, or took a filter away. What ddsetup does, it
    does under its name: else each repair would call for the next."""
    return {
        "source": ["aws.lambda", "aws.logs"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventName": list(HEARD),
            "errorCode": [{"exists": False}],
            "userAgent": [{"anything-but": {"wildcard": "*ddsetup/*"}}],
        },
    }


def _deployments() -> Json:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": EVENTS_RULE,
            "Description": "A function was made or changed, or a filter taken away, and not by ddsetup",
            "State": "ENABLED",
            "EventPattern": event_pattern(),
            "Targets": _target(),
        },
    }


def _schedule(wish: Wish) -> Json:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": SCHEDULE_RULE,
            "Description": "Finds what no event told",
            "State": "ENABLED",
            "ScheduleExpression": schedule(wish.account, wish.every),
            "Targets": _target(),
        },
    }


def _minute(account: str) -> int:
    """Not all accounts at the same minute."""
    return int(account) % 60 if account.isdecimal() else 17


def schedule(account: str, every: int) -> str:
    """The schedule as EventBridge takes it, in UTC."""
    return f"cron({_minute(account)} {'*' if every == 1 else f'0/{every}'} * * ? *)"


def next_run(account: str, every: int, now: datetime) -> datetime:
    """When the schedule starts the next build."""
    found = now.astimezone(UTC).replace(minute=_minute(account), second=0, microsecond=0)
    while found <= now or found.hour % every:
        found += timedelta(hours=1)
    return found


def _alarm(wish: Wish, name: str, said: str, more: Mapping[str, Json]) -> Json:
    """Metrics and dimensions are those of CodeBuild's user guide, "CodeBuild CloudWatch metrics"."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": said,
            "Namespace": "AWS/CodeBuild",
            "Dimensions": [{"Name": "ProjectName", "Value": {"Ref": "Project"}}],
            "Statistic": "Sum",
            "Threshold": 1,
            "AlarmActions": [wish.topic] if wish.topic else [],
            "OKActions": [wish.topic] if wish.topic else [],
            **more,
        },
    }


def _failed(wish: Wish) -> Json:
    more: Mapping[str, Json] = {
        "MetricName": "FailedBuilds",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Period": 300,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
    }
    return _alarm(wish, FAILED_ALARM, "ddsetup keep apply failed: ddsetup keep status tells more", more)


def _silent(wish: Wish) -> Json:
    """Nothing ran for longer than two rounds of the schedule."""
    more: Mapping[str, Json] = {
        "MetricName": "Builds",
        "ComparisonOperator": "LessThanThreshold",
        "Period": 3600,
        "EvaluationPeriods": 2 * wish.every + 1,
        "TreatMissingData": "breaching",
    }
    return _alarm(wish, SILENT_ALARM, "ddsetup keep apply has not run: is its schedule switched off?", more)


def unfit(made: Json, toml: str) -> str:
    """Why CloudFormation would not take it as it is meant; empty if it does."""
    size = len(json.dumps(made).encode())
    if size > MOST_BYTES:
        return f"the template has {size:,} bytes, and CloudFormation takes {MOST_BYTES:,}"
    if "{{resolve:" in toml:
        return "CloudFormation would put a secret in the place of {{resolve:...}}"
    return ""


def kept_of(live: Json) -> Sequence[str]:
    """The lines of the `ddsetup.toml` that an installed template keeps; none if it has none."""
    try:
        text = live["Resources"]["Project"]["Properties"]["Source"]["BuildSpec"]
        write = json.loads(text)["phases"]["build"]["commands"][0]
    except (KeyError, TypeError, ValueError, IndexError):
        return ()
    return tuple(str(write).splitlines()[1:-1])
