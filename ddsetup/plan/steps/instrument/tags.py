"""The resource tags of a function: the Forwarder copies them onto its metrics and logs.

Only what is equal for many functions is written as a tag, so that one call serves twenty of them; the
service that defaults to the function's name is in `DD_SERVICE` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ddsetup._version import __version__
from ddsetup.facts.ownership import MARKER
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change
from ddsetup.model.states import TagsState
from ddsetup.plan.steps.instrument.own_tags import kept_of
from ddsetup.plan.steps.instrument.subject import STEP, Subject, tags_resource
from ddsetup.plan.steps.taken_back import Former, tags_of

MAX_TAGS = 50
"""Tags per resource (AWS tagging reference)."""

_KEY = re.compile(r"(?!aws:)[\w .:/=+\-@]{1,128}")
_VALUE = re.compile(r"[\w .:/=+\-@]{0,256}")


def wanted_tags(answers: Answers) -> Mapping[str, str]:
    """The tags that every function of the run gets, apart from the marker."""
    given = (("env", answers.env), ("version", answers.version), ("service", answers.service))
    wanted = {key: value for key, value in given if value}
    wanted.update(answers.extra_tags)
    return {key: value for key, value in wanted.items() if _allowed(key, value)}


def tag_warnings(answers: Answers) -> tuple[str, ...]:
    """Tags that AWS would not take; they go into the functions' `DD_TAGS` only."""
    refused = [key for key, value in answers.extra_tags if not _allowed(key, value)]
    if not refused:
        return ()
    return (f"not written as resource tags, as AWS does not allow the characters: {', '.join(refused)}",)


def tag_change(subject: Subject, *, changes_function: bool) -> Change | None:
    """The change of the function's tags, None if they are as they should be.

    The tags wait for the function's own change, so that a marker is never put on what could not be done
    and no tag call moves the function's revision under a pending update. A run that was killed between the
    two left the tags to this one.
    """
    kept = kept_of(subject)
    wanted = {key: value for key, value in wanted_tags(subject.answers).items() if key not in kept}
    if changes_function or wanted or subject.written_before:
        wanted.setdefault(MARKER, subject.tags.get(MARKER, f"v{__version__}"))
    changed = {key: value for key, value in wanted.items() if subject.tags.get(key) != value}
    former = unwanted_tags(subject) if subject.answers.prune else Former()
    if not (changed or former.keys) or len({*subject.tags, *changed}) > MAX_TAGS:
        return None
    replaced = {key: subject.tags[key] for key in changed if key in subject.tags}
    note = "replaces " + ", ".join(f"{k}={v}" for k, v in replaced.items()) if replaced else ""
    changed |= former.was
    return Change(
        step=STEP,
        resource=tags_resource(subject.function),
        before=TagsState(tags=replaced | dict(former.now)),
        after=TagsState(tags=changed),
        why="the Forwarder and Datadog copy these tags onto the function's data",
        needs=(subject.resource,),
        note=note,
    )


def unwanted_tags(subject: Subject) -> Former:
    """Tags that are still as ddsetup wrote them, and that nobody wants any more."""
    former, wanted = tags_of(subject), {*wanted_tags(subject.answers), MARKER}
    return Former(
        {key: value for key, value in former.now.items() if key not in wanted},
        {key: value for key, value in former.was.items() if key not in wanted},
    )


def _allowed(key: str, value: str) -> bool:
    return _KEY.fullmatch(key) is not None and _VALUE.fullmatch(value) is not None
