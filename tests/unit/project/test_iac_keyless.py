"""Functions that do without an API key (`--key-source wif`): files name the organisation, or cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.flow.host import Host
from ddsetup.journal.disk import OnDisk
from ddsetup.model.answers import KeySource
from ddsetup.model.errors import UsageError
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import AnswerMissing, Wish
from ddsetup.project.iac.propose import propose
from ddsetup.project.project_files import proposed
from tests.unit.ask.test_asking import Script
from tests.unit.project.test_iac_variables import CDK, IMAGE, SAM, SERVERLESS, TF
from tests.unit.project.wishes import answering, wish

UUID = "11111111-2222-4333-8444-555555555555"
KEYLESS = answering(wish(site="datadoghq.eu", via="extension"), key_source=KeySource(kind="wif"))
TOLD = answering(KEYLESS, key_source=KeySource(kind="wif", value=UUID))
TOOLS = {
    "plugin": {"serverless.yml": SERVERLESS},
    "plugin with a key": {"serverless.yml": f"{SERVERLESS}custom: {{datadog: {{apiKeySecretArn: arn}}}}\n"},
    "plugin by a program": {"serverless.ts": "export default {}\n"},
    "macro": {"template.yaml": SAM},
    "construct": {"lib/s.ts": CDK, "cdk.json": '{"app": "npx ts-node bin/a.ts"}'},
}


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_the_organisation_is_asked_for_and_no_key(tmp_path: Path) -> None:
    put(tmp_path, {"main.tf": TF})
    with pytest.raises(AnswerMissing) as caught:
        propose(detect(tmp_path), KEYLESS)
    assert caught.value.setting == "org_uuid"
    assert caught.value.fix == "--org-uuid UUID of the Datadog organisation"


def test_who_is_there_is_asked_for_the_organisation(tmp_path: Path) -> None:
    put(tmp_path, {"main.tf": TF})
    script = Script(["ours", UUID])
    host = Host(
        environ={},
        state_dir=tmp_path,
        memory=OnDisk(tmp_path),
        on_event=lambda _: None,
        prompter=script,
    )
    (edit,) = proposed(host, detect(tmp_path), KEYLESS).edits
    assert [prompt.text for prompt in script.seen] == ["UUID of the Datadog organisation"] * 2
    assert f'DD_ORG_UUID = "{UUID}"' in " ".join(edit.after.decode().split())
    assert b"DD_API_KEY" not in edit.after


@pytest.mark.parametrize("wanted", [KEYLESS, TOLD], ids=["unknown", "known"])
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_has_no_setting_for_the_organisation_says_so(
    tmp_path: Path, tool: str, wanted: Wish
) -> None:
    put(tmp_path, TOOLS[tool])
    with pytest.raises(UsageError, match="no setting for DD_ORG_UUID, it wants an API key") as caught:
        propose(detect(tmp_path), wanted)
    assert not isinstance(caught.value, AnswerMissing)
    assert "--api-key-secret" in caught.value.fix


def test_an_image_names_the_organisation_that_is_known(tmp_path: Path) -> None:
    put(tmp_path, {"Dockerfile": IMAGE})
    (known,) = propose(detect(tmp_path), TOLD).edits
    (unknown,) = propose(detect(tmp_path), KEYLESS).edits
    assert f'ENV DD_ORG_UUID="{UUID}"'.encode() in known.after
    assert b"DD_ORG_UUID" not in unknown.after
