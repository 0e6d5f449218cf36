"""serverless.yml in many hands: only the lines that have to change do, and it means what was meant."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import serverless
from ddsetup.project.iac.model import AnswerMissing, BrokenFile, Edit, Proposal, Wish
from ddsetup.project.iac.source import read_source
from tests.unit.project.wishes import wish

DATA = Path(__file__).parents[2] / "data" / "iac"
SAMPLES = sorted((DATA / "serverless").iterdir())
ARN = "arn:aws:lambda:us-east-1:123456789012:function:datadog-forwarder"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:datadog-AbCdEf"
FORWARDER = wish(site="datadoghq.eu", via="forwarder", forwarders=(ARN,))
EXTENSION = wish(site="datadoghq.eu", via="extension", key_source=("apiKeySecretArn", SECRET))

CHANGED_LINES = {
    "07-flow-plugins.yml": {"plugins: [serverless-offline", "custom: {stage"},
    "08-empty-flow.yml": {"plugins: []", "custom: {}"},
    "10-null-values.yml": {"plugins: ~", "custom: null"},
    "17-seed-forwarder.yml": {"        forwarder: arn"},
    "18-seed-forwarder-empty.yml": {"        forwarder:"},
    "20-extension-before.yml": {"    addExtension: true", "    site: datadoghq.com"},
    "22-wrong-order.yml": {"  - serverless-plugin-datadog"},
    "28-datadog-flow.yml": {"  datadog: {"},
    "29-flow-over-lines.yml": {"  serverless-dotenv-plugin", "  other: ["},
    "30-merge-into-datadog.yml": set(),
    "39-two-spaces.json": {'    "serverless-offline"', '    "stage": "dev"'},
    "40-one-line.json": {'{"service"'},
    "41-tabless-four.json": {'    "plugins": []', '    "custom": {}'},
    "42-wrong-order-flow.yml": {"plugins: [serverless-plugin-typescript"},
    "43-wrong-order-flow-over-lines.yml": {
        "  serverless-plugin-datadog,   # was put first",
        "  'serverless-plugin-warmup',",
        "  serverless-offline,",
    },
    "44-wrong-order-with-comments.yml": {'        - "serverless-plugin-datadog"   # monitors'},
    "45-wrong-order.json": {'  "plugins": [', '  "provider": {'},
}
"""How the lines begin that have to change; in all other samples lines are only added."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads as the tools do, with tags of CloudFormation kept as they are."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> tuple[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return (tag, loader.construct_scalar(node))
    if isinstance(node, yaml.SequenceNode):
        return (tag, loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.MappingNode)
    return (tag, loader.construct_mapping(node, deep=True))


_Loader.add_multi_constructor("!", _tagged)


def load(content: bytes) -> Any:
    return yaml.load(content.decode("utf-8-sig"), _Loader)


def modules(service: Any) -> list[str]:
    plugins = service.get("plugins") or []
    return list((plugins.get("modules") or []) if isinstance(plugins, dict) else plugins)


def edit_of(path: Path, wanted: Wish) -> Edit:
    proposal = serverless.propose(read_source(path), wanted)
    assert len(proposal.edits) == 1, proposal.snippets
    return proposal.edits[0]


def written(tmp_path: Path, text: str, wanted: Wish = FORWARDER) -> Proposal:
    path = tmp_path / "serverless.yml"
    path.write_bytes(text.encode())
    return serverless.propose(read_source(path), wanted)


def test_there_are_enough_hands() -> None:
    assert len(SAMPLES) >= 40


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_only_what_was_meant_changes(path: Path, wanted: Wish) -> None:
    edit = edit_of(path, wanted)
    before, after = load(edit.before), load(edit.after)
    settings = after["custom"].pop("datadog")
    was = (before.get("custom") or {}).pop("datadog", None) or {}
    assert settings["site"] == "datadoghq.eu"
    assert settings["addExtension"] is (wanted.via == "extension")
    if wanted.via == "extension":
        assert settings["apiKeySecretArn"] == was.get("apiKeySecretArn", SECRET)
    else:
        assert settings["forwarderArn"] == ARN
    assert "forwarder" not in settings
    for key in set(was) - {"site", "addExtension", "apiKeySecretArn", "forwarder"}:
        assert settings[key] == was[key], f"{key} was the user's"
    assert "serverless-plugin-datadog" in modules(after)
    known = [m for m in modules(after) if m != "serverless-plugin-datadog"]
    assert known == [m for m in modules(before) if m != "serverless-plugin-datadog"]
    for service in (before, after):
        service.pop("plugins", None)
        service["custom"] = service.get("custom") or {}
    assert after == before, "something else means something else now"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_only_the_lines_that_have_to_change_do(path: Path, wanted: Wish) -> None:
    edit = edit_of(path, wanted)
    before, after = edit.before.splitlines(keepends=True), edit.after.splitlines(keepends=True)
    if not before[-1].endswith(b"\n"):
        before[-1] += b"\r\n" if b"\r\n" in edit.before else b"\n"
    gone = [
        x[2:] for x in difflib.ndiff([b.decode() for b in before], [a.decode() for a in after]) if x[0] == "-"
    ]
    expected = CHANGED_LINES.get(path.name, set())
    for line in gone:
        assert any(line.startswith(start) for start in expected), f"changed without need: {line!r}"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_line_ends_mark_and_final_newline_are_kept(path: Path) -> None:
    edit = edit_of(path, FORWARDER)
    assert edit.after.startswith(b"\xef\xbb\xbf") == edit.before.startswith(b"\xef\xbb\xbf")
    assert edit.after.endswith(b"\n") == edit.before.endswith(b"\n")
    if b"\r\n" in edit.before:
        assert not re.search(rb"(?<!\r)\n", edit.after)
    else:
        assert b"\r" not in edit.after


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_a_second_run_has_nothing_to_do(path: Path, tmp_path: Path) -> None:
    again = tmp_path / path.name
    again.write_bytes(edit_of(path, FORWARDER).after)
    proposal = serverless.propose(read_source(again), FORWARDER)
    assert proposal.edits == ()
    assert proposal.settled == (again,)


def test_comments_stay_with_what_they_are_about(tmp_path: Path) -> None:
    text = (
        "custom:\n  stage: dev\n  # unused: 1\n# All functions\nfunctions:\n  a: {}\n\n"
        "plugins:\n  # typed\n  - serverless-plugin-typescript\n"
    )
    after = written(tmp_path, text).edits[0].after.decode()
    assert "  # unused: 1\n  datadog:\n" in after
    assert "    enableDDTracing: true\n# All functions\nfunctions:\n" in after
    assert "plugins:\n  - serverless-plugin-datadog\n  # typed\n  - serverless-plugin-typescript\n" in after


BROKEN = {
    "tab.yml": (":3:1", "tab"),
    "two-customs.yml": (":7:1", "'custom' stands here twice"),
    "unclosed.yml": (":3:", "not valid YAML"),
    "latin1.yml": (":2:3", "UTF-8"),
    "two-documents.yml": (":2:1", "several documents"),
    "control.yml": (":3:8", "character"),
    "list.yml": ("list.yml", "expected settings"),
    "empty.yml": ("empty.yml", "expected settings"),
    "nothing.yml": ("nothing.yml", "expected settings"),
    "alias.yml": (":2:9", "alias"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_the_place(name: str) -> None:
    with pytest.raises(BrokenFile) as caught:
        serverless.propose(read_source(DATA / "broken" / name), FORWARDER)
    where, what = BROKEN[name]
    assert where in caught.value.where
    assert what in caught.value.what


UNCHANGEABLE = {
    "custom-by-anchor.yml": "`custom` is an alias",
    "datadog-from-variable.yml": "`custom.datadog` comes from a variable",
    "plugins-from-file.yml": "`plugins` comes from a variable",
    "shared-with-another.yml": "would change other settings",
    "two-forwarders.yml": "different Forwarders",
    "custom-is-a-list.yml": "is not a mapping",
}


@pytest.mark.parametrize("name", UNCHANGEABLE)
def test_what_cannot_be_changed_safely_becomes_a_snippet_with_the_reason(name: str) -> None:
    proposal = serverless.propose(read_source(DATA / "unchangeable" / name), FORWARDER)
    assert proposal.edits == ()
    assert UNCHANGEABLE[name] in proposal.snippets[0].reason
    lines = yaml.safe_load(proposal.snippets[0].text)
    in_a_file = name == "datadog-from-variable.yml"
    assert (lines if in_a_file else lines["custom"]["datadog"])["addExtension"] is False


def test_what_comes_from_a_file_is_said_for_that_file() -> None:
    path = DATA / "unchangeable" / "custom-from-file.yml"
    (snippet,) = serverless.propose(read_source(path), FORWARDER).snippets
    assert "`custom` comes from a variable" in snippet.reason
    service, _, file = snippet.text.partition("# into ./custom.yml:\n")
    assert yaml.safe_load(service) == {"plugins": ["serverless-plugin-datadog"]}
    assert yaml.safe_load(file)["datadog"]["addExtension"] is False


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("42-wrong-order-flow.yml", ["serverless-plugin-datadog", "serverless-plugin-typescript"]),
        ("43-wrong-order-flow-over-lines.yml", ["serverless-plugin-warmup", "serverless-plugin-datadog"]),
        ("44-wrong-order-with-comments.yml", ["serverless-plugin-datadog", "serverless-plugin-typescript"]),
        ("45-wrong-order.json", ["serverless-plugin-datadog", "serverless-plugin-typescript"]),
    ],
)
def test_the_order_that_the_plugin_needs_is_made_as_the_list_is_written(name: str, order: list[str]) -> None:
    after = edit_of(DATA / "serverless" / name, FORWARDER).after
    assert [module for module in modules(load(after)) if module in order] == order
    assert after.count(b"serverless-plugin-datadog") == 1
    assert name[:2] != "44" or b'"serverless-plugin-datadog"   # monitors\n        - "serverless-p' in after


def test_a_program_gets_the_lines_of_its_language(tmp_path: Path) -> None:
    text = serverless.program_text(EXTENSION, str(tmp_path))
    assert 'plugins: [\n  "serverless-plugin-datadog"\n],\n' in text
    assert f'    apiKeySecretArn: "{SECRET}",\n' in text


def test_the_site_has_to_be_known(tmp_path: Path) -> None:
    with pytest.raises(AnswerMissing) as caught:
        written(tmp_path, "service: shop\n", wish(via="forwarder"))
    assert caught.value.setting == "site"


def test_the_extension_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(AnswerMissing) as caught:
        written(tmp_path, "service: shop\n", wish(via="extension", site="datadoghq.com"))
    assert caught.value.setting == "api_key_secret"


def test_a_forwarder_of_another_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="deployed to eu-west-1"):
        written(tmp_path, "service: shop\nprovider: {name: aws, region: eu-west-1}\n")


