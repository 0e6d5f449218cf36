"""Which rights each command takes, with all that may be wanted, to the last resource.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import json
from typing import Any

from ddsetup.model.account import Json
from ddsetup.plan.policy import COMMANDS, least_policy
from tests import builders as b
from tests.in_full.told import differing
from tests.unit.plan.test_policy_lint import FORWARDERS, KEYS, OTHERS, PLACES, ROLES, VIAS
from tests.unit.show.test_render import matches_golden

WANTED = [over for some in (VIAS, FORWARDERS, KEYS, OTHERS) for over in some if over]
WANTED += [
    {"logs": False},
    {"via": "extension", "prune": True},
    {"subscribe": "account"},
    {"owned": "source"},
]
WANTED += [{"via": "extension", "durable_events": True, **key} for key in KEYS]
USUAL = ("setup", "undo")


def rights(commands: tuple[str, ...], place: int = 0, **over: Any) -> list[str]:
    account, regions, roles = PLACES[place]
    answers = b.answers(regions=regions, **over)
    return statements(least_policy(answers, "aws", [account], regions, commands, roles))


def statements(document: Json) -> list[str]:
    """A line for each action with its resources and conditions."""
    lines = [
        f"{each['Sid']}: {action} on {each['Resource']}{_when(each)}"
        for each in document["Statement"]
        for action in each["Action"]
    ]
    return [line.replace("'", "") for line in lines]


def _when(statement: Json) -> str:
    return f" if {json.dumps(statement['Condition'])}" if "Condition" in statement else ""


def test_the_rights_of_each_command() -> None:
    lines = ["[setup]", *rights(("setup",)), ""]
    for command in COMMANDS:
        own = rights((command,))
        shorter = min(differing(own, rights(("setup",))) or ["as setup"], own, key=len)
        beside = differing(rights((command,), via="extension"), own) or ["the same"]
        lines += [f"[{command}]", *shorter, "", f"[{command} through the Extension]", *beside, ""]
    matches_golden("policies/commands", "\n".join(lines))


def test_what_is_wanted_differs_in_its_rights() -> None:
    lines: list[str] = []
    for over in WANTED:
        base = {"via": over["via"]} if len(over) > 1 and "via" in over else {}
        said = ", ".join(f"{name}={value!r}" for name, value in over.items())
        lines += [f"[{said}]", *differing(rights(USUAL, **over), rights(USUAL, **base)), ""]
    matches_golden("policies/wishes", "\n".join(lines))


def test_places_differ_in_their_resources() -> None:
    assert ROLES
    lines: list[str] = []
    for at, (account, regions, _) in enumerate(PLACES):
        lines += [f"[{account} {','.join(regions)}]", *rights(USUAL, at, via="extension"), ""]
    matches_golden("policies/places", "\n".join(lines))
