"""Terraform in JSON: the same arguments, where expressions stand in texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import terraform_read
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Proposal, Wish
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.source import read_source
from tests.unit.project.test_iac_serverless import FORWARDER
from tests.unit.project.wishes import answering, wish

WANTED = wish(site="datadoghq.eu", via="forwarder", region="us-east-1")
PLAIN: dict[str, Any] = {"function_name": "shop", "runtime": "python3.12", "handler": "app.handler"}
SHOP = ("resource", "aws_lambda_function", "shop")
ADDED = {"DD_LAMBDA_HANDLER": "app.handler", "DD_SITE": "datadoghq.eu", "DD_FLUSH_TO_LOG": "true"}


def file(folder: Path, body: Any, **beside: Any) -> Path:
    path = folder / "main.tf.json"
    path.write_text(json.dumps({"resource": {"aws_lambda_function": {"shop": body}}, **beside}, indent=2))
    return path


def proposed(folder: Path, body: Any, wanted: Wish = WANTED, **beside: Any) -> Proposal:
    file(folder, body, **beside)
    return propose(detect(folder), wanted)


def after(proposal: Proposal) -> Any:
    (edit,) = proposal.edits
    said = json.loads(edit.after)
    for name in SHOP:
        said = said[name]
    return said


@pytest.mark.parametrize(
    "had",
    [
        {},
        {"layers": ["${aws_lambda_layer_version.deps.arn}"]},
        {"environment": {"variables": {"TABLE": "${aws_dynamodb_table.t.name}"}}},
        {"environment": [{"variables": {"A": "{", "DD_SITE": "datadoghq.com"}}]},
        {"handler": '${var.on ? "a.handler" : "b.handler"}'},
        {"function_name": 'ä\t"quoted"'},
    ],
    ids=["nothing", "layers", "environment", "list of one", "computed handler", "odd text"],
)
@pytest.mark.parametrize("step", [2, None, "\t"])
def test_what_is_needed_is_put_in_and_all_else_stays(tmp_path: Path, had: Any, step: Any) -> None:
    body = {**PLAIN, **had}
    path = file(tmp_path, body)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=step, ensure_ascii=False))
    found = propose(detect(tmp_path), WANTED)
    now = after(found)
    assert now.pop("handler") == "datadog_lambda.handler.handler"
    layers, environment = now.pop("layers"), now.pop("environment")
    assert layers[:-1] == had.get("layers", [])
    assert ":layer:Datadog-Python312:" in layers[-1]
    block = environment[0] if isinstance(environment, list) else environment
    before = body.get("environment", {})
    before = before[0] if isinstance(before, list) else before
    assert block == {
        "variables": {**ADDED, "DD_LAMBDA_HANDLER": body["handler"], **before.get("variables", {})}
    }
    assert now == {name: value for name, value in body.items() if name in now}
    assert len(now) == len(body) - len({"handler", "layers", "environment"} & set(body))
    path.write_bytes(found.edits[0].after)
    assert propose(detect(tmp_path), WANTED).edits == ()


@pytest.mark.parametrize(
    ("had", "reason"),
    [
        ({"runtime": "${var.runtime}"}, "depends on its runtime (var.runtime)"),
        ({"layers": "${concat(local.layers, [])}"}, "its list of layers is computed"),
        ({"environment": {"variables": "${local.variables}"}}, "its variables are computed"),
        ({"environment": [{"variables": {}}, {"variables": {}}]}, "its variables are computed"),
        ({"architectures": "${var.kind}"}, "its architecture, which is computed"),
    ],
)
def test_what_is_computed_is_left_to_a_hand(tmp_path: Path, had: Any, reason: str) -> None:
    found = proposed(tmp_path, {**PLAIN, **had})
    assert found.edits == ()
    (snippet,) = found.snippets
    assert reason in snippet.reason


def test_a_list_of_layers_that_is_computed_is_no_matter_where_none_is_added(tmp_path: Path) -> None:
    body = {**PLAIN, "layers": "${local.layers}"}
    said = after(proposed(tmp_path, body, answering(WANTED, layer_version="none")))
    assert (said["layers"], said["handler"]) == ("${local.layers}", "app.handler")
    assert said["environment"] == {"variables": {"DD_SITE": "datadoghq.eu", "DD_FLUSH_TO_LOG": "true"}}


def test_the_lines_for_a_hand_are_json_with_expressions(tmp_path: Path) -> None:
    body = {**PLAIN, "handler": "${local.handler}", "layers": "${local.layers}"}
    (snippet,) = proposed(tmp_path, body).snippets
    said = json.loads(snippet.text)["resource"]["aws_lambda_function"]["shop"]
    assert said["environment"]["variables"]["DD_LAMBDA_HANDLER"] == "${local.handler}"


def test_the_region_is_that_of_the_only_provider_or_has_to_be_named(tmp_path: Path) -> None:
    found = proposed(tmp_path, PLAIN, FORWARDER, provider={"aws": {"region": "eu-north-1"}})
    assert "arn:aws:lambda:eu-north-1:" in after(found)["layers"][0]
    found = proposed(tmp_path, PLAIN, FORWARDER)
    assert "name it with --region" in found.snippets[0].reason


@pytest.mark.parametrize(
    ("body", "beside", "said"),
    [
        ({**PLAIN, "package_type": "Image"}, {}, "Dockerfile"),
        ({**PLAIN, "runtime": "python3.6"}, {}, "no layer for python3.6 any more"),
        ({**PLAIN, "handler": "newrelic_lambda_wrapper.handler"}, {}, "New Relic"),
        ({**PLAIN, "handler": "datadog_lambda.handler.handler"}, {}, "already"),
        ({**PLAIN, "layers": [f"${{local.l{n}}}" for n in range(5)]}, {}, "five layers"),
        (PLAIN, {"//": {"metadata": {"stackName": "web"}}}, "CDK for Terraform"),
        (
            {**PLAIN, "role": "${aws_iam_role.r.arn}"},
            {"data": {"x": {}}, "locals": {"trust": "edgelambda.amazonaws.com"}},
            "",
        ),
    ],
)
def test_the_rules_of_other_files_hold(tmp_path: Path, body: Any, beside: Any, said: str) -> None:
    found = proposed(tmp_path, body, **beside)
    assert said in " ".join(found.warnings)
    assert bool(found.edits) == (not said)


def test_a_function_of_cloudfront_is_told_by_its_role(tmp_path: Path) -> None:
    path = file(tmp_path, {**PLAIN, "role": "${aws_iam_role.edge.arn}"})
    said = json.loads(path.read_text())
    said["resource"]["aws_iam_role"] = {"edge": {"assume_role_policy": "edgelambda.amazonaws.com"}}
    path.write_text(json.dumps(said))
    assert "Lambda@Edge" in " ".join(propose(detect(tmp_path), WANTED).warnings)


def test_the_communitys_module_has_its_own_arguments(tmp_path: Path) -> None:
    module = {"source": "terraform-aws-modules/lambda/aws", **PLAIN}
    alias = {"source": "terraform-aws-modules/lambda/aws//modules/alias", "name": "live"}
    (tmp_path / "main.tf.json").write_text(json.dumps({"module": {"shop": module, "live": alias}}))
    (edit,) = propose(detect(tmp_path), WANTED).edits
    now = json.loads(edit.after)["module"]
    assert now["shop"]["environment_variables"] == ADDED
    assert now["live"] == alias


def test_functions_are_known_by_their_names(tmp_path: Path) -> None:
    path = file(tmp_path, PLAIN)
    assert terraform_read.function_names(read_source(path)) == {"shop"}


@pytest.mark.parametrize(
    "text", ['{"resource": [', '["aws_lambda_function": 1]', '{"a": "aws_lambda_function\\": {"']
)
def test_what_is_no_json_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "main.tf.json"
    path.write_text(text + ' "aws_lambda_function": {')
    with pytest.raises(UsageError) as refused:
        propose(detect(path), WANTED)
    assert "main.tf.json:1:" in str(refused.value.where)
