"""Every call of AWS's APIs to the letter: what is asked, what becomes of the answer, and of each refusal.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ddsetup.gateways.aws.session import Aws
from ddsetup.model.errors import DdsetupError, GatewayError
from tests.gateways.aws_stand import FakeTime
from tests.in_full.aws_script import Script, aws, scripted, time
from tests.in_full.calls import CALLS
from tests.in_full.told import shown
from tests.unit.show.test_render import matches_golden

__all__ = ["aws", "time"]


def told(aws: Aws, time: FakeTime, script: Script, call: Callable[[Aws], Any]) -> list[str]:
    script.asked.clear()
    time.slept.clear()
    try:
        result = f"= {shown(call(aws))}"
    except DdsetupError as error:
        action = f" ({error.action})" if isinstance(error, GatewayError) and error.action else ""
        fix = f"; fix: {error.fix}" if error.fix else ""
        result = f"! {type(error).__name__}{action}: {error.what}{fix}"
    waited = [f"  waited {sum(time.slept):g} s"] if time.slept else []
    result = re.sub(r"0x[0-9a-f]+", "0x0", result)
    asked = sorted(script.asked, key=_side_by_side)
    counted = [
        f"{line} x {asked.count(line)}" if asked.count(line) > 1 else line for line in dict.fromkeys(asked)
    ]
    return [*counted, *waited, result]


def _side_by_side(line: str) -> str:
    """What goes out from several threads comes in any order."""
    return line if any(name in line for name in _SIDE_BY_SIDE) else ""


_SIDE_BY_SIDE = ("GetStages", "ListAccountsForParent", "ListTagsForResource")


def test_calls_and_answers(aws: Aws, time: FakeTime) -> None:
    lines: list[str] = []
    with scripted(aws) as script:
        for name, (call, answers) in CALLS.items():
            script.answers = {operation: list(each) for operation, each in answers.items()}
            lines += [f"[{name}]", *told(aws, time, script, call), ""]
    matches_golden("aws/calls", "\n".join(lines))


REFUSALS = {
    "denied": ("AccessDeniedException", "User: arn:x is not authorized to perform: a:B on resource: r", 403),
    "denied-explicitly": (
        "AccessDenied",
        "User: arn:x is not authorized ... with an explicit deny in a boundary",
        403,
    ),
    "not-there": ("ResourceNotFoundException", "no such thing", 404),
    "exists": ("ResourceAlreadyExistsException", "it exists", 409),
    "conflict": ("ResourceConflictException", "An update is in progress for resource", 409),
    "limit": ("LimitExceededException", "too many", 400),
    "expired": ("ExpiredTokenException", "The security token included in the request is expired", 403),
    "invalid": ("ValidationException", "1 validation error detected: Value 'secret-value' at 'x'", 400),
    "moved": ("PreconditionFailedException", "The Revision Id provided does not match", 412),
    "throttled": ("ThrottlingException", "Rate exceeded", 400),
    "broken": ("ServiceException", "oops", 500),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusals(aws: Aws, time: FakeTime, refusal: str) -> None:
    lines: list[str] = []
    with scripted(aws) as script:
        script.refusal = REFUSALS[refusal]
        for name, (call, _) in CALLS.items():
            *asked, result = told(aws, time, script, call)
            waited = "".join(line for line in asked if line.startswith("  waited"))
            lines.append(f"[{name}] {len(script.asked)} calls{waited} {result}")
    matches_golden(f"aws/{refusal}", "\n".join([*lines, ""]))
