"""Which files of a project count, by their names, by what they say and by where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac.detect import DEPTH, detect
from tests.unit.project.test_iac_files import DOCKER, SAM

RESOURCE = 'resource "aws_lambda_function" "orders" {}\n'
PLAIN_TEMPLATE = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A:\n    Type: AWS::Lambda::Function\n"
FILES = {
    **dict.fromkeys(("serverless.yml", "serverless.yaml", "serverless.json"), "serverless"),
    **dict.fromkeys(
        ("serverless.ts", "serverless.js", "serverless.mjs", "serverless.cjs"), "serverless_code"
    ),
    "cdk.json": "cdk",
    "requirements.txt": "requirements",
    "pyproject.toml": "pyproject",
    "package.json": "package_json",
    "zappa_settings.json": "zappa",
    "zappa_settings.yml": "zappa",
    "sst.config.ts": "sst",
    ".chalice/config.json": "chalice",
    **dict.fromkeys(("main.tf", "fns.tf.json"), "terraform"),
    **dict.fromkeys(("Dockerfile", "Dockerfile.orders", "orders.Dockerfile"), "dockerfile"),
    **dict.fromkeys(
        (
            *("template.yaml", "sam.yml", "stack.json", "cfn.template", "MyCloudFormation.yml", "x.cf.yaml"),
            *("template.yml", "template.json"),
        ),
        "cloudformation",
    ),
}
NO_FILES = {
    "config.json": "{}",
    "other.yaml": SAM,
    "template.txt": SAM,
    "template.toml": SAM,
    "empty.tf": 'resource "aws_s3_bucket" "b" {}\n',
    "Dockerfile.web": "FROM nginx\n",
    "dockerfile": DOCKER,
    "stack.yaml": "Resources:\n  A:\n    Type: AWS::Lambda::Function\n",
    "sam.yaml": "Transform: AWS::Serverless-2016-10-31\nResources:\n  A:\n    Type: AWS::SQS::Queue\n",
}
OTHERS_FOLDERS = (
    *("node_modules", "__pycache__", "venv", "site-packages", "vendor", "dist", "build", "cdk.out", ".git"),
    *("coverage", "tests", "test", "fixtures", "examples", ".venv", ".serverless", ".terraform"),
)


def put(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def text_of(kind: str, name: str) -> str:
    if kind == "terraform":
        return '{"resource": {"aws_lambda_function": {"orders": {}}}}' if name.endswith(".json") else RESOURCE
    return {"dockerfile": DOCKER, "cloudformation": SAM}.get(kind, "{}")


def found(root: Path, **how: int) -> dict[str, str]:
    return {str(each.path.relative_to(root)): each.kind for each in detect(root, **how).files}


def test_files_are_known_by_their_names_and_what_they_say(tmp_path: Path) -> None:
    for name, kind in FILES.items():
        put(tmp_path, name, text_of(kind, name))
    for name, text in NO_FILES.items():
        put(tmp_path, name, text)
    assert found(tmp_path) == FILES


@pytest.mark.parametrize(
    "text",
    [SAM, PLAIN_TEMPLATE, PLAIN_TEMPLATE.replace("AWSTemplateFormatVersion", '"AWSTemplateFormatVersion"')],
)
def test_a_template_that_is_named_may_be_called_anything(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, "other.yaml", text)
    assert [each.kind for each in detect(path).files] == ["cloudformation"]
    assert detect(path).root == tmp_path


@pytest.mark.parametrize(
    ("base", "counts"),
    [
        ("public.ecr.aws/lambda/python:3.12", True),
        ("amazon/aws-lambda-python:3.12", True),
        ("public.ecr.aws/docker/library/python:3.12", False),
        ("python:3.12\nRUN pip install awslambdaric", True),
        ("node:22\nRUN npm install aws-lambda-ric", True),
        ("nginx\nCOPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:1 /x /y", True),
        ("python:3.12", False),
    ],
)
def test_images_of_functions_are_told_from_others(tmp_path: Path, base: str, counts: bool) -> None:
    put(tmp_path, "Dockerfile", f"FROM {base}\n")
    assert found(tmp_path) == ({"Dockerfile": "dockerfile"} if counts else {})


def test_what_others_made_is_not_looked_into(tmp_path: Path) -> None:
    for folder in (*OTHERS_FOLDERS, "src", "service/vendored"):
        put(tmp_path, f"{folder}/package.json")
    put(tmp_path, ".chalice/deployed/package.json")
    assert sorted(found(tmp_path)) == ["service/vendored/package.json", "src/package.json"]


def test_so_many_folders_deep_is_looked_the_nearest_first(tmp_path: Path) -> None:
    deep = [put(tmp_path, f"{'d/' * depth}package.json") for depth in (DEPTH, 2, 0, DEPTH + 1)]
    put(tmp_path, "a/package.json")
    files = [each.path for each in detect(tmp_path).files]
    assert files == [deep[2], tmp_path / "a" / "package.json", deep[1], deep[0]]
    assert list(found(tmp_path, depth=1)) == ["package.json", "a/package.json"]
    assert list(found(tmp_path, depth=0)) == ["package.json"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone", "there is no such file or directory"),
        ("notes.md", "this is no file of a deployment tool that ddsetup knows"),
    ],
)
def test_what_is_named_and_of_no_use_is_said(tmp_path: Path, name: str, said: str) -> None:
    put(tmp_path, "notes.md")
    with pytest.raises(UsageError) as caught:
        detect(tmp_path / name)
    assert (caught.value.what, caught.value.where) == (said, str(tmp_path / name))
