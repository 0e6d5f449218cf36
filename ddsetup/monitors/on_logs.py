"""Monitors on logs: a search of logs, from how many on, and by which tags. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from ddsetup.facts.searches import any_of
from ddsetup.model.errors import UsageError
from ddsetup.monitors.scope import MonitorScope
from ddsetup.monitors.wording import plain, tag_keys

OF_FUNCTIONS = "source:lambda"

_ON_LOGS = re.compile(
    r"\s*(?P<query>.+?)\s*(?:\bby\s*\{(?P<by>[^{}]*)\})?\s*(?:(?<!:)>\s*(?P<value>\d+(?:\.\d+)?))?\s*"
)
_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class OnLogs:
    """A monitor on logs: alert when more than `threshold` of them match within 15 minutes.

    `query` is in the language of the Log Explorer, `by` are the keys of tags whose values are told apart.
    """

    query: str
    threshold: float = 0
    by: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The id that tells it from the others, with words of the query for people."""
        text = self.query if not self.by else f"{self.query} by {','.join(self.by)}"
        words = _NOT_IN_KEYS.sub("_", self.query.lower()).strip("_")[:_LONGEST]
        return f"logs:{words}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def parse_on_logs(text: str) -> OnLogs:
    """`status:error>10`, `"Task timed out"`, `@order.kind:tea by {env} > 3`.

    Without `by`, each function is watched by itself, unless the query names another source. Raises UsageError
    for what is no query.
    """
    match = _ON_LOGS.fullmatch(text)
    query = match["query"].strip() if match else ""
    fix = "e.g. --on-logs 'status:error>10' or '\"payment refused\"'"
    if match is None or not query or query.startswith(">") or query.count('"') % 2:
        raise UsageError(f"--on-logs {text}: expected a search of logs, and > and a number if not 0", fix=fix)
    if query.count("(") != query.count(")"):
        raise UsageError(f"--on-logs {text}: a parenthesis is not closed", fix=fix)
    by = tag_keys(match["by"], f"--on-logs {text}")
    if match["by"] is None and "source:" not in query:
        by = ("functionname",)
    return OnLogs(query, float(match["value"] or 0), by)


def log_query(each: OnLogs, scope: MonitorScope) -> str:
    """The query of a log monitor (API reference, create a monitor, log alert query)."""
    parts = [] if "source:" in each.query else [OF_FUNCTIONS]
    parts += [f"env:{any_of([scope.env])}"] if scope.env else []
    parts += [f"service:{any_of([scope.service])}"] if scope.service else []
    parts += [f"functionname:{any_of(scope.functions)}"] if scope.functions else []
    search = " ".join((*parts, f"({each.query})"))
    text = search.replace("\\", "\\\\").replace('"', '\\"')
    by = f'.by("{",".join(each.by)}")' if each.by else ""
    return f'logs("{text}").index("*").rollup("count"){by}.last("15m") > {plain(each.threshold)}'
