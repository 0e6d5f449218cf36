"""What a person has typed so far: it can be taken back one step at a time, and outlives a Ctrl-C.

Only what was typed is kept here. What flags, environment and file gave is read anew by the next run, and a
key is never written anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.model.account import Json
from ddsetup.model.files import PRIVATE, write_whole
from ddsetup.settings.setting import Value
from ddsetup.settings.table import SETTINGS

if TYPE_CHECKING:
    from ddsetup.gateways.datadog.client import DatadogKeys

_FILE = "unfinished.json"
Settings = Mapping[str, Value]


@dataclass(slots=True)
class Dialogue:
    """Answers by the key of their question, in the order in which they were typed.

    `earlier` holds those that were taken back: they are preselected when their question is put again. `keys`
    are Datadog keys that were typed; they are never saved.
    """

    typed: dict[str, Settings] = field(default_factory=dict)
    earlier: dict[str, Value] = field(default_factory=dict)
    keys: DatadogKeys | None = field(default=None, repr=False)

    def answer(self, question: str, settings: Settings) -> None:
        """Keep what was typed."""
        self.typed[question] = dict(settings)

    def back(self) -> str:
        """Take the last answer back; the key of its question, empty if there is none."""
        if not self.typed:
            return ""
        question, settings = self.typed.popitem()
        self.earlier.update(settings)
        return question

    def values(self) -> dict[str, Value]:
        """All that was typed, by setting."""
        return {key: value for settings in self.typed.values() for key, value in settings.items()}


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A dialogue that was left before its end."""

    at: datetime
    typed: Mapping[str, Settings]


def keep(dialogue: Dialogue, state_dir: Path, at: datetime) -> bool:
    """Save what was typed, readable by this user only; False if nothing was, or it cannot be saved."""
    if not dialogue.typed:
        return False
    document = {"at": at.isoformat(), "typed": dialogue.typed}
    try:
        write_whole(state_dir / _FILE, json.dumps(document).encode(), mode=PRIVATE)
    except OSError:
        return False
    return True


def forget(state_dir: Path) -> None:
    """Nothing is unfinished any more."""
    (state_dir / _FILE).unlink(missing_ok=True)


def unfinished(state_dir: Path) -> Unfinished | None:
    """What an earlier run was told before it was left. A file that cannot be understood counts as none."""
    try:
        document = json.loads((state_dir / _FILE).read_text("utf-8"))
        at = datetime.fromisoformat(document["at"]).astimezone(UTC)
        typed = {str(question): _checked(settings) for question, settings in document["typed"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Unfinished(at, typed) if typed else None


def _checked(settings: Mapping[str, Json]) -> Settings:
    """The settings as they would be accepted from anywhere else. Raises KeyError and ValueError."""
    return {key: SETTINGS[key].parse(value) for key, value in settings.items()}