def test_the_former_name_gets_the_forwarder_that_was_given(tmp_path: Path) -> None:
    text = "custom:\n  datadog:\n    forwarder: arn:aws:lambda:us-east-1:123456789012:function:other  # old\n"
    after = written(tmp_path, text).edits[0].after.decode()
    assert f"    forwarderArn: {ARN}  # old\n" in after
    text = "custom:\n  datadog:\n    forwarder: ${self:custom.arn}\n"
    assert "    forwarderArn: ${self:custom.arn}\n" in written(tmp_path, text).edits[0].after.decode()


def test_how_data_is_sent_is_taken_from_the_file_unless_said(tmp_path: Path) -> None:
    text = "custom:\n  datadog:\n    apiKeySecretArn: arn\n    site: datadoghq.com\n"
    assert b"addExtension: true" in written(tmp_path, text, wish()).edits[0].after
    text = "custom:\n  datadog:\n    addLayers: true\n    site: datadoghq.com\n"
    assert b"addExtension: false" in written(tmp_path, text, wish()).edits[0].after


def test_what_was_said_wins_over_the_file(tmp_path: Path) -> None:
    text = (
        "custom:\n  datadog:\n    env: dev  # here\n    enableDDTracing: true\n    addExtension: ${self:x}\n"
    )
    wanted = wish(site="datadoghq.com", via="forwarder", env="1.0", service="shop", traces=False)
    proposal = written(tmp_path, text, wanted)
    settings = load(proposal.edits[0].after)["custom"]["datadog"]
    assert settings["env"] == "1.0"
    assert settings["service"] == "shop"
    assert settings["enableDDTracing"] is False
    assert settings["addExtension"] == "${self:x}"
    assert b"env: '1.0'  # here\n" in proposal.edits[0].after
    assert any("addExtension" in warning for warning in proposal.warnings)


