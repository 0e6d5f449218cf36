"""Errors that are new since functions were deployed: patterns that they did not log before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ddsetup.explore.errors import QUERY, READ, pattern, shaped
from ddsetup.facts.searches import datadog_name
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import Log, search_logs
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Function, Json
from ddsetup.model.clock import iso

LATELY = 7 * 24 * 60
"""Minutes back that are searched: before and after."""


def deployed_at(functions: Iterable[Function]) -> Mapping[str, datetime]:
    """When each function was last changed, by its name in Datadog: code or configuration, AWS tells no more
    (`LastModified`). Those without are left out."""
    found: dict[str, datetime] = {}
    for function in functions:
        try:
            at = datetime.fromisoformat(function.last_modified)
        except ValueError:
            continue
        name = datadog_name(function.name)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        found[name] = max(at, found.get(name, at))
    return found


def new_errors(
    dd: Datadog, window: Window, whose: Whose, deployed: Mapping[str, datetime]
) -> Mapping[str, Json]:
    """The `data` of `explore errors --since-deploy`: like that of errors, of new patterns only.

    Those after each function's last change are compared with those before it, in two calls. Raises Denied
    when `logs_read_data` is missing.
    """
    if not deployed:
        return {**shaped((), 0, window), "deployed": {}, "known": 0}
    first = min(max(at, window.start) for at in deployed.values())
    query = whose.logs(QUERY)
    after = search_logs(dd, replace(window, start=first), query, limit=READ)
    before = search_logs(dd, replace(window, end=max(deployed.values())), query, limit=READ)
    return compared(after, before, window, deployed)


def compared(
    after: Sequence[Log], before: Sequence[Log], window: Window, deployed: Mapping[str, datetime]
) -> Mapping[str, Json]:
    """What is in `after` and of no pattern of the same function in `before`, by the function's own time."""
    later = [log for log in after if log.function in deployed and log.at >= deployed[log.function]]
    earlier = {
        (log.function, pattern(log.message))
        for log in before
        if log.function in deployed and log.at < deployed[log.function]
    }
    fresh = [log for log in later if (log.function, pattern(log.message)) not in earlier]
    times = {name: iso(at) for name, at in sorted(deployed.items())}
    return {**shaped(fresh, len(fresh), window), "deployed": times, "known": len(later) - len(fresh)}
