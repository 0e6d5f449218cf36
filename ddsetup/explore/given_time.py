"""The time and memory that functions are given, beside what an invocation took of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.explore.story import Invocation
from ddsetup.facts.failures import more_memory, more_time
from ddsetup.facts.searches import datadog_name
from ddsetup.gateways.aws.function_reads import list_functions, read_function
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Function, Json, Lane, Unreadable
from ddsetup.model.errors import GatewayError, NotFound


def given_times(aws: Aws, account: str, invocations: Iterable[Invocation]) -> Mapping[str, Function]:
    """The functions of an account by their names in Datadog: one call for each.

    Those that AWS does not tell of are left out: what they took is known all the same.
    """
    places = {each.function: each.region for each in invocations if each.account in ("", account)}
    found: dict[str, Function] = {}
    for name, region in places.items():
        if region and (function := _read(aws, Lane(account, region), name)):
            found[name] = function
    return found


def _read(aws: Aws, lane: Lane, name: str) -> Function | None:
    """By the name that Datadog knows, which is in lower case; so by all names, if there is none of that."""
    try:
        return read_function(aws, lane, name)
    except NotFound:
        every = list_functions(aws, lane)
        rows: Sequence[Function] = () if isinstance(every, Unreadable) else every
        return next((each for each in rows if datadog_name(each.name) == name), None)
    except GatewayError:
        return None


def with_time(data: Mapping[str, Json], known: Mapping[str, Function]) -> dict[str, Json]:
    """The story with `timeout_ms` of each function, and the command that mends what went wrong."""
    functions = [{**row, **_limits(row, known.get(row["function"]))} for row in data["functions"]]
    cause = data["cause"]
    if cause and (function := known.get(cause["function"])):
        cause = {**cause, "what": _in_figures(cause, function), "command": _command(cause, function)}
    return {**data, "functions": functions, "cause": cause}


def _limits(row: Mapping[str, Json], function: Function | None) -> Mapping[str, Json]:
    if function is None:
        return {"timeout_ms": None}
    return {"timeout_ms": function.timeout * 1000, "memory_mb": row["memory_mb"] or function.memory}


def _in_figures(cause: Mapping[str, Json], function: Function) -> Json:
    if cause["kind"] == "timeout":
        return f"{cause['what']} of {function.timeout} s"
    return f"{cause['what']} of {function.memory} MB" if cause["kind"] == "memory" else cause["what"]


def _command(cause: Mapping[str, Json], function: Function) -> str:
    if cause["kind"] == "timeout":
        return more_time(function.name, function.region, function.timeout)
    if cause["kind"] == "memory":
        return more_memory(function.name, function.region, function.memory)
    return f"ddsetup doctor --function {function.name}" if cause["kind"] == "start" else ""
