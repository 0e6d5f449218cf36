"""What a caller hands to a function beside the event: the client context, which the emulator drops.

Lambda passes it on for synchronous invocations only (Invoke, parameter ClientContext); a function finds it as
`context.client_context` with `custom`, `env` and `client` (Lambda's Python runtime interface client). Tracers
carry a trace from one function to the next in it.
"""

from __future__ import annotations

import base64
import json
from contextvars import ContextVar
from typing import Any

_HEADER = "x-amz-client-context"
_TYPE = "x-amz-invocation-type"
_KEY = "client_context"
_ABSENT = '"client_context": None,'
_PRESENT = (
    '"client_context": (lambda of: of and type("ClientContext", (), {"custom": of.get("custom"), '
    '"env": of.get("env"), "client": type("Client", (), of["client"])() if of.get("client") else None})())'
    f'(_ms_durable.get("{_KEY}")),'
)
_held: ContextVar[dict[str, Any] | None] = ContextVar("client_context", default=None)


def install(lambda_runtime: Any, lambda_svc: Any) -> None:
    """Take the context from the request, carry it to the function's process, and show it to the handler."""
    _take(lambda_svc)
    _carry(lambda_runtime.Worker)
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _ABSENT not in script:
        raise RuntimeError("the emulator's worker has another context object")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_ABSENT, _PRESENT)


def _take(lambda_svc: Any) -> None:
    invoke = lambda_svc._invoke

    async def with_context(name: str, event: Any, headers: Any, *arguments: Any, **named: Any) -> Any:
        given = {key.lower(): value for key, value in headers.items()}
        waits = given.get(_TYPE, "RequestResponse") == "RequestResponse"
        _held.set(_decoded(given.get(_HEADER, "")) if waits else None)
        return await invoke(name, event, headers, *arguments, **named)

    lambda_svc._invoke = with_context


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(base64.b64decode(text)) if text else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _carry(worker: Any) -> None:
    run = worker.invoke

    def with_context(self: Any, *arguments: Any, durable: Any = None, **named: Any) -> Any:
        # Of the values of one invocation the emulator hands these on as they are.
        held = _held.get()
        beside = {**(durable or {}), _KEY: held} if held else durable
        return run(self, *arguments, durable=beside, **named)

    worker.invoke = with_context
