"""A diagnosis as SARIF 2.1.0 (OASIS), for code scanning pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup._version import __version__
from ddsetup.doctor.checks.check import Blind, Check
from ddsetup.doctor.diagnose import Diagnosis, Found
from ddsetup.doctor.findings import unseen_records
from ddsetup.model.account import Json
from ddsetup.model.evidence import Unseen
from ddsetup.model.foreign import harmless, json_text
from ddsetup.model.report import Finding, Report, Severity

_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FILE = "ddsetup.toml"
"""SARIF wants a place in the repository; the file with the answers is the nearest that there is."""


def sarif(report: Report, diagnosis: Diagnosis, unseen: Sequence[Unseen] = ()) -> str:
    """The document: a rule for each check that found something, a result for each finding.

    What could not be looked at, or was left out, are notifications of the run: they are no findings, and no
    results must not pass for a healthy account.
    """
    found = diagnosis.found()
    rules = {f.check.id: _rule(f.check) for f in found}
    order = list(rules)
    return _document(
        report,
        rules,
        [_result(each, order.index(each.check.id)) for each in found],
        notes=[*(_could_not_look(*each) for each in diagnosis.blind), *_left_out(unseen)],
        complete=not diagnosis.skipped,
    )


def of_findings(report: Report, titles: Mapping[str, str], notes: Sequence[str] = ()) -> str:
    """The findings of a report that come of no check of the doctor's; `titles` says of each kind what holds
    where there is none. `notes` are what could not be looked at."""
    rules = {f.check: {"id": f.check, "shortDescription": {"text": titles[f.check]}} for f in report.findings}
    order = list(rules)
    return _document(
        report,
        rules,
        [_plain_result(each, order.index(each.check)) for each in report.findings],
        notes=[{"level": "note", "message": {"text": harmless(note)}} for note in notes],
    )


def _document(
    report: Report,
    rules: Mapping[str, Json],
    results: Sequence[Json],
    *,
    notes: Sequence[Json],
    complete: bool = True,
) -> str:
    name = f"ddsetup {report.command}"
    driver = {"name": name, "version": __version__, "rules": list(rules.values())}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{name}/{report.account}/{','.join(report.regions)}"},
        "invocations": [{"executionSuccessful": complete, "toolExecutionNotifications": list(notes)}],
        "results": list(results),
        "properties": {"account": report.account, "regions": list(report.regions)},
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(document, indent=2) + "\n"


def _rule(check: Check) -> Json:
    rule: dict[str, Json] = {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.doc.splitlines()[0] if check.doc else check.title},
        "help": {"text": check.doc or check.title},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }
    return rule | ({"helpUri": check.link} if check.link else {})


def _result(found: Found, rule: int) -> Json:
    return _plain_result(
        Finding(
            check=found.check.id,
            severity=found.severity,
            resource=found.problem.resource,
            what=f"{found.problem.resource.id}: {found.problem.what}",
            fix=found.problem.fix,
            command=found.problem.command,
        ),
        rule,
    )


def _plain_result(found: Finding, rule: int) -> Json:
    resource = found.resource
    place = {
        "physicalLocation": {"artifactLocation": {"uri": _FILE}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": harmless(resource.id), "kind": "resource"}],
    }
    return {
        "ruleId": found.check,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": _message(found)},
        "locations": [place],
        "partialFingerprints": {"ddsetup/1": f"{found.check}:{resource.id}:{resource.region}"},
    }


def _message(found: Finding) -> str:
    parts = [found.what]
    parts += [f"Do: {found.fix}"] if found.fix else []
    parts += [f"Run: {found.command}"] if found.command else []
    return harmless(". ".join(parts))


def _could_not_look(check: Check, blind: Blind) -> Json:
    missing = blind.unreadable.action
    why = f"needs {missing}" if missing else blind.unreadable.reason
    return {
        "level": "warning",
        "message": {"text": harmless(f"{check.id} could not look at {blind.resource.id}: {why}")},
    }


def _left_out(unseen: Sequence[Unseen]) -> list[Json]:
    return [
        {
            "level": "note",
            "message": {"text": harmless(f"not looked at: {each['what']} ({each['count']}); {each['why']}")},
        }
        for each in unseen_records(unseen)
    ]
