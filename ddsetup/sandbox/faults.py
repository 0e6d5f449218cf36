"""Makes the emulated AWS fail on purpose, while it runs: for trying out what a tool does then.

    inject(sandbox, AwsFault("UpdateFunctionConfiguration", "TooManyRequestsException", 429, times=3))

The Datadog stand-in has faults of its own, in its seed and at its `/__sandbox/faults`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsetup.sandbox.model import Sandbox

FILE_NAME = "aws-faults.json"
ALWAYS = 1_000_000_000
"""For `times`: until the faults are cleared."""


@dataclass(frozen=True, slots=True)
class AwsFault:
    """Calls of `operation` (the IAM action's name) answer with an error, the first `times` of them."""

    operation: str
    """May hold `*`: `Put*`, or `*` for every call."""
    code: str = ""
    status: int = 400
    message: str = "A fault of the sandbox."
    times: int = 1
    contains: str = ""
    """Only calls that have this text in their address or body (a function's name, say)."""
    after_effect: bool = False
    """The call does its work first; only the answer is lost."""
    delay: float = 0.0
    """Seconds to wait before anything else. With an empty `code` and no `raw` the call is only delayed."""
    raw: str | None = None
    """What is answered in place of an error, with `status`: a proxy's page, say, or nothing."""
    drop: bool = False
    """Instead of an answer the connection is reset."""
    probability: float = 1.0
    """How likely such a call is to meet the fault; which ones do is drawn from `seed`."""
    seed: int = 0
    skip: int = 0
    """How many such calls go well first."""
    access_key: str = ""
    """Only calls signed with this key: ddsetup's own, say, and not those that Datadog makes."""


def inject(sandbox: Sandbox, *faults: AwsFault) -> None:
    """Replace the faults that are set; none clears them. Counts start anew."""
    path = sandbox.directory / FILE_NAME
    staged = path.with_suffix(".new")
    staged.write_text(json.dumps([asdict(each) for each in faults]), encoding="utf-8")
    staged.replace(path)
