"""A plan on disk: what `plan --out FILE` saves and `apply FILE` carries out, to the letter.

The file holds owned facets only, never a key or a foreign environment value. Its digest covers everything in
it, so that what is applied is what was looked at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ddsetup.journal.codec import change_from_json, change_to_json
from ddsetup.model.account import Json
from ddsetup.model.change import Plan, Skipped
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.files import PRIVATE, write_whole
from ddsetup.model.typed import decode, encode

SCHEMA = "ddsetup-plan/1"
LARGEST = 200_000_000
"""Bytes; a change takes some hundreds of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMeta:
    """What a plan was made for, by whom and where. The caller compares account, site and addresses with what
    it is connected to.

    `by` is the ARN of the identity on AWS, `on` the machine; `addresses` are those of "aws" and "datadog"
    where they are not the public ones. All three are only said, as all of a plan is: it carries no signature.
    `extra` is for the caller: what it needs besides the changes to carry the plan out and verify it (JSON
    types only, no secrets).
    """

    account: str
    regions: tuple[str, ...]
    site: str
    version: str
    made: datetime
    sandbox: bool = False
    by: str = ""
    on: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Json] = field(default_factory=dict)


def save(path: Path, plan: Plan, meta: PlanMeta) -> None:
    """Write the plan, whole or not at all, readable by this user only (0600).

    Raises DdsetupError when the file cannot be written.
    """
    try:
        write_whole(path, f"{json.dumps(to_document(plan, meta), indent=2)}\n".encode(), mode=PRIVATE)
    except OSError as error:
        raise DdsetupError(f"cannot write the plan to {path}: {error.strerror}") from error


def to_document(plan: Plan, meta: PlanMeta) -> dict[str, Json]:
    """The plan as JSON types, with its digest."""
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "meta": encode(meta),
        "changes": [change_to_json(change) for change in plan.changes],
        "skipped": [_skipped_to_json(skipped) for skipped in plan.skipped],
        "warnings": list(plan.warnings),
    }
    return document | {"digest": _digest(document)}


def load(path: Path) -> tuple[Plan, PlanMeta]:
    """Read a plan that `save` wrote.

    Raises UsageError, naming the file, when it cannot be read, is not a plan of this version, or is not what
    was written. The file is never touched.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise _bad(path, f"it is larger than {LARGEST // 1_000_000} MB")
        document = json.loads(data)
    except RecursionError:
        raise _bad(path, "not a JSON document (nested too deeply)") from None
    except OSError as error:
        raise UsageError(f"cannot read the plan {path}: {error.strerror}") from error
    except ValueError as error:
        raise _bad(path, f"not a JSON document ({_place(error)})") from None
    return from_document(document, path)


def from_document(document: Json, path: Path) -> tuple[Plan, PlanMeta]:
    """The inverse of `to_document`; `path` is where it stands. Raises UsageError as `load` does."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _bad(path, f"not a plan of this version of ddsetup ({SCHEMA})")
    digest = document.pop("digest", None)
    if digest != _digest(document):
        raise _bad(path, "it was changed after it was made")
    try:
        plan = Plan(
            changes=tuple(change_from_json(change) for change in document["changes"]),
            skipped=tuple(decode(Skipped, skipped, lenient=True) for skipped in document["skipped"]),
            warnings=tuple(str(warning) for warning in document["warnings"]),
        )
        return plan, decode(PlanMeta, document["meta"], lenient=True)
    except UsageError as error:
        raise _bad(path, error.what) from None
    except (KeyError, TypeError):
        raise _bad(path, "a part of it is missing") from None


def _digest(document: Mapping[str, Json]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _skipped_to_json(skipped: Skipped) -> Json:
    """All but the permission: a plan in which it counts is not carried out."""
    return {name: value for name, value in encode(skipped).items() if name != "permission"}


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    return "not UTF-8"


def _bad(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not a plan that can be applied: {why}",
        fix=f"make it again: ddsetup plan --out {path}",
        where=str(path),
    )
