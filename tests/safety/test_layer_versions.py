"""Which layer versions `ddsetup iac` puts into files: those of the table, those asked for, or the newest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest

from ddsetup.facts import catalog
from tests.safety.desk import CALLER, Desk, desk

__all__ = ["desk"]

TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.12}
"""
TABLE = catalog.baseline_version("Datadog-Python312", "eu-west-1") or 0
EXTENSION = catalog.baseline_version("Datadog-Extension", "eu-west-1") or 0
DATE = re.search(r"\d{4}-\d\d-\d\d", catalog.layers_source())
VERSION = re.compile(
    r"/layers/arn:aws:lambda:(?P<region>[\w-]+):\d+:layer:(?P<name>[\w-]+)/versions/(?P<n>\d+)"
)


class Layers:
    """AWS's answers for versions of layers: `published` by region and name, or nothing for those denied."""

    def __init__(self, published: dict[tuple[str, str], int] | None) -> None:
        self.published = published
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, dict[str, str], str]:
        found = VERSION.search(unquote(path))
        if not found:
            return 200, {"content-type": "text/xml"}, CALLER
        self.asked.append(found["name"])
        if self.published is None:
            text = (
                "not authorized to perform: lambda:GetLayerVersion because no identity-based policy allows it"
            )
            return 403, {"x-amzn-errortype": "AccessDeniedException"}, json.dumps({"message": text})
        if int(found["n"]) <= self.published.get((found["region"], found["name"]), 0):
            return 200, {}, json.dumps({"LayerVersionArn": found[0], "Version": int(found["n"])})
        return 404, {"x-amzn-errortype": "ResourceNotFoundException"}, '{"message": "no"}'


@pytest.fixture
def layers(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Layers]:
    answers = Layers({("eu-west-1", "Datadog-Python312"): TABLE + 3})

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, headers, text = answers.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer  # noqa: N815 - the names are http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield answers
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "template.yaml").write_text(TEMPLATE)
    return root


def changed(desk: Desk, project: Path, *options: str) -> str:
    code, text = desk.run(
        *("iac", str(project), "--dry-run", "--no-input", "--via", "forwarder", "--site", "datadoghq.eu"),
        *options,
    )
    assert code == 0, text
    return text


def test_the_newest_layer_is_asked_of_aws(desk: Desk, layers: Layers, project: Path) -> None:
    text = changed(desk, project, "--layer-version", "latest", "--region", "eu-west-1")
    assert f"pythonLayerVersion: {TABLE + 3}" in text
    assert "the newest, as AWS tells" in text
    assert set(layers.asked) == {"Datadog-Python312"}, "only what the file needs"


def test_the_table_is_used_and_its_date_said_without_asking_aws(
    desk: Desk, layers: Layers, project: Path
) -> None:
    text = changed(desk, project)
    assert f"pythonLayerVersion: {TABLE}" in text
    assert DATE is not None
    assert DATE[0] in text
    assert layers.asked == []


def test_a_number_is_taken_as_it_is(desk: Desk, layers: Layers, project: Path) -> None:
    text = changed(desk, project, "--layer-version", str(TABLE - 2))
    assert f"pythonLayerVersion: {TABLE - 2}" in text
    assert layers.asked == []


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_where_aws_does_not_tell_the_table_stands_in(
    desk: Desk, layers: Layers, project: Path, region: str
) -> None:
    layers.published = None
    text = changed(desk, project, "--layer-version", "latest", "--region", region)
    assert f"pythonLayerVersion: {TABLE}" in text
    assert "the newest layers cannot be told" in text
    assert "lambda:GetLayerVersion" in text
    assert DATE is not None
    assert DATE[0] in text


def test_without_credentials_the_table_stands_in(
    desk: Desk, layers: Layers, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    text = changed(desk, project, "--layer-version", "latest", "--region", "eu-west-1")
    assert f"pythonLayerVersion: {TABLE}" in text
    assert "the newest layers cannot be told" in text
    assert layers.asked == []
