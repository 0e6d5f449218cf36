"""Calls about functions, their versions and aliases."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.gateways.aws import function_reads, function_writes
from ddsetup.gateways.aws.functions import FunctionUpdate
from tests.in_full.calls.world import BARE, FUNCTION, LANE, SEALED, Call, now

FUNCTIONS: Mapping[str, Call] = {
    "functions": (
        lambda aws: function_reads.list_functions(aws, LANE),
        {"ListFunctions": [{"Functions": [FUNCTION, BARE], "NextMarker": "m"}, {"Functions": [SEALED]}]},
    ),
    "function": (
        lambda aws: function_reads.read_function(aws, LANE, "orders"),
        {"GetFunctionConfiguration": [FUNCTION], "GetFunction": [{"Configuration": FUNCTION}]},
    ),
    "function is there": (
        lambda aws: function_reads.function_exists(aws, LANE, "orders"),
        {"GetFunction": [{"Configuration": FUNCTION}], "GetFunctionConfiguration": [FUNCTION]},
    ),
    "aliases": (
        lambda aws: function_reads.list_aliases(aws, LANE, "orders"),
        {
            "ListAliases": [
                {"Aliases": [{"Name": "live", "FunctionVersion": "3"}], "NextMarker": "m"},
                {"Aliases": []},
            ]
        },
    ),
    "versions": (
        lambda aws: function_reads.published_versions(aws, LANE, "orders"),
        {
            "ListVersionsByFunction": [
                {"Versions": [{**FUNCTION, "Version": v} for v in ("$LATEST", "1", "2")]}
            ]
        },
    ),
    "headroom": (
        lambda aws: function_reads.concurrency_headroom(aws, LANE),
        {"GetAccountSettings": [{"AccountLimit": {"UnreservedConcurrentExecutions": 900}}]},
    ),
    "number": (
        lambda aws: function_reads.count_functions(aws, LANE),
        {"GetAccountSettings": [{"AccountLimit": {}, "AccountUsage": {"FunctionCount": 7}}]},
    ),
    "resource policy": (
        lambda aws: function_reads.resource_policy(aws, LANE, "orders"),
        {"GetPolicy": [{"Policy": '{"Statement": [{"Sid": "x"}]}'}]},
    ),
    "empty resource policy": (
        lambda aws: function_reads.resource_policy(aws, LANE, "orders"),
        {"GetPolicy": [{}]},
    ),
    "update": (
        lambda aws: function_writes.update_function(
            aws,
            LANE,
            "orders",
            FunctionUpdate(
                revision_id="r1", handler="h", layers=("a",), env={"A": "b"}, logging={"LogFormat": "JSON"}
            ),
        ),
        {"UpdateFunctionConfiguration": [{**FUNCTION, "RevisionId": "r2"}]},
    ),
    "update of nothing": (
        lambda aws: function_writes.update_function(
            aws, LANE, "orders", FunctionUpdate(revision_id="r1", layers=())
        ),
        {"UpdateFunctionConfiguration": [FUNCTION]},
    ),
    "wait": (
        lambda aws: function_writes.wait_updated(aws, LANE, "orders", clock=aws.clock),
        {"GetFunction": [now(LastUpdateStatus="InProgress"), now(State="Pending"), now()]},
    ),
    "wait in vain": (
        lambda aws: function_writes.wait_updated(aws, LANE, "orders", clock=aws.clock),
        {"GetFunction": [now(LastUpdateStatus="InProgress")]},
    ),
    "wait for a failure": (
        lambda aws: function_writes.wait_updated(aws, LANE, "orders", clock=aws.clock),
        {"GetFunction": [now(LastUpdateStatus="Failed", LastUpdateStatusReasonCode="DisabledKMSKey")]},
    ),
    "invoke": (
        lambda aws: function_writes.invoke(aws, LANE, "orders", b'{"a": 1}'),
        {"Invoke": [{"StatusCode": 200, "Payload": b"{}", "ResponseMetadata": {"RequestId": "q"}}]},
    ),
    "invoke in vain": (
        lambda aws: function_writes.invoke(aws, LANE, "orders"),
        {
            "Invoke": [
                {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": b'{"errorType": "KeyError"}'}
            ]
        },
    ),
    "publish": (
        lambda aws: function_writes.publish_version(aws, LANE, "orders"),
        {"PublishVersion": [{**FUNCTION, "Version": "8"}]},
    ),
    "publish this code": (
        lambda aws: function_writes.publish_version(aws, LANE, "orders", "sha", "LATEST_PUBLISHED"),
        {"PublishVersion": [{**FUNCTION, "Version": "8"}]},
    ),
    "wait for a version": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [now(State="Pending"), now(State="Pending"), now()]},
    ),
    "wait for a version in vain": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [now(State="Pending")]},
    ),
    "wait for a version that fails": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [now(State="Failed", StateReasonCode="FunctionError")]},
    ),
    "wait for a version that fails without a word": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [now(State="Failed")]},
    ),
    "move an alias": (
        lambda aws: function_writes.move_alias(aws, LANE, "orders", "live", "8", "r1"),
        {"UpdateAlias": [{}]},
    ),
    "move an alias blindly": (
        lambda aws: function_writes.move_alias(aws, LANE, "orders", "live", "8", ""),
        {"UpdateAlias": [{}]},
    ),
    **{
        f"invoke in vain, {payload!r}": (
            lambda aws: function_writes.invoke(aws, LANE, "orders"),
            {"Invoke": [{"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}]},
        )
        for payload in (b"", b"oops", b"[1]", b'{"errorType": null}')
    },
}
