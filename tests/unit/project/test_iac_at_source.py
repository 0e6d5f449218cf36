"""Owned functions are better changed at the source, when the project that deploys them is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.project.at_source import in_words, source_note
from ddsetup.project.iac.at_hand import at_hand
from tests.builders import function, lane_snapshot, snapshot

PLAIN, OWNED, BUILT, MADE = (function(name) for name in ("plain", "shop-dev-hello", "web-Shop-1X", "billing"))
STACK = "aws:cloudformation:stack-name"
TAGS = {
    OWNED.arn: {"STAGE": "dev", STACK: "shop-dev"},
    BUILT.arn: {"lambda:createdBy": "SAM", STACK: "web", "aws:cloudformation:logical-id": "Shop"},
    MADE.arn: {"managed-by": "terraform"},
}
ALL = (PLAIN, OWNED, BUILT, MADE)
SNAPSHOT = snapshot(lane_snapshot(*ALL, tags=TAGS))
TEMPLATE = "Transform: AWS::Serverless-2016-10-31\nResources:\n  {}: {{Type: 'AWS::Serverless::Function'}}\n"
RESOURCE = 'resource "aws_lambda_function" "it" {{\n  function_name = {}\n}}\n'


@pytest.mark.parametrize(
    ("name", "text", "held"),
    [
        ("serverless.yml", "service: shop\n", OWNED),
        ("serverless.yml", "service: {name: shop}\n", OWNED),
        ("serverless.yml", "service: ${self:custom.name}\n", OWNED),
        ("serverless.ts", "export default {};\n", OWNED),
        ("services/shop/serverless.yml", "service: shop\n", OWNED),
        ("serverless.yml", "service: other\n", None),
        ("sub/serverless.yml", "service: ${self:custom.name}\n", None),
        ("serverless.yml", "service: [\n", None),
        ("template.yaml", TEMPLATE.format("Shop"), BUILT),
        ("deep/template.yaml", TEMPLATE.format("Shop"), BUILT),
        ("template.yaml", TEMPLATE.format("Other"), None),
        ("main.tf", RESOURCE.format('"billing"'), MADE),
        ("infra/main.tf", RESOURCE.format('"billing"'), MADE),
        ("main.tf", RESOURCE.format("local.name"), MADE),
        ("infra/main.tf", RESOURCE.format("local.name"), None),
        ("main.tf", RESOURCE.format('"another"'), None),
        ("cdk.json", "{}", None),
        ("requirements.txt", "", None),
    ],
)
def test_a_file_is_at_hand_if_it_deploys_one_of_the_functions(
    tmp_path: Path, name: str, text: str, held: object
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    found = at_hand(tmp_path, SNAPSHOT, ALL)
    assert (found and (found.functions, found.files)) == (held and ((held,), (name,)))
    assert at_hand(tmp_path, SNAPSHOT, (PLAIN,)) is None, "nobody owns it"


def test_the_stage_is_what_the_stack_says_after_the_service(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text("service: shop\n")
    found = at_hand(tmp_path, SNAPSHOT, ALL)
    assert found is not None
    assert (found.stacks, found.stages) == (("shop-dev",), ("dev",))


def test_it_is_said_which_and_how_many(tmp_path: Path) -> None:
    assert in_words(tmp_path, SNAPSHOT, ALL) == source_note(tmp_path, SNAPSHOT, ALL) == ""
    (tmp_path / "serverless.yml").write_text("service: shop\n")
    said = in_words(tmp_path, SNAPSHOT, ALL)
    assert said == "serverless.yml in this directory, which deploys 1 of these 3; deploys keep it"
    assert "which" not in in_words(tmp_path, SNAPSHOT, (OWNED,))
    note = source_note(tmp_path, SNAPSHOT, ALL)
    assert note.startswith("1 function of this plan is deployed from serverless.yml: with --owned source")
