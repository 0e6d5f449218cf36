"""Lines of Terraform, exact for the functions that were found, put in or left to a hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ddsetup.facts import catalog
from ddsetup.project.iac import hcl, terraform
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import BrokenFile, Proposal, Wish
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.source import Source, read_source
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER
from tests.unit.project.wishes import wish

TF = """resource "aws_lambda_function" "checkout" {
  handler       = "app.handler"  # ours
  runtime       = "python3.12"
  architectures = ["arm64"]
  layers        = [aws_lambda_layer_version.deps.arn]
  environment {
    variables = { A = "{" }
  }
}
resource "aws_lambda_function" "done" {
  handler = "datadog_lambda.handler.handler"
}
resource "aws_lambda_function" "java" {
  runtime = "java21"
}
resource "aws_lambda_function" "image" {
  package_type = "Image"
}
"""
MODULE = """module "shop" {
  source  = "terraform-aws-modules/lambda/aws"
  handler = "app.handler"  # ours
  runtime = "nodejs22.x"
  environment_variables = {
    A = "1" # } not the end
  }
}
module "network" {
  source  = "terraform-aws-modules/vpc/aws"
  handler = "no.function"
}
"""


def source(folder: Path, name: str, text: str) -> Source:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return read_source(path)


def written(folder: Path, text: str, wanted: Wish = FORWARDER) -> str:
    """The file as it would be, or the lines for a hand where nothing in it is certain."""
    path = source(folder, "main.tf", text).path
    proposal = terraform.propose(folder, (path,), wanted)
    return proposal.edits[0].after.decode() if proposal.edits else proposal.snippets[0].text


def newest(layer: str, region: str = "us-east-1") -> str:
    return f':layer:{layer}:{catalog.baseline_version(layer, region)}"'


def test_terraform_has_each_function_with_versions(tmp_path: Path) -> None:
    text = written(tmp_path, TF, EXTENSION)
    assert newest("Datadog-Python312-ARM") in text
    assert newest("Datadog-Extension-ARM") in text
    assert newest("dd-trace-java") in text
    assert newest("Datadog-Extension") in text
    assert re.search(r'DD_LAMBDA_HANDLER\s+= "app.handler"\n', text)
    assert text.count("datadog_lambda.handler.handler") == 2, "the one of a hand stays the only one"
    assert text.count('package_type = "Image"') == 1
    path = source(tmp_path, "main.tf", TF).path
    warnings = " ".join(terraform.propose(tmp_path, (path,), EXTENSION).warnings)
    assert "aws_lambda_function.image" in warnings
    assert "Dockerfile" in warnings


@pytest.mark.parametrize(
    ("layers", "after"),
    [
        ("[local.a]", "[local.a, LAYER]"),
        ("[]", "[LAYER]"),
        ("[local.a, ]", "[local.a, LAYER]"),
        ('[\n    local.a, # ] first\n    "${var.b["x"]}:1"\n  ]', None),
    ],
)
def test_layers_join_the_list_that_is_there(tmp_path: Path, layers: str, after: str | None) -> None:
    wanted = wish(site="datadoghq.eu", via="forwarder", region="us-east-1")
    text = written(tmp_path, TF.replace("[aws_lambda_layer_version.deps.arn]", layers), wanted)
    arn = re.search(r'"arn:aws:lambda:us-east-1:\d+:layer:Datadog-Python312-ARM:\d+"', text)
    assert arn is not None
    if after is None:
        after = f'[\n    local.a, # ] first\n    "${{var.b["x"]}}:1",\n    {arn[0]},\n  ]'
    assert f"layers        = {after.replace('LAYER', arn[0])}\n" in text


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("[aws_lambda_layer_version.deps.arn]", "concat(local.shared, [])"),
        ("[aws_lambda_layer_version.deps.arn]", "[for each in var.layers : each]"),
        ('"python3.12"', "var.runtime"),
        ('["arm64"]', "var.architectures"),
        ('{ A = "{" }', "merge(var.env, {})"),
    ],
)
def test_what_is_computed_is_left_to_a_hand_with_the_lines(tmp_path: Path, before: str, reason: str) -> None:
    text = TF.replace(before, reason, 1)
    path = source(tmp_path, "main.tf", text).path
    proposal = terraform.propose(tmp_path, (path,), FORWARDER)
    assert proposal.edits == ()
    assert "aws_lambda_function.checkout" in proposal.snippets[0].reason


def test_a_runtime_by_variable_is_its_default(tmp_path: Path) -> None:
    text = TF.replace('"nodejs22.x"', "var.runtime").replace('"python3.12"', "var.r")
    source(tmp_path, "vars.tf", 'variable "r" {\n  type = string\n  default = "ruby2.5"\n}\n')
    path = source(tmp_path, "main.tf", text).path
    warnings = " ".join(terraform.propose(tmp_path, (path,), FORWARDER).warnings)
    assert "ruby2.5" in warnings


def test_functions_of_the_community_module_get_its_arguments(tmp_path: Path) -> None:
    assert [file.kind for file in detect(source(tmp_path, "main.tf", MODULE).path).files] == ["terraform"]
    text = written(tmp_path, MODULE)
    assert text.count("DD_LAMBDA_HANDLER") == 1
    assert '    A = "1" # } not the end\n\n    DD_LAMBDA_HANDLER' in text
    assert newest("Datadog-Node22-x") in text
    assert MODULE[MODULE.index('module "network"') :] in text


def test_aliases_and_layers_of_the_community_module_are_no_functions(tmp_path: Path) -> None:
    text = """module "live" {
  source        = "terraform-aws-modules/lambda/aws//modules/alias"
  function_name = module.shop.lambda_function_name
}
module "libs" {
  source          = "terraform-aws-modules/lambda/aws"
  create_function = false
  create_layer    = true
}
/*
resource "aws_lambda_function" "gone" {
  runtime = "python3.9"
}
*/
"""
    path = source(tmp_path, "main.tf", text).path
    assert terraform.propose(tmp_path, (path,), FORWARDER) == Proposal(settled=(path,))


@pytest.mark.parametrize(
    "origin", ["DataDog/lambda-datadog/aws", "git::https://github.com/DataDog/terraform-aws-lambda-datadog"]
)
def test_datadogs_own_module_is_as_wanted(tmp_path: Path, origin: str) -> None:
    path = source(tmp_path, "shop.tf", f'module "x" {{\n  source = "{origin}"\n}}\n').path
    assert propose(detect(tmp_path), FORWARDER) == Proposal(settled=(path,))


def test_a_layer_of_datadog_that_is_there_is_the_only_one(tmp_path: Path) -> None:
    layer = '"arn:aws:lambda:eu-west-3:464622532012:layer:Datadog-Python312-ARM:88"'
    text = written(tmp_path, TF.replace("aws_lambda_layer_version.deps.arn", layer))
    assert text.count(":layer:Datadog-Python312-ARM:") == 1
    assert layer in text


def test_a_function_of_cloudfront_is_left_alone(tmp_path: Path) -> None:
    distribution = """resource "aws_cloudfront_distribution" "site" {
  ordered_cache_behavior {
    lambda_function_association {
      event_type = "origin-response"
      lambda_arn = aws_lambda_function.checkout.qualified_arn
    }
  }
}
"""
    source(tmp_path, "cdn.tf", distribution)
    path = source(tmp_path, "main.tf", TF).path
    proposal = terraform.propose(tmp_path, (path,), FORWARDER)
    assert "Lambda@Edge" in " ".join(proposal.warnings)
    assert proposal.edits == ()


def test_files_of_one_directory_declare_the_region_once(tmp_path: Path) -> None:
    for name in ("a.tf", "b.tf", "other/c.tf"):
        source(tmp_path, name, TF)
    found = propose(detect(tmp_path), FORWARDER)
    assert [edit.after.decode().count('data "aws_region"') for edit in found.edits] == [1, 0, 1]


def test_layers_of_other_partitions_are_of_their_own_account(tmp_path: Path) -> None:
    wanted = wish(site="ddog-gov.com", via="forwarder", region="us-gov-west-1")
    text = written(tmp_path, TF, wanted)
    assert f'"arn:aws-us-gov:lambda:us-gov-west-1:{catalog.LAYER_ACCOUNTS["aws-us-gov"]}:' in text


@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_terraform_is_not_changed_twice(tmp_path: Path, wanted: Wish) -> None:
    text = TF.replace('variables = { A = "{" }', "variables = {}") + MODULE
    path = source(tmp_path, "main.tf", written(tmp_path, text, wanted)).path
    again = terraform.propose(tmp_path, (path,), wanted)
    assert again.edits == ()
    assert again.snippets == ()


@pytest.mark.parametrize(
    "text",
    ['resource "x" {', "a = [1\n}", 'a = "open\n', "a = <<EOT\nno end\n", "}", "{}", "a = " + "[" * 999],
)
def test_what_is_no_terraform_is_refused_with_the_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrokenFile) as refused:
        hcl.parse(source(tmp_path, "main.tf", text))
    assert re.search(r"main\.tf:\d+:\d+$", refused.value.where)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_terraform_would_not_format_it_otherwise(tmp_path: Path, wanted: Wish) -> None:
    text = written(tmp_path, formatted(TF + MODULE), wanted)
    assert formatted(text) == text


def formatted(text: str) -> str:
    done = subprocess.run(
        ["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
