"""Derives the enhanced metrics that Lambda's own report of an invocation holds."""

import json
import re

_REPORT = re.compile(
    r"^REPORT RequestId: (?P<request>[\w-]+)\s+Duration: (?P<duration>[\d.]+) ms\s+"
    r"Billed Duration: (?P<billed>[\d.]+) ms\s+Memory Size: (?P<memory>\d+) MB\s+"
    r"Max Memory Used: (?P<used>\d+) MB(\s+Init Duration: (?P<init>[\d.]+) ms)?"
)
_PREFIX = "aws.lambda.enhanced."
_PRICE_PER_REQUEST = 0.0000002
_PRICE_PER_GB_SECOND = 0.0000166667


def enhanced_metrics(log, delivery, tags):
    """Metric lines (as the library writes them) from a REPORT line or a `platform.report`, else nothing."""
    if not delivery.function:
        return []
    message = log["message"].strip()
    found = _from_text(message) or _from_json(message)
    if found is None:
        return _timeouts(message, log, delivery, tags)
    values, memory, cold = found
    labels = [f"memorysize:{memory}", f"cold_start:{str(cold).lower()}", *_labels(delivery), *tags]
    return [_metric(name, value, log, labels) for name, value in values.items()]


def _from_text(message):
    match = _REPORT.match(message)
    if match is None:
        return None
    init = match["init"]
    return _values(match["duration"], match["billed"], match["memory"], match["used"], init)


def _from_json(message):
    if '"platform.report"' not in message:
        return None
    metrics = json.loads(message)["record"]["metrics"]
    init = metrics.get("initDurationMs")
    return _values(
        metrics["durationMs"],
        metrics["billedDurationMs"],
        metrics["memorySizeMB"],
        metrics["maxMemoryUsedMB"],
        init,
    )


def _values(duration, billed, memory, used, init):
    billed_seconds = float(billed) / 1000
    values = {
        "duration": float(duration) / 1000,
        "billed_duration": billed_seconds,
        "max_memory_used": float(used),
        "estimated_cost": _PRICE_PER_REQUEST + billed_seconds * float(memory) / 1024 * _PRICE_PER_GB_SECOND,
    }
    if init is not None:
        values["init_duration"] = float(init) / 1000
    return values, memory, init is not None


def _timeouts(message, log, delivery, tags):
    if "Task timed out after" in message:
        return [_metric("timeouts", 1.0, log, [*_labels(delivery), *tags])]
    if "MemoryError" in message or "Runtime exited with error: signal: killed" in message:
        return [_metric("out_of_memory", 1.0, log, [*_labels(delivery), *tags])]
    return []


def _labels(delivery):
    return [
        f"region:{delivery.region}",
        f"account_id:{delivery.owner}",
        f"aws_account:{delivery.owner}",
        f"functionname:{delivery.function}",
    ]


def _metric(name, value, log, tags):
    return {"m": _PREFIX + name, "v": value, "e": log["timestamp"] / 1000, "t": tags}
