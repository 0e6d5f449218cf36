"""Everything the stand-in knows, wired together once."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddsetup.sandbox.datadog.faults import Faults
from ddsetup.sandbox.datadog.integrations import Integrations
from ddsetup.sandbox.datadog.keys import Keys, build_keys
from ddsetup.sandbox.datadog.limits import RateLimits
from ddsetup.sandbox.datadog.logs import LogIndex, log_event, log_indexes
from ddsetup.sandbox.datadog.store import Telemetry
from ddsetup.sandbox.datadog.wire import JsonObject

#: Groups of an answer to a metric query. Datadog does not document how many it gives; a seed may give fewer.
MOST_METRIC_GROUPS = 10_000


class RequestLog:
    """The API calls that arrived, without bodies and keys, also as JSON lines in a file."""

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        self._entries: list[JsonObject] = []
        self._file = file

    def add(self, entry: JsonObject) -> None:
        """Keep one call."""
        with self._lock:
            self._entries.append(entry)
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(entry) + "\n")

    def entries(self) -> list[JsonObject]:
        """All calls so far, oldest first."""
        with self._lock:
            return list(self._entries)


@dataclass(slots=True)
class Documents:
    """Things with an id that are created, read and deleted: monitors, dashboards, tag configurations, …"""

    monitors: dict[int, JsonObject] = field(default_factory=dict)
    slos: dict[str, JsonObject] = field(default_factory=dict)
    dashboards: dict[str, JsonObject] = field(default_factory=dict)
    intake_mappings: dict[str, str] = field(default_factory=dict)
    tag_configurations: dict[str, JsonObject] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def has_percentiles(self, metric: str) -> bool:
        """Whether percentiles of a metric were turned on."""
        with self.lock:
            return bool(self.tag_configurations.get(metric, {}).get("include_percentiles"))


@dataclass(frozen=True, slots=True)
class World:
    """The whole state behind the endpoints. ``clock`` gives seconds since the epoch."""

    clock: Callable[[], float]
    keys: Keys
    telemetry: Telemetry
    integrations: Integrations
    documents: Documents
    log_indexes: tuple[LogIndex, ...]
    limits: RateLimits
    metric_groups: int
    faults: Faults
    requests: RequestLog
    aws_endpoint: str = ""


def build_world(
    keys: tuple[str, str],
    seed: Mapping[str, Any],
    clock: Callable[[], float],
    *,
    time_scale: float = 1.0,
    state_dir: Path | None = None,
) -> World:
    """A world from the operator's (API key, application key) and a seed.

    The seed may hold: ``api_keys`` (list), ``app_keys`` ({key: scopes or "*"}), ``faults``, ``accounts``
    (AWS integrations: attributes as in a create request, and perhaps an ``id``), ``log_indexes``, ``limits``
    ({name: calls an hour}), ``metric_groups`` (groups of an answer to a metric query), ``metrics`` ([{metric,
    type, tags, points: [[second, value]]}]), ``logs`` (as sent to the intake), ``adaptive_polling`` (true:
    metrics of CloudWatch that nobody has asked for are read once an hour).

    Raises ApiError when it is not valid.
    """
    api_key, app_key = keys
    world = World(
        clock=clock,
        keys=build_keys([api_key, *seed.get("api_keys", [])], {app_key: "*", **seed.get("app_keys", {})}),
        telemetry=Telemetry(clock),
        integrations=Integrations(clock, _private_file(state_dir, "integrations.json")),
        documents=Documents(),
        log_indexes=log_indexes(seed.get("log_indexes", [])),
        limits=RateLimits(clock, time_scale, seed.get("limits")),
        metric_groups=int(seed.get("metric_groups", MOST_METRIC_GROUPS)),
        faults=Faults(seed.get("faults", [])),
        requests=RequestLog(_private_file(state_dir, "requests.jsonl")),
    )
    world.telemetry.has_percentiles = world.documents.has_percentiles
    _plant(world, seed)
    return world


def _plant(world: World, seed: Mapping[str, Any]) -> None:
    """What a seed says is in the account already."""
    telemetry = world.telemetry
    known = {account.aws_account_id for account in world.integrations.accounts()}
    for described in seed.get("accounts", []):
        if described.get("aws_account_id") not in known:
            world.integrations.create(described, described.get("id"))
    for item in seed.get("metrics", []):
        points = [(int(second), [float(value)]) for second, value in item["points"]]
        telemetry.add_points(item["metric"], item.get("type", "gauge"), item.get("tags", []), points)
    telemetry.add_logs(
        log_event(item, world.clock(), telemetry.next_id(), world.log_indexes)
        for item in seed.get("logs", [])
    )


def _private_file(directory: Path | None, name: str) -> Path | None:
    if directory is None:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path
