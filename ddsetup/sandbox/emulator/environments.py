"""When execution environments start and end, where the emulator leaves that to luck.

- A change of a function does not end what it is doing just now: as on AWS, the invocation under way finishes
  in the environment that it was given, and the next one gets a new one.
- An environment made of an earlier configuration serves nobody again, however the change and the start of the
  environment overlapped.
- An invocation may ask to be refused, without a trace of it, while its cold start would go unheard.
"""

from __future__ import annotations

import threading
from typing import Any

HEARD = "x-ddsetup-sandbox-heard"
"""The header of such an invocation; its value names further functions that it would start."""
_MADE_OF = ("CodeSha256", "Handler", "Runtime", "Layers", "Environment", "MemorySize", "Timeout")
_MAX_FILTERS = 2


class _Leased(threading.local):
    """The environment of the invocation on this thread."""

    worker: Any = None


def install(lambda_runtime: Any, lambda_svc: Any) -> None:
    """Take over leasing and ending environments, and refusing to start one."""
    leased = _Leased()
    for name, replaced in (
        ("acquire_worker", _acquire(lambda_runtime, leased)),
        ("release_worker", _release(lambda_runtime, leased)),
        ("invalidate_worker", _invalidate(lambda_runtime, leased)),
    ):
        setattr(lambda_runtime, name, replaced)
        setattr(lambda_svc, name, replaced)
    _refuse_unheard(lambda_svc)


def _acquire(lambda_runtime: Any, leased: _Leased) -> Any:
    acquire = lambda_runtime.acquire_worker

    def acquired(name: str, config: Any, code: bytes, qualifier: str = "$LATEST", **named: Any) -> Any:
        key = lambda_runtime._worker_key(name, config, qualifier)
        _drop(lambda_runtime, {key}, lambda worker: _differ(worker.config, config))
        worker, reason = acquire(name, config, code, qualifier=qualifier, **named)
        leased.worker = worker
        return worker, reason

    return acquired


def _release(lambda_runtime: Any, leased: _Leased) -> Any:
    release = lambda_runtime.release_worker

    def released(worker: Any) -> None:
        leased.worker = None
        if worker is None:
            return
        with lambda_runtime._lock:
            pooled = any(worker in workers for workers in lambda_runtime._workers.values())
        if pooled:
            release(worker)
        else:
            lambda_runtime.kill_workers([worker])

    return released


def _invalidate(lambda_runtime: Any, leased: _Leased) -> Any:
    def invalidated(
        name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        with lambda_runtime._lock:
            keys = {
                key
                for key in lambda_runtime._workers
                if _matches(key.split(":"), (account, region, name, qualifier))
            }
        _drop(lambda_runtime, keys, lambda _worker: True)
        if leased.worker is not None:
            # The emulator gives up the one that failed, and does not release it.
            lambda_runtime.kill_workers([leased.worker])
            leased.worker = None

    return invalidated


def _matches(parts: list[str], wanted: tuple[str | None, ...]) -> bool:
    return all(each is None or each == part for part, each in zip(parts, wanted, strict=True))


def _drop(lambda_runtime: Any, keys: set[str], doomed: Any) -> None:
    """Take environments out of their pools; one that is in use ends when it is released."""
    idle = []
    with lambda_runtime._lock:
        for key in keys & set(lambda_runtime._workers):
            workers = lambda_runtime._workers[key]
            idle += [each for each in workers if doomed(each) and not each.in_use]
            lambda_runtime._workers[key] = [each for each in workers if not doomed(each)]
    lambda_runtime.kill_workers(idle)


def _differ(one: Any, other: Any) -> bool:
    return any(one.get(part) != other.get(part) for part in _MADE_OF)


def _refuse_unheard(lambda_svc: Any) -> None:
    invoke = lambda_svc._invoke

    async def invoke_heard(name: str, event: Any, headers: Any, *arguments: Any, **named: Any) -> Any:
        # Up to where `invoke` takes the function's configuration nothing else runs: what is found here holds.
        if goes_unheard(headers, name):
            message = "Nothing is subscribed to the function's log."
            return lambda_svc.error_response_json("ResourceConflictException", message, 409)
        return await invoke(name, event, headers, *arguments, **named)

    lambda_svc._invoke = invoke_heard


def goes_unheard(headers: Any, *names: str) -> bool:
    """Whether who asks wants to be refused, as one of these functions, or of those that the header names,
    would start without being heard."""
    from ministack.services import lambda_svc

    woken = (*names, *filter(None, str(headers.get(HEARD, "")).split(",")))
    return HEARD in headers and not all(_is_heard(lambda_svc, each) for each in woken)


def _is_heard(lambda_svc: Any, name: str) -> bool:
    """Whether what the library in the function writes to its log is sent on, or can never be."""
    from ministack.services import cloudwatch_logs

    from ddsetup.sandbox.emulator import account_policies

    if name not in lambda_svc._functions:
        return True
    config = lambda_svc._functions[name]["config"]
    if (config.get("Environment") or {}).get("Variables", {}).get("DD_FLUSH_TO_LOG") != "true":
        return True
    group_name = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    group = cloudwatch_logs._log_groups.get(group_name) or {}
    filters = list((group.get("subscriptionFilters") or {}).values())
    policy = account_policies.in_force(group_name)
    if policy is not None and _leads_to_datadog(lambda_svc, policy):
        return True
    return len(filters) >= _MAX_FILTERS or any(_leads_to_datadog(lambda_svc, each) for each in filters)


def _leads_to_datadog(lambda_svc: Any, subscription: dict[str, Any]) -> bool:
    name = str(subscription.get("destinationArn", "")).rpartition(":function:")[2].split(":")[0]
    function = lambda_svc._functions.get(name) or {"config": {}}
    return "DD_SITE" in (function["config"].get("Environment") or {}).get("Variables", {})
