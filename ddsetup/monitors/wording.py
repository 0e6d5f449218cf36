"""Numbers and tags as options and queries write them. Pure."""

from __future__ import annotations

import re

from ddsetup.model.errors import UsageError

_KEY = re.compile(r"[A-Za-z][\w./-]*")


def plain(number: float) -> str:
    """A number as queries and options write it: no exponent, no superfluous zero."""
    return str(int(number)) if number == int(number) else repr(number)


def tag_parts(text: str | None) -> tuple[str, ...]:
    """What stands between braces, without the star for anything."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip() not in ("", "*"))


def tag_keys(text: str | None, said: str) -> tuple[str, ...]:
    """The keys of tags between braces. Raises UsageError for what cannot be one; `said` is where."""
    keys = tag_parts(text)
    for key in keys:
        if not _KEY.fullmatch(key):
            raise UsageError(f"{said}: {key!r} cannot stand in braces", fix="e.g. region")
    return keys
