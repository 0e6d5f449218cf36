"""A diagnosis as JUnit XML: a test case for each check, so that CI shows it as it shows tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from ddsetup.checks.check import GROUPS, Check
from ddsetup.doctor import Diagnosis, Found
from ddsetup.report import Report


def junit(report: Report, diagnosis: Diagnosis) -> str:
    """The document. Errors are failures; warnings and notes pass, with their text as output.

    A check that could not look is skipped, with the permission that is missing.
    """
    found: dict[str, list[Found]] = {}
    for each in diagnosis.found():
        found.setdefault(each.check.id, []).append(each)
    blind: dict[str, list[str]] = {}
    for check, what in diagnosis.blind:
        blind.setdefault(check.id, []).append(what.unreadable.action or what.unreadable.reason)
    checks = {c.id: c for c in (*diagnosis.passed, *diagnosis.skipped)}
    checks |= {f.check.id: f.check for f in diagnosis.found()}
    checks |= {check.id: check for check, _ in diagnosis.blind}
    skipped = {c.id for c in diagnosis.skipped}
    suites = []
    for group in GROUPS:
        cases = [
            _case(c, found.get(c.id, ()), blind.get(c.id, ()), skipped)
            for c in checks.values()
            if c.group == group
        ]
        if cases:
            failures = sum("<failure" in case for case in cases)
            title = quoteattr(f"ddsetup doctor: {group}")
            head = f'<testsuite name={title} tests="{len(cases)}" failures="{failures}">'
            suites.append("\n".join([f"  {head}", *cases, "  </testsuite>"]))
    name = quoteattr(f"ddsetup doctor {report.account} {' '.join(report.regions)}".strip())
    body = "\n".join(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name}>\n{body}\n</testsuites>\n'


def _case(check: Check, found: Sequence[Found], blind: Sequence[str], skipped: set[str]) -> str:
    attributes = (
        f"classname={quoteattr(f'doctor.{check.group}')} name={quoteattr(f'{check.id}: {check.title}')}"
    )
    errors = [f for f in found if f.severity == "error"]
    if errors:
        message = quoteattr(f"{len(errors)} × {errors[0].problem.what}")
        inner = f"<failure message={message}>{escape(_text(found))}</failure>"
    elif check.id in skipped:
        inner = '<skipped message="AWS does not know the credentials"/>'
    elif blind and not found:
        inner = f"<skipped message={quoteattr(f'could not look: {blind[0]}')}/>"
    elif found:
        inner = f"<system-out>{escape(_text(found))}</system-out>"
    else:
        return f"    <testcase {attributes}/>"
    return f"    <testcase {attributes}>{inner}</testcase>"


def _text(found: Sequence[Found]) -> str:
    lines: list[str] = []
    for each in found:
        problem: Mapping[str, str] = {"do": each.problem.fix, "run": each.problem.command}
        lines.append(f"{each.severity}: {each.problem.resource.id}: {each.problem.what}")
        lines.extend(f"  {label}: {text}" for label, text in problem.items() if text)
    # XML 1.0 knows no control characters.
    return "".join(c for c in "\n".join(lines) if c >= " " or c in "\n\t")
