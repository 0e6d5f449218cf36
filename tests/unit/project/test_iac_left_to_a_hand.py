"""What is not written but told: files in odd shapes, programs, and what a tool has to decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import backup, cloudformation, hcl, in_package, packages, serverless, service
from ddsetup.project.iac.described import Described
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import AnswerMissing, BrokenFile, Proposal
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.terraform_json import argument
from ddsetup.project.iac.variables import check_said
from tests.unit.project.test_iac_changes import doc
from tests.unit.project.test_iac_files import EXTENSION, FORWARDER, SAM
from tests.unit.project.test_iac_snippets import source
from tests.unit.project.wishes import wish

BODY = SAM[SAM.index("Resources:") :]
MACRO = "DatadogServerless"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SLS = "service: shop\nprovider: {name: aws, runtime: nodejs20.x}\nfunctions: {a: {handler: a.b}}\n"


def reason(found: Proposal) -> str:
    assert (len(found.edits), len(found.snippets)) == (0, 1), found
    return found.snippets[0].reason


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (f"Fn::Transform: {{Name: {MACRO}}}\n", "the macro is called by `Fn::Transform`"),
        ("X: &x [AWS::Serverless-2016-10-31]\nTransform: *x\n", "`Transform` comes from somewhere else"),
        (f"Transform: [{MACRO}, {MACRO}]\n", "the macro is listed twice"),
        ("Transform: {a: b}\n", "`Transform` is neither a name nor a list of names"),
        ("Transform: !Ref X\n", "`Transform` is not written on one line"),
        ("Transform: |\n  AWS::Serverless-2016-10-31\n", "`Transform` is not written on one line"),
        (f"Transform: [{{Name: {MACRO}, Parameters: !Ref X}}]\n", "are not written in this file"),
    ],
)
def test_a_transform_that_is_odd_is_left(tmp_path: Path, head: str, said: str) -> None:
    assert said in reason(cloudformation.propose(source(tmp_path, "t.yml", head + BODY), FORWARDER))


def test_what_the_other_mode_excludes_has_to_go(tmp_path: Path) -> None:
    head = f"Transform:\n  - Name: {MACRO}\n    Parameters: {{SETTING: 9}}\n"
    for setting, wanted in (("extensionLayerVersion", FORWARDER), ("forwarderArn", EXTENSION)):
        text = head.replace("SETTING", setting) + BODY
        assert f"`{setting}` has to go" in reason(
            cloudformation.propose(source(tmp_path, "t.yml", text), wanted)
        )


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            f"Transform: {MACRO}   # ours\n",
            "Transform:   # ours\n  - Name: DatadogServerless\n    Parameters:\n",
        ),
        (f'Transform: ["{MACRO}"]\n', "Transform: [{Name: DatadogServerless, Parameters: {"),
        (f"Transform:\n- {MACRO}\n", "Transform:\n- Name: DatadogServerless\n  Parameters:\n"),
    ],
)
def test_a_macro_by_its_name_gets_its_parameters(tmp_path: Path, head: str, expected: str) -> None:
    (edit,) = cloudformation.propose(source(tmp_path, "t.yml", head + BODY), FORWARDER).edits
    assert edit.after.decode().startswith(expected)
    assert edit.why == ("parameters of the macro",)


def test_what_is_wrong_with_a_template_is_said(tmp_path: Path) -> None:
    head = (
        f"Transform:\n  - Name: {MACRO}\n    Parameters:\n      site: !ImportValue x\n"
        "      env: !Ref E\n  - AWS::Serverless-2016-10-31\n"
    )
    said = cloudformation.propose(source(tmp_path, "t.yml", head + BODY), FORWARDER).warnings
    assert any(
        each.startswith("t.yml: `site`: CloudFormation does not resolve Fn::ImportValue") for each in said
    )
    assert not any("`env`" in each for each in said)
    assert "t.yml: the macro has to stand below AWS::Serverless-2016-10-31, or it sees no functions" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("provider: google\n", "its provider is google, which has no AWS Lambda functions"),
        ("provider: {name: AWS}\nfunctions: {}\n", ""),
        ("provider: ${file(x)}\nfunctions: {}\n", ""),
        ("component: nextjs\n", "it describes a component of Serverless Inc. (nextjs), no Lambda functions"),
        (
            "name: x\n",
            "it names neither a service nor a provider, so it is no file of the Serverless Framework",
        ),
        ("service: x\nlayers: {}\n", "it has resources or layers, and no functions"),
        ("service: x\n", ""),
    ],
)
def test_what_is_no_service_of_lambda_functions_is_told(text: str, said: str) -> None:
    assert service.foreign(doc(text)) == said


@pytest.mark.parametrize(
    ("name", "text", "major"),
    [
        ("package-lock.json", '"node_modules/serverless-plugin-datadog": {\n "version": "5.84.0"', 5),
        ("yarn.lock", 'serverless-plugin-datadog@^6.0.0:\n  version "6.1.2"\n', 6),
        ("pnpm-lock.yaml", "  serverless-plugin-datadog:\n    specifier: ^4\n    version: 4.1.0\n", 4),
        ("package.json", '{"devDependencies": {"serverless-plugin-datadog": "^3.2.1"}}', 3),
        ("package.json", '{"dependencies": {"serverless-plugin-datadog": "~12.2.1"}}', 12),
        ("package.json", '{"dependencies": {"serverless-plugin-datadog": "latest"}}', None),
        ("package.json", '{"dependencies": []}', None),
        ("package.json", "{", None),
        ("other.json", "{}", None),
    ],
)
def test_the_release_of_the_plugin_is_that_of_the_lock_file(
    tmp_path: Path, name: str, text: str, major: int | None
) -> None:
    (tmp_path / name).write_text(text)
    assert service.plugin_major(tmp_path) == major
    (tmp_path / "yarn.lock").write_bytes(b"\xff")
    assert service.plugin_major(tmp_path) == (None if name == "yarn.lock" else major)


def test_what_is_said_of_each_function_of_a_service() -> None:
    text = (
        "service: x\nprovider: {name: aws, runtime: '${self:custom.rt}', layers: [p],"
        " environment: {A: 1, B: b}}\n"
        "custom: {rt: nodejs20.x}\n"
        "functions:\n  - a: {handler: a.b, environment: {B: c}}\n"
        "  - b: {image: x, layers: [{Ref: L}, m]}\n    c: {handler: [x], runtime: '${env:R}'}\n"
    )
    a, b_, c = service.functions(doc(text))
    assert (a.name, a.runtimes, a.handler, a.layers) == ("a", ("nodejs20.x",), "a.b", ("p",))
    assert a.variables == {"A": "", "B": "c"}
    assert (b_.image, b_.layers, b_.handler) == (True, ("Ref L", "m"), "")
    assert (c.handler, c.computed_runtime, a.computed_runtime) == ("", True, False)


@pytest.mark.parametrize(
    ("plugins", "said"),
    [
        ("x: &x [a]\nplugins: *x\n", "`plugins` is an alias of something else in the file"),
        ("plugins: ${file(p.yml)}\n", "`plugins` comes from a variable (${file(p.yml)})"),
    ],
)
def test_a_list_of_plugins_that_is_not_here_is_left(tmp_path: Path, plugins: str, said: str) -> None:
    assert reason(serverless.propose(source(tmp_path, "serverless.yml", SLS + plugins), FORWARDER)) == said


def test_a_mapping_of_plugins_gets_a_list(tmp_path: Path) -> None:
    text = f"{SLS}plugins:\n  localPath: ./p\n"
    (edit,) = serverless.propose(source(tmp_path, "serverless.yml", text), FORWARDER).edits
    assert "plugins:\n  localPath: ./p\n  modules:\n    - serverless-plugin-datadog\n" in edit.after.decode()
    assert edit.why[0] == "plugins.modules: serverless-plugin-datadog"


@pytest.mark.parametrize(
    ("name", "language"), [("serverless.ts", "typescript"), ("serverless.js", "javascript")]
)
def test_a_program_gets_lines_for_its_object(tmp_path: Path, name: str, language: str) -> None:
    text = "module.exports = {service: 'x', functions: {}}\n"
    path = source(tmp_path, name, text).path
    (tmp_path / "package.json").write_text("{}")
    found = propose(detect(tmp_path), FORWARDER)
    (snippet,) = found.snippets
    assert (snippet.path, snippet.language) == (path, language)
    assert 'plugins: [\n  "serverless-plugin-datadog"\n],' in snippet.text
    assert [install.command[-1] for install in found.installs] == ["serverless-plugin-datadog"]
    path.write_text(text.replace("functions", "plugins: ['serverless-plugin-datadog'], functions"))
    again = propose(detect(tmp_path), FORWARDER)
    assert (again.snippets, again.settled, again.installs) == ((), (path,), ())


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_an_image_that_installs_a_list_gets_the_library_there(tmp_path: Path, name: str) -> None:
    image = f'FROM public.ecr.aws/lambda/python:3.12\nCOPY {name} .\nRUN pip install\nCMD ["app.handler"]\n'
    (tmp_path / "Dockerfile").write_text(image)
    without = propose(detect(tmp_path), FORWARDER)
    assert [edit.path.name for edit in without.edits] == ["Dockerfile"]
    assert b"datadog-lambda" in without.edits[0].after
    listed = {
        "requirements.txt": "boto3\n",
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["boto3"]\n',
    }
    (tmp_path / name).write_text(listed[name])
    found = propose(detect(tmp_path), FORWARDER)
    assert [edit.path.name for edit in found.edits] == ["Dockerfile", name]
    assert (b"pip install --no-cache-dir" in found.edits[0].after) is (name == "pyproject.toml")
    assert b"datadog-lambda" in found.edits[1].after


def test_a_key_that_nobody_named_is_asked_for() -> None:
    with pytest.raises(AnswerMissing, match="the Extension needs the API key") as caught:
        check_said("extension", wish(site="datadoghq.eu"), "x.yml")
    assert (caught.value.setting, caught.value.where) == ("api_key_secret", "x.yml")
    check_said("extension", wish(site="datadoghq.eu"), "x.yml", key=False)
    check_said("forwarder", wish(site="datadoghq.eu"), "x.yml")
    with pytest.raises(AnswerMissing, match="the Datadog site is not known"):
        check_said("forwarder", wish(), "x.yml")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"text"', '"text"'),
        ('"${var.x}"', "var.x"),
        ('"a-${var.x}"', '"a-${var.x}"'),
        ('["a", "${b}", 1, true]', '["a", b, 1, true]'),
        ('{"a": "${b}", "c": [1]}', '{"a" = b, "c" = [1]}'),
        ("null", ""),
        ("5", "5"),
    ],
)
def test_a_value_of_json_as_an_expression_of_terraform(value: str, expected: str) -> None:
    root = doc(f'{{"x": {value}}}', "x.tf.json").root
    assert argument(root, "x") == expected
    assert argument(root, "y") == argument(None, "x") == ""


def test_blocks_of_terraform_are_found_at_every_depth(tmp_path: Path) -> None:
    tree = hcl.parse(source(tmp_path, "m.tf", 'a "l" {\n  b {\n    c {}\n  }\n}\nd {}\n'))
    assert [block.type for block in tree.all()] == ["", "a", "b", "c", "d"]
    assert [block.labels for block in tree.of_type("a")] == [("l",)]
    with pytest.raises(BrokenFile, match="nested more than"):
        hcl.parse(source(tmp_path, "m.tf", "a {\n" * 500 + "}\n" * 500))


def test_what_was_put_aside_must_be_what_it_was(tmp_path: Path) -> None:
    path, state = tmp_path / "a", tmp_path / "state"
    path.write_bytes(b"1")
    run = backup.keep(state, tmp_path, [(path, b"1"), (tmp_path / "new", None)], NOW)
    path.write_bytes(b"2")
    run = backup.finish(run)
    (run.folder / "0").write_bytes(b"3")
    assert backup.give_back(run) == ((path, "what was put aside has been changed"), (tmp_path / "new", ""))
    assert backup.newest(state, tmp_path.parent).id == run.id, "it has not been given back"
    (run.folder / "0").unlink()
    ((_, said), _) = backup.give_back(run)
    assert "No such file" in said
    assert path.read_bytes() == b"2"
    path.write_bytes(b"1")
    assert backup.give_back(run)[0] == (path, ""), "it is as it was"
    with pytest.raises(UsageError, match="there is nothing to give back here"):
        backup.newest(state, tmp_path)


def test_layers_stay_where_others_need_them() -> None:
    bare = Described(name="b", runtimes=("python3.12",), handler="a.b")
    ours = replace(bare, name="a", library="packaged")
    assert in_package.kept_layers((bare,), said=True) == ()
    assert in_package.kept_layers((ours,), said=False) == ()
    assert in_package.kept_layers((ours, bare), said=False) == (
        "`addLayers: false` would keep the layer from all functions, so it is not set",
    )
    (said,) = in_package.kept_layers((ours, bare), said=True)
    assert said.startswith("`addLayers: true` was left so")


def test_the_folder_of_a_function_tells_what_is_in_its_package(tmp_path: Path) -> None:
    here = Described(name="a", runtimes=("python3.12",), handler="a.b", code="src", installs=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "requirements.txt").write_text("-r more.txt\n-r gone.txt\n")
    (tmp_path / "src" / "more.txt").write_text("Datadog_Lambda==5\n")
    assert in_package.looked_up(here, tmp_path, FORWARDER).library == "packaged"
    assert packages.lists(tmp_path / "src" / "requirements.txt", "datadog-lambda")
    outside = Described(name="a", runtimes=("python3.12",), handler="a.b", code=str(tmp_path / "src"))
    assert in_package.looked_up(outside, tmp_path, FORWARDER) == outside
    (tmp_path / "src" / "more.txt").write_bytes(b"\xff")
    assert in_package.looked_up(here, tmp_path, FORWARDER).library == ""
