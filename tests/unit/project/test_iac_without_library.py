"""`--layer-version none`: no layer of the library, so no handler may be redirected to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Proposal, Wish
from ddsetup.project.iac.propose import propose
from ddsetup.project.layer_versions import LayerVersions
from tests.unit.project.test_iac_limits import sam, serverless, terraform
from tests.unit.project.test_iac_serverless import EXTENSION
from tests.unit.project.wishes import answering, wish

NONE = answering(EXTENSION, layer_version="none")
GO = "Transform: AWS::Serverless-2016-10-31\nResources:\n  Api:\n    Type: AWS::Serverless::Function\n    "
GO += "Properties: {Runtime: provided.al2023, Handler: bootstrap}\n"
APP = (
    'import * as lambda from "aws-cdk-lib/aws-lambda";\nclass Web extends Stack {\n  constructor() {\n'
    '    const shop = new lambda.Function(this, "Shop", {runtime: lambda.Runtime.PYTHON_3_12, '
    'handler: "app.handler"});\n  }\n}\n'
)
IMAGE = 'FROM public.ecr.aws/lambda/python:3.12\nCOPY app.py .\nCMD ["app.handler"]\n'


def proposed(folder: Path, wanted: Wish, *files: tuple[str, str]) -> Proposal:
    for name, text in files:
        (folder / name).write_text(text)
    return propose(detect(folder), wanted)


@pytest.mark.parametrize(
    ("files", "there", "absent"),
    [
        ([serverless("app.handler", "")], "addLayers: false|redirectHandlers: false", "addLayers: true"),
        ([("template.yaml", GO)], "addLayers: false|extensionLayerVersion", "pythonLayerVersion"),
        ([terraform("app.handler", "")], 'handler = "app.handler"|Datadog-Extension', "DD_LAMBDA_HANDLER"),
        ([("cdk.json", '{"app": "npx ts-node app.ts"}'), ("app.ts", APP)],
         "addLayers: false|redirectHandler: false|extensionLayerVersion", "pythonLayerVersion"),
        ([("Dockerfile", IMAGE)],
         'COPY --from=public.ecr.aws/datadog|DD_API_KEY|CMD ["app.handler"]', "pip install"),
    ],
    ids=["plugin", "macro", "terraform", "cdk", "image"],
)  # fmt: skip
def test_the_extension_comes_alone(
    tmp_path: Path, files: list[tuple[str, str]], there: str, absent: str
) -> None:
    found = proposed(tmp_path, NONE, *files)
    (edit,) = found.edits
    text = edit.after.decode()
    for each in there.split("|"):
        assert each in text
    assert absent not in text
    edit.path.write_bytes(edit.after)
    assert propose(detect(tmp_path), NONE).edits == (), "a second run changes the file again"


def test_the_macro_redirects_in_any_case_so_the_function_is_left_out(tmp_path: Path) -> None:
    found = proposed(tmp_path, NONE, sam("app.handler", ""))
    assert found.edits == ()
    assert "in any case" in " ".join(found.warnings)


def test_five_layers_are_not_exceeded_by_a_library_that_nobody_adds(tmp_path: Path) -> None:
    name, text = terraform("app.handler", "")
    layers = ", ".join(f"local.l{n}" for n in range(4))
    text = text.replace("  environment {", f"  layers = [{layers}]\n  environment {{")
    assert "five layers" in " ".join(proposed(tmp_path, EXTENSION, (name, text)).warnings)
    assert proposed(tmp_path, NONE, (name, text)).edits
    (tmp_path / "datadog_lambda").mkdir()
    (tmp_path / "datadog_lambda" / "__init__.py").touch()
    packaged = text.replace("  handler", '  filename = "app.zip"\n  handler')
    assert proposed(tmp_path, EXTENSION, (name, packaged)).edits


def test_a_runtime_without_a_library_has_room_for_the_extension_alone(tmp_path: Path) -> None:
    name, text = terraform("bootstrap", "")
    for held, fits in ((4, True), (5, False)):
        layers = ", ".join(f"local.l{n}" for n in range(held))
        own = text.replace("  environment {", f"  layers = [{layers}]\n  environment {{")
        found = proposed(tmp_path, EXTENSION, (name, own.replace("python3.12", "provided.al2023")))
        assert bool(found.edits) is fits
        assert ("five layers" in " ".join(found.warnings)) is not fits


def test_versions_are_those_of_the_flags() -> None:
    versions = LayerVersions({"Datadog-Python312": 200, "Datadog-Extension": 300}.get)
    assert versions.wanted(wish(layer_version="none")).library is False
    assert versions.wanted(wish(layer_version=120, extension_version=99)).layer_version == 120
    found = versions.wanted(wish(layer_version="latest", extension_version="latest"))
    assert (found.newest_library("Datadog-Python312"), found.newest_extension("Datadog-Extension")) == (
        200,
        300,
    )
    with pytest.raises(UsageError, match="without it there is none"):
        versions.wanted(wish(layer_version="latest", extension_version="none"))
