"""Lambda: what moto or a script shows. What only a fuller emulator has is in test_aws_emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.gateways.aws.functions import (
    FunctionUpdate,
    LayerCache,
    UpdateInProgress,
    concurrency_headroom,
    invoke,
    layer_version_exists,
    list_functions,
    newest_layer,
    read_function,
    resource_policy,
    update_function,
    wait_updated,
)
from ddsetup.gateways.aws.health import reserved_concurrency
from ddsetup.gateways.aws.layers import search_newest
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.errors import ChangedSince, GatewayError
from tests.gateways.aws_stand import ACCOUNT, DROPPED, REGION, FakeTime, Reply, ScriptedAws, connect, fault

LANE = Lane(ACCOUNT, REGION)
PLANTED = "s3cr3t-db-passw0rd"


def conf(name: str = "orders", **over: object) -> dict[str, object]:
    """A FunctionConfiguration with only what AWS always sends."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return {"FunctionName": name, "FunctionArn": arn, "Runtime": "python3.12", "Handler": "a.b", **over}


def listed(*items: dict[str, object], marker: str = "") -> Reply:
    return Reply({"Functions": list(items), **({"NextMarker": marker} if marker else {})})


def only(script: ScriptedAws, **over: object) -> Function:
    script.script(listed({**conf(), **over}))
    functions = list_functions(connect(script.url), LANE)
    assert not isinstance(functions, Unreadable)
    return functions[0]


def test_all_pages_are_read(script: ScriptedAws) -> None:
    script.script(listed(conf("a"), marker="m1"), listed(marker="m2"), listed(conf("b")))
    functions = list_functions(connect(script.url), LANE)
    assert not isinstance(functions, Unreadable)
    assert [f.name for f in functions] == ["a", "b"]
    assert [path for _, path, _ in script.requests] == [
        "/2015-03-31/functions?MaxItems=50",
        "/2015-03-31/functions?MaxItems=50&Marker=m1",
        "/2015-03-31/functions?MaxItems=50&Marker=m2",
    ]


def test_a_denied_list_is_unreadable_not_empty(script: ScriptedAws) -> None:
    script.script(fault("AccessDeniedException", "not authorized to perform: lambda:ListFunctions", 403))
    answer = list_functions(connect(script.url), LANE)
    assert answer == Unreadable(
        "lambda:ListFunctions",
        "not allowed: lambda:ListFunctions",
        denied=True,
        fix="allow lambda:ListFunctions for this identity; `ddsetup policy` prints what ddsetup needs",
    )


@pytest.mark.parametrize("logging", [{}, {"LoggingConfig": {}}, {"LoggingConfig": {"LogGroup": ""}}])
def test_the_log_group_defaults(script: ScriptedAws, logging: dict[str, object]) -> None:
    assert only(script, **logging).log_group == "/aws/lambda/orders"


def test_a_custom_log_group_and_levels(script: ScriptedAws) -> None:
    function = only(
        script, LoggingConfig={"LogGroup": "/shared", "LogFormat": "JSON", "SystemLogLevel": "WARN"}
    )
    assert (function.log_group, function.log_format, function.system_log_level) == ("/shared", "JSON", "WARN")


def test_an_environment_that_aws_cannot_decrypt_is_no_empty_environment(script: ScriptedAws) -> None:
    error = {"ErrorCode": "AccessDeniedException", "Message": "no kms:Decrypt"}
    function = only(script, Environment={"Error": error})
    assert function.env is None
    assert function.env_error == "AccessDeniedException: no kms:Decrypt"


def test_a_container_image_has_neither_runtime_nor_handler(script: ScriptedAws) -> None:
    function = only(script, PackageType="Image", Runtime="", Handler="")
    assert (function.runtime, function.handler, function.package_type) == (None, None, "Image")


def test_the_arn_is_unqualified(script: ScriptedAws) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
    assert only(script, FunctionArn=f"{arn}:$LATEST").arn == arn


