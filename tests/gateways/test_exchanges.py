"""What a stand-in in its own process wrote down is judged as in this one, and holds no key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ddsetup.sandbox.datadog.exchanges import Exchanges
from ddsetup.sandbox.datadog.keys import build_keys
from ddsetup.sandbox.datadog.wire import Request, Response
from tests.exchanges import Hearing

API_KEY, APP_KEY, TYPED = "c" * 32, "d" * 40, "e" * 32
VALIDATE = "/api/v1/validate"
NAMESPACES = "/api/v2/integration/aws/available_namespaces"
ACCOUNTS = "/api/v2/integration/aws/accounts"


def kept(file: Path, request: Request, answer: Any, *, status: int = 200, faulty: bool = False) -> None:
    keep = Exchanges(file, build_keys([API_KEY], {APP_KEY: "*"}))
    keep(request, Response(status, answer), faulty=faulty)


def asked(path: str, method: str = "GET", body: Any = None, **query: str) -> Request:
    headers = {"user-agent": "ddsetup/1", "dd-api-key": TYPED, "dd-application-key": APP_KEY}
    return Request(method, path, query, headers, b"" if body is None else json.dumps(body).encode())


def test_what_is_wrong_is_told_once(tmp_path: Path) -> None:
    hearing = Hearing(tmp_path)
    namespaces = {"data": {"id": "namespaces", "type": "namespaces", "attributes": {"namespaces": []}}}
    kept(tmp_path / "one.jsonl", asked(NAMESPACES), namespaces)
    assert hearing.wrong() == []
    kept(tmp_path / "one.jsonl", asked(NAMESPACES), {"data": {**namespaces["data"], "type": "namespace"}})
    kept(tmp_path / "two.jsonl", asked(f"{ACCOUNTS}/1", "DELETE", {"forced": True}), None, status=204)
    answer, request = hearing.wrong()
    assert answer.startswith("the answer 200 to GET /api/v2/integration/aws/available_namespaces")
    assert request == f"the request DELETE {ACCOUNTS}/1: the client sends no body"
    assert hearing.wrong() == []


def test_rows_of_long_lists_are_heard_once_and_a_wrong_one_is_found(tmp_path: Path) -> None:
    rows = [{"id": str(n), "type": "log", "attributes": {"message": "x" * 99}} for n in range(99)]
    hearing, file = Hearing(tmp_path), tmp_path / "one.jsonl"
    kept(file, asked("/api/v2/logs/events/search", "POST", {}), {"data": rows})
    assert hearing.wrong() == []
    later = [*rows, {"id": "100", "type": "lag"}]
    kept(file, asked("/api/v2/logs/events/search", "POST", {"page": {"limit": 1000}}), {"data": later})
    (wrong,) = hearing.wrong()
    assert "it.data[0]" in wrong, wrong


def test_half_a_line_is_left_until_it_is_whole(tmp_path: Path) -> None:
    hearing, file = Hearing(tmp_path), tmp_path / "one.jsonl"
    kept(file, asked("/api/v9/nothing"), {})
    whole = file.read_bytes()
    file.write_bytes(whole[:20])
    assert hearing.wrong() == []
    file.write_bytes(whole)
    assert hearing.wrong() == ["GET /api/v9/nothing: the client has no such endpoint"]


def test_what_a_fault_answered_is_nobody_s_fault(tmp_path: Path) -> None:
    kept(tmp_path / "one.jsonl", asked(VALIDATE), {"valid": "moon"}, faulty=True)
    assert Hearing(tmp_path).wrong() == []


def test_no_key_is_kept_and_nothing_twice(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    keep = Exchanges(file, build_keys([API_KEY], {APP_KEY: "*"}))
    for _ in range(2):
        keep(asked(VALIDATE, api_key=TYPED), Response(200, {"valid": API_KEY}), faulty=False)
    text = file.read_text()
    assert len(text.splitlines()) == 1
    assert not [key for key in (API_KEY, APP_KEY, TYPED) if key in text]
    assert file.stat().st_mode & 0o077 == 0
