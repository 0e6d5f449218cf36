"""Lines that vouch for those before them: each carries the digest of all that stands before and in it.

So a line changed, lost or moved by hand is noticed. Only the last one can be cut short, by a crash in the
middle of writing it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping

from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError


def line(body: Mapping[str, Json], digest: str) -> tuple[bytes, str]:
    """The line for `body`, and the digest up to and with it. `digest`: that of the line before."""
    text = json.dumps(body, separators=(",", ":"))
    fresh = hashlib.sha256(f"{digest}\n{text}".encode()).hexdigest()
    return f'{{"sum":"{fresh[:24]}","body":{text}}}\n'.encode(), fresh


def read(data: bytes, where: str) -> Iterator[dict[str, Json] | None]:
    """The body of each line as it is reached; None for the last one where it was cut short and is left out.

    Raises UsageError, naming `where` and the line, when one is not what was written.
    """
    digest = ""
    for number, one in enumerate(io.BytesIO(data), 1):
        try:
            body, digest = _checked(one.removesuffix(b"\n"), digest)
        except UsageError as error:
            if number > 1 and not one.endswith(b"\n"):
                yield None
                return
            raise corrupt(where, number, error) from None
        yield body


def corrupt(where: str, number: int, error: UsageError) -> UsageError:
    """That a line cannot be believed, and what is left to do."""
    return UsageError(
        f"the journal {where} cannot be trusted: line {number}: {error.what}",
        fix="give back by hand what this run did, or restore the file from a backup; it was left as it is",
        where=f"{where}:{number}",
    )


def _checked(one: bytes, digest: str) -> tuple[dict[str, Json], str]:
    try:
        document = json.loads(one)
    except ValueError:
        raise UsageError("not a JSON document") from None
    if not isinstance(document, dict) or not isinstance(document.get("body"), dict):
        raise UsageError("not a line of a journal")
    body = document["body"]
    expected, fresh = line(body, digest)
    if expected.rstrip(b"\n") != one:
        raise UsageError("it was changed, or a line before it is missing")
    return body, fresh
