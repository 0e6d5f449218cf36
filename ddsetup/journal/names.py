"""Names of functions as they were last seen, for completion: one small file for each account and region.

Nothing is decided by them. They may be deleted at any time, and a run does not fail because they cannot be
written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from ddsetup.model.files import PRIVATE, write_whole

FOLDER = "names"


def remember_names(state: Path, account: str, region: str, profile: str, functions: Iterable[str]) -> None:
    """Keep the names of the functions of an account in a region, and by which profile it was reached."""
    path = state / FOLDER / f"{account}.{region}.json"
    text = json.dumps({"profile": profile, "functions": sorted(functions)})
    with suppress(OSError):
        if path.exists() and path.read_text("utf-8") == text:
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, text.encode(), mode=PRIVATE)


def remembered_names(state: Path, profile: str, regions: Collection[str]) -> list[str]:
    """The names of functions in these regions, in all if there are none; of the account that was reached by
    that profile, if any was.
    """
    found: dict[str, set[str]] = {}
    for path in sorted((state / FOLDER).glob("*.json")):
        if regions and path.stem.partition(".")[2] not in regions:
            continue
        with suppress(OSError, ValueError, TypeError, KeyError):
            document = json.loads(path.read_text("utf-8"))
            found.setdefault(str(document["profile"]), set()).update(map(str, document["functions"]))
    return sorted(found.get(profile) or {name for names in found.values() for name in names})
