"""The log of each invocation, with the lines that Lambda writes, in place of the emulator's own."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator import extension, function_log

_UNKNOWN_MEMORY_MB = 64


class _Invocation(threading.local):
    """What is known about the invocation that runs on this thread, until its log is written."""

    init_seconds: float | None = None
    seconds_before: float = 0.0
    error: dict[str, Any] | None = None
    memory_mb: int | None = None

    def forget(self) -> None:
        self.init_seconds = self.error = self.memory_mb = None
        self.seconds_before = 0.0


def install(lambda_runtime: Any, lambda_svc: Any) -> None:
    """Have the emulator measure what it starts and runs, and write the log by that."""
    invocation = _Invocation()
    _time_starts(lambda_runtime, invocation)
    _measure_memory(lambda_runtime, invocation)
    execute, count = lambda_svc._execute_function_warm, _count_each_once(lambda_svc)

    def noted_execute(function: Any, event: Any, request_id: str) -> Any:
        invocation.forget()
        result = execute(function, event, request_id)
        invocation.error = result["body"] if result.get("error") else None
        return result

    def emit(
        function: Any,
        request_id: str,
        text: str,
        error: bool,
        duration_ms: int,
        *,
        log_source: str | None = None,
    ) -> None:
        del log_source
        config = function.get("config") or function
        count(config["FunctionName"], float(duration_ms), error=error, throttle=False)
        run = _run(invocation, request_id, text, duration_ms)
        invocation.forget()
        function_log.write(config, extension.take(config, run))

    lambda_svc._execute_function_warm = noted_execute
    lambda_svc._emit_lambda_logs = emit


def _count_each_once(lambda_svc: Any) -> Any:
    """What counts an invocation in CloudWatch. The emulator counts those that were asked for by Invoke, and
    none that a queue, a topic or a bus started; here each counts when its log is written."""
    emit = lambda_svc._emit_lambda_metrics

    def only_throttles(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            emit(name, duration_ms=duration_ms, error=error, throttle=True)

    lambda_svc._emit_lambda_metrics = only_throttles
    return emit


def _time_starts(lambda_runtime: Any, invocation: _Invocation) -> None:
    """Note how long the start of a process took, one start per processor at a time.

    Many at once only slow each other down, and a start of more than ten seconds is none to the library: it
    takes it for an environment that AWS had warmed up.
    """
    spawn = lambda_runtime.Worker._spawn
    starting = threading.BoundedSemaphore(os.cpu_count() or 1)

    def timed_spawn(worker: Any) -> None:
        asked = time.monotonic()
        with starting:
            started = time.monotonic()
            spawn(worker)
            ready = time.monotonic()
        invocation.init_seconds, invocation.seconds_before = ready - started, ready - asked

    lambda_runtime.Worker._spawn = timed_spawn


def _measure_memory(lambda_runtime: Any, invocation: _Invocation) -> None:
    run = lambda_runtime.Worker.invoke

    def measured_invoke(worker: Any, *arguments: Any, **named: Any) -> Any:
        result = run(worker, *arguments, **named)
        invocation.memory_mb = _peak_memory_mb(worker._proc)
        return result

    lambda_runtime.Worker.invoke = measured_invoke


def _run(invocation: _Invocation, request_id: str, text: str, duration_ms: int) -> function_log.Run:
    init, failed = invocation.init_seconds, invocation.error or {}
    return function_log.Run(
        request_id=request_id,
        text=text,
        milliseconds=max(duration_ms - invocation.seconds_before * 1000, 1.0),
        init_milliseconds=None if init is None else init * 1000,
        memory_used=invocation.memory_mb or _UNKNOWN_MEMORY_MB,
        failure=str(failed.get("errorMessage", "")).removeprefix("Worker init failed: "),
        timed_out=failed.get("errorType") == "Sandbox.Timedout",
    )


def _peak_memory_mb(process: Any) -> int | None:
    """The most that a live process has held, where the system tells (Linux)."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    except (AttributeError, OSError):
        return None
    match = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(match[1]) // 1024 if match else None
