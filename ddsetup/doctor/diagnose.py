"""The doctor: judge one case by every check, put consequences under their causes, plan what can be mended.

Pure. A check that crashes is a finding of its own; one that could not look is neither healthy nor broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from ddsetup.doctor.checks.case import Case, Way
from ddsetup.doctor.checks.check import Blind, Check, Problem
from ddsetup.doctor.checks.registry import BY_ID, WEIGHT
from ddsetup.model.account import Function
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.report import Finding, Severity
from ddsetup.plan.whole import make_plan

WITHOUT_AWS = frozenset({"local", "credentials"})
"""Groups whose checks can look without AWS."""


@dataclass(frozen=True, slots=True)
class Found:
    """A problem, and the check that found it."""

    check: Check
    problem: Problem

    @property
    def severity(self) -> Severity:
        return self.problem.severity or self.check.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A problem that no other explains, with those that follow from it.

    `severity` is that of the worst of them: what is explained is no less broken.
    """

    found: Found
    consequences: tuple[Found, ...] = ()

    @property
    def severity(self) -> Severity:
        return max((f.severity for f in (self.found, *self.consequences)), key=lambda s: WEIGHT[s])


@dataclass(frozen=True, slots=True)
class Ignore:
    """A finding that somebody decided to live with. `resource` is a glob on its name, empty: any."""

    check: str
    reason: str
    resource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What all checks said. `causes` come in the order in which they should be dealt with.

    `hidden` is the worst severity of those that were left out because they are not severe enough to be shown.
    """

    causes: tuple[Cause, ...] = ()
    passed: tuple[Check, ...] = ()
    blind: tuple[tuple[Check, Blind], ...] = ()
    skipped: tuple[Check, ...] = ()
    ignored: tuple[tuple[Found, Ignore], ...] = ()
    hidden: Severity | None = None

    def found(self) -> tuple[Found, ...]:
        """Every problem, causes and consequences alike."""
        return tuple(f for cause in self.causes for f in (cause.found, *cause.consequences))

    def worst(self) -> Severity | None:
        """The worst severity there is, shown or not; None if nothing was found."""
        return _worst([cause.severity for cause in self.causes]) or self.hidden


@dataclass(slots=True)
class _Run:
    found: list[Found] = field(default_factory=list)
    passed: list[Check] = field(default_factory=list)
    blind: list[tuple[Check, Blind]] = field(default_factory=list)
    skipped: list[Check] = field(default_factory=list)


def diagnose(
    case: Case, checks: Sequence[Check], *, severity: Severity = "info", ignores: Sequence[Ignore] = ()
) -> Diagnosis:
    """Judge the case by these checks. Findings below `severity` are left out, but for what `worst` says.

    The order of the checks does not matter.
    """
    run = _Run()
    blocked = case.evidence.fault("aws") is not None
    for each in checks:
        if blocked and each.group not in WITHOUT_AWS:
            run.skipped.append(each)
        else:
            _judge(each, case, run)
    ignored = [(f, i) for f in run.found if (i := _ignored(f, ignores)) is not None]
    left = [f for f in run.found if _ignored(f, ignores) is None]
    every = fold(left)
    causes = [c for c in every if WEIGHT[c.severity] >= WEIGHT[severity]]
    return Diagnosis(
        causes=tuple(sorted(causes, key=_urgency)),
        passed=tuple(run.passed),
        blind=tuple(run.blind),
        skipped=tuple(run.skipped),
        ignored=tuple(ignored),
        hidden=_worst([c.severity for c in every if c not in causes]),
    )


def _worst(severities: Sequence[Severity]) -> Severity | None:
    return max(severities, key=lambda severity: WEIGHT[severity], default=None)


def _judge(each: Check, case: Case, run: _Run) -> None:
    try:
        results = tuple(each.run(case))
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others find
        run.found.append(Found(each, _crash(each, error)))
        return
    problems = [r for r in results if isinstance(r, Problem)]
    blind = [r for r in results if isinstance(r, Blind)]
    run.found.extend(Found(each, problem) for problem in problems)
    run.blind.extend((each, b) for b in blind)
    if not results:
        run.passed.append(each)


def _crash(each: Check, error: Exception) -> Problem:
    """Only the kind of error and where it happened: its text may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
    return Problem(
        resource=ResourceId("check", each.id),
        what=f"the check itself failed with {type(error).__name__}{place}, so this is not known",
        fix="please report it; the other checks went on",
        severity="warning",
    )


def _ignored(found: Found, ignores: Sequence[Ignore]) -> Ignore | None:
    for ignore in ignores:
        name = found.problem.resource.name
        if ignore.check == found.check.id and (not ignore.resource or fnmatchcase(name, ignore.resource)):
            return ignore
    return None


# Causes and consequences


def fold(found: Sequence[Found]) -> tuple[Cause, ...]:
    """Every problem that another one explains goes under that one, and so on up to the cause."""
    reach: _Reach = {}
    for index, each in enumerate(found):
        reach.setdefault((each.check.id, _single(each)), []).append(index)
    parent = [_parent(index, found, reach) for index in range(len(found))]
    under: dict[int, list[Found]] = {}
    for index in range(len(found)):
        top = _top(index, parent)
        if top != index:
            under.setdefault(top, []).append(found[index])
    return tuple(
        Cause(found=each, consequences=tuple(under.get(index, ())))
        for index, each in enumerate(found)
        if parent[index] is None
    )


