"""Tags as Datadog keeps them, whoever sent them.

As the trace agent normalises them (datadog-agent, pkg/trace/traceutil/normalize, NormalizeTag), and as the
page "Getting Started with Tags" says: lower case; what is no letter, digit or one of ``_:./-`` becomes
``_``; runs of ``_`` become one; none is kept at the end; a tag starts with a letter and has at most 200
characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

MAX_LENGTH = 200

_REFUSED = re.compile(r"[^\w:./-]")
_START = re.compile(r"^[^a-z:]+")


@lru_cache(maxsize=100_000)
def normalised(tag: str) -> str:
    """One tag as it is kept; empty if nothing of it can be kept."""
    text = _START.sub("", _REFUSED.sub("_", tag.strip().lower()))
    return re.sub("_+", "_", text)[:MAX_LENGTH].rstrip("_")


def all_normalised(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept, each once, in the order of the first."""
    return [tag for tag in dict.fromkeys(map(normalised, tags)) if tag]