def test_a_key_in_clear_text_is_told_and_not_shown(tmp_path: Path) -> None:
    key = "0123456789abcdef0123456789abcdef"
    text = f"custom:\n  datadog:\n    apiKey: {key}\n"
    proposal = written(tmp_path, text, wish(site="datadoghq.com"))
    assert any("clear text" in warning for warning in proposal.warnings)
    assert key not in repr(proposal)


def test_settings_that_stop_the_plugin_are_told(tmp_path: Path) -> None:
    text = "custom:\n  datadog:\n    subscribeToHttpApiLogs: true\n"
    assert any("subscribeToAccessLogs" in warning for warning in written(tmp_path, text).warnings)


@pytest.mark.parametrize(
    ("handlers", "settled"),
    [
        (("datadog_lambda.handler.handler", "run.sh"), True),
        (("run.sh", "datadog_lambda.handler.handler"), True),
        (("run.sh", "job.sh"), False),
    ],
)
def test_a_service_in_which_one_function_has_datadog_by_hand_is_settled(
    tmp_path: Path, handlers: tuple[str, str], settled: bool
) -> None:
    text = "service: shop\nprovider: {name: aws, runtime: python3.12}\nfunctions:\n"
    text += "".join(f"  f{n}:\n    handler: {handler}\n" for n, handler in enumerate(handlers))
    found = written(tmp_path, text)
    assert (found.edits, found.snippets, bool(found.settled)) == ((), (), settled)


def test_state_machines_are_traced_through_the_forwarder(tmp_path: Path) -> None:
    text = "service: shop\nstepFunctions:\n  stateMachines: {}\n"
    settings = load(written(tmp_path, text).edits[0].after)["custom"]["datadog"]
    assert settings["subscribeToStepFunctionLogs"] is True
    assert settings["enableStepFunctionsTracing"] is True
    proposal = written(tmp_path, text, EXTENSION)
    assert "enableStepFunctionsTracing" not in load(proposal.edits[0].after)["custom"]["datadog"]
    assert any("Step Functions" in warning for warning in proposal.warnings)


def test_five_thousand_lines(tmp_path: Path) -> None:
    function = (
        "  f{0}:\n    handler: src/f{0}.handler\n    memorySize: 128\n    events:\n      - sqs: arn{0}\n"
    )
    functions = "".join(function.format(number) for number in range(1000))
    text = f"service: big\ncustom:\n  a: 1\nfunctions:\n{functions}"
    after = written(tmp_path, text).edits[0].after.decode()
    assert functions in after
    assert len(load(after.encode())["functions"]) == 1000
