"""A zip for support: what was found, how things are set up, what went wrong. Without anything secret.

Everything in it has gone through the same masking as what is printed; the list of contents is shown and
confirmed before anything is written.
"""

from __future__ import annotations

import json
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup._version import __version__
from ddsetup.facts.disclose import parameter, secrets_in, text, variable, without
from ddsetup.gateways.aws.health import log_tail
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stacks import stack_events
from ddsetup.model.account import Function, Json, Unreadable
from ddsetup.model.errors import GatewayError
from ddsetup.model.foreign import json_text
from ddsetup.model.report import Report
from ddsetup.plan.steps.subscriptions.groups import log_group_of
from ddsetup.settings.fields import values_of
from ddsetup.show.jsonreport import document

if TYPE_CHECKING:
    from ddsetup.doctor.checks.case import Case
    from ddsetup.doctor.look import Visit

_LIBRARIES = ("boto3", "botocore", "datadog-api-client", "typer", "rich")
_MOST_EVENTS = 200
_LOG_MINUTES = 60
_DATADOGS = ("DD_", "AWS_LAMBDA_EXEC")


def contents(visit: Visit, report: Report, environ: Mapping[str, str]) -> dict[str, str]:
    """The files of the bundle by name, masked."""
    case = visit.case
    aws = visit.session.aws if visit.session else None
    files: dict[str, Json] = {
        "report.json": document(report),
        "versions.json": _versions(),
        "answers.json": {k: _plain(v) for k, v in values_of(case.answers).items()},
        "functions.json": [_function(s.function) for s in case.subjects],
        "forwarders.json": _forwarders(case),
        "integrations.json": _integrations(case),
        "stack-events.json": _events(case, aws),
        "forwarder-logs.json": _logs(case, aws),
    }
    held = set(secrets_in(environ))
    return {name: without(json_text(_plain(value), indent=2), held) for name, value in files.items()}


def write(path: Path, files: Mapping[str, str]) -> None:
    """Write the zip, readable by nobody else. Raises OSError."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _versions() -> Json:
    found = {"ddsetup": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _function(function: Function) -> Json:
    """A function's configuration; of its variables those of Datadog's that are known to be harmless."""
    env = function.env or {}
    return {
        "arn": function.arn,
        "runtime": function.runtime,
        "architecture": function.architecture,
        "handler": function.handler,
        "layers": [layer.arn for layer in function.layers],
        "memory": function.memory,
        "timeout": function.timeout,
        "vpc": function.vpc,
        "log_group": function.log_group,
        "log_format": function.log_format,
        "system_log_level": function.system_log_level,
        "tracing": function.tracing,
        "state": function.state,
        "last_update_status": function.last_update_status,
        "environment": {k: variable(k, v) for k, v in env.items() if k.startswith(_DATADOGS)},
        "other_variables": sum(not k.startswith(_DATADOGS) for k in env),
    }


def _forwarders(case: Case) -> Json:
    found = []
    for place in case.places:
        stacks = () if isinstance(place.lane.stacks, Unreadable) else place.lane.stacks
        named = place.forwarder.stack if place.forwarder else None
        stack = next((s for s in stacks if named and named in (s.name, s.stack_id)), None)
        found.append(
            {
                "region": place.at.region,
                "forwarder": asdict(place.forwarder) if place.forwarder else None,
                "function": _function(place.function) if place.function else None,
                "health": _plain(asdict(place.health)),
                "stack": stack.status if stack else None,
                "parameters": {k: parameter(k, v) for k, v in stack.parameters.items()} if stack else {},
                "filters": {
                    group: [asdict(f) for f in filters]
                    for group, filters in place.lane.filters.items()
                    if not isinstance(filters, Unreadable)
                },
            }
        )
    return found


def _integrations(case: Case) -> Json:
    return [
        {
            "account": live.account,
            "role_name": live.role_name,
            "metrics_enabled": live.metrics_enabled,
            "namespaces": asdict(live.namespaces) if live.namespaces else None,
            "regions": live.regions,
            "forwarders": live.lambdas,
            "log_sources": live.sources,
            "role": getattr(account.role, "arn", None),
        }
        for account, live in case.integrations()
    ]


def _events(case: Case, aws: Aws | None) -> Json:
    """The history of the Forwarders' stacks, newest last."""
    found: dict[str, Json] = {}
    for place in case.places:
        name = place.forwarder.stack if place.forwarder and place.forwarder.stack else ""
        if aws is None or not name:
            continue
        try:
            events = stack_events(aws, place.at, name)
        except GatewayError as error:
            found[f"{name} ({place.at.region})"] = error.what
            continue
        found[f"{name} ({place.at.region})"] = [
            {"at": e.at.isoformat(), "resource": e.logical_id, "status": e.status, "reason": text(e.reason)}
            for e in events[-_MOST_EVENTS:]
        ]
    return found


def _logs(case: Case, aws: Aws | None) -> Json:
    """Errors, warnings and REPORT lines of the Forwarders' logs of the last hour, newest first."""
    found: dict[str, Json] = {}
    for place in case.places:
        if aws is None or place.function is None:
            continue
        lines = log_tail(aws, place.at, log_group_of(place.function), _LOG_MINUTES)
        found[f"{place.function.name} ({place.at.region})"] = (
            lines.reason if isinstance(lines, Unreadable) else list(lines)
        )
    return found


def _plain(value: Json) -> Json:
    return json.loads(json.dumps(value, default=str))
