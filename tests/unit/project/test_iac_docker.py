"""Dockerfiles as their builder reads them: arguments, stages, heredocs, continued lines, who builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.project.iac import docker_read
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Proposal
from ddsetup.project.iac.propose import propose
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER
from tests.unit.project.wishes import wish

AWS = "FROM public.ecr.aws/lambda/python:3.12"
CMD = 'CMD ["app.handler"]\n'
OURS = 'CMD ["datadog_lambda.handler.handler"]'


def proposed(folder: Path, text: str, wanted: object = FORWARDER, name: str = "Dockerfile") -> Proposal:
    (folder / name).write_text(text)
    return propose(detect(folder), wanted)  # type: ignore[arg-type]


def after(proposal: Proposal) -> list[str]:
    assert proposal.snippets == ()
    return proposal.edits[0].after.decode().splitlines()


@pytest.mark.parametrize(
    "text",
    [
        f"ARG PY=3.12\nARG FROM_WHERE=public.ecr.aws/lambda\nFROM ${{FROM_WHERE}}/python:$PY\n{CMD}",
        f"FROM --platform=linux/arm64 public.ecr.aws/lambda/python:3.12\n{CMD}",
        f"FROM ${{BASE:-public.ecr.aws/lambda/python:3.12}}\n{CMD}",
        f"FROM public.ecr.aws/lambda/python:3.12@sha256:{'0' * 64}\n{CMD}",
        f"FROM 111122223333.dkr.ecr.eu-west-1.amazonaws.com/ecr-public/lambda/python:3.12\n{CMD}",
        f"{AWS}\nRUN <<EOT\npip install x\n{CMD}FROM nothing\nEOT\n{CMD}",
        f"{AWS}\nCOPY <<-'A' <<B /x/\n\tA\nFROM a\nB\n{CMD}",
        f'{AWS}\nRUN echo \\\n# a comment\n\nCMD ["not.this"]\n{CMD}',
        f'{AWS}\nCMD [ \\\n  "app.handler" \\\n]\n',
    ],
)
def test_an_image_is_recognised_however_its_file_is_written(tmp_path: Path, text: str) -> None:
    lines = after(proposed(tmp_path, text))
    assert lines[-1] == OURS
    assert lines.count('ENV DD_LAMBDA_HANDLER="app.handler"') == 1
    assert text.partition("CMD")[0].splitlines() == lines[: text.partition("CMD")[0].count("\n")]


@pytest.mark.parametrize("name", ["Containerfile", "Dockerfile-orders", "orders.dockerfile"])
def test_names_that_builders_take(tmp_path: Path, name: str) -> None:
    assert after(proposed(tmp_path, f"{AWS}\n{CMD}", name=name))[-1] == OURS


@pytest.mark.parametrize("tag", [":latest", "", f"@sha256:{'0' * 64}", ":${TAG}"])
def test_a_tag_that_tells_no_release_is_no_reason_to_leave_an_image(tmp_path: Path, tag: str) -> None:
    text = f"FROM public.ecr.aws/lambda/python{tag}\n{CMD}"
    assert docker_read.images(text)[0][0].runtimes == ()
    assert after(proposed(tmp_path, text))[-1] == OURS


@pytest.mark.parametrize(
    "text",
    [
        "ARG PY=3.12\nARG BASE=public.ecr.aws/lambda/python:${PY}\nFROM $BASE\n",
        "ARG PY=3.12\nFROM public.ecr.aws/lambda/python:$PY\n",
        "ARG PY=3.12\nFROM public.ecr.aws/lambda/python:${PY}\n",
        "ARG PY=3.12\nFROM public.ecr.aws/lambda/python:${PY:-3.11}\n",
        "FROM public.ecr.aws/lambda/python:${PY:-3.12}\n",
        "ARG PY\nFROM public.ecr.aws/lambda/python:${PY:-3.12}\n",
    ],
)
def test_an_argument_is_what_it_is_set_to_or_what_stands_for_it(text: str) -> None:
    assert docker_read.images(text + CMD)[0][0].runtimes == ("python3.12",)


@pytest.mark.parametrize(
    ("base", "aws"),
    [
        ("public.ecr.aws/lambda/python:3.12", True),
        ("amazon/aws-lambda-nodejs:20", True),
        ("mirror.example.com/lambda/python:3.12", True),
        ("lambda/java", True),
        ("public.ecr.aws/lambda/python-of-later:1", True),
        ("mirror.example.com/lambda/pythons:3.12", False),
        ("mirror.example.com/lambda-tools", False),
        ("python:3.12", False),
    ],
)
def test_images_of_awss_for_lambda_are_known_in_any_registry(base: str, aws: bool) -> None:
    assert docker_read.is_lambda_image(f"FROM {base}\n") is aws


def test_arguments_that_double_come_to_an_end() -> None:
    arguments = "".join(f"ARG A{n + 1}=$A{n}$A{n}\n" for n in range(60))
    assert docker_read.images(f"ARG A0=x\n{arguments}FROM $A60\n")[0][0].base.strip("x") == ""


def test_a_handler_in_the_entry_point_is_redirected_there(tmp_path: Path) -> None:
    text = (
        'FROM python:3.12\nRUN pip install awslambdaric\nENTRYPOINT ["python", "-m", "awslambdaric", "a.b"]\n'
    )
    lines = after(proposed(tmp_path, text))
    assert lines[-1] == 'ENTRYPOINT ["python", "-m", "awslambdaric", "datadog_lambda.handler.handler"]'
    assert 'ENV DD_LAMBDA_HANDLER="a.b"' in lines
    again = propose(detect(tmp_path), FORWARDER)
    assert [each.after for each in again.edits] == [each.after for each in proposed(tmp_path, text).edits]


def test_each_image_that_is_made_of_a_common_stage_is_changed(tmp_path: Path) -> None:
    text = (
        f'{AWS} AS base\nCMD ["base.one"]\nFROM base AS order\nCMD ["order.run"]\n'
        'FROM base\nCMD ["pay.run"]\n'
    )
    lines = after(proposed(tmp_path, text))
    assert [line for line in lines if line.startswith(("CMD", "ENV DD_LAMBDA"))] == [
        'CMD ["base.one"]',
        *('ENV DD_LAMBDA_HANDLER="order.run"', OURS),
        *('ENV DD_LAMBDA_HANDLER="pay.run"', OURS),
    ]
    (tmp_path / "Dockerfile").write_text("\n".join([*lines, ""]))
    assert propose(detect(tmp_path), FORWARDER).edits == ()


def test_a_stage_that_inherits_its_command_has_it_changed_there(tmp_path: Path) -> None:
    lines = after(proposed(tmp_path, f"{AWS} AS prod\n{CMD}FROM prod AS test\nRUN pip install pytest\n"))
    assert lines[-3:] == [OURS, "FROM prod AS test", "RUN pip install pytest"]


def test_another_image_of_the_file_is_told_unless_it_is_only_copied_from(tmp_path: Path) -> None:
    text = f'{AWS} AS order\nCMD ["order.run"]\n{AWS} AS pay\n{CMD}'
    said = proposed(tmp_path, text)
    assert after(said)[:2] == text.splitlines()[:2]
    assert any("order.run" in warning and "--target order" in warning for warning in said.warnings)
    copied = text.replace(CMD, f"COPY --from=order /x /x\n{CMD}")
    assert proposed(tmp_path, copied).warnings == ()


def test_packages_are_installed_by_root_and_the_user_is_as_before(tmp_path: Path) -> None:
    lines = after(proposed(tmp_path, f"{AWS}\nUSER 1000:1000\n{CMD}"))
    install = next(number for number, line in enumerate(lines) if line.startswith("RUN pip"))
    assert (lines[install - 1], lines[install + 1]) == ("USER root", "USER 1000:1000")
    for root in ("", "USER root\n", "USER 1000\nUSER 0:0\n"):
        assert not {"USER root", "USER 0:0"} & set(after(proposed(tmp_path, f"{AWS}\n{root}{CMD}"))[-6:])


def test_variables_are_those_that_the_image_has_not_those_that_a_text_mentions(tmp_path: Path) -> None:
    text = (
        f"{AWS} AS a\nENV DD_SITE=other.example\n{AWS}\n# DD_SITE=datadoghq.com\n"
        f"ENV A=1 \\\n    DD_FLUSH_TO_LOG='false'\nENV DD_LAMBDA_HANDLER other.run\n{CMD}"
    )
    added = [line for line in after(proposed(tmp_path, text)) if line not in text.splitlines()]
    assert [line for line in added if line.startswith("ENV")] == ['ENV DD_SITE="datadoghq.eu"']


@pytest.mark.parametrize("base", ["python:3.7", "nodejs:16", "nodejs:12"])
def test_an_image_whose_library_ended_is_left_out(tmp_path: Path, base: str) -> None:
    found = proposed(tmp_path, f"FROM public.ecr.aws/lambda/{base}\n{CMD}", EXTENSION)
    assert (found.edits, found.snippets) == ((), ())
    assert "not made for" in found.warnings[0]


def test_the_extension_of_another_stage_is_none_of_this_image(tmp_path: Path) -> None:
    wanted = wish(site="datadoghq.eu", via="extension", key_source=("apiKeySsmArn", "arn:x"))
    text = (
        f"{AWS} AS other\nCOPY --from=public.ecr.aws/datadog/lambda-extension:65 /opt/. /opt/\n{AWS}\n{CMD}"
    )
    assert len([line for line in after(proposed(tmp_path, text, wanted)) if "lambda-extension" in line]) == 2
