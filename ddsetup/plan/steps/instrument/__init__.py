"""Instrument functions: layers, handler, environment and tags, or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ddsetup.facts.ownership import Owner, datadogs_own
from ddsetup.facts.recognise import has_extension
from ddsetup.facts.variables import ORG_UUID
from ddsetup.model.account import Function, Secret, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FunctionState
from ddsetup.plan.steps.api_key import secret_name
from ddsetup.plan.steps.forwarder_choice import Choice, choose
from ddsetup.plan.steps.instrument.function import Instrumented, instrument
from ddsetup.plan.steps.instrument.key_access import (
    BY_ROLE,
    grants,
    key_warnings,
    reads_by_role,
    revocations,
)
from ddsetup.plan.steps.instrument.own_tags import own_tag_warnings
from ddsetup.plan.steps.instrument.publish import aliases_moved
from ddsetup.plan.steps.instrument.subject import STEP, Refusal, Subject, subject_of, tags_resource
from ddsetup.plan.steps.instrument.tags import MAX_TAGS, tag_change, tag_warnings, unwanted_tags
from ddsetup.plan.steps.instrument.workload_identity import (
    mappings,
    mappings_that_go,
    unseen,
    with_organisation,
)
from ddsetup.plan.steps.wording import listed, no_longer_wanted


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """What instrumenting the selected functions changes. Every function is in it, changed or not.

    Raises UsageError as `with_organisation` does.
    """
    answers = with_organisation(answers, snapshot)
    subjects = _subjects(snapshot, answers, selected)
    lost = {lane: choose(lane, snapshot, answers) for lane in {f.lane for f in selected}}
    blind = unseen(snapshot, answers)
    results = [(s, _unless_lost(instrument(s), lost[s.function.lane], blind)) for s in subjects]
    done = [(subject, result) for subject, result in results if isinstance(result, Instrumented)]
    own = [_own(subject, result) for subject, result in results]
    tags = [_tags(subject, result) for subject, result in results]
    aliases = [_aliases(subject, result) for subject, result in results]
    functions = [change for each in own for change in each.changes]
    keyed = [subject.function for subject, result in results if _told_where_the_key_is(subject, result)]
    let = _let(snapshot, answers, keyed, [subject.function for subject, _ in done])
    no_longer = _no_longer_let(snapshot, answers, subjects, functions)
    of_each = Plan.joined(part for parts in zip(own, tags, aliases, strict=True) for part in parts)
    beside = Plan.joined((*tags, *aliases))
    return Plan(
        changes=(*let.changes, *functions, *no_longer.changes, *beside.changes),
        skipped=(*let.skipped, *of_each.skipped),
        warnings=(
            *_warnings(subjects, functions, answers),
            *tag_warnings(answers),
            *own_tag_warnings((subject for subject, _ in done), answers),
            *let.warnings,
            *no_longer.warnings,
            *_unwanted(subjects, done),
        ),
    )


def _subjects(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> list[Subject]:
    names = {lane: secret_name(snapshot.lanes[lane], answers.site) for lane in {f.lane for f in selected}}
    return [replace(subject_of(f, snapshot, answers), secret_name=names[f.lane]) for f in selected]


def _let(snapshot: Snapshot, answers: Answers, keyed: list[Function], done: list[Function]) -> Plan:
    """What lets functions have an API key: a mapping of their role, or the right to read one. `keyed` are
    those that are told where it is, `done` all that are set up."""
    seen = snapshot.key_secret
    keyless = answers.key_source.kind == "wif"
    mapped = mappings([*keyed, *done] if keyless else (), snapshot)
    secret = seen if isinstance(seen, Secret) else None
    granted = grants(keyed, answers, secret, snapshot.key_policies)
    return mapped + Plan(changes=granted, warnings=key_warnings(answers, seen) if keyed else ())


def _no_longer_let(
    snapshot: Snapshot, answers: Answers, subjects: list[Subject], changes: list[Change]
) -> Plan:
    """What let functions have a key in a way in which they no longer get one."""
    unmapped = mappings_that_go(_losing((ORG_UUID,), subjects, changes), snapshot)
    if reads_by_role(answers):
        return unmapped
    policies, unread = revocations(_losing(BY_ROLE, subjects, changes), snapshot)
    return Plan(changes=policies, warnings=unread) + unmapped


def _losing(names: Sequence[str], subjects: list[Subject], changes: list[Change]) -> list[Function]:
    """The functions that lose one of these variables."""
    losing = {
        change.resource
        for change in changes
        if isinstance(change.before, FunctionState)
        and isinstance(change.after, FunctionState)
        and any(name in change.before.env and name not in change.after.env for name in names)
    }
    return [subject.function for subject in subjects if subject.resource in losing]


def _unwanted(subjects: list[Subject], done: list[tuple[Subject, Instrumented]]) -> list[str]:
    """What functions have too much of, by what it is."""
    found: dict[str, list[str]] = {}
    for subject, result in done:
        for name in result.unwanted:
            found.setdefault(f"variable {name}", []).append(subject.function.name)
    for subject in subjects:
        for key in () if subject.answers.prune else unwanted_tags(subject).now:
            found.setdefault(f"tag {key}", []).append(subject.function.name)
    return [no_longer_wanted(what, names) for what, names in sorted(found.items())]


def _unless_lost(
    result: Instrumented | Refusal, forwarder: Choice, blind: Refusal | None
) -> Instrumented | Refusal:
    """A function is not changed for a Forwarder that is known not to come: it would send into the void. Nor
    where it is not seen who may send without a key (`blind`)."""
    if not isinstance(result, Instrumented):
        return result
    if forwarder.how == "blocked" and result.change is not None:
        reason = f"there is no Forwarder here for what it would send: {forwarder.reason}"
        return Refusal(reason, forwarder.fix or "see the Forwarder's line above")
    return blind or result


def _told_where_the_key_is(subject: Subject, result: Instrumented | Refusal) -> bool:
    return (isinstance(result, Instrumented) and result.key_set) or _told_at_source(subject, result)


def _told_at_source(subject: Subject, result: Instrumented | Refusal) -> bool:
    """Whether its project's files will tell the function where the key is; its role is no part of them."""
    wanted = subject.answers.owned == "source" and subject.answers.via == "extension"
    deployed = subject.owner is not None and not subject.owner.datadogs
    return wanted and deployed and isinstance(result, Refusal) and not result.unchanged


