"""What Datadog's Extension does, for functions that have its layer: sends what an invocation said to Datadog.

The real Extension is a program for Lambda's own processors. Here the library writes its metrics and spans to
the output, as for the Forwarder; they are taken out of the log again, and go to Datadog with the enhanced
metrics and the lines of the log. The key is found where the Extension looks (datadog-lambda-extension,
bottlecap/src/secrets) and read with the function's own role; without one nothing is sent, and the log says so
afterwards.
"""

from __future__ import annotations

import base64
import contextvars
import importlib
import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator import function_log, intake_key, itself
from ddsetup.sandbox.emulator.settings import EmulatorSettings
from ddsetup.sandbox.model import Keys

_LAYER = "Datadog-Extension"
_FORWARDER = Path(__file__).parent.parent / "forwarder"
_FLUSH = "DD_FLUSH_TO_LOG"
_log = logging.getLogger(__name__)
_waiting: queue.SimpleQueue[tuple[contextvars.Context, _Invocation]] = queue.SimpleQueue()
_keys: dict[tuple[str, ...], str] = {}


@dataclass(frozen=True, slots=True)
class _Invocation:
    """A finished invocation, with what the library wrote for the Extension alone."""

    config: dict[str, Any]
    run: function_log.Run
    lines: list[str]

    @property
    def env(self) -> Mapping[str, str]:
        return (self.config.get("Environment") or {}).get("Variables") or {}

    @property
    def name(self) -> str:
        return str(self.config["FunctionName"]).lower()

    @property
    def arn(self) -> str:
        return str(self.config["FunctionArn"]).lower()

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def owner(self) -> str:
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True)
class _Intakes:
    """The addresses that the Forwarder's client of the intakes asks for."""

    logs_url: str
    api_url: str
    trace_url: str


def install(lambda_runtime: Any, settings: EmulatorSettings) -> None:
    """Have the library of such functions write what it would hand to the Extension, and start sending."""
    sys.path.append(str(_FORWARDER))
    spawn = lambda_runtime.Worker._spawn

    def spawn_beside(worker: Any) -> None:
        own = worker.config
        worker.config = _heard(own) if is_attached(own) else own
        try:
            spawn(worker)
        finally:
            worker.config = own

    lambda_runtime.Worker._spawn = spawn_beside
    threading.Thread(target=_send, args=(Path(settings.datadog_file),), daemon=True).start()


def is_attached(config: Mapping[str, Any]) -> bool:
    """Whether the function has the Extension's layer."""
    arns = (each if isinstance(each, str) else each.get("Arn", "") for each in config.get("Layers") or ())
    return any(arn.rpartition(":")[0].rpartition(":")[2].startswith(_LAYER) for arn in arns)


def _heard(config: Mapping[str, Any]) -> dict[str, Any]:
    held = config.get("Environment") or {}
    return {**config, "Environment": {**held, "Variables": {**(held.get("Variables") or {}), _FLUSH: "true"}}}


def take(config: dict[str, Any], run: function_log.Run) -> function_log.Run:
    """The invocation without what was meant for the Extension, which sends it."""
    if not is_attached(config):
        return run
    lines = run.text.split("\n")
    own = [line for line in lines if _is_ours(line)]
    left = replace(run, text="\n".join(line for line in lines if not _is_ours(line)))
    _waiting.put((contextvars.copy_context(), _Invocation(config, left, own)))
    return left


def _is_ours(line: str) -> bool:
    return line.startswith(('{"m":', '{"m" :', '{"traces":', '{"traces" :'))


def _send(datadog_file: Path) -> None:
    while True:
        context, invocation = _waiting.get()
        try:
            datadog = json.loads(datadog_file.read_text(encoding="utf-8"))
            context.run(_deliver, invocation, datadog["url"], datadog["site"])
        except Exception:  # noqa: BLE001 - the thread serves the others, too
            _log.exception("the Extension of %s", invocation.config.get("FunctionName"))