_Reach: TypeAlias = dict[tuple[str, str], list[int]]
"""Problems by check, and by the function that they are about; empty for those with more reach."""


def _single(found: Found) -> str:
    about = found.problem.about
    return next(iter(about)) if len(about) == 1 else ""


def _parent(index: int, found: Sequence[Found], reach: _Reach) -> int | None:
    """The worst of the problems that explain this one; of equals the one that its check names first."""
    own = {"", _single(found[index])}
    candidates = [
        other
        for id_ in found[index].check.because_of
        for function in sorted(own)
        for other in reach.get((id_, function), ())
        if found[other].problem.resource.kind != "check" and explains(found[other], found[index])
    ]
    return max(candidates, key=lambda i: WEIGHT[found[i].severity], default=None)


def _top(index: int, parent: Sequence[int | None]) -> int:
    seen = {index}
    while (above := parent[index]) is not None and above not in seen:
        seen.add(above)
        index = above
    return index


def explains(cause: Found, consequence: Found) -> bool:
    """Whether the one's reach covers the other: account, region, and the functions concerned. What is over
    explains nothing."""
    one, other = cause.problem, consequence.problem
    if one.over:
        return False
    if one.resource.account not in ("", other.resource.account):
        return False
    if one.resource.region and one.resource.region != other.resource.region:
        return False
    return not one.about or (bool(other.about) and other.about <= one.about)


def _urgency(cause: Cause) -> tuple[int, int, int, int]:
    """Worst first; then what the whole account rests on, a region, one function; then what explains most."""
    problem = cause.found.problem
    wide = 2 if len(problem.about) == 1 else 1 if problem.about or problem.resource.region else 0
    order = list(BY_ID)
    at = order.index(cause.found.check.id) if cause.found.check.id in BY_ID else len(order)
    return (-WEIGHT[cause.severity], wide, -len(cause.consequences), at)


# Findings


def findings(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """The causes as findings of a report."""
    return tuple(finding(c.found, c.severity) for c in diagnosis.causes)


def finding(found: Found, severity: Severity) -> Finding:
    """One problem as a finding; what `--fix` can mend has that as its command."""
    problem = found.problem
    command = problem.command
    if can_mend(found) and not command:
        command = f"ddsetup doctor --fix --only {found.check.id}"
    return Finding(
        check=found.check.id,
        severity=severity,
        resource=problem.resource,
        what=problem.what,
        fix=problem.fix,
        command=command,
        link=found.check.link,
    )


def can_mend(found: Found) -> bool:
    """Whether `--fix` can do something about it."""
    return found.check.fix != "manual" and bool(found.problem.mends or found.problem.changes)


def waits_for_a_person(found: Found) -> bool:
    """Whether mending it takes something away, so that somebody has to have seen it."""
    return can_mend(found) and found.check.fix == "confirm"


# Mending


def mending(case: Case, found: Iterable[Found], *, confirmed: bool = True) -> Plan:
    """The changes that remove these problems, out of the same plan that a setup makes.

    `confirmed` False leaves out those that take something away, which a person has to have seen. Raises
    UsageError as `make_plan` does.
    """
    chosen = [f for f in found if can_mend(f) and (confirmed or f.check.fix == "automatic")]
    wanted = {resource for f in chosen for resource in f.problem.mends}
    own = {c.resource: c for f in chosen for c in f.problem.changes}
    planned: dict[ResourceId, Change] = {}
    warnings: dict[str, None] = {}
    if wanted:
        for plan in _plans(case):
            for change in plan.changes:
                planned.setdefault(change.resource, change)
            warnings.update(dict.fromkeys(plan.warnings))
    taken = _with_needs(wanted, planned)
    changes = [change for resource, change in planned.items() if resource in taken and resource not in own]
    return Plan(changes=(*own.values(), *changes), warnings=tuple(warnings) if changes else ())


def _plans(case: Case) -> Iterable[Plan]:
    """What a setup would do, for the functions of each way of monitoring as they are."""
    answers = replace(case.answers, subscribe=case.subscribe)
    by_way: dict[Way, list[Function]] = {}
    for subject in case.subjects:
        by_way.setdefault(subject.way, []).append(subject.function)
    if not by_way:
        yield make_plan(case.snapshot, answers, ())
    for way, functions in by_way.items():
        yield make_plan(case.snapshot, replace(answers, via=way), tuple(functions))


def _with_needs(wanted: set[ResourceId], planned: Mapping[ResourceId, Change]) -> set[ResourceId]:
    taken: set[ResourceId] = set()
    waiting = [r for r in planned if r in wanted]
    while waiting:
        resource = waiting.pop()
        if resource not in taken:
            taken.add(resource)
            waiting.extend(r for r in planned[resource].needs if r in planned)
    return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What mending came to: by the problems before and after it."""

    gone: tuple[Found, ...]
    left: tuple[Found, ...]
    new: tuple[Found, ...]


def difference(before: Diagnosis, after: Diagnosis) -> Difference:
    """Problems that are gone, that remain, and that were not there before."""
    had = {(f.check.id, f.problem.resource): f for f in before.found()}
    have = {(f.check.id, f.problem.resource): f for f in after.found()}
    return Difference(
        gone=tuple(f for k, f in had.items() if k not in have),
        left=tuple(f for k, f in have.items() if k in had),
        new=tuple(f for k, f in have.items() if k not in had),
    )