def _own(subject: Subject, result: Instrumented | Refusal) -> Plan:
    """The change of the function itself, or why there is none."""
    if isinstance(result, Refusal):
        skipped = Skipped(
            resource=subject.resource,
            status="unchanged" if result.unchanged else "skipped",
            reason=result.reason,
            fix=result.fix,
            step=STEP,
        )
        return Plan(skipped=(skipped,))
    if result.change is None:
        return STEP.keep(subject.resource, result.summary)
    return Plan(changes=(result.change,))


def _tags(subject: Subject, result: Instrumented | Refusal) -> Plan:
    """The tags of a function that is, or is to be, monitored; also where only its logs are."""
    if isinstance(result, Refusal) and not (result.unchanged and _logs_only(subject)):
        return Plan()
    resource = tags_resource(subject.function)
    unreadable = subject.lane.tags
    if isinstance(unreadable, Unreadable):
        reason = f"its tags cannot be read: {unreadable.reason} (needs {unreadable.action})"
        return STEP.skip(resource, reason)
    changes_function = isinstance(result, Instrumented) and result.change is not None
    change = tag_change(subject, changes_function=changes_function)
    if change is not None:
        return Plan(changes=(change,))
    if len(subject.tags) >= MAX_TAGS:
        return STEP.skip(resource, f"it has {len(subject.tags)} tags already; AWS allows {MAX_TAGS}")
    return Plan()


def _aliases(subject: Subject, result: Instrumented | Refusal) -> Plan:
    """What brings a function's published versions up to it, where that is wanted."""
    if isinstance(result, Refusal) or not subject.answers.publish:
        return Plan()
    return aliases_moved(subject, result.change)


def _logs_only(subject: Subject) -> bool:
    family = subject.family
    return family is not None and not family.forwarder and not subject.extension


def _warnings(subjects: list[Subject], changes: list[Change], answers: Answers) -> list[str]:
    warnings: list[str] = []
    changed = {change.resource for change in changes}
    owned: dict[str, list[Owner]] = {}
    for subject in subjects:
        if subject.owner is not None and subject.resource in changed:
            owned.setdefault(subject.owner.tool, []).append(subject.owner)
    warnings.extend(_owner_warning(tool, owners) for tool, owners in sorted(owned.items()))
    if answers.via == "forwarder":
        moved = [s.function.name for s in subjects if s.resource in changed and has_extension(s.function)]
        if moved:
            warnings.append(
                f"from the Extension to the Forwarder: {listed(moved)}; to stay, use --via extension"
            )
        if answers.fips:
            warnings.append("FIPS concerns the Extension only; in forwarder mode it changes nothing")
    elif answers.key_source.kind == "kms":
        warnings.append("every function's role needs kms:Decrypt on the key that encrypted the API key")
    return [*warnings, *_rule_warnings(subjects)]


def _rule_warnings(subjects: list[Subject]) -> list[str]:
    """What Datadog does from its side in the regions of these functions, or that nobody knows."""
    lanes = {subject.lane.lane: subject.lane for subject in subjects}
    found = []
    for at in sorted(lanes):
        lane = lanes[at]
        by = datadogs_own(lane)
        if by:
            found.append(
                f"in {at.region} Datadog itself instruments functions {' and '.join(by)}: it takes back "
                "what is changed on those that its rules cover; change the rule there, or leave them out "
                "(--exclude)"
            )
        elif isinstance(lane.datadog_rule, Unreadable):
            found.append(
                f"whether Datadog itself instruments functions in {at.region} is not known "
                f"(needs {lane.datadog_rule.action})"
            )
    return found


def _owner_warning(tool: str, owners: list[Owner]) -> str:
    stacks = sorted({owner.stack for owner in owners} - {""})
    noun = "stack" if len(stacks) == 1 else "stacks"
    where = f" ({noun} {listed(stacks)})" if stacks else ""
    return (
        f"{len(owners)} of these functions {'is' if len(owners) == 1 else 'are'} owned by {tool}{where}: "
        "its next deploy takes the change back (run the line for CI after every deploy, "
        "or use --owned source, or --owned skip)"
    )