def _deliver(invocation: _Invocation, url: str, site: str) -> None:
    """Send all of it, or write to the function's log why not."""
    try:
        if (named := invocation.env.get("DD_SITE", "datadoghq.com")) != site:
            raise PermissionError(f"no such key on {named}")
        key = _key_of(invocation, url)
    except Exception as error:  # noqa: BLE001 - whatever AWS or Datadog refuses with
        said = f"DD_EXTENSION | ERROR | Failed to resolve API key, Datadog Extension is idle: {error}"
        function_log.append(invocation.config, [said])
        return
    events, report, intake = (
        importlib.import_module(f"sandbox_forwarder.{name}") for name in ("events", "report", "intake")
    )
    delivery = _sorted(invocation, events)
    tags = _tags(invocation)
    sender = intake.Intake(_Intakes(f"{url}/api/v2/logs", url, url), key)
    if invocation.env.get("DD_ENHANCED_METRICS", "true") != "false":
        derived = [metric for log in delivery.logs for metric in report.enhanced_metrics(log, delivery, ())]
        sender.post_metrics(derived, tags)
    sender.post_metrics(delivery.metrics, tags)
    sender.post_traces(delivery.traces, tags)
    if invocation.env.get("DD_SERVERLESS_LOGS_ENABLED", "true") != "false":
        sender.post_logs(_logs(invocation, delivery, tags))


def _sorted(invocation: _Invocation, events: Any) -> Any:
    delivery = events.Delivery("", "", invocation.owner, invocation.region, invocation.name, invocation.arn)
    now, request = int(time.time() * 1000), invocation.run.request_id
    messages = [*invocation.lines, *function_log.messages(invocation.config, invocation.run)]
    for number, message in enumerate(messages):
        events._sort({"id": f"{request}-{number}", "timestamp": now, "message": message}, delivery)
    return delivery


def _tags(invocation: _Invocation) -> list[str]:
    """What the Extension puts on all that it sends (bottlecap, `lambda/tags.rs`)."""
    config, env = invocation.config, invocation.env
    said = {tag: env.get(f"DD_{tag.upper()}", "") for tag in ("env", "service", "version")}
    return [
        *(f"{tag}:{value}" for tag, value in said.items() if value),
        *(part.strip() for part in env.get("DD_TAGS", "").replace(" ", ",").split(",") if part.strip()),
        f"functionname:{invocation.name}",
        f"function_arn:{invocation.arn}",
        f"region:{invocation.region}",
        f"account_id:{invocation.owner}",
        f"aws_account:{invocation.owner}",
        f"memorysize:{config.get('MemorySize', 128)}",
        f"runtime:{config.get('Runtime', '')}",
        "dd_extension_version:sandbox",
    ]


def _logs(invocation: _Invocation, delivery: Any, tags: list[str]) -> list[dict[str, Any]]:
    service = invocation.env.get("DD_SERVICE") or invocation.name
    return [
        {
            "ddsource": "lambda",
            "ddtags": ",".join(tags),
            "hostname": invocation.arn,
            "service": service,
            "message": {
                "message": log["message"],
                "lambda": {"arn": invocation.arn, "request_id": invocation.run.request_id},
                "timestamp": log["timestamp"],
                "status": "info",
            },
        }
        for log in delivery.logs
    ]


def _key_of(invocation: _Invocation, url: str) -> str:
    """The API key by the first source that is named, kept as an environment keeps it."""
    from ministack.core import lambda_runtime

    env, credentials = invocation.env, lambda_runtime.execution_credentials(invocation.config)
    keys = Keys(
        *(credentials[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    )
    if org := env.get("DD_ORG_UUID"):
        # Each time: a mapping may come or go, and an environment here lives longer than on AWS.
        return intake_key.fetch(url, org, itself.address(), invocation.region, keys)
    source = next((name for name in _SOURCES if env.get(name)), "")
    if not source:
        raise PermissionError("no source of the API key is set")
    held = (source, env[source], keys.access_key_id)
    if held not in _keys:
        _keys[held] = _SOURCES[source](env[source], invocation.region, keys)
    return _keys[held]


def _by_kms(value: str, region: str, keys: Keys) -> str:
    answer = itself.client("kms", region, keys).decrypt(CiphertextBlob=base64.b64decode(value))
    return str(answer["Plaintext"], "utf-8").strip()


def _by_secret(value: str, region: str, keys: Keys) -> str:
    place = value.split(":")[3] if value.startswith("arn:") else region
    answer = itself.client("secretsmanager", place, keys).get_secret_value(SecretId=value)
    return str(answer["SecretString"]).strip()


def _by_parameter(value: str, region: str, keys: Keys) -> str:
    answer = itself.client("ssm", region, keys).get_parameter(Name=value, WithDecryption=True)
    return str(answer["Parameter"]["Value"]).strip()


def _as_it_is(value: str, _region: str, _keys: Keys) -> str:
    return value


_SOURCES: Mapping[str, Callable[[str, str, Keys], str]] = {
    "DD_KMS_API_KEY": _by_kms,
    "DD_API_KEY_SECRET_ARN": _by_secret,
    "DD_API_KEY_SSM_ARN": _by_parameter,
    "DD_API_KEY": _as_it_is,
}
"""In the order in which the Extension looks."""
