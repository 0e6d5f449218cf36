"""What else of an account has logs for Datadog, and is chosen by name: kinds of other services. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ddsetup.facts.ownership import owner_of
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.services import SERVICE_KINDS, ApiStage, Row, Service
from ddsetup.model.snapshot import LaneSnapshot, Snapshot

STATES, ACCESS_LOGS, EXECUTION_LOGS = "states", "apigw-access-logs", "apigw-execution-logs"
"""Datadog's ids of the log sources (`GET /api/v2/integration/aws/logs/services`)."""

T = TypeVar("T", bound=Service)


def listed(snapshot: Snapshot, kind: type[T]) -> tuple[T, ...]:
    """All of a kind that could be listed, in the order of lanes."""
    return tuple(each for each in _listed(snapshot, kind) if each.looked_at)


def unread_apis(snapshot: Snapshot) -> tuple[ApiStage, ...]:
    """The APIs whose stages were not looked at."""
    return tuple(api for api in _listed(snapshot, ApiStage) if not api.looked_at)


def _listed(snapshot: Snapshot, kind: type[T]) -> Iterable[T]:
    lanes = (snapshot.lanes[lane].listed(kind) for lane in sorted(snapshot.lanes))
    return (each for found in lanes if not isinstance(found, Unreadable) for each in found)


def source_groups(lane: LaneSnapshot) -> tuple[str, ...]:
    """The log groups that the other services of a lane are known to write to."""
    lists = (lane.listed(kind) for kind in SERVICE_KINDS.values())
    groups = (each.log_group for found in lists if not isinstance(found, Unreadable) for each in found)
    return tuple(dict.fromkeys(name for name in groups if name))


def resource_of(service: Service) -> ResourceId:
    """It as a resource."""
    return ResourceId(service.KIND, service.id, service.region, service.account)


def owned_by(service: Service) -> str:
    """The deployment tool that owns it, as people know it; empty if none is known to."""
    return str(owner_of(service.called, service.known_tags) or "")


def rows_of(snapshot: Snapshot, kind: type[Service]) -> list[Row]:
    """What `status` reports of each of a kind."""
    return [each.row(owned_by(each)) for each in listed(snapshot, kind)]
