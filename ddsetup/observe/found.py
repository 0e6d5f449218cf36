"""Puts what a closer look found into its place in a snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddsetup.facts.edge import REPLICATOR
from ddsetup.facts.forwarders import find_forwarders
from ddsetup.gateways.overlap import Key
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.snapshot import LaneSnapshot, Snapshot


def with_found(snapshot: Snapshot, found: Mapping[Key, Any]) -> Snapshot:
    """The snapshot with the results of jobs in their places; an unreadable alias or layer stays out."""
    lanes = dict(snapshot.lanes)
    for lane, old in snapshot.lanes.items():
        by_kind: dict[str, dict[str, Any]] = {}
        for (kind, at, name), result in found.items():
            if at == lane:
                by_kind.setdefault(kind, {})[name] = result
        lanes[lane] = _lane_with(old, by_kind, snapshot)
    accounts = {
        number: replace(account, simulated=found.get(("simulated", None, number), account.simulated))
        for number, account in snapshot.accounts.items()
    }
    policies = {name: result for (kind, _, name), result in found.items() if kind == "key_policy"}
    return replace(
        snapshot, lanes=lanes, accounts=accounts, key_policies={**snapshot.key_policies, **policies}
    )


def _lane_with(old: LaneSnapshot, fresh: Mapping[str, dict[str, Any]], snapshot: Snapshot) -> LaneSnapshot:
    account = snapshot.accounts.get(old.lane.account)
    integration = account.integration if account else None
    filters = {**old.filters, **fresh.get("filters", {})}
    states = _readable(fresh.get("states", {}))
    return replace(
        old,
        functions=old.functions
        if isinstance(old.functions, Unreadable)
        else tuple(_with_state(f, states.get(f.arn)) for f in old.functions),
        filters=filters,
        forwarders=find_forwarders(old.functions, old.tags, old.stacks, integration, filters, lane=old.lane),
        aliases={**old.aliases, **_readable(fresh.get("aliases", {}))},
        versions={**old.versions, **fresh.get("versions", {})},
        delivered=fresh.get("delivered", {}).get("", old.delivered),
        delivering=fresh.get("delivering", {}).get("", old.delivering),
        receiving=fresh.get("receiving", {}).get("", old.receiving),
        qualifiers=fresh.get("qualifiers", {}).get("", old.qualifiers),
        provisioned={**old.provisioned, **_readable(fresh.get("provisioned", {}))},
        replicated=old.replicated
        | {arn for arn, policy in fresh.get("replicated", {}).items() if _copied(policy)},
        newest_layers={**old.newest_layers, **_readable(fresh.get("newest_layers", {}))},
        template_parameters=fresh.get("template_parameters", {}).get("", old.template_parameters),
        template_version=fresh.get("template_version", {}).get("", old.template_version),
        forwarder_layer=fresh.get("forwarder_layer", {}).get("", old.forwarder_layer),
        metric_streams=fresh.get("metric_streams", {}).get("", old.metric_streams),
        metric_stream_template=fresh.get("metric_stream_template", {}).get("", old.metric_stream_template),
    )


def _copied(policy: Any) -> bool:
    return not isinstance(policy, Unreadable) and REPLICATOR in json.dumps(policy)


def _with_state(function: Function, seen: Function | None) -> Function:
    if seen is None:
        return function
    return replace(
        function,
        state=seen.state,
        last_update_status=seen.last_update_status,
        master_arn=seen.master_arn or function.master_arn,
    )


def _readable(results: Mapping[str, Any]) -> dict[str, Any]:
    return {name: result for name, result in results.items() if not isinstance(result, Unreadable)}
