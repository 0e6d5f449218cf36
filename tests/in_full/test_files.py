"""What changes in each kind of deployment file, to the last blank.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import difflib
import re
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from ddsetup.model.answers import Tracing
from ddsetup.model.errors import UsageError
from ddsetup.project.iac import cloudformation, dockerfile, serverless
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Proposal
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.source import read_source
from tests.unit.project.test_iac_files import DOCKER, SAM
from tests.unit.project.test_iac_serverless import DATA
from tests.unit.project.wishes import wish
from tests.unit.show.test_render import matches_golden

ARN = "arn:aws:lambda:us-east-1:123456789012:function:datadog-forwarder"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:datadog-AbCdEf"
HERE = f"{Path(__file__).parents[2]}/"
PROJECTS = Path(__file__).parents[2] / "docs" / "projects"
WISHES = {
    "forwarder": wish(site="datadoghq.eu", via="forwarder", forwarders=(ARN,), region="us-east-1"),
    "extension": wish(site="datadoghq.eu", via="extension", key_source=("apiKeySecretArn", SECRET)),
    "unsaid": wish(site="datadoghq.com"),
    "everything": wish(
        site="datadoghq.eu",
        via="extension",
        key_source=("apiKMSKey", "AQIC"),
        forwarders=(ARN, ARN.replace("us-east-1", "eu-west-1")),
        subscribed=True,
        env="prod",
        service="shop",
        version="7",
        extra_tags=(("team", "shop"), ("odd", "a, b")),
        traces=False,
        logs=False,
        enhanced_metrics=False,
        fips=True,
        tracing=Tracing(log_level="debug", capture_payload=True, merge_xray=True),
        region="eu-west-1",
        layer_version=110,
        extension_version=90,
    ),
}
HEAD = "Transform: AWS::Serverless-2016-10-31   # SAM\n"
TEMPLATES = {
    "one transform": SAM,
    "none": SAM.replace(HEAD, ""),
    "a list": SAM.replace(HEAD, "Transform:\n  - AWS::Serverless-2016-10-31  # first\n  # last\n"),
    "a list in brackets": SAM.replace(HEAD, "Transform: [AWS::Serverless-2016-10-31]\n"),
    "null": SAM.replace(HEAD, "Transform: null  # nothing yet\n"),
    "the macro, bare": SAM.replace(HEAD, "Transform:\n  - Name: DatadogServerless  # ours\nMetadata: {}\n"),
    "the macro, null": SAM.replace(
        HEAD, "Transform:\n  - Name: DatadogServerless\n    Parameters: ~ # none\n"
    ),
    "the macro, empty": SAM.replace(HEAD, "Transform:\n  - Name: DatadogServerless\n    Parameters: {}\n"),
    "the macro, some": SAM.replace(
        HEAD,
        "Transform:\n- Name: DatadogServerless\n  Parameters:\n    # what was chosen\n"
        "    nodeLayerVersion: 10   # old\n    site: 'datadoghq.com'\n    env: null\n    service: ''\n",
    ),
    "the macro, by name only": SAM.replace(HEAD, "Transform:\n  - DatadogServerless\n"),
    "python and java": SAM.replace("nodejs20.x", "python3.12") + "      Runtime: java21\n",
    "windows": SAM.replace("\n", "\r\n"),
    "globals": SAM.replace("Resources:", "Globals:\n  Function:\n    Runtime: dotnet8\nResources:").replace(
        "      Runtime: nodejs20.x\n", ""
    ),
    "state machine": SAM + "  Flow:\n    Type: AWS::Serverless::StateMachine\n",
}
IMAGES = {
    "stages": DOCKER,
    "node": 'FROM public.ecr.aws/lambda/nodejs:20\nCMD ["index.handler"]\n',
    "node's own": 'FROM node:20-slim\nCMD ["index.handler"]\n',
    "node's own, elsewhere": 'FROM docker.io/library/node:20\nCMD ["index.handler"]\n',
    "another base": 'FROM debian:12\nCMD ["app.handler"]\n',
    "the runtime's client": 'FROM debian:12\nRUN pip install awslambdaric\nCMD ["app.handler"]\n',
    "two commands": 'FROM public.ecr.aws/lambda/python:3.12\nCMD ["a.one"]\nCMD ["a.two"]\n',
    "nothing": "",
    "no base": 'CMD ["app.handler"]\n',
    **{
        f"base {tag}": f'FROM public.ecr.aws/lambda/{tag}\nCMD ["app.handler"]\n'
        for tag in (
            "python:3.12-arm64",
            "python:3.12.2024.11.22",
            "nodejs:22-x86_64",
            "provided:al2023",
            "ruby:3.4",
        )
    },
    "comments": 'FROM public.ecr.aws/lambda/python:3.12 # base\n# the handler\nCMD ["app.handler"] \n# end\n',
    "shell form": "FROM public.ecr.aws/lambda/python:3.12\nCMD app.handler\n",
    "no command": "FROM public.ecr.aws/lambda/python:3.12\n",
    "alpine": 'FROM python:3.12-alpine\nENTRYPOINT ["/entry.sh"]\nCMD ["app.handler"]\n',
    "lower case": 'from public.ecr.aws/lambda/python:3.12\ncmd ["app.handler"]',
    "java": 'FROM public.ecr.aws/lambda/java:21\nCMD ["com.Shop::run"]\n',
    "user": 'FROM public.ecr.aws/lambda/python:3.12\nUSER app\nCMD ["app.handler"]\n',
    "windows": DOCKER.replace("\n", "\r\n"),
}


def shown(proposal: Proposal) -> list[str]:
    lines: list[str] = []
    for edit in proposal.edits:
        before, after = (
            text.decode("utf-8-sig").splitlines(keepends=True) for text in (edit.before, edit.after)
        )
        lines += [f"because {why}" for why in edit.why]
        changed = difflib.unified_diff(before, after, edit.path.name, edit.path.name, n=1)
        lines += [line.rstrip("\n").replace("\r", "<CR>") for line in changed]
    for snippet in proposal.snippets:
        lines += [
            f"by hand in {snippet.path.name} ({snippet.language}): {snippet.reason.replace(HERE, '')}",
            *snippet.text.splitlines(),
        ]
    lines += [
        f"run {' '.join(each.command)} in {each.directory.name}: {each.why}" for each in proposal.installs
    ]
    lines += [f"warning: {warning}" for warning in proposal.warnings]
    lines += [f"settled: {path.name}" for path in proposal.settled]
    return [*lines, *(["needs the macro"] if proposal.needs_macro else [])]


def refused(error: UsageError) -> list[str]:
    return [f"refused: {error.what}; fix: {error.fix}; at {error.where.rsplit('/', 1)[-1]}"]


@pytest.mark.parametrize("wish", WISHES)
def test_serverless_files(wish: str) -> None:
    lines: list[str] = []
    for path in sorted([*(DATA / "serverless").iterdir(), *(DATA / "unchangeable").iterdir()]):
        lines.append(f"[{path.name}]")
        try:
            lines += shown(serverless.propose(read_source(path), WISHES[wish]))
        except UsageError as error:
            lines += refused(error)
    matches_golden(f"files/serverless-{wish}", "\n".join([*lines, ""]))


def test_serverless_files_that_nothing_reads() -> None:
    lines: list[str] = []
    for path in sorted((DATA / "broken").iterdir()):
        with pytest.raises(UsageError) as caught:
            serverless.propose(read_source(path), WISHES["forwarder"])
        lines += [f"[{path.name}]", *refused(caught.value)]
    matches_golden("files/broken", "\n".join([*lines, ""]))


@pytest.mark.parametrize(
    ("name", "texts", "file"),
    [
        ("templates", TEMPLATES, "template.yaml"),
        ("images", IMAGES, "Dockerfile"),
    ],
)
def test_other_files(tmp_path: Path, name: str, texts: dict[str, str], file: str) -> None:
    how = {"templates": cloudformation, "images": dockerfile}[name]
    lines: list[str] = []
    path = tmp_path / file
    for title, text in texts.items():
        path.write_bytes(text.encode())
        for kind, wanted in WISHES.items():
            lines.append(f"[{title}, {kind}]")
            try:
                lines += shown(how.propose(read_source(path), wanted))
            except UsageError as error:
                lines += refused(error)
    matches_golden(f"files/{name}", "\n".join([*lines, ""]))


def test_whole_projects() -> None:
    lines: list[str] = []
    for place in sorted(PROJECTS.iterdir()):
        for kind, wanted in WISHES.items():
            project = detect(place)
            lines.append(f"[{place.name}, {kind}]: {', '.join(project.tools)}")
            try:
                lines += shown(propose(project, wanted))
            except UsageError as error:
                lines += refused(error)
    matches_golden("files/projects", "\n".join([*lines, ""]))


@pytest.mark.parametrize("wish", WISHES)
def test_line_ends_are_those_of_the_file(tmp_path: Path, wish: str) -> None:
    places: list[Path] = []
    for name, texts, file in (("t", TEMPLATES, "template.yaml"), ("i", IMAGES, "Dockerfile")):
        for number, text in enumerate(texts.values()):
            places.append(tmp_path / f"{name}{number}")
            places[-1].mkdir()
            (places[-1] / file).write_bytes(windows(text.encode()))
    for place in sorted(PROJECTS.iterdir()):
        places.append(shutil.copytree(place, tmp_path / place.name))
        for path in places[-1].rglob("*"):
            if path.is_file():
                path.write_bytes(windows(path.read_bytes()))
    edited = set()
    for place in places:
        with suppress(UsageError):
            for edit in propose(detect(place), WISHES[wish]).edits:
                edited.add(edit.path.suffix)
                assert not re.search(rb"(?<!\r)\n", edit.after), edit.path
    assert edited >= {"", ".yaml", ".tf"}


def windows(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