def test_values_of_the_environment_are_not_in_the_repr(script: ScriptedAws) -> None:
    function = only(script, Environment={"Variables": {"DB": PLANTED}})
    assert function.env == {"DB": PLANTED}
    assert PLANTED not in repr(function)
    assert PLANTED not in repr(FunctionUpdate(env={"DB": PLANTED}))


def test_an_update_sends_only_what_it_changes(script: ScriptedAws) -> None:
    script.script(Reply(conf(RevisionId="r2")))
    update = FunctionUpdate(revision_id="r1", layers=(), env={"A": "b"})
    assert update_function(connect(script.url), LANE, "orders", update).revision_id == "r2"
    assert script.sent() == {"RevisionId": "r1", "Layers": [], "Environment": {"Variables": {"A": "b"}}}


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (fault("PreconditionFailedException", "The RevisionId provided", 412), ChangedSince, "RevisionId"),
        (fault("ResourceConflictException", "An update is in progress", 409), UpdateInProgress, "progress"),
        (
            fault(
                "InvalidParameterValueException",
                "Lambda was unable to configure your environment variables because the environment "
                f'variables you have provided exceeded the 4KB limit. String measured: {{"DB":"{PLANTED}"}}',
            ),
            GatewayError,
            "environment variables exceed 4 KB",
        ),
        (
            fault(
                "InvalidParameterValueException",
                "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes.",
            ),
            GatewayError,
            "exceed 250 MB unzipped",
        ),
        (
            fault(
                "AccessDeniedException",
                "User: u is not authorized to perform: lambda:GetLayerVersion on resource: l:999 because no "
                "resource-based policy allows the lambda:GetLayerVersion action",
                403,
            ),
            GatewayError,
            "layer version does not exist",
        ),
        (
            fault("InvalidParameterValueException", f"Value {PLANTED} is not welcome here"),
            GatewayError,
            r"Value \*\*\* is not welcome",
        ),
        (
            fault("ValidationException", f"Value '{{DB={PLANTED}-longer}}' at 'environment' failed"),
            GatewayError,
            "Value at 'environment' failed",
        ),
    ],
)
def test_a_refused_update_is_explained_without_values(
    script: ScriptedAws, reply: Reply, kind: type[GatewayError], says: str
) -> None:
    script.script(reply)
    with pytest.raises(kind, match=says) as caught:
        update_function(connect(script.url), LANE, "orders", FunctionUpdate(env={"DB": PLANTED}))
    assert PLANTED not in f"{caught.value} {caught.value.what} {caught.value.fix} {caught.value.args}"
    assert caught.value.__suppress_context__


def test_a_quoted_value_with_quotes_is_hidden(script: ScriptedAws) -> None:
    script.script(fault("InvalidParameterValueException", 'bad: {"DB":"pass\\"word\\nlong"}'))
    with pytest.raises(GatewayError) as caught:
        update_function(connect(script.url), LANE, "orders", FunctionUpdate(env={"DB": 'pass"word\nlong'}))
    assert "word" not in str(caught.value)


def test_a_value_of_the_wrong_type_is_not_quoted(script: ScriptedAws) -> None:
    update = FunctionUpdate(env={"DB": [PLANTED]})  # type: ignore[dict-item]
    with pytest.raises(GatewayError) as caught:
        update_function(connect(script.url), LANE, "orders", update)
    assert PLANTED not in str(caught.value)


def test_waiting_ends_with_the_update(script: ScriptedAws) -> None:
    time = FakeTime()
    busy = Reply({"Configuration": conf(LastUpdateStatus="InProgress")})
    pending = Reply({"Configuration": conf(LastUpdateStatus="Successful", State="Pending")})
    done = Reply({"Configuration": conf(LastUpdateStatus="Successful", State="Active")})
    script.script(busy, busy, pending, done)
    aws = connect(script.url, time)
    assert wait_updated(aws, LANE, "orders", time.clock).state == "Active"
    assert aws.calls == {"lambda:GetFunction": 4}, "never GetFunctionConfiguration, which shares 15 a second"


