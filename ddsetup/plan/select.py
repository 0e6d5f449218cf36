"""Which functions are meant: names, ARNs, globs, tags, runtimes, stacks.

A pattern that matches nothing is an error that names what it may have meant: a typing mistake must not pass
for "nothing to do".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from ddsetup.facts.catalog import family_of
from ddsetup.facts.ownership import STACK_TAG
from ddsetup.facts.recognise import mode_of
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.errors import Denied, UsageError
from ddsetup.model.nearest import NEAR, asked_back, similar
from ddsetup.model.snapshot import Snapshot

Tags = Mapping[str, Mapping[str, str]]
"""Resource tags by function ARN."""


def select(
    functions: Sequence[Function], tags: Tags, selection: Selection, lanes: Collection[Lane] = ()
) -> tuple[Function, ...]:
    """The functions meant, in the order given.

    `lanes` are the accounts and regions looked at; with them an ARN from elsewhere is told apart from one
    that does not exist. Globs tell upper from lower case, as AWS does. Raises UsageError when a pattern
    matches nothing or lies outside `lanes`.
    """
    for pattern in (*selection.names, *selection.exclude):
        _check_arn(pattern, lanes)
    _check_names(functions, selection)
    _check_rules(functions, tags, selection)
    if not selection.given:
        return ()
    return tuple(f for f in functions if _meant(f, tags.get(f.arn, {}), selection))


def none_here(snapshot: Snapshot) -> UsageError:
    """The error of a run where there is no function to choose from."""
    regions = ", ".join(sorted({lane.region for lane in snapshot.lanes}))
    return UsageError(f"there is no function here ({regions})", fix="choose another region with --region")


def select_in(snapshot: Snapshot, selection: Selection) -> tuple[Function, ...]:
    """The functions meant, of all that the snapshot could read.

    Raises UsageError as `select` does, and Denied when the selection rests on tags that cannot be read.
    """
    tags: dict[str, Mapping[str, str]] = {}
    for lane in snapshot.lanes.values():
        if not isinstance(lane.tags, Unreadable):
            tags.update(lane.tags)
        elif selection.tags or selection.stacks:
            raise Denied(
                f"functions cannot be chosen by tag or stack: their tags cannot be read ({lane.tags.reason})",
                action=lane.tags.action,
                where=lane.lane.region,
                fix=f"grant {lane.tags.action}, or choose by name: --function NAME",
            )
    return select(snapshot.functions(), tags, selection, tuple(snapshot.lanes))


def matches_name(function: Function, pattern: str) -> bool:
    """Whether a name, ARN or glob means this function."""
    pattern = pattern.removesuffix(":$LATEST")
    return fnmatchcase(function.arn if pattern.startswith("arn:") else function.name, pattern)


def nearest(pattern: str, names: Iterable[str], *, cutoff: float = NEAR) -> tuple[str, ...]:
    """Up to three names that look like the pattern, whatever their case."""
    plain = pattern.rsplit(":", 1)[-1].translate(str.maketrans("", "", "*?[]")).lower()
    by_lower = {name.lower(): name for name in names}
    containing = sorted(name for name in by_lower if plain and plain in name)
    alike = similar(plain, by_lower, most=3, cutoff=cutoff)
    return tuple(by_lower[name] for name in dict.fromkeys([*alike, *containing]))[:3]


def _meant(function: Function, tags: Mapping[str, str], selection: Selection) -> bool:
    if any(matches_name(function, pattern) for pattern in selection.exclude):
        return False
    by_name = selection.names if not selection.all else ()
    return (
        _fits(by_name, lambda p: matches_name(function, p))
        and all(_has_tag(tags, key, value) for key, value in selection.tags)
        and _fits(selection.runtimes, lambda p: _matches_runtime(function, p))
        and _fits(selection.stacks, lambda p: _in_stack(tags, p))
        and _in_state(function, selection)
    )


def _fits(patterns: Sequence[str], matches: Callable[[str], bool]) -> bool:
    return not patterns or any(matches(pattern) for pattern in patterns)


def _has_tag(tags: Mapping[str, str], key: str, value: str) -> bool:
    return key in tags and fnmatchcase(tags[key], value)


def _matches_runtime(function: Function, pattern: str) -> bool:
    family = family_of(function.runtime)
    return fnmatchcase(function.runtime or "", pattern) or (family is not None and family.name == pattern)


def _in_stack(tags: Mapping[str, str], pattern: str) -> bool:
    return fnmatchcase(tags.get(STACK_TAG, ""), pattern)


def _in_state(function: Function, selection: Selection) -> bool:
    if selection.state == "any":
        return True
    return (mode_of(function) == "none") == (selection.state == "uninstrumented")


def _check_arn(pattern: str, lanes: Collection[Lane]) -> None:
    """Raises UsageError for an ARN that is none, or that names another account, region or a version."""
    if not pattern.startswith("arn:"):
        return
    parts = pattern.split(":")
    if len(parts) < 7 or parts[2] != "lambda" or parts[5] != "function":
        raise UsageError(
            f"{pattern} is not the ARN of a function", fix="arn:aws:lambda:REGION:ACCOUNT:function:NAME"
        )
    if len(parts) > 7 and parts[7] != "$LATEST":
        raise UsageError(
            f"{pattern} names the version or alias {parts[7]}; only $LATEST can be changed",
            fix=f"use {':'.join(parts[:7])}",
        )
    region, account = parts[3], parts[4]
    accounts, regions = {lane.account for lane in lanes}, {lane.region for lane in lanes}
    if accounts and not any(fnmatchcase(known, account) for known in accounts):
        raise UsageError(
            f"{pattern} is in account {account}, but the credentials are for {', '.join(sorted(accounts))}",
            fix="use credentials of that account: --profile NAME or --role-arn ARN",
        )
    if regions and not any(fnmatchcase(known, region) for known in regions):
        raise UsageError(
            f"{pattern} is in region {region}, but this run looks at {', '.join(sorted(regions))}",
            fix=f"add --region {region}",
        )


def _check_names(functions: Sequence[Function], selection: Selection) -> None:
    names = [f.name for f in functions]
    lost = [p for p in selection.names if not any(matches_name(f, p) for f in functions)]
    if lost:
        said = "; ".join(f"{pattern!r} matches no function{_hint(pattern, names)}" for pattern in lost)
        raise UsageError(said, fix="ddsetup status lists the functions of the account")
    for pattern in selection.exclude:
        # A glob to exclude may well match nothing, in a file that serves several accounts. A plain name
        # that nearly is one of the functions is a mistake that would change what was to be left alone.
        plain = not set("*?[") & set(pattern)
        if plain and not any(matches_name(f, pattern) for f in functions):
            near = nearest(pattern, names, cutoff=0.8)
            if near:
                raise UsageError(f"--exclude {pattern} matches no function", fix=asked_back(near[:1]))


def _check_rules(functions: Sequence[Function], tags: Tags, selection: Selection) -> None:
    """Raises UsageError for a rule that no function at all fulfils."""
    for key, value in selection.tags:
        if functions and not any(_has_tag(tags.get(f.arn, {}), key, value) for f in functions):
            keys = {k for f in functions for k in tags.get(f.arn, {})}
            raise UsageError(f"no function has the tag {key}={value}{_hint(key, keys - {key})}")
    for pattern in selection.runtimes:
        if functions and not any(_matches_runtime(f, pattern) for f in functions):
            known = {f.runtime for f in functions if f.runtime}
            raise UsageError(
                f"no function has the runtime {pattern!r}", fix=f"there are: {', '.join(sorted(known))}"
            )
    for pattern in selection.stacks:
        if functions and not any(_in_stack(tags.get(f.arn, {}), pattern) for f in functions):
            stacks = {tags.get(f.arn, {}).get(STACK_TAG, "") for f in functions} - {""}
            raise UsageError(f"no function belongs to the stack {pattern!r}{_hint(pattern, stacks)}")


def _hint(pattern: str, names: Iterable[str]) -> str:
    asked = asked_back(nearest(pattern, names))
    return f"; {asked}" if asked else ""
