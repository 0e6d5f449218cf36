"""Who is let into a sandbox: only the user who runs it. Both halves, AWS and Datadog, have this one door.

A sandbox runs code, and its keys are no secret. So a request is refused when a browser sends it for some web
page (such requests carry an origin), when it is addressed to another host name (a page that had its name
point here), and, where the system tells (Linux), when another user of the machine sends it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
REFUSAL = "This sandbox belongs to another user, or the request came from a web page."


def is_plain(headers: Mapping[str, str], port: int) -> bool:
    """Whether a request with these headers (names in lower case) was sent by a program, to this machine."""
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
    return "origin" not in headers and "sec-fetch-site" not in headers and headers.get("host") in hosts


def is_own(client_port: int, port: int) -> bool:
    """Whether the other end of a connection to `port` is of the sandbox's user, or root's.

    A connection never changes hands: it is enough to ask once for each.
    """
    return _owner(client_port, port) in {None, os.getuid(), 0}


def _owner(client_port: int, port: int) -> int | None:
    """The user id of the client's end of the connection; None where the system does not tell."""
    ends = (f":{client_port:04X}", f":{port:04X}")
    for table in _TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
                return int(fields[7])
    return None
