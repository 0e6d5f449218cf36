"""Filter patterns of CloudWatch Logs for plain lines (CloudWatch Logs user guide, "Filter pattern syntax").

Terms stand anywhere in the line, and their case counts. All plain terms must be there, of those with a `?`
one; terms with a `-` must not. Beside plain terms those with a `?` do not count. Patterns for JSON and for
lines with columns are left to the emulator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')


def install() -> None:
    """Let searches and subscriptions go by these patterns."""
    from ministack.services import cloudwatch_logs

    original = cloudwatch_logs._compile_filter_pattern

    def compiled(pattern: str) -> Callable[[str], Any]:
        if _is_structured(pattern or ""):
            return original(pattern)  # type: ignore[no-any-return]
        return lambda message: matches(pattern or "", message)

    cloudwatch_logs._compile_filter_pattern = compiled
    cloudwatch_logs._subscription_pattern_matches = lambda pattern, message: compiled(pattern)(message or "")


def matches(pattern: str, message: str) -> bool:
    """Whether a line fits a pattern of terms; every line fits an empty one."""
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for sign, quoted, plain in _TERM.findall(pattern):
        terms[sign].append(quoted.replace('\\"', '"') if quoted else plain)
    if any(term in message for term in terms["-"]):
        return False
    if terms[""]:
        return all(term in message for term in terms[""])
    return not terms["?"] or any(term in message for term in terms["?"])


def _is_structured(pattern: str) -> bool:
    return pattern.strip().startswith(("{", "[", "%"))
