"""What keeps an account by itself, as AWS tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One run of the project that keeps. `status` is CodeBuild's: SUCCEEDED, FAILED, IN_PROGRESS, ...

    `initiator` is who started it (`rule/NAME` for EventBridge). `phase` and `why` tell of a failed one where
    it failed; `log` is the address of its log in the console.
    """

    id: str
    status: str
    started: datetime
    ended: datetime | None = None
    initiator: str = ""
    phase: str = ""
    why: str = ""
    log: str = ""

    @property
    def good(self) -> bool:
        return self.status == "SUCCEEDED"

    @property
    def over(self) -> bool:
        return self.status not in ("IN_PROGRESS", "")


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm; `state` is OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
