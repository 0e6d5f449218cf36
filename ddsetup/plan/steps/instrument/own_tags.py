"""Tags of a function that `--extra-tag` names and that have another value by somebody else: who keeps theirs.

They are decided on as filters of somebody else are: by name, by `--on-conflict`, or they stay. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ddsetup.facts.variables import TAGS, extra_tags
from ddsetup.model.answers import Answers, OnConflict
from ddsetup.plan.steps.instrument.subject import Subject
from ddsetup.plan.steps.taken_back import owned_env, owned_tags
from ddsetup.plan.steps.wording import listed


@dataclass(frozen=True, slots=True)
class Taken:
    """A tag, the value that is wanted, and those that it has, each with the names of functions."""

    key: str
    wanted: str
    values: Mapping[str, tuple[str, ...]]

    @property
    def now(self) -> str:
        """Who has it with which value, in words."""
        return "; ".join(f"{value} on {listed(names)}" for value, names in self.values.items())


def key_of(tag: str) -> str:
    """Under what a decision about a tag is kept in the answers."""
    return f"tag:{tag}"


def decision(tag: str, answers: Answers) -> OnConflict:
    """What becomes of the values that others gave a tag."""
    return answers.conflicts.get(key_of(tag), answers.on_conflict)


def theirs(subject: Subject) -> Mapping[str, str]:
    """The values that somebody else gave the tags that are wanted otherwise: as resource tags, or in
    `DD_TAGS`. A tag that ddsetup once set is its own, whoever changed it since."""
    if not subject.answers.extra_tags:
        return {}
    now, was = (parts(states.get(TAGS, "")) for states in owned_env(subject))
    set_before = {key_in(part) for part in now if part not in was} | owned_tags(subject)
    current = {key_in(part): part.partition(":")[2] for part in parts(subject.env.get(TAGS, ""))}
    found = {}
    for key, value in subject.answers.extra_tags:
        values = [held[key] for held in (subject.tags, current) if key in held and held[key] != value]
        if values and key not in set_before:
            found[key] = values[0]
    return found


def staying(tags: Mapping[str, str], ours: Container[str], answers: Answers) -> dict[str, str]:
    """The values of tags that stay as somebody else set them; `ours` are the keys that ddsetup wrote."""
    return {
        key: tags[key]
        for key, value in answers.extra_tags
        if tags.get(key, value) != value and key not in ours and decision(key, answers) != "replace"
    }


def kept_of(subject: Subject) -> frozenset[str]:
    """The keys of the tags of the function that stay as somebody else set them."""
    return frozenset(key for key in theirs(subject) if decision(key, subject.answers) != "replace")


def extra_of(subject: Subject) -> dict[str, str]:
    """The tags beyond the unified ones that the function gets, without those that stay as they are."""
    kept = kept_of(subject)
    return {key: value for key, value in extra_tags(subject.answers).items() if key not in kept}


def taken(subjects: Iterable[Subject]) -> Iterator[Taken]:
    """What has to be decided on, and what was."""
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for subject in subjects:
        wanted = dict(subject.answers.extra_tags)
        for key, value in theirs(subject).items():
            values = found.setdefault((key, wanted[key]), {})
            values[value] = (*values.get(value, ()), subject.function.name)
    for (key, value), values in sorted(found.items()):
        yield Taken(key, value, values)


def own_tag_warnings(subjects: Iterable[Subject], answers: Answers) -> list[str]:
    """A line for each tag that is replaced, or stays as somebody else has it."""
    return [
        f"tag {each.key} is replaced by {each.wanted}, where somebody else set it: {each.now}"
        if decision(each.key, answers) == "replace"
        else f"tag {each.key} is not set to {each.wanted}, as somebody else set it: {each.now}; to replace "
        f"it: --conflict {key_of(each.key)}=replace, or --on-conflict replace"
        for each in taken(subjects)
    ]


def parts(text: str) -> list[str]:
    """The tags in `DD_TAGS`."""
    return [part.strip() for part in text.split(",") if part.strip()]


def key_in(part: str) -> str:
    """The key of one of them."""
    return part.partition(":")[0]
