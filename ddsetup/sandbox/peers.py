"""Who is let into a sandbox: only the user who runs it. Both halves, AWS and Datadog, have this one door.

A sandbox runs code, and its keys are no secret. So a request is refused when a browser sends it for some web
page (such requests carry an origin), when it is addressed to another host name (a page that had its name
point here), and, where the system tells (Linux), when another user of the machine sends it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
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
    owner = _asked_of_kernel(client_port, port)
    return _in_tables(client_port, port) if owner is None else owner


_HEAD = struct.Struct("=IHHII")
_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST, _NO_COOKIE = 4, 20, 1, b"\xff" * 8
_UID = _HEAD.size + 64
"""Where an answer has the user (linux/inet_diag.h: `inet_diag_msg.idiag_uid`)."""


def _asked_of_kernel(client_port: int, port: int) -> int | None:
    """The owner of one connection from 127.0.0.1 to 127.0.0.1 (sock_diag(7)); None if there is none such.

    The tables take milliseconds to read, whatever is in them.
    """
    here = socket.inet_aton("127.0.0.1").ljust(16, b"\0")
    wanted = struct.pack("=BBxxI", socket.AF_INET, socket.IPPROTO_TCP, 0xFFFF_FFFF)
    wanted += struct.pack("!HH", client_port, port) + here + here + bytes(4) + _NO_COOKIE
    with contextlib.suppress(OSError, AttributeError):  # not Linux, or forbidden
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.settimeout(1)
            kernel.sendto(
                _HEAD.pack(_HEAD.size + len(wanted), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0) + wanted, (0, 0)
            )
            answer = kernel.recv(4096)
        if len(answer) >= _UID + 4 and _HEAD.unpack_from(answer)[1] == _SOCK_DIAG_BY_FAMILY:
            return int(struct.unpack_from("=I", answer, _UID)[0])
    return None


def _in_tables(client_port: int, port: int) -> int | None:
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
