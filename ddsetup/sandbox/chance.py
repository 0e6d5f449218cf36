"""Which calls meet a fault that strikes by chance: the same ones in every run, however threads take turns."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field

IN_A_ROW = 2
"""How often one call is struck by chance before it passes.

Whoever waits and asks again gets through: AWS's limits refill by the second, Datadog names the moment in
`X-RateLimit-Reset`. AWS counts on three attempts for it: the default of `max_attempts` in "Retry behavior" of
the AWS SDKs and Tools reference, in modes standard and adaptive.
"""
_TOKEN = re.compile(rb'("?(?:ClientRequestToken|ClientToken|clientToken)"?[:=] ?"?)[^"&]+')
"""botocore makes a new one for each attempt of ours."""


@dataclass(slots=True)
class Chance:
    """Draws for each call by itself: by what it is and how often it came, not by what came between."""

    _came: Counter[tuple[int, bytes]] = field(default_factory=Counter)
    _row: Counter[bytes] = field(default_factory=Counter)

    def strikes(self, call: bytes, probability: float, seed: int = 0) -> bool:
        """Whether this call meets a fault of such a probability. `call` is all that tells it from others."""
        if probability >= 1:
            return True
        call = _TOKEN.sub(rb"\1", call)
        self._came[seed, call] += 1
        drawn = random.Random(b"%d %d %s" % (seed, self._came[seed, call], call)).random()  # noqa: S311
        if drawn >= probability or self._row[call] >= IN_A_ROW:
            return False
        self._row[call] += 1
        return True

    def passed(self, call: bytes) -> None:
        """No fault was for this call: a new row begins."""
        self._row.pop(_TOKEN.sub(rb"\1", call), None)
