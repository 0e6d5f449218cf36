"""A diagnosis as JUnit XML: a test case for each check, so that CI shows it as it shows tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ddsetup.doctor.checks.check import GROUPS, Check
from ddsetup.doctor.checks.registry import WEIGHT
from ddsetup.doctor.diagnose import Diagnosis, Found
from ddsetup.doctor.findings import unseen_records
from ddsetup.model.evidence import Unseen
from ddsetup.model.foreign import harmless
from ddsetup.model.report import Report, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is known of one check. `skipped` is why it says nothing, empty if it does."""

    check: Check
    found: tuple[Found, ...] = ()
    skipped: str = ""
    notes: tuple[str, ...] = ()


def junit(
    report: Report, diagnosis: Diagnosis, unseen: Sequence[Unseen] = (), *, fail_on: Severity = "error"
) -> str:
    """The document. Findings from `fail_on` on are failures; others pass, with their text as output.

    A check that could not look is skipped, with the permission that is missing; so is one whose findings are
    all ignored, with the reason. What was left out of the look stands with the checks that it concerns.
    """
    cases = _cases(diagnosis, unseen)
    suites = [_suite(group, [c for c in cases if c.check.group == group], fail_on) for group in GROUPS]
    name = quoteattr(f"ddsetup doctor {report.account} {' '.join(report.regions)}".strip())
    body = "\n".join(suite for suite in suites if suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name}>\n{body}\n</testsuites>\n'


def _cases(diagnosis: Diagnosis, unseen: Sequence[Unseen]) -> list[_Case]:
    found: dict[str, list[Found]] = {}
    for each in diagnosis.found():
        found.setdefault(each.check.id, []).append(each)
    skipped: dict[str, str] = {}
    checks = {c.id: c for c in (*diagnosis.passed, *diagnosis.skipped)}
    for problem, ignore in diagnosis.ignored:
        checks[problem.check.id] = problem.check
        skipped.setdefault(problem.check.id, f"ignored: {ignore.reason}")
    for check, blind in diagnosis.blind:
        checks[check.id] = check
        skipped.setdefault(check.id, f"could not look: {blind.unreadable.action or blind.unreadable.reason}")
    skipped |= {c.id: "AWS does not know the credentials" for c in diagnosis.skipped}
    checks |= {f.check.id: f.check for f in diagnosis.found()}
    notes: dict[str, list[str]] = {}
    for left in unseen_records(unseen):
        for id_ in left["checks"]:
            notes.setdefault(id_, []).append(
                f"not looked at: {left['what']} ({left['count']}); {left['why']}"
            )
    return [
        _Case(
            check=check,
            found=tuple(found.get(id_, ())),
            skipped="" if id_ in found else skipped.get(id_, ""),
            notes=tuple(notes.get(id_, ())),
        )
        for id_, check in checks.items()
    ]


def _suite(group: str, cases: Sequence[_Case], fail_on: Severity) -> str:
    if not cases:
        return ""
    lines = [_case(each, fail_on) for each in cases]
    counts = f'tests="{len(lines)}" failures="{sum("<failure" in line for line in lines)}"'
    counts += f' errors="0" skipped="{sum("<skipped" in line for line in lines)}"'
    title = quoteattr(f"ddsetup doctor: {group}")
    return "\n".join([f"  <testsuite name={title} {counts}>", *lines, "  </testsuite>"])


def _case(case: _Case, fail_on: Severity) -> str:
    check = case.check
    attributes = (
        f"classname={quoteattr(f'doctor.{check.group}')} name={quoteattr(f'{check.id}: {check.title}')}"
    )
    failing = [f for f in case.found if WEIGHT[f.severity] >= WEIGHT[fail_on]]
    inner = ""
    if failing:
        message = quoteattr(harmless(f"{len(failing)} × {failing[0].problem.what}"))
        inner = f"<failure message={message}>{escape(_text(case.found))}</failure>"
    elif case.skipped:
        inner = f"<skipped message={quoteattr(harmless(case.skipped))}/>"
    elif case.found:
        inner = f"<system-out>{escape(_text(case.found))}</system-out>"
    elif case.notes:
        inner = f"<system-out>{escape(_lines(case.notes))}</system-out>"
    return f"    <testcase {attributes}>{inner}</testcase>" if inner else f"    <testcase {attributes}/>"


def _text(found: Sequence[Found]) -> str:
    lines: list[str] = []
    for each in found:
        problem = {"do": each.problem.fix, "run": each.problem.command}
        lines.append(f"{each.severity}: {each.problem.resource.id}: {each.problem.what}")
        lines.extend(f"  {label}: {text}" for label, text in problem.items() if text)
    return _lines(lines)


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(map(harmless, lines))
