"""The emulator's filter patterns, by the examples of the CloudWatch Logs user guide."""

from __future__ import annotations

import pytest

from ddsetup.sandbox.emulator.filter_patterns import matches

CODE = "[ERROR 400] BAD REQUEST"
ARGUMENTS = "[ERROR 419] MISSING ARGUMENTS"
UNAUTHORISED = "[ERROR 401] UNAUTHORIZED REQUEST"
ALL = (CODE, UNAUTHORISED, ARGUMENTS, "[ERROR 420] INVALID ARGUMENTS")


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("", ALL),
        ("ERROR", ALL),
        ("error", ()),
        ("ERROR ARGUMENTS", ALL[2:]),
        ('"INVALID ARGUMENTS"', ALL[3:]),
        ("?BAD ?MISSING", (CODE, ARGUMENTS)),
        ('?"BAD REQUEST" ?nothing', (CODE,)),
        ("ERROR -ARGUMENTS", (CODE, UNAUTHORISED)),
        ("ARGUMENTS ?BAD", ALL[2:]),
    ],
)
def test_lines_fit_as_at_aws(pattern: str, fitting: tuple[str, ...]) -> None:
    assert tuple(line for line in ALL if matches(pattern, line)) == fitting
