"""The referee sees what it is there for, and knows every endpoint of the stand-in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ddsetup.sandbox.datadog.routes import ROUTES
from ddsetup.sandbox.datadog.wire import Request, Response
from tests.gateways.referee import UNMODELLED, Referee, endpoint_of

ACCOUNTS = "/api/v2/integration/aws/accounts"
ACCOUNT = {"id": "7b0d0a6c-39c4-4d32-8f3c-1d5ba1ed6c0a", "type": "account"}


def judged(
    method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None, answer: Any = None
) -> list[str]:
    referee = Referee()
    sent = b"" if body is None else json.dumps(body).encode()
    request = Request(method, path, query or {}, {"user-agent": "ddsetup/1"}, sent)
    referee(request, Response(200, answer), faulty=False)
    return [str(one) for one in referee.wrong]


def test_every_endpoint_of_the_stand_in_is_known_to_the_client_or_named() -> None:
    unknown = {(r.method, r.path) for r in ROUTES if not endpoint_of(r.method, r.path.replace("{", ""))}
    assert unknown == set(UNMODELLED)


def test_good_ones_pass() -> None:
    attributes = {"aws_account_id": "123456789012", "auth_config": {"role_name": "r"}, "later": 1}
    answer = {"data": [{**ACCOUNT, "attributes": attributes}]}
    assert judged("GET", ACCOUNTS, query={"aws_account_id": "1"}, answer=answer) == []


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        ({"query": {"account": "1"}, "answer": {"data": []}}, "no parameter account"),
        ({"answer": {}}, "missing 1 required positional argument: 'data'"),
        ({"answer": None}, ""),
        ({"body": {}, "answer": {"data": []}}, "the client sends no body"),
        (
            {"answer": {"data": [{**ACCOUNT, "attributes": {"aws_account_id": 1}}]}},
            "data[0] fits none of the client's models",
        ),
        (
            {
                "answer": {
                    "data": [{**ACCOUNT, "attributes": {"aws_account_id": "1", "aws_partition": "moon"}}]
                }
            },
            "aws_partition is none of the values that the client knows",
        ),
        (
            {
                "answer": {
                    "data": [{**ACCOUNT, "attributes": {"aws_account_id": "1", "auth_config": {"x": 1}}}]
                }
            },
            "",
        ),
    ],
)
def test_bad_ones_are_told(exchange: dict[str, Any], said: str) -> None:
    found = judged("GET", ACCOUNTS, **exchange)
    assert found
    assert any(said in one for one in found), found


def test_a_request_with_a_member_that_nobody_knows_is_told() -> None:
    data = {"type": "account", "attributes": {"aws_account_id": "1", "acount_tags": []}}
    found = judged("PATCH", f"{ACCOUNTS}/1", body={"data": data}, answer={"data": ACCOUNT})
    assert any("acount_tags is a member that nobody knows" in one for one in found), found


def test_a_path_that_the_client_does_not_have_is_told() -> None:
    assert judged("GET", "/api/v9/accounts", answer={}) != []
