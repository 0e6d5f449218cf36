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
from ddsetup.model.report import Report, Severity

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
    rules = {f.check.id: f.check for f in found}
    order = list(rules)
    driver = {
        "name": "ddsetup doctor",
        "version": __version__,
        "rules": [_rule(check) for check in rules.values()],
    }
    notes = [*(_could_not_look(*each) for each in diagnosis.blind), *_left_out(unseen)]
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"ddsetup doctor/{report.account}/{','.join(report.regions)}"},
        "invocations": [{"executionSuccessful": not diagnosis.skipped, "toolExecutionNotifications": notes}],
        "results": [_result(each, order.index(each.check.id)) for each in found],
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
    resource = found.problem.resource
    place = {
        "physicalLocation": {"artifactLocation": {"uri": _FILE}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": harmless(resource.id), "kind": "resource"}],
    }
    return {
        "ruleId": found.check.id,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": _message(found)},
        "locations": [place],
        "partialFingerprints": {"ddsetup/1": f"{found.check.id}:{resource.id}:{resource.region}"},
    }


def _message(found: Found) -> str:
    problem = found.problem
    parts = [f"{problem.resource.id}: {problem.what}"]
    parts += [f"Do: {problem.fix}"] if problem.fix else []
    parts += [f"Run: {problem.command}"] if problem.command else []
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
