"""The account at a glance: what the integration, the forwarders and each function are like now. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ddsetup.facts import catalog
from ddsetup.facts.account_policies import policies_of
from ddsetup.facts.firehose import STACK as LOG_STREAM
from ddsetup.facts.firehose import leads_to_datadog
from ddsetup.facts.kinds import CHOSEN, kind_name
from ddsetup.facts.metric_streams import STACK as METRIC_STREAM
from ddsetup.facts.ownership import MARKS, is_forwarder, owner
from ddsetup.facts.recognise import active_vendor, brings_library, datadog_layers, mode_of, stays_as_it_starts
from ddsetup.facts.services import rows_of, unread_apis
from ddsetup.model.account import Function, Json, Unreadable
from ddsetup.model.services import SERVICE_KINDS
from ddsetup.model.snapshot import LaneSnapshot, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRow:
    """One function. `datadog`: how it is instrumented; `by`: the tool that marked it; `layers`: Datadog's."""

    function: str
    region: str
    runtime: str
    architecture: str
    datadog: str
    by: str = ""
    layers: tuple[str, ...] = ()
    service: str = ""
    env: str = ""
    owner: str = ""
    log_group: str = ""
    note: str = ""


def status(snapshot: Snapshot) -> Mapping[str, Json]:
    """The `data` of `ddsetup status`: integrations, forwarders, functions, other sources, and what could not
    be read."""
    rows = [asdict(row) for row in function_rows(snapshot)]
    return {
        "integrations": [_integration(snapshot, account) for account in sorted(snapshot.accounts)],
        "forwarders": [
            asdict(forwarder)
            for lane in sorted(snapshot.lanes)
            for forwarder in _readable(snapshot.lanes[lane].forwarders)
        ],
        "streams": [row for lane in sorted(snapshot.lanes) for row in _streams(snapshot.lanes[lane])],
        "log_policies": [row for lane in sorted(snapshot.lanes) for row in _policies(snapshot.lanes[lane])],
        "functions": rows,
        "by_datadog": dict(Counter(str(row["datadog"]) for row in rows)),
        "by_runtime": dict(Counter(str(row["runtime"]) for row in rows).most_common()),
        **{CHOSEN[name].field: rows_of(snapshot, kind) for name, kind in SERVICE_KINDS.items()},
        "apis_not_looked_at": len(unread_apis(snapshot)),
        "unreadable": [
            {"what": what, "action": value.action, "reason": value.reason}
            for what, value in _unreadable(snapshot)
        ],
    }


def _streams(lane: LaneSnapshot) -> list[Mapping[str, Json]]:
    """The stacks of ddsetup's own by which Amazon Data Firehose brings metrics and logs to Datadog, and
    metric streams of others that lead there."""
    carries, region = {METRIC_STREAM: "metrics", LOG_STREAM: "logs"}, lane.lane.region
    own = [
        {"name": s.name, "stack": s.name, "region": region, "carries": carries[s.name], "status": s.status}
        for s in _readable(lane.stacks)
        if s.name in carries and s.status != "DELETE_COMPLETE"
    ]
    return own + [
        {
            "name": s.name,
            "stack": "",
            "region": region,
            "carries": "metrics",
            "status": "running" if s.running else "stopped",
        }
        for s in _readable(lane.metric_streams or ())
        if s.name not in {each["name"] for each in own}
    ]


def _policies(lane: LaneSnapshot) -> list[Mapping[str, Json]]:
    """The account's policies that lead log groups somewhere, whoever put them."""
    arns = {forwarder.arn for forwarder in _readable(lane.forwarders)}
    return [
        {
            "name": policy.state.name,
            "region": lane.lane.region,
            "to": policy.destination_arn,
            "datadog": policy.destination_arn in arns or leads_to_datadog(policy.destination_arn),
            "left_out": None if policy.excluded is None else len(policy.excluded),
        }
        for policy in policies_of(lane.account_filter_policies)
    ]


def function_rows(snapshot: Snapshot) -> tuple[FunctionRow, ...]:
    """A row per function of the snapshot; the forwarders themselves are left out."""
    rows = []
    for function in snapshot.functions():
        lane = snapshot.lanes[function.lane]
        tags = lane.tags_of(function)
        if not is_forwarder(function, tags, lane):
            rows.append(_row(function, tags))
    return tuple(rows)


def _row(function: Function, tags: Mapping[str, str]) -> FunctionRow:
    env = function.env or {}
    owned_by = owner(function, tags)
    return FunctionRow(
        function=function.name,
        region=function.region,
        runtime=function.runtime or ("container image" if function.package_type == "Image" else ""),
        architecture=function.architecture,
        datadog=mode_of(function),
        by=next((mark.by for mark in MARKS.values() if mark.tag in tags), ""),
        layers=tuple(layer.label for layer in datadog_layers(function)),
        service=env.get("DD_SERVICE") or tags.get("service", ""),
        env=env.get("DD_ENV") or tags.get("env", ""),
        owner=str(owned_by) if owned_by else "",
        log_group=function.log_group,
        note=_note(function),
    )


def _note(function: Function) -> str:
    if function.env_error:
        return "its environment cannot be decrypted"
    if function.package_type == "Image":
        return "container image: Datadog goes into the image"
    if vendor := active_vendor(function):
        return f"instrumented by {vendor.vendor}"
    if reason := stays_as_it_starts(function):
        return reason
    if brings_library(function):
        return "Datadog's library is in its package"
    if function.runtime and not catalog.is_supported(function.runtime):
        return f"{function.runtime} is not supported by Datadog's layers"
    return ""


def _integration(snapshot: Snapshot, account: str) -> Mapping[str, Json]:
    seen = snapshot.accounts[account]
    integration = seen.integration
    if isinstance(integration, Unreadable):
        return {"account": account, "state": "unreadable", "reason": integration.reason}
    if integration is None:
        return {"account": account, "state": "missing"}
    role = seen.role
    role_state = "unreadable" if isinstance(role, Unreadable) else "missing" if role is None else "present"
    return {
        "account": account,
        "state": "present",
        "role": integration.role_name,
        "role_state": "access keys" if integration.access_key_auth else role_state,
        "metrics": integration.metrics_enabled
        and (integration.namespaces is None or integration.namespaces.admits("AWS/Lambda")),
        "forwarders": list(integration.lambdas),
        "log_sources": list(integration.sources),
    }


def _unreadable(snapshot: Snapshot) -> list[tuple[str, Unreadable]]:
    found: list[tuple[str, Unreadable]] = []
    for account, seen in sorted(snapshot.accounts.items()):
        parts = {"integration": seen.integration, "role": seen.role}
        found += [(f"{account} {what}", v) for what, v in parts.items() if isinstance(v, Unreadable)]
    for lane in sorted(snapshot.lanes):
        found += [(f"{lane.region} {what}", v) for what, v in _lane_parts(snapshot.lanes[lane]).items()]
    return found


def _lane_parts(lane: LaneSnapshot) -> Mapping[str, Unreadable]:
    parts = {
        "functions": lane.functions,
        "tags": lane.tags,
        "stacks": lane.stacks,
        "forwarders": lane.forwarders,
        "log groups": lane.log_groups,
        **{kind_name(name, 2): lane.listed(kind) for name, kind in SERVICE_KINDS.items()},
    }
    return {what: value for what, value in parts.items() if isinstance(value, Unreadable)}


def _readable(value: Json) -> Json:
    return () if isinstance(value, Unreadable) else value
