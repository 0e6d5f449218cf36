"""The function writer: what it sends, what it keeps, and what it does when a function moves under it.

Against moto's server, which neither issues nor checks revisions by itself: what AWS would refuse is put in
between by answering single requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from ddsetup.gateways.aws.functions import list_functions, read_function
from ddsetup.model.account import Function
from ddsetup.model.change import Change
from ddsetup.model.errors import GatewayError
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import FunctionState
from tests.gateways.bench import LANE, Bench, answer, aws, bench, change, moto_url, zipped

__all__ = ["aws", "bench", "moto_url"]

HANDLER = "datadog_lambda.handler.handler"
FOREIGN = {"DB_PASSWORD": "hunter2", "STAGE": "prod"}
MOVED = answer(412, "PreconditionFailedException", "The RevisionId provided does not match")
BUSY = answer(409, "ResourceConflictException", "An update is in progress")


@pytest.fixture
def layers(bench: Bench) -> dict[str, str]:
    """Layer version ARNs by layer name."""
    client = bench.client("lambda")
    return {
        name: client.publish_layer_version(LayerName=name, Content={"ZipFile": zipped()})["LayerVersionArn"]
        for name in ("theirs", "Datadog-Python312", "Other")
    }


@pytest.fixture
def orders(bench: Bench, layers: dict[str, str]) -> Function:
    """A function of the user's, with secrets and a layer of its own, as the snapshot shows it."""
    trust = {"Version": "2012-10-17", "Statement": []}
    iam = bench.client("iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    bench.client("lambda").create_function(
        FunctionName="orders",
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": zipped()},
        Layers=[layers["theirs"]],
        Environment={"Variables": FOREIGN},
    )
    return look(bench)


def look(bench: Bench) -> Function:
    """Take a snapshot, as a run does, and return the one function in it."""
    found = list_functions(bench.aws, LANE)
    assert isinstance(found, tuple)
    seen = tuple(replace(function, revision_id="a-revision") for function in found)
    bench.seen = LaneSnapshot(lane=LANE, functions=seen)
    return seen[0]


@pytest.fixture
def forward(orders: Function, layers: dict[str, str]) -> Change:
    theirs = layers["theirs"]
    return change(
        "function",
        orders.arn,
        FunctionState(handler="app.handler", layers=(theirs,)),
        FunctionState(
            handler=HANDLER,
            layers=(theirs, layers["Datadog-Python312"]),
            env={"DD_LAMBDA_HANDLER": "app.handler", "DD_FLUSH_TO_LOG": "true"},
        ),
        precondition=orders.revision_id,
    )


def live(bench: Bench) -> Function:
    return read_function(bench.aws, LANE, "orders")


def somebody(bench: Bench, **configuration: Any) -> Callable[[], AWSResponse | None]:
    """Somebody changes the function at this moment; the request that met it is refused."""

    def answer_request() -> AWSResponse | None:
        bench.stop_refusing()
        bench.client("lambda").update_function_configuration(FunctionName="orders", **configuration)
        return MOVED()

    return answer_request


def test_one_call_writes_all_and_keeps_the_rest(
    bench: Bench, forward: Change, layers: dict[str, str]
) -> None:
    assert bench.one(forward).status == "applied"
    now = live(bench)
    assert now.handler == HANDLER
    assert now.env == {**FOREIGN, "DD_LAMBDA_HANDLER": "app.handler", "DD_FLUSH_TO_LOG": "true"}
    assert [layer.arn for layer in now.layers] == [layers["theirs"], layers["Datadog-Python312"]]
    assert bench.calls("lambda:UpdateFunctionConfiguration") == 1


def test_a_second_time_sends_nothing(bench: Bench, forward: Change) -> None:
    bench.one(forward)
    look(bench)
    assert bench.one(forward).status == "unchanged"
    assert bench.calls("lambda:UpdateFunctionConfiguration") == 1


def test_undo_gives_back_what_was_there(bench: Bench, orders: Function, forward: Change) -> None:
    bench.one(forward)
    look(bench)
    assert bench.one(forward.inverse()).status == "applied"
    now = live(bench)
    assert (now.handler, now.env, now.layers) == (orders.handler, orders.env, orders.layers)
    look(bench)
    assert bench.one(forward.inverse()).status == "unchanged"


def test_undo_keeps_what_the_user_did_meanwhile(
    bench: Bench, forward: Change, layers: dict[str, str]
) -> None:
    bench.one(forward)
    after = live(bench)
    assert after.env is not None
    bench.client("lambda").update_function_configuration(
        FunctionName="orders",
        MemorySize=512,
        Environment={"Variables": {**after.env, "NEW": "1", "STAGE": "dev"}},
        Layers=[layers["Other"], *(layer.arn for layer in after.layers)],
    )
    look(bench)
    assert bench.one(forward.inverse()).status == "applied"
    now = live(bench)
    assert now.env == {"DB_PASSWORD": "hunter2", "STAGE": "dev", "NEW": "1"}
    assert [layer.arn for layer in now.layers] == [layers["Other"], layers["theirs"]]
    assert (now.handler, now.memory) == ("app.handler", 512)


