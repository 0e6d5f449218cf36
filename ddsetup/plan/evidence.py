"""What tells that something need not be read, and what notices it where that is a mistake. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is concluded from what, what could make it wrong, and what notices that later."""

    seen: str
    conclusion: str
    wrong: str
    notices: str


MOST_AGE = timedelta(days=1)
"""So long tags are taken for what they were, at most."""
UNTAGGED = Evidence(
    seen="this machine read the tags of a region's functions within a day, or put them since, and CloudTrail "
    "knows of no function made there and of nothing tagged or untagged since a quarter of an hour before "
    "they were read, or since they were put",
    conclusion="they are as they were; `keep check`, `plan` and `setup` do not read them again",
    wrong="a change of the last minutes, which CloudTrail does not know yet; one made by others from a "
    "quarter of an hour before ddsetup looked until it had put tags",
    notices="the next look, as what CloudTrail knew late is asked for again, and a day later all are read; "
    "where anything is to be changed, or has drifted, tags are read before that is told; where "
    "functions are chosen by tag or stack they are always read",
)
