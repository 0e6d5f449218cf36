"""AWS's answers bounded in size and in time, as Datadog's are.

botocore reads an answer to its end whatever its size, and its timeout counts from one byte to the next: who
sends a byte now and then, as a broken proxy may, holds a caller for ever.
"""

from __future__ import annotations

from typing import Any

from ddsetup.gateways.aws.answers import NotAws
from ddsetup.model.clock import Clock

LARGEST = 64_000_000
"""Bytes of an answer, unpacked. AWS's own pages have a few megabytes at most."""
LONGEST = 120.0
"""Seconds from the first byte of an answer to its last."""
_PIECE = 65_536


class Bounded:
    """The HTTP session of a client of botocore. What is streamed to the caller is left to the caller."""

    def __init__(self, session: Any, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def send(self, request: Any) -> Any:
        """Send a request; its answer, read to the end. Raises NotAws, and what botocore's session raises."""
        if request.stream_output:
            return self._session.send(request)
        request.stream_output = True
        try:
            response = self._session.send(request)
        finally:
            request.stream_output = False
        response._content = self._read(response.raw)
        return response

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _read(self, raw: Any) -> bytes:
        pieces, size, until = [], 0, self._clock.monotonic() + LONGEST
        while piece := raw.read1(_PIECE, decode_content=True):
            size += len(piece)
            pieces.append(piece)
            late = self._clock.monotonic() > until
            if size > LARGEST or late:
                raw.close()
                bound = (
                    f"did not end within {LONGEST:.0f} s"
                    if late
                    else f"is larger than {LARGEST // 1_000_000} MB"
                )
                raise NotAws(f"answered with something that {bound}: not AWS, but something on the way")
        raw.release_conn()
        return b"".join(pieces)
