"""Tags of functions as they were when they were last read or put: one small file for each account and region.

Nothing is written to AWS on their word. They may be deleted at any time, and a run does not fail because they
cannot be kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ddsetup.journal.statedir import make_private
from ddsetup.model.account import Lane
from ddsetup.model.errors import UsageError
from ddsetup.model.files import PRIVATE, write_whole

FOLDER = "tags"


@dataclass(frozen=True, slots=True)
class KeptTags:
    """Tags by ARN. What happened to them after `since` may not be among them; `read` is when AWS told all of
    them last."""

    tags: Mapping[str, Mapping[str, str]]
    since: datetime
    read: datetime


def keep_tags(state: Path, lane: Lane, address: str, kept: KeptTags) -> None:
    """Keep the tags of the functions of a lane, of the AWS that is called at `address`."""
    document = {"address": address, "since": kept.since.isoformat(), "read": kept.read.isoformat()}
    path = _path(state, lane)
    with suppress(OSError, UsageError):
        make_private(path.parent)
        text = json.dumps({**document, "tags": {arn: dict(tags) for arn, tags in kept.tags.items()}})
        write_whole(path, text.encode(), mode=PRIVATE)


def kept_tags(state: Path, lane: Lane, address: str) -> KeptTags | None:
    """What was kept last, None if that is nothing, or of another AWS."""
    try:
        document = json.loads(_path(state, lane).read_text("utf-8"))
        if document["address"] != address:
            return None
        tags = {str(a): {str(k): str(v) for k, v in of.items()} for a, of in document["tags"].items()}
        since, read = (datetime.fromisoformat(document[key]) for key in ("since", "read"))
        return KeptTags(tags, since, read) if since.tzinfo and read.tzinfo else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def forget_tags(state: Path, lane: Lane) -> None:
    """Have them read again."""
    with suppress(OSError):
        _path(state, lane).unlink(missing_ok=True)


def _path(state: Path, lane: Lane) -> Path:
    return state / FOLDER / f"{lane.account}.{lane.region}.json"
