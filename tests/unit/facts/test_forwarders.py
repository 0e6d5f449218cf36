"""Finding Forwarders: the five ways, what is none, and what cannot be known."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.facts.forwarders import find_forwarders
from ddsetup.model.account import Forwarder, Integration, Layer, Unreadable
from tests.builders import ACCOUNT, function, function_arn, lane, stack, subscription_filter

DENIED = Unreadable("lambda:ListFunctions", "not allowed")
ARN = function_arn("shipper")


def find(functions: Any = (), tags: Any = None, stacks: Any = (), **over: Any) -> tuple[Forwarder, ...]:
    found = find_forwarders(functions, tags or {}, stacks, lane=lane(), **over)
    assert not isinstance(found, Unreadable)
    return found


def integration(*lambdas: str) -> Integration:
    return Integration(config_id="c", account=ACCOUNT, lambdas=lambdas)


def test_by_tag_with_version_and_stack() -> None:
    tags = {ARN: {"dd_forwarder_version": "5.4.11", "aws:cloudformation:stack-name": "datadog-forwarder"}}
    stacks = (stack(outputs={}),)
    (found,) = find([function("shipper")], tags, stacks)
    assert (found.version, found.stack, found.stack_status) == (
        "5.4.11",
        "datadog-forwarder",
        "CREATE_COMPLETE",
    )
    assert found.found_by == ("tag",)


def test_by_the_output_of_a_stack() -> None:
    (found,) = find([function("shipper")], {}, (stack(outputs={"DatadogForwarderArn": ARN}),))
    assert (found.arn, found.stack, found.nested, found.found_by) == (
        ARN,
        "datadog-forwarder",
        False,
        ("stack",),
    )


@pytest.mark.parametrize("root_first", [True, False])
def test_the_nested_stack_is_the_one_to_update(*, root_first: bool) -> None:
    root = stack("DatadogIntegration", outputs={"DatadogForwarderArn": ARN})
    nested = stack(
        "DatadogIntegration-ForwarderStack-1", outputs={"DatadogForwarderArn": ARN}, parent_id="root"
    )
    stacks = (root, nested) if root_first else (nested, root)
    (found,) = find([function("shipper")], {}, stacks)
    assert (found.stack, found.nested) == ("DatadogIntegration-ForwarderStack-1", True)


def test_by_its_layer() -> None:
    layer = Layer("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Forwarder:110")
    (found,) = find([function("shipper", layers=(layer,)), function("orders")])
    assert found.found_by == ("function",)


@pytest.mark.parametrize(
    "over",
    [
        {"env": {"DD_S3_BUCKET_NAME": "b"}},
        {"env": {"DD_API_KEY_SECRET_ARN": "arn"}},
        {"name": "DatadogLambdaLogForwarder"},
        {"name": "LogForwarder"},
    ],
)
def test_an_old_one_by_handler_and_variables_or_name(over: dict[str, Any]) -> None:
    name = over.pop("name", "shipper")
    assert find([function(name, handler="lambda_function.lambda_handler", **over)])


def test_what_only_looks_like_one_is_none() -> None:
    handler = "lambda_function.lambda_handler"
    extension = Layer("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:99")
    assert not find(
        [
            function("plain", handler=handler),
            function("datadog-forwarder-alarm", handler="index.handler", runtime="nodejs22.x"),
            function("ours", handler=handler, env={"DD_API_KEY_SECRET_ARN": "arn"}, layers=(extension,)),
        ]
    )


def test_the_zip_copier_of_the_template_is_none() -> None:
    copier = function("datadog-forwarder-ForwarderZipCopier-1", handler="lambda_function.lambda_handler")
    assert not find([copier], {copier.arn: {"aws:cloudformation:logical-id": "ForwarderZipCopier"}})


def test_by_the_integration_of_this_account_and_region_only() -> None:
    known = integration(
        ARN, function_arn("shipper", region="us-east-1"), function_arn("shipper", account="999999999999")
    )
    (found,) = find([function("shipper")], integration=known)
    assert (found.arn, found.found_by) == (ARN, ("integration",))


def test_an_arn_without_a_function_is_no_forwarder() -> None:
    assert not find([function("orders")], integration=integration(ARN))


def test_by_the_filters_that_datadogs_tools_make() -> None:
    filters = {
        "/a": (subscription_filter("/a", "DD_LOG_SUBSCRIPTION_FILTER_/a", ARN),),
        "/b": (subscription_filter("/b", "somebody", function_arn("other")),),
        "/c": Unreadable("logs:DescribeSubscriptionFilters", "not allowed"),
    }
    (found,) = find([function("shipper"), function("other")], filters=filters)
    assert (found.arn, found.found_by) == (ARN, ("filter",))


def test_all_ways_are_told_once() -> None:
    tags = {ARN: {"dd_forwarder_version": "5.4.11"}}
    stacks = (stack(outputs={"DatadogForwarderArn": ARN}),)
    (found,) = find([function("shipper")], tags, stacks, integration=integration(ARN, ARN))
    assert sorted(found.found_by) == ["integration", "stack", "tag"]


def test_nothing_found_where_nothing_could_be_seen_is_unknown() -> None:
    assert find_forwarders(DENIED, {}, (), lane=lane()) == DENIED
    assert find_forwarders([function("orders")], DENIED, (), lane=lane()) == DENIED
    assert find_forwarders([function("orders")], {}, (), lane=lane()) == ()


def test_what_was_found_counts_although_something_could_not_be_seen() -> None:
    tags = {ARN: {"dd_forwarder_version": "5.4.11"}}
    (found,) = find(DENIED, tags, DENIED)
    assert (found.arn, found.stack_status) == (ARN, None)
