"""A diagnosis as SARIF 2.1.0, for code scanning pages."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ddsetup._version import __version__
from ddsetup.doctor import Diagnosis
from ddsetup.model import Json
from ddsetup.report import Report, Severity

_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FILE = "ddsetup.toml"
"""SARIF wants a place in the repository; the file with the answers is the nearest that there is."""


def sarif(report: Report, diagnosis: Diagnosis) -> str:
    """The document: a rule for each check that found something, a result for each finding."""
    found = diagnosis.found()
    rules: dict[str, Json] = {}
    for each in found:
        check = each.check
        rule: dict[str, Json] = {
            "id": check.id,
            "shortDescription": {"text": check.title},
            "fullDescription": {"text": check.doc.splitlines()[0] if check.doc else check.title},
            "help": {"text": check.doc or check.title},
            "defaultConfiguration": {"level": _LEVELS[check.severity]},
        }
        if check.link:
            rule["helpUri"] = check.link
        rules[check.id] = rule
    results = [
        {
            "ruleId": each.check.id,
            "level": _LEVELS[each.severity],
            "message": {"text": _message(each.problem.resource.id, each.problem.what, each.problem.fix)},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": _FILE}, "region": {"startLine": 1}},
                    "logicalLocations": [
                        {"fullyQualifiedName": each.problem.resource.id, "kind": "resource"}
                    ],
                }
            ],
            "partialFingerprints": {
                "ddsetup/1": f"{each.check.id}:{each.problem.resource.id}:{each.problem.resource.region}"
            },
        }
        for each in found
    ]
    driver = {"name": "ddsetup doctor", "version": __version__, "rules": list(rules.values())}
    run = {
        "tool": {"driver": driver},
        "results": results,
        "properties": {"account": report.account, "regions": list(report.regions)},
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return (
        json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
        + "\n"
    )


def _message(resource: str, what: str, fix: str) -> str:
    return f"{resource}: {what}" + (f". To do: {fix}" if fix else "")