def test_a_failed_update_says_why(script: ScriptedAws) -> None:
    item = conf(LastUpdateStatus="Failed", LastUpdateStatusReasonCode="FunctionError.TooManyExtensions")
    script.script(Reply({"Configuration": item}))
    with pytest.raises(GatewayError, match="more than ten extensions"):
        wait_updated(connect(script.url), LANE, "orders")


def test_waiting_has_an_end(script: ScriptedAws) -> None:
    time = FakeTime()
    script.script(Reply({"Configuration": conf(LastUpdateStatus="InProgress")}))
    with pytest.raises(GatewayError, match="5 minutes"):
        wait_updated(connect(script.url, time), LANE, "orders", time.clock)


def test_an_invocation_is_sent_once_even_if_the_connection_drops(script: ScriptedAws) -> None:
    script.script(DROPPED)
    with pytest.raises(GatewayError):
        invoke(connect(script.url), LANE, "orders")
    assert len(script.requests) == 1


def test_an_invocation_tells_the_kind_of_error_only(script: ScriptedAws) -> None:
    body = {"errorType": "KeyError", "errorMessage": PLANTED}
    script.script(Reply(body, headers={"x-amz-function-error": "Unhandled", "x-amzn-requestid": "r-1"}))
    result = invoke(connect(script.url), LANE, "orders", b'{"a": 1}')
    assert (result.status, result.error, result.request_id) == (200, "Unhandled KeyError", "r-1")


def test_without_a_policy_there_is_none(script: ScriptedAws) -> None:
    script.script(fault("ResourceNotFoundException", "none", 404))
    assert resource_policy(connect(script.url), LANE, "orders") is None


def test_what_an_emulator_lacks_is_unreadable(script: ScriptedAws) -> None:
    script.script(Reply("<!doctype html><title>404</title>", 404, {"content-type": "text/html"}))
    headroom = concurrency_headroom(connect(script.url), LANE)
    assert isinstance(headroom, Unreadable)
    assert not headroom.denied


def test_reading_one_function(script: ScriptedAws) -> None:
    script.script(Reply({"Configuration": conf(Layers=[{"Arn": "arn:l:1", "CodeSize": 7}])}))
    assert read_function(connect(script.url), LANE, "orders").layers[0].code_size == 7


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply({"LayerVersionArn": "l", "Version": 127}), True),
        (fault("ResourceNotFoundException", "no", 404), False),
        (fault("AccessDeniedException", "because no resource-based policy allows the action", 403), False),
    ],
)
def test_whether_a_layer_version_exists(script: ScriptedAws, reply: Reply, *, expected: bool) -> None:
    script.script(reply)
    arn = f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:127"
    assert layer_version_exists(connect(script.url), LANE, arn) is expected


def test_a_denial_of_ours_is_not_a_missing_layer(script: ScriptedAws) -> None:
    text = "not authorized to perform: lambda:GetLayerVersion because no identity-based policy allows it"
    script.script(fault("AccessDeniedException", text, 403))
    cache = LayerCache(Path("/nonexistent/layers.json"))
    newest = newest_layer(connect(script.url), LANE, "Datadog-Python312", "464622532012", 127, cache)
    assert isinstance(newest, Unreadable)
    assert newest.denied


@pytest.mark.parametrize(
    ("versions", "baseline", "newest"),
    [
        (range(1, 128), 127, 127),
        (range(1, 129), 127, 128),
        (range(1, 141), 127, 140),
        (range(1, 400), 127, 399),
        ([*range(1, 128), 130, 131], 127, 131),
        ([*range(1, 130), *range(132, 150)], 127, 149),
        (range(1, 99), 99, 98),
    ],
)
def test_the_newest_version_is_found_across_holes(versions: list[int], baseline: int, newest: int) -> None:
    there = set(versions)
    asked: list[int] = []

    def exists(version: int) -> bool:
        asked.append(version)
        return version in there

    assert search_newest(baseline, exists) == newest
    assert len(asked) == len(set(asked)), "no version is asked for twice"
    assert len(asked) <= 40


