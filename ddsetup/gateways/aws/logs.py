"""CloudWatch Logs: log groups and their subscription filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ddsetup.gateways.aws.errors import (
    AlreadyExists,
    DestinationRefused,
    LimitReached,
    Refused,
    readable,
)
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane, LogGroup, SubscriptionFilter
from ddsetup.model.errors import NotFound
from ddsetup.model.states import AccountPolicyState, FilterState

_TOKEN = ("nextToken", "nextToken")
_POLICY = "SUBSCRIPTION_FILTER_POLICY"


@readable
def list_log_groups(aws: Aws, lane: Lane) -> Mapping[str, LogGroup]:
    """Every log group by name. Needs logs:DescribeLogGroups; 50 a page."""
    items = aws.each("logs:DescribeLogGroups", lane, "logGroups", token=_TOKEN, limit=50)
    return {
        item["logGroupName"]: LogGroup(
            name=item["logGroupName"],
            retention_days=item.get("retentionInDays"),
            log_class=item.get("logGroupClass") or "STANDARD",
            stored_bytes=item.get("storedBytes"),
        )
        for item in items
    }


@readable
def list_filters(aws: Aws, lane: Lane, group: str) -> tuple[SubscriptionFilter, ...]:
    """The subscription filters of a log group; none if the group is not there.

    Needs logs:DescribeSubscriptionFilters.
    """
    action = "logs:DescribeSubscriptionFilters"
    try:
        items = aws.pages(action, lane, "subscriptionFilters", token=_TOKEN, logGroupName=group)
    except NotFound:
        return ()
    return tuple(_filter(group, item) for item in items)


def put_filter(aws: Aws, lane: Lane, state: FilterState) -> None:
    """Create or replace a subscription filter. AWS sends the destination a test message first.

    Raises LimitReached when the group has two others, DestinationRefused when CloudWatch Logs could not
    invoke the destination (a permission, or one that is not in force yet), NotFound without the group.
    """
    parameters: dict[str, Json] = {
        "logGroupName": state.log_group,
        "filterName": state.name,
        "filterPattern": state.pattern,
        "destinationArn": state.destination_arn,
    }
    optional: Mapping[str, Json] = {
        "roleArn": state.role_arn,
        "distribution": state.distribution,
        "applyOnTransformedLogs": state.apply_on_transformed_logs,
        "emitSystemFields": list(state.emit_system_fields) or None,
        "fieldSelectionCriteria": state.field_selection_criteria,
    }
    parameters.update({key: value for key, value in optional.items() if value is not None})
    try:
        aws.call("logs:PutSubscriptionFilter", lane, **parameters)
    except LimitReached as error:
        said = f"{state.log_group} has two subscription filters already, which is AWS's limit"
        fix = "replace one of them (--on-conflict replace), or use --via extension"
        raise LimitReached(said, action=error.action, fix=fix, where=error.where) from None
    except Refused as error:
        said = f"CloudWatch Logs may not invoke {state.destination_arn} for {state.log_group}"
        raise _refused(error, said) from None


def _refused(error: Refused, said: str) -> Refused | DestinationRefused:
    """The error of a destination that CloudWatch Logs could not invoke, as that."""
    if "Could not execute the lambda function" not in error.what:
        return error
    fix = "allow logs.amazonaws.com to invoke it (lambda:AddPermission), and see that it is active"
    return DestinationRefused(said, action=error.action, fix=fix, where=error.where)


def delete_filter(aws: Aws, lane: Lane, group: str, name: str) -> bool:
    """Delete a subscription filter; False if it is not there (any more)."""
    try:
        aws.call("logs:DeleteSubscriptionFilter", lane, logGroupName=group, filterName=name)
    except NotFound:
        return False
    return True


def create_log_group(aws: Aws, lane: Lane, group: str, tags: Mapping[str, str] | None = None) -> bool:
    """Create a log group of class STANDARD without expiry; False if it was there already.

    With tags it takes logs:TagResource, too (CloudWatch Logs API reference, `CreateLogGroup`).
    """
    given: dict[str, Any] = {"tags": dict(tags)} if tags else {}
    try:
        aws.call("logs:CreateLogGroup", lane, logGroupName=group, **given)
    except AlreadyExists as error:
        return error.repeated
    return True


def delete_log_group(aws: Aws, lane: Lane, group: str) -> bool:
    """Delete a log group with all that it holds; False if it is not there."""
    try:
        aws.call("logs:DeleteLogGroup", lane, logGroupName=group)
    except NotFound:
        return False
    return True


@readable
def log_group_is_empty(aws: Aws, lane: Lane, group: str) -> bool:
    """Whether nothing was ever written: no log stream. (`storedBytes` lags behind by hours.)

    A group that is not there is empty. Needs logs:DescribeLogStreams.
    """
    try:
        answer = aws.call("logs:DescribeLogStreams", lane, logGroupName=group, limit=1)
    except NotFound:
        return True
    return not answer.get("logStreams")


@readable
def account_filter_policies(aws: Aws, lane: Lane) -> tuple[Json, ...]:
    """Account-wide subscription filter policies, which add to those of the groups.

    Needs logs:DescribeAccountPolicies.
    """
    answer = aws.call("logs:DescribeAccountPolicies", lane, patience=OPTIONAL, policyType=_POLICY)
    return tuple(answer.get("accountPolicies") or ())


def put_account_policy(aws: Aws, lane: Lane, state: AccountPolicyState) -> None:
    """Create or replace the account's subscription filter policy of this name.

    Raises LimitReached when there is one of another name, DestinationRefused as `put_filter` does. Needs
    logs:PutAccountPolicy and logs:PutSubscriptionFilter.
    """
    selection: dict[str, Any] = {"selectionCriteria": state.selection} if state.selection else {}
    try:
        aws.call(
            "logs:PutAccountPolicy",
            lane,
            policyName=state.name,
            policyDocument=state.document,
            policyType=_POLICY,
            scope="ALL",
            **selection,
        )
    except LimitReached as error:
        said = f"{lane.region} has a subscription policy for all log groups already, and AWS allows one"
        fix = "take that one out first, or use --subscribe automatic or direct"
        raise LimitReached(said, action=error.action, fix=fix, where=error.where) from None
    except Refused as error:
        raise _refused(error, f"CloudWatch Logs may not invoke what {state.name} leads to") from None


def delete_account_policy(aws: Aws, lane: Lane, name: str) -> bool:
    """Delete a subscription filter policy; False if it is not there (any more)."""
    try:
        aws.call("logs:DeleteAccountPolicy", lane, policyName=name, policyType=_POLICY)
    except NotFound:
        return False
    return True


@readable
def filters_at_work(
    aws: Aws, lane: Lane, *, lately: bool = False, failing: bool = False
) -> Mapping[str, frozenset[str]]:
    """Names of the filters that delivered something within two weeks, by log group: the metrics of CloudWatch
    Logs tell in bulk what otherwise takes a call for each group. A filter that never delivered is missing.

    `lately`: within three hours. `failing`: instead those of which a delivery failed. Needs
    cloudwatch:ListMetrics.
    """
    found: dict[str, set[str]] = {}
    metric = "DeliveryErrors" if failing else "ForwardedLogEvents"
    for values in _dimensions(aws, lane, metric, lately=lately):
        if "LogGroupName" in values:
            found.setdefault(values["LogGroupName"], set()).add(values.get("FilterName", ""))
    return {group: frozenset(names) for group, names in found.items()}


@readable
def groups_written_to(aws: Aws, lane: Lane) -> frozenset[str]:
    """The log groups that something was written to within three hours. Needs cloudwatch:ListMetrics."""
    found = _dimensions(aws, lane, "IncomingLogEvents", lately=True)
    return frozenset(values["LogGroupName"] for values in found if "LogGroupName" in values)


def _dimensions(aws: Aws, lane: Lane, metric: str, *, lately: bool) -> Iterator[Mapping[str, str]]:
    """The dimensions of each series of a metric of CloudWatch Logs (CloudWatch API reference, ListMetrics,
    RecentlyActive)."""
    recently = {"RecentlyActive": "PT3H"} if lately else {}
    for found in aws.each(
        "cloudwatch:ListMetrics",
        lane,
        "Metrics",
        token=("NextToken", "NextToken"),
        Namespace="AWS/Logs",
        MetricName=metric,
        **recently,
    ):
        yield {d["Name"]: d["Value"] for d in found.get("Dimensions") or ()}


def _filter(group: str, item: Mapping[str, Json]) -> SubscriptionFilter:
    return SubscriptionFilter(
        log_group=item.get("logGroupName") or group,
        name=item["filterName"],
        pattern=item.get("filterPattern") or "",
        destination_arn=item.get("destinationArn") or "",
        role_arn=item.get("roleArn") or None,
        distribution=item.get("distribution") or None,
        apply_on_transformed_logs=item.get("applyOnTransformedLogs"),
        emit_system_fields=tuple(item.get("emitSystemFields") or ()),
        field_selection_criteria=item.get("fieldSelectionCriteria") or None,
        created_ms=item.get("creationTime"),
    )
