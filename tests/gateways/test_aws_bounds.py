"""Answers that are too large, do not end, or end too early: told in words, and not waited for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddsetup.gateways.aws import objects
from ddsetup.gateways.aws.answers import NotAws
from ddsetup.gateways.aws.bounded import LARGEST, LONGEST, Bounded
from ddsetup.gateways.aws.objects import Held
from ddsetup.model.account import Lane
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import GatewayError
from tests.gateways.aws_stand import ACCOUNT, REGION, connect, nobody
from tests.gateways.bare_servers import going_on, replying


class Raw:
    """A body that comes in pieces; each takes a second of the clock."""

    def __init__(self, piece: bytes, pieces: int) -> None:
        self.left = [piece] * pieces
        self.closed = False
        self.at = 0.0

    def read1(self, _amount: int, *, decode_content: bool) -> bytes:
        assert decode_content
        self.at += 1
        return self.left.pop() if self.left else b""

    def close(self) -> None:
        self.closed = True

    def release_conn(self) -> None:
        pass


class Session:
    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._content: bytes | None = None

    def send(self, request: Any) -> Session:
        assert request.stream_output, "botocore would read it to the end by itself"
        return self


class Asked:
    stream_output = False


def read(raw: Raw) -> bytes:
    clock = Clock(SYSTEM_CLOCK.now, lambda: raw.at, lambda _: None)
    asked = Asked()
    found = Bounded(Session(raw), clock).send(asked)._content
    assert not asked.stream_output
    return bytes(found)


def test_an_ordinary_answer_is_read_whole() -> None:
    assert read(Raw(b"ab", 3)) == b"ababab"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (Raw(b"x" * (LARGEST // 2), 4), "is larger than 64 MB"),
        (Raw(b"x", 10 * int(LONGEST)), "did not end within 120 s"),
    ],
)
def test_what_has_no_bound_is_given_up(raw: Raw, said: str) -> None:
    with pytest.raises(NotAws, match=said):
        read(raw)
    assert raw.closed


@pytest.mark.parametrize("chunked", [True, False])
def test_an_endless_answer_ends_in_words(
    chunked: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody(monkeypatch, tmp_path)
    piece = b"x" * 1_000_000
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    if chunked:
        head, piece = head + b"transfer-encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (len(piece), piece)
    else:
        head += b"connection: close\r\n\r\n"
    with going_on(head, piece) as url, pytest.raises(GatewayError) as refused:
        connect(url).call("lambda:ListFunctions", Lane(ACCOUNT, REGION))
    assert "larger than 64 MB" in refused.value.what


def test_an_object_that_came_only_in_part_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody(monkeypatch, tmp_path)
    head = b'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: 5\r\nconnection: close\r\n\r\n'
    with replying(head + b"wh", head + b"whole") as url:
        assert objects.get(connect(url), "held", "key") == Held(b"whole", '"1"')
    with replying(*[head + b"wh"] * 6) as url, pytest.raises(GatewayError) as refused:
        objects.get(connect(url), "held", "key")
    assert refused.value.what == "s3:GetObject: no connection to AWS (ResponseStreamingError)"