@pytest.mark.parametrize(
    ("touched", "named"),
    [
        ({"Handler": "other.handler"}, "handler"),
        ({"Layers": []}, "layer Datadog-Python312:1"),
        ({"Environment": {"Variables": {"DD_LAMBDA_HANDLER": "x", "DD_FLUSH_TO_LOG": "true"}}}, "DD_LAMBDA"),
    ],
)
def test_undo_stops_where_the_users_own_change_is_on_top(
    bench: Bench, forward: Change, touched: dict[str, Any], named: str
) -> None:
    bench.one(forward)
    bench.client("lambda").update_function_configuration(FunctionName="orders", **touched)
    before = look(bench)
    outcome = bench.one(forward.inverse())
    assert outcome.status == "changed_since"
    assert named in outcome.reason
    assert replace(live(bench), revision_id=before.revision_id) == before


def test_without_a_snapshot_the_function_is_read(bench: Bench, forward: Change) -> None:
    bench.one(forward)
    bench.seen = LaneSnapshot(lane=LANE)
    assert bench.one(forward.inverse()).status == "applied"


def test_a_plan_of_another_revision_is_refused(bench: Bench, forward: Change) -> None:
    outcome = bench.one(replace(forward, precondition="an-older-revision"))
    assert outcome.status == "changed_since"
    assert bench.calls("lambda:UpdateFunctionConfiguration") == 0


def test_an_environment_that_cannot_be_read_is_never_written(
    bench: Bench, orders: Function, forward: Change
) -> None:
    hidden = replace(orders, env=None, env_error="AccessDeniedException: no kms:Decrypt")
    bench.seen = LaneSnapshot(lane=LANE, functions=(hidden,))
    outcome = bench.one(forward)
    assert (outcome.status, "cannot be read" in outcome.reason) == ("failed", True)
    assert bench.calls("lambda:UpdateFunctionConfiguration") == 0


def test_a_revision_that_moved_alone_is_written_again(bench: Bench, forward: Change) -> None:
    bench.refuse("lambda:UpdateFunctionConfiguration", [MOVED, MOVED, MOVED])
    assert bench.one(forward).status == "applied"
    assert live(bench).handler == HANDLER


def test_a_function_that_never_rests_is_left_alone(bench: Bench, forward: Change) -> None:
    bench.refuse("lambda:UpdateFunctionConfiguration", [MOVED] * 9)
    outcome = bench.one(forward)
    assert outcome.status == "changed_since"
    assert bench.calls("lambda:UpdateFunctionConfiguration") == 4
    assert live(bench).handler == "app.handler"


def test_somebody_elses_deployment_in_between_is_not_overwritten(bench: Bench, forward: Change) -> None:
    bench.refuse("lambda:UpdateFunctionConfiguration", [somebody(bench, MemorySize=512)])
    outcome = bench.one(forward)
    assert outcome.status == "changed_since"
    now = live(bench)
    assert (now.memory, now.handler, now.env) == (512, "app.handler", FOREIGN)


def test_somebody_elses_setting_in_between_is_kept_by_an_undo(bench: Bench, forward: Change) -> None:
    bench.one(forward)
    look(bench)
    bench.refuse("lambda:UpdateFunctionConfiguration", [somebody(bench, MemorySize=512)])
    assert bench.one(forward.inverse()).status == "applied"
    now = live(bench)
    assert (now.memory, now.handler) == (512, "app.handler")


def test_an_answer_that_was_lost_still_counts(bench: Bench, orders: Function, forward: Change) -> None:
    """The first attempt arrived, its answer did not; the repetition is refused for the revision."""
    bench.one(forward)
    bench.seen = LaneSnapshot(lane=LANE, functions=(orders,))
    bench.refuse("lambda:UpdateFunctionConfiguration", [MOVED])
    outcome = bench.one(forward)
    assert (outcome.status, outcome.reason) == ("applied", "found in place after the connection was lost")


def test_an_update_in_progress_is_waited_for(bench: Bench, forward: Change) -> None:
    bench.refuse("lambda:UpdateFunctionConfiguration", [BUSY, BUSY])
    assert bench.one(forward).status == "applied"


def test_a_function_deleted_meanwhile_is_said_to_be_gone(bench: Bench, forward: Change) -> None:
    bench.client("lambda").delete_function(FunctionName="orders")
    outcome = bench.one(forward)
    assert (outcome.status, outcome.reason) == ("changed_since", "changed since: the function was deleted")


def test_a_refusal_quotes_no_value(bench: Bench, forward: Change) -> None:
    text = f"Environment variables exceeded 4KB limit. String measured: {json.dumps(FOREIGN)}"
    bench.refuse("lambda:UpdateFunctionConfiguration", [answer(400, "InvalidParameterValueException", text)])
    with pytest.raises(GatewayError) as raised:
        bench.one(forward)
    assert "4 KB" in raised.value.what
    assert "hunter2" not in str(raised.value) + repr(raised.value)
