"""Something that happened during a run, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from ddsetup.model.account import Json
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.typed import SPARSE

EventKind: TypeAlias = Literal["planned", "started", "finished", "stack", "log", "stopping", "account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a run, for progress and for `--output ndjson`.

    `text` is for people; `details` holds the same as data (a stack event's logical id, status, reason).
    `account` is the row of one that is done, where a run is about many.
    """

    kind: EventKind
    at: datetime
    resource: ResourceId | None = field(default=None, metadata=SPARSE)
    step: str = field(default="", metadata=SPARSE)
    change: Change | None = field(default=None, metadata=SPARSE)
    outcome: Outcome | None = field(default=None, metadata=SPARSE)
    text: str = field(default="", metadata=SPARSE)
    details: Mapping[str, str] = field(default_factory=dict, metadata=SPARSE)
    account: Mapping[str, Json] | None = field(default=None, metadata=SPARSE)


OnEvent: TypeAlias = Callable[[Event], None]
