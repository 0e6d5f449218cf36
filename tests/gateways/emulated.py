"""Clients of what the emulator adds, without its process: each call goes straight to the handler, and its
answer is held against the shapes of botocore's model."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

REGION = "us-east-1"


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: object) -> Any:
        yield self.read()


def client(service: str, account: str, handler: Callable[..., Any]) -> Any:
    """A client with the credentials of that account's root whose calls `handler` answers."""
    import boto3
    from botocore.awsrequest import AWSResponse
    from ministack.core.responses import request_scope

    # Any: the service's name is data here, boto3's type stubs want literals.
    session: Any = boto3.session.Session(aws_access_key_id=account, aws_secret_access_key="x")
    made = session.client(service, region_name=REGION)

    def answer(request: Any, event_name: str, **_: object) -> Any:
        headers = {
            key.lower(): value.decode() if isinstance(value, bytes) else value
            for key, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        path = urlsplit(request.url).path
        with request_scope(account, REGION):
            status, said, raw = asyncio.run(handler(request.method, path, headers, body, {}))
        operation = made.meta.service_model.operation_model(event_name.rpartition(".")[2])
        if status == 200 and made.meta.service_model.protocol != "query":
            judge(operation, json.loads(raw))
        return AWSResponse(request.url, status, said, _Raw(raw))

    made.meta.events.register(f"before-send.{service}", answer)
    return made


def code_of(call: Callable[..., object], **arguments: Any) -> str:
    """The code of the error that a call answers with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def judge(operation: Any, answer: dict[str, Any]) -> None:
    """Raise AssertionError for an answer of other members or types than the operation's model has."""
    from botocore.validate import ParamValidator

    if operation.output_shape is None:
        assert answer == {}, answer
        return
    report = ParamValidator().validate(answer, operation.output_shape)
    assert not report.has_errors(), report.generate_report()
