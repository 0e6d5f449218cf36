"""What the emulator is made to do faster comes out as it did before.

Its modules are imported where they are needed: each process of the suite collects all files.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from ddsetup.sandbox import forwarder_release
from ddsetup.sandbox.emulator import thrift


def test_templates_are_read_the_same() -> None:
    import yaml
    from ministack.services.cloudformation import engine

    where = urlsplit("http://127.0.0.1:1")
    text = forwarder_release._render(forwarder_release.LATEST, "bucket", where, "datadoghq.eu")
    assert "!Sub" in text
    fast = yaml.load(text, Loader=thrift._with_libyaml(engine.CfnLoader))
    assert fast == yaml.load(text, Loader=engine.CfnLoader)


@pytest.mark.parametrize("service", ["lambda", "states", "monitoring", "iam", "tagging", "s3"])
def test_the_protocol_of_a_service_is_the_same(service: str) -> None:
    import botocore.session
    from ministack.core import responses

    name = responses._BOTOCORE_NAME.get(service, service)
    model = thrift._metadata_alone(responses)
    assert model(service).metadata == botocore.session.get_session().get_service_model(name).metadata
    assert model("none-such") is None


def test_a_policy_is_read_the_same_as_text_and_as_a_document() -> None:
    from ministack.core import iam_evaluator

    read = thrift._text_once(iam_evaluator.parse_policy_document)
    text = '{"Statement": [{"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"}]}'
    for _ in range(2):
        assert read(text) == iam_evaluator.parse_policy_document(text) != []
    assert read({"Statement": []}) == []
