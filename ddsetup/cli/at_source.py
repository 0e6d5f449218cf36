"""Changing the source instead: worth it where a deployment tool owns functions and its project is at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ddsetup.errors import DdsetupError
from ddsetup.iac.detect import detect
from ddsetup.lines import counted
from ddsetup.model import Function, Snapshot, Unreadable
from ddsetup.ownership import owner

_READ_BY: dict[str, tuple[str, ...]] = {
    "Serverless Framework": ("serverless", "serverless_code"),
    "SAM": ("cloudformation",),
    "CloudFormation": ("cloudformation", "cdk", "serverless"),
    "CloudFormation macro": ("cloudformation",),
    "CDK": ("cdk",),
    "Terraform": ("terraform",),
}
"""Which files hold the functions that a tool owns. A stack alone does not say who made it."""


def source_note(directory: Path, snapshot: Snapshot, functions: Iterable[Function]) -> str:
    """What can be said to somebody who is about to change owned functions from within their project.

    Empty if no tool owns any of them, or the directory holds no file of that tool.
    """
    owners: dict[str, int] = {}
    for function in functions:
        lane = snapshot.lanes.get(function.lane)
        tags = {} if lane is None or isinstance(lane.tags, Unreadable) else lane.tags.get(function.arn, {})
        found = owner(function, tags)
        if found is not None:
            owners[found.tool] = owners.get(found.tool, 0) + 1
    if not owners:
        return ""
    try:
        kinds = {file.kind for file in detect(directory, depth=0).files}
    except DdsetupError:
        return ""
    for tool, number in owners.items():
        if kinds & set(_READ_BY.get(tool, ())):
            theirs = f"{counted(number, 'function')} of this plan {'is' if number == 1 else 'are'}"
            return f"{theirs} deployed by {tool}, whose project is in this directory"
    return ""
