"""What a monitor or a dashboard is about: an env, a service, functions, or everything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

EVERYTHING = "all"

_LONGEST = 120
_NOT_IN_TAGS = re.compile(r"[^a-z0-9_:./-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorScope:
    """Which series are meant. `functions` are names in lower case, or globs with `*`; empty ones: any.

    `priced`: Datadog estimates what invocations cost, which it does for none on managed instances (Datadog's
    documentation of Lambda managed instances); False only if all that is meant runs there.
    """

    env: str = ""
    service: str = ""
    functions: tuple[str, ...] = ()
    priced: bool = True

    @property
    def label(self) -> str:
        """The scope as the value of a tag, which tells different scopes apart: `env:prod`, `all`."""
        parts = [f"env:{self.env}"] if self.env else []
        parts += [f"service:{self.service}"] if self.service else []
        parts += [f"functionname:{name}" for name in sorted(self.functions)]
        text = ",".join(parts).lower()
        if not text:
            return EVERYTHING
        plain = _NOT_IN_TAGS.sub("_", text)
        if plain == text and len(plain) <= _LONGEST:
            return plain
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{plain[:_LONGEST]}-{digest}"

    def query(self, *conditions: str) -> str:
        """The scope of a metric query, `*` if everything is meant."""
        parts = [*conditions]
        parts += [f"env:{self.env}"] if self.env else []
        parts += [f"service:{self.service}"] if self.service else []
        parts += [_functions(self.functions)] if self.functions else []
        return " AND ".join(parts) or "*"

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that say it to people and to Datadog's filters."""
        env = (f"env:{self.env}",) if self.env else ()
        return (*env, *((f"service:{self.service}",) if self.service else ()))


def _functions(names: Sequence[str]) -> str:
    """`IN` knows no globs, so with one among them they are joined by OR."""
    if len(names) == 1:
        return f"functionname:{names[0]}"
    if any("*" in name for name in names):
        return f"({' OR '.join(f'functionname:{name}' for name in sorted(names))})"
    return f"functionname IN ({','.join(sorted(names))})"
