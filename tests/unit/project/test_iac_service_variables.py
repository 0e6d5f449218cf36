"""What the Framework's variables stand for, where files tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Proposal
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.service_variables import Known
from tests.unit.project.test_iac_serverless import FORWARDER

SERVICE = "service: shop\nprovider: {name: aws, runtime: python3.12}\n"


def proposed(folder: Path, **files: str) -> Proposal:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return propose(detect(folder), FORWARDER)


@pytest.mark.parametrize(
    "functions",
    [
        "functions:\n  - ${file(a.yml)}\n  - ${file(fn/b.yml)}\n",
        "functions: ${file(fn/all.yml):inner.functions}\n",
        "functions:\n  web: ${file(./fn/web.yml)}\n",
        "functions: ${self:custom.fn}\ncustom:\n  fn: ${file(fn/b.yml), 'none'}\n",
    ],
)
def test_functions_in_other_files_are_looked_at(tmp_path: Path, functions: str) -> None:
    web = "handler: run.sh\nruntime: nodejs22.x\n"
    inside = "web:\n  handler: run.sh\n"
    found = proposed(
        tmp_path,
        serverless_yml=f"{SERVICE}{functions}",
        a_yml="orders:\n  handler: orders.run\n",
        fn__b_yml=inside,
        fn__web_yml=web,
        fn__all_yml="inner:\n  functions:\n    web:\n      handler: run.sh\n",
    )
    assert any("run.sh does not name a function" in warning for warning in found.warnings)
    after = found.edits[0].after.decode() if found.edits else ""
    assert not after or "      - web\n" in after


@pytest.mark.parametrize(
    ("runtime", "ended"),
    [
        ("${self:custom.runtimes.py}", True),
        ("${self:custom.other}", True),
        ("${opt:runtime, 'python3.7'}", True),
        ('${env:RUNTIME, "python3.7"}', True),
        ("${file(more.yml):py}", True),
        ("${self:custom.runtimes.py, 'python3.12'}", True),
        ("${self:custom.gone, 'python3.7'}", True),
        ("${file(gone.yml):py, 'python3.7'}", True),
        ("${file(more.yml):py, 'python3.12'}", True),
        ("${self:custom.gone, 'python3.12'}", False),
        ("${file(gone.yml):py}", False),
        ("${file(more.js):py}", False),
        ("${self:custom.loop}", False),
        ("${opt:runtime}", False),
        ("${file(../../outside.yml):py}", False),
    ],
)
def test_a_runtime_is_followed_as_far_as_files_tell(tmp_path: Path, runtime: str, ended: bool) -> None:
    (tmp_path / "outside.yml").write_text("py: python3.7\n")
    service = (
        f"service: shop\nprovider:\n  name: aws\n  runtime: {runtime}\n"
        "custom:\n  runtimes: {py: python3.7}\n  other: '${self:custom.runtimes.py}'\n"
        "  loop: '${self:custom.loop}'\nfunctions:\n  orders:\n    handler: app.run\n"
    )
    found = proposed(tmp_path / "a" / "b", serverless_yml=service, more_yml="py: python3.7\n")
    assert any("ended python3.7" in warning for warning in found.warnings) is ended
    assert len(found.edits) == 1


def test_variables_made_of_variables_come_to_an_end(tmp_path: Path) -> None:
    many = {n: "${self:custom.m" + f".v{n + 1}" * 500 + "}" for n in range(1, 5)} | {5: "${self:custom.m}"}
    custom = "".join(f"    v{n}: {value}\n" for n, value in many.items())
    functions = "functions: ${self:custom.m.v1}\n"
    found = proposed(tmp_path, serverless_yml=f"{SERVICE}custom:\n  m:\n{custom}{functions}")
    assert len(found.edits) == 1


@pytest.mark.parametrize("name", ["itself.yml", f"{'a very long name of ' * 20}.yml", "folder.yml", "\0.yml"])
def test_a_file_that_cannot_be_opened_tells_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "itself.yml").symlink_to("itself.yml")
    (tmp_path / "folder.yml").mkdir()
    text = f"${{file({name})}}"
    assert Known({}, tmp_path).value(text) == text


def test_settings_in_another_file_go_there(tmp_path: Path) -> None:
    for value, where in (("${file(dd.yml)}", "dd.yml:"), ("${file(x.yml):a.b}", "x.yml, under a.b:")):
        found = proposed(tmp_path, serverless_yml=f"{SERVICE}custom:\n  datadog: {value}\n")
        assert found.edits == ()
        lines = found.snippets[0].text.splitlines()
        assert lines[lines.index(f"# into {where}") + 1].startswith("site: ")


def test_the_frameworks_own_bundler_is_told_of(tmp_path: Path) -> None:
    found = proposed(
        tmp_path, serverless_yml=f"{SERVICE}build: {{esbuild: {{bundle: true}}}}\nfunctions: {{}}\n"
    )
    assert any(
        warning.endswith("build.esbuild: mark datadog-lambda-js and dd-trace as external")
        for warning in found.warnings
    )
