"""Automatic log triggers: subscription filters that Datadog keeps for a registered Forwarder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ddsetup.sandbox.datadog.aws_access import AccessFailed, CustomerAccess, explained, paged
from ddsetup.sandbox.datadog.crawler import function_tags, matches_tag_filters
from ddsetup.sandbox.datadog.integrations import Account, AutomaticFilter, Integrations

LAMBDA, STATES, ACCESS_LOGS = "lambda", "states", "apigw-access-logs"
"""The log sources that the stand-in subscribes; others are kept, and nothing comes of them."""
NAME_PREFIX = "DD_LOG_SUBSCRIPTION_FILTER_"
MAX_NAME = 512


def forwarders(account: Account) -> dict[str, str]:
    """Region -> the Forwarder that takes the logs of the account's sources there; only its own count."""
    forwarder = account.attributes["logs_config"].get("lambda_forwarder") or {}
    if not set(forwarder.get("sources") or []) & {LAMBDA, STATES, ACCESS_LOGS}:
        return {}
    found: dict[str, str] = {}
    for arn in forwarder.get("lambdas") or []:
        _, _, _, region, owner, *_ = arn.split(":")
        if owner == account.aws_account_id:
            found.setdefault(region, arn)
    return found


def take_back(account: Account, access: CustomerAccess, integrations: Integrations) -> list[str]:
    """Remove the filters whose Forwarder is not registered any more. Gives the issues."""
    wanted = forwarders(account)
    issues = []
    for made in integrations.filters():
        if made.config_id == account.id and wanted.get(made.region) != made.destination_arn:
            try:
                _remove(access.client("logs", made.region), made)
            except AccessFailed as error:
                issues.append(f"{made.region} {made.log_group}: {error}")
            else:
                integrations.forget_filter(made)
    return issues


def subscribe(
    account: Account,
    region: str,
    access: CustomerAccess,
    integrations: Integrations,
    subscribed: set[str],
) -> list[str]:
    """Give every source's existing log groups in ``region`` a filter to the Forwarder. Gives the issues.

    Those in ``subscribed`` are known to have one; who gets one, or is seen to have it, is added.
    """
    arn = forwarders(account)[region]
    sources = account.attributes["logs_config"]["lambda_forwarder"].get("sources") or []
    groups: set[str] = set()
    if LAMBDA in sources:
        functions = paged(access.client("lambda", region), "list_functions", "Functions")
        groups |= _wanted_groups(account, region, access, functions)
    if STATES in sources:
        groups |= _groups_of_state_machines(access.client("stepfunctions", region))
    if ACCESS_LOGS in sources:
        groups |= _groups_of_stages(access, region)
    logs = access.client("logs", region)
    existing = {group["logGroupName"] for group in paged(logs, "describe_log_groups", "logGroups")}
    issues = []
    for group in sorted((groups & existing) - subscribed):
        if not _is_registered(account, region, arn, integrations):
            break  # it was taken out meanwhile
        made = AutomaticFilter(account.id, region, group, f"{NAME_PREFIX}{group}"[:MAX_NAME], arn)
        try:
            if _put(logs, made):
                integrations.add_filter(made)
            subscribed.add(group)
        except AccessFailed as error:
            issues.append(f"{region} {group}: {error}")
    return issues


def _is_registered(account: Account, region: str, arn: str, integrations: Integrations) -> bool:
    now = (each for each in integrations.accounts() if each.id == account.id)
    return any(forwarders(each).get(region) == arn for each in now)


def _wanted_groups(
    account: Account, region: str, access: CustomerAccess, functions: Iterable[dict[str, Any]]
) -> set[str]:
    """The log groups of functions that pass the tag filters, never a Forwarder's own."""
    filters = _tag_filters(account)
    tags = function_tags(access, region) if filters else {}
    own = {arn.rsplit(":", 1)[-1] for arn in account.attributes["logs_config"]["lambda_forwarder"]["lambdas"]}
    wanted, forwarders_own = set(), set()
    for function in functions:
        name = function["FunctionName"]
        group = (function.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
        if name in own:
            forwarders_own.add(group)
        elif matches_tag_filters(filters, tags.get(name, {})):
            wanted.add(group)
    return wanted - forwarders_own


def _groups_of_state_machines(client: Any) -> set[str]:
    """The log groups that state machines write to. Raises AccessFailed."""
    found = set()
    for machine in paged(client, "list_state_machines", "stateMachines"):
        with explained("describe_state_machine"):
            answer = client.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        for each in (answer.get("loggingConfiguration") or {}).get("destinations") or []:
            found.add(_group_in(each["cloudWatchLogsLogGroup"]["logGroupArn"]))
    return found - {""}


def _groups_of_stages(access: CustomerAccess, region: str) -> set[str]:
    """The log groups of access logs. Raises AccessFailed."""
    rest, http = access.client("apigateway", region), access.client("apigatewayv2", region)
    found = set()
    for api in paged(rest, "get_rest_apis", "items"):
        with explained("get_stages"):
            stages = rest.get_stages(restApiId=api["id"])["item"]
        found |= {_group_in((s.get("accessLogSettings") or {}).get("destinationArn", "")) for s in stages}
    for api in paged(http, "get_apis", "Items"):
        stages = paged(http, "get_stages", "Items", ApiId=api["ApiId"])
        found |= {_group_in((s.get("AccessLogSettings") or {}).get("DestinationArn", "")) for s in stages}
    return found - {""}


def _group_in(arn: str) -> str:
    return arn.partition(":log-group:")[2].removesuffix(":*")


def _tag_filters(account: Account) -> list[str]:
    config = account.attributes["logs_config"]["lambda_forwarder"].get("log_source_config") or {}
    return [
        pattern
        for item in config.get("tag_filters") or []
        if item.get("source") == LAMBDA
        for pattern in item.get("tags") or []
    ]


def _put(logs: Any, made: AutomaticFilter) -> bool:
    """Put the filter unless the group has one to the same destination. Raises AccessFailed."""
    present = paged(logs, "describe_subscription_filters", "subscriptionFilters", logGroupName=made.log_group)
    if any(item.get("destinationArn") == made.destination_arn for item in present):
        return False
    with explained("put_subscription_filter"):
        logs.put_subscription_filter(
            logGroupName=made.log_group,
            filterName=made.name,
            filterPattern="",
            destinationArn=made.destination_arn,
        )
    return True


def _remove(logs: Any, made: AutomaticFilter) -> None:
    """Remove the filter; one that somebody removed already is no failure. Raises AccessFailed."""
    with explained("delete_subscription_filter"):
        try:
            logs.delete_subscription_filter(logGroupName=made.log_group, filterName=made.name)
        except logs.exceptions.ResourceNotFoundException:
            return
