"""Something that happened during a run, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from ddsetup.model.change import Change, Outcome, ResourceId

EventKind: TypeAlias = Literal["planned", "started", "finished", "stack", "log", "stopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a run, for progress and for `--output ndjson`.

    `text` is for people; `details` holds the same as data (a stack event's logical id, status, reason).
    """

    kind: EventKind
    at: datetime
    resource: ResourceId | None = None
    step: str = ""
    change: Change | None = None
    outcome: Outcome | None = None
    text: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


OnEvent: TypeAlias = Callable[[Event], None]
