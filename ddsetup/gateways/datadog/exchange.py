"""One request over HTTP and its answer, bounded in size and in time.

The timeouts of sockets count from one byte to the next: whoever sends a byte now and then holds a caller for
ever. So each exchange has a thread of its own, which is left behind when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ddsetup.gateways.overlap import begun

T = TypeVar("T")

LARGEST = 64_000_000
"""Bytes of an answer, unpacked. A page of a thousand logs has one or two million."""
LONGEST = 120.0
"""Seconds from the first byte sent to the last one received."""
TIMEOUTS = (5.0, 30.0)
"""Seconds to connect, and to wait for the next bytes of an answer."""

_PIECE = 65_536


class Unbounded(Exception):
    """An answer that is too large, or does not end; the text says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


def exchange(pool: Any, request: Request, seconds: float = LONGEST) -> Answer:
    """Send the request through urllib3's `pool`. Redirects are not followed: the keys are for this host.

    Raises urllib3's HTTPError, and Unbounded.
    """
    return _within(seconds, lambda: _exchange(pool, request))


def _exchange(pool: Any, request: Request) -> Answer:
    from urllib3 import Timeout

    response = pool.request(
        request.method,
        request.url,
        body=request.body,
        headers=dict(request.headers),
        timeout=Timeout(connect=TIMEOUTS[0], read=TIMEOUTS[1]),
        retries=False,
        redirect=False,
        preload_content=False,
    )
    pieces, size = [], 0
    for piece in response.stream(_PIECE, decode_content=True):
        size += len(piece)
        if size > LARGEST:
            response.close()
            raise Unbounded(f"its answer is larger than {LARGEST // 1_000_000} MB")
        pieces.append(piece)
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(int(response.status), headers, b"".join(pieces))


def _within(seconds: float, work: Callable[[], T]) -> T:
    done = begun(work)
    try:
        return done.result(seconds)
    except TimeoutError:
        if done.done():
            raise
        raise Unbounded(f"its answer did not end within {seconds:.0f} s") from None
