"""The secret of the API key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ddsetup.model.states import SecretState, State
from tests.in_full.written.case import DENIED, GONE, JUST_NOW, OURS, Case, Refusal

SECRET = SecretState(name="k", description="d", tags=OURS)
STILL: Refusal = ("InvalidRequestException", "a secret with this name is already scheduled for deletion", 400)


def a_secret(before: State | None, after: State | None, live: Any, **answers: Any) -> Case:
    return Case("secret", "k", before, after, {"DescribeSecret": live, **answers})


def held(tags: Mapping[str, str] = OURS, deleted: datetime | None = None) -> dict[str, Any]:
    found = {
        "ARN": "arn:s",
        "Name": "k",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {**found, **({"DeletedDate": deleted} if deleted else {})}


LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
EXISTS: Refusal = ("ResourceExistsException", "it exists", 400)
SECRETS = {
    "made": a_secret(None, SECRET, [GONE]),
    "made, there": a_secret(None, SECRET, [held({})]),
    "made, not to be seen": a_secret(None, SECRET, [DENIED]),
    "made, scheduled for deletion": a_secret(None, SECRET, [held(deleted=LONG_AGO)]),
    "made, theirs scheduled for deletion": a_secret(None, SECRET, [held({}, LONG_AGO)]),
    "made, deleted a moment ago": a_secret(None, SECRET, [held(deleted=JUST_NOW)]),
    "made, name not free yet": a_secret(None, SECRET, [GONE], CreateSecret=[STILL, STILL, {"ARN": "arn:s"}]),
    "made, name never free": a_secret(None, SECRET, [GONE], CreateSecret=[STILL]),
    "made, answer lost": a_secret(None, SECRET, [GONE, held()], CreateSecret=[EXISTS]),
    "made, taken": a_secret(None, SECRET, [GONE, held({})], CreateSecret=[EXISTS]),
    "made, taken and deleted": a_secret(None, SECRET, [GONE, held(deleted=JUST_NOW)], CreateSecret=[EXISTS]),
    "deleted": a_secret(SECRET, None, [held()]),
    "deleted, gone": a_secret(SECRET, None, [GONE]),
    "deleted already": a_secret(SECRET, None, [held(deleted=LONG_AGO)]),
    "deleted, theirs": a_secret(SECRET, None, [held({})]),
    "deleted, without tags": a_secret(replace(SECRET, tags={}), None, [held()]),
    "changed": a_secret(SECRET, SECRET, [held()]),
}