def test_a_layer_that_is_nowhere_near_is_unreadable() -> None:
    found = search_newest(127, lambda _: False)
    assert isinstance(found, Unreadable)
    assert not found.denied


def test_a_search_cut_off_by_a_fault_finds_nothing() -> None:
    broken = Unreadable("lambda:GetLayerVersion", "no connection", denied=False)
    assert search_newest(127, lambda v: True if v == 127 else broken) == broken


def test_the_newest_layer_is_remembered_for_a_day(script: ScriptedAws, tmp_path: Path) -> None:
    time, cache = FakeTime(), LayerCache(tmp_path / "cache" / "layers.json")
    missing = fault("ResourceNotFoundException", "no", 404)
    arguments = (connect(script.url, time), LANE, "Datadog-Python312", "464622532012")
    script.script(Reply({"LayerVersionArn": "l", "Version": 127}), missing)
    assert newest_layer(*arguments, 127, cache) == 127
    first = len(script.requests)
    assert newest_layer(*arguments, 127, cache) == 127
    assert len(script.requests) == first
    time.seconds += 25 * 3600
    script.script(Reply({"LayerVersionArn": "l", "Version": 127}), missing)
    newest_layer(*arguments, 127, cache)
    assert len(script.requests) > first


@pytest.mark.parametrize("content", ["", "[]", '{"k": 1}', '{"k": ["x", "y"]}', "\x00"])
def test_a_broken_cache_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "layers.json"
    path.write_text(content)
    cache = LayerCache(path)
    assert cache.get("k", 0) is None
    cache.put("k", 3, 10)
    assert cache.get("k", 11) == 3


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply({"ReservedConcurrentExecutions": 50}), 50),
        (Reply({"ReservedConcurrentExecutions": 0}), 0),
        (Reply({}), None),
        (fault("ResourceNotFoundException", "no such function", 404), None),
    ],
)
def test_the_concurrency_reserved_for_a_function(
    script: ScriptedAws, reply: Reply, expected: int | None
) -> None:
    script.script(reply)
    assert reserved_concurrency(connect(script.url), LANE, "orders") == expected
    assert script.requests[0][1].startswith("/2019-09-30/functions/orders/concurrency")


def test_reserved_concurrency_that_may_not_be_read_is_not_none(script: ScriptedAws) -> None:
    script.script(fault("AccessDeniedException", "not authorized to perform", 403))
    found = reserved_concurrency(connect(script.url), LANE, "orders")
    assert isinstance(found, Unreadable)
    assert (found.action, found.denied) == ("lambda:GetFunctionConcurrency", True)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [({"UnreservedConcurrentExecutions": 900}, 900), ({"UnreservedConcurrentExecutions": 0}, 0)],
)
def test_the_concurrency_that_nobody_reserved(
    script: ScriptedAws, limit: dict[str, int], expected: int
) -> None:
    script.script(Reply({"AccountLimit": limit}))
    assert concurrency_headroom(connect(script.url), LANE) == expected


@pytest.mark.parametrize("body", [{}, {"AccountLimit": {}}, {"AccountLimit": {"ConcurrentExecutions": 1000}}])
def test_no_number_is_no_headroom_and_no_lack_of_it(script: ScriptedAws, body: dict[str, object]) -> None:
    script.script(Reply(body))
    found = concurrency_headroom(connect(script.url), LANE)
    assert isinstance(found, Unreadable)
    assert (found.action, found.denied) == ("lambda:GetAccountSettings", False)


def test_headroom_that_may_not_be_read_is_unreadable(script: ScriptedAws) -> None:
    script.script(fault("AccessDeniedException", "not authorized to perform", 403))
    found = concurrency_headroom(connect(script.url), LANE)
    assert isinstance(found, Unreadable)
    assert found.denied
