"""Where to look next: pages of the chosen Datadog site, and of the AWS console for one function.

Paths as documented by Datadog and used by its Serverless Framework plugin 5.134.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

from ddsetup.facts.catalog import partition_of, site
from ddsetup.facts.searches import any_of, datadog_name, logs_of, spans_of
from ddsetup.model.account import Function

FUNCTION_PAGES = 10
"""Pages of single functions that are listed; more of them is a list, not a pointer."""

_CONSOLES: Mapping[str, str] = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}
_SERVERLESS = "/functions?cloud=aws&entity_view=lambda_functions"


def links(
    site_name: str, functions: Sequence[Function] = (), accounts: Sequence[str] = ()
) -> Mapping[str, str]:
    """The pages that show the data, in the order in which one would visit them.

    `accounts` narrows logs down to these AWS accounts; the first functions get a page each, as
    "function NAME". Raises UsageError for an unknown site.
    """
    app = site(site_name).app_url
    ours = f" aws_account:{any_of(accounts)}" if accounts else ""
    found = {
        "serverless": f"{app}{_SERVERLESS}",
        "dashboard AWS Lambda": f"{app}/screen/integration/98/aws-lambda",
        "dashboard enhanced metrics": f"{app}/screen/integration/30306/aws-lambda-enhanced-metrics",
        "logs": f"{app}/logs?query={_quoted(f'source:lambda{ours}')}",
        "error patterns": (
            f"{app}/logs?query={_quoted(f'source:lambda status:error{ours}')}"
            "&viz=pattern&clustering_pattern_field_path=message"
        ),
        "traces": f"{app}/apm/traces?query={_quoted('operation_name:aws.lambda')}",
        "metrics summary": f"{app}/metric/summary?filter=aws.lambda",
    }
    for function in functions[:FUNCTION_PAGES]:
        found[f"function {function.name}"] = function_links(site_name, function)["serverless"]
    return found


def settings_links(site_name: str) -> Mapping[str, str]:
    """The pages where things are set up, and where to look further. Raises UsageError for an unknown site."""
    app = site(site_name).app_url
    return {
        "AWS integration": f"{app}/integrations/amazon-web-services",
        "serverless setup": f"{app}/serverless/aws/lambda/setup",
        "dashboard AWS overview": f"{app}/screen/integration/7/aws-overview",
        "dashboards": f"{app}/dashboard/lists?q=Lambda",
        "metrics explorer": f"{app}/metric/explorer",
        "monitors": f"{app}/monitors/manage?q={_quoted('tag:created_by:ddsetup')}",
        "API keys": f"{app}/organization-settings/api-keys",
        "application keys": f"{app}/organization-settings/application-keys",
    }


def function_links(site_name: str, function: Function) -> Mapping[str, str]:
    """The pages of one function: Serverless, logs, traces in Datadog, and its page in the AWS console."""
    app = site(site_name).app_url
    names = (function.name,)
    selection = f"aws-lambda-functions+{datadog_name(function.name)}+{function.region}+{function.account}"
    return {
        "serverless": f"{app}{_SERVERLESS}&selection={_quoted(selection)}",
        "logs": f"{app}/logs?query={_quoted(f'source:lambda {logs_of(names)}')}",
        "traces": f"{app}/apm/traces?query={_quoted(spans_of(names))}",
        "AWS console": f"{_console(function.region)}/lambda/home?region={function.region}"
        f"#/functions/{function.name}",
    }


def metric_link(site_name: str, metric: str) -> str:
    """The summary of one metric."""
    return f"{site(site_name).app_url}/metric/summary?filter={_quoted(metric)}"


def monitors_link(site_name: str) -> str:
    """The monitors that ddsetup made."""
    return settings_links(site_name)["monitors"]


def dashboards_links(site_name: str) -> Mapping[str, str]:
    """Datadog's own dashboards for serverless, which no API lists: those whose address its documentation
    names, and lists in which the others are found."""
    app = site(site_name).app_url
    return {
        "AWS Lambda (CloudWatch)": f"{app}/screen/integration/98/aws-lambda",
        "AWS Lambda (enhanced metrics)": f"{app}/screen/integration/30306/aws-lambda-enhanced-metrics",
        "AWS overview": f"{app}/screen/integration/7/aws-overview",
        "SQS": f"{app}/dash/integration/6/aws-sqs",
        **{name: _list_of(app, name) for name in _LISTED},
    }


_LISTED = ("API Gateway", "Step Functions", "DynamoDB", "RDS", "Aurora", "S3", "SNS", "Kinesis")


def dashboard_lists(site_name: str, namespaces: Sequence[str]) -> Mapping[str, str]:
    """For each CloudWatch namespace the list of dashboards in which Datadog's own is found."""
    app = site(site_name).app_url
    names = (namespace.removeprefix("AWS/").strip("/") for namespace in namespaces)
    return {name: _list_of(app, name.replace("/", " ")) for name in names}


def _list_of(app: str, words: str) -> str:
    return f"{app}/dashboard/lists?q={_quoted(words)}"


def dashboard_link(site_name: str, path: str) -> str:
    """A dashboard by the path that Datadog gave it."""
    return f"{site(site_name).app_url}{path}"


Span: TypeAlias = tuple[int, int]
"""From when to when, in milliseconds since the epoch."""


def logs_link(site_name: str, query: str, span: Span | None = None) -> str:
    """The Log Explorer with this query, of a stretch of time."""
    return f"{site(site_name).app_url}/logs?query={_quoted(query)}{_of_time(span)}"


def error_patterns_link(site_name: str, query: str, span: Span | None = None) -> str:
    """The same logs as patterns."""
    return f"{logs_link(site_name, query, span)}&viz=pattern&clustering_pattern_field_path=message"


def traces_link(site_name: str, query: str, span: Span | None = None) -> str:
    """The Trace Explorer with this query, of a stretch of time."""
    return f"{site(site_name).app_url}/apm/traces?query={_quoted(query)}{_of_time(span, 'start', 'end')}"


def trace_link(site_name: str, trace_id: str) -> str:
    """One trace."""
    return f"{site(site_name).app_url}/apm/trace/{_quoted(trace_id)}"


def _of_time(span: Span | None, start: str = "from_ts", end: str = "to_ts") -> str:
    return f"&{start}={span[0]}&{end}={span[1]}" if span else ""


def _console(region: str) -> str:
    return f"https://{region}.{_CONSOLES.get(partition_of(region), _CONSOLES['aws'])}"


def _quoted(text: str) -> str:
    return quote(text, safe="")
