"""The JSON document is a contract: it validates, it agrees with the exit code, and it tells no secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ddsetup.model.change import Change, Outcome, Plan, ResourceId, Skipped
from ddsetup.model.errors import CredentialsError, DdsetupError, Denied, UsageError
from ddsetup.model.event import Event
from ddsetup.model.foreign import OneByOne, json_pieces, json_text
from ddsetup.model.report import Finding, Report, Signal
from ddsetup.model.states import FunctionState, RoleState, StackState, State
from ddsetup.show.jsonreport import document, error_fields, event_line, report_line, signal_line
from tests.builders import function_arn

AT = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)
SECRETS = ("0123456789abcdef0123456789abcdef", "hunter2-hunter2", "ddapp_abcdefghijklmnopqrstuvwxyz01234567")


def validator(name: str) -> jsonschema.Draft202012Validator:
    text = resources.files("ddsetup").joinpath(f"data/{name}.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


REPORTS, EVENTS = validator("report"), validator("event")


def change(before: State | None, after: State | None) -> Change:
    state = after or before
    kind = state.KIND if state else ""
    return Change(
        step="instrument",
        resource=ResourceId(kind, function_arn("orders"), "eu-west-1", "123456789012"),
        before=before,
        after=after,
        why="because",
        note="only $LATEST",
        needs=(ResourceId("stack", "datadog-forwarder", "eu-west-1", "123456789012"),),
    )


def full_report(exit_code: int = 5) -> Report:
    resource = ResourceId("function", function_arn("orders"), "eu-west-1", "123456789012")
    changed = change(
        FunctionState(handler="a.b", env={"DB_PASSWORD": SECRETS[1], "DD_API_KEY": SECRETS[0]}),
        FunctionState(handler="d.h", env={"DD_SITE": "datadoghq.eu", "DD_TAGS": f"k:{SECRETS[2]}"}),
    )
    return Report(
        command="setup",
        exit_code=exit_code,
        account="123456789012",
        regions=("eu-west-1",),
        plan=Plan(
            changes=(changed,), skipped=(Skipped(resource=resource, status="skipped", reason="image"),)
        ),
        outcomes=(
            Outcome(resource=resource, status="failed", reason="denied", fix="grant it", action="update"),
        ),
        findings=(Finding(check="x", severity="error", resource=resource, what="is broken"),),
        signals=(Signal(function="orders", region="eu-west-1", signal="logs", status="arrived", at="2026"),),
        links={"Serverless": "https://app.datadoghq.eu/functions"},
        run="20261122T101530Z-ab12",
        next=("ddsetup verify",),
    )


def test_what_is_made_as_it_is_written_is_the_same_text() -> None:
    for report in (full_report(), Report(command="plan")):
        written = "".join(json_pieces(document(report, OneByOne), indent=2))
        assert written == json_text(document(report), indent=2)
        assert "".join(json_pieces(report_line(report, OneByOne))) == json_text(report_line(report))


@pytest.mark.parametrize("exit_code", [0, 1, 2, 3, 4, 5, 6, 70, 130])
def test_the_document_is_as_the_schema_says_with_every_exit_code(exit_code: int) -> None:
    REPORTS.validate(json.loads(json.dumps(document(full_report(exit_code)))))


@pytest.mark.parametrize(
    ("exit_code", "status"),
    [(0, "ok"), (3, "ok"), (5, "partial"), (6, "partial"), (1, "failed"), (2, "failed"), (4, "failed")],
)
def test_status_and_exit_code_agree(exit_code: int, status: str) -> None:
    found = document(full_report(exit_code))
    assert (found["status"], found["exit_code"]) == (status, exit_code)
    found["status"] = "ok" if status != "ok" else "failed"
    assert not REPORTS.is_valid(found)


def test_the_first_keys_are_those_of_the_contract() -> None:
    assert " ".join(document(Report(command="plan"))) == (
        "schema command status exit_code account regions plan outcomes findings signals links run sandbox "
        "next data"
    )


def test_no_secret_is_in_the_document() -> None:
    text = json.dumps(document(full_report()))
    assert not [secret for secret in SECRETS if secret in text]
    assert "datadoghq.eu" in text
    assert "DB_PASSWORD" in text


@pytest.mark.parametrize(
    ("state", "secret", "shown"),
    [
        (RoleState(name="R", trust_account="1", external_id="ext-0815"), "ext-0815", "****"),
        (StackState(name="s", parameters={"DdApiKey": "abc", "DdSite": "x.eu"}), "abc", "x.eu"),
        (StackState(name="s", parameters={"DdHttpProxyURL": "http://me:pw@proxy"}), "pw@", "proxy"),
        (StackState(name="s", parameters={"DdApiKeySecretArn": "arn:aws:x"}), "****", "arn:aws:x"),
        (FunctionState(env={"DD_TAGS": "git.repository_url:https://u:tok@h/r"}), "tok", "/r"),
    ],
)
def test_what_may_be_secret_is_masked_and_the_rest_is_not(state: State, secret: str, shown: str) -> None:
    text = json.dumps(document(Report(command="plan", plan=Plan(changes=(change(None, state),)))))
    assert secret not in text
    assert shown in text


@for_all(
    st.dictionaries(st.sampled_from(["DD_X", "DB", "DD_API_KEY", "PATH"]), st.text("abcxyz", min_size=9))
)
def test_values_of_unknown_variables_are_never_shown(env: dict[str, str]) -> None:
    text = json.dumps(
        document(Report(command="plan", plan=Plan(changes=(change(FunctionState(env=env), None),))))
    )
    assert not [value for value in env.values() if value in text]


@pytest.mark.parametrize(
    "error",
    [
        UsageError("wrong", fix="do this", where="ddsetup.toml, line 3"),
        CredentialsError("expired"),
        Denied("no", action="lambda:ListFunctions"),
        DdsetupError("failed"),
    ],
)
def test_errors_are_documents_too(error: DdsetupError) -> None:
    found = document(Report(command="plan", exit_code=error.exit_code, error=error_fields(error)))
    REPORTS.validate(found)
    assert found["exit_code"] == error.exit_code
    assert found["error"]["what"] == error.what


def lines() -> list[dict[str, Any]]:
    resource = ResourceId("stack", "datadog-forwarder", "eu-west-1", "123456789012")
    outcome = Outcome(resource=resource, status="applied", step="forwarder", action="create")
    created = change(None, StackState(name="datadog-forwarder"))
    signal = Signal(function="orders", region="eu-west-1", signal="logs", status="waiting", reason="not yet")
    return [
        event_line(Event(kind="planned", at=AT, resource=resource, step="forwarder", change=created)),
        event_line(Event(kind="finished", at=AT, resource=resource, outcome=outcome)),
        event_line(
            Event(kind="stack", at=AT, resource=resource, text="x", details={"status": "CREATE_COMPLETE"})
        ),
        event_line(Event(kind="log", at=AT, text="looking at eu-west-1")),
        signal_line(signal, AT),
        report_line(full_report()),
    ]


@pytest.mark.parametrize("line", lines(), ids=lambda line: line["event"])
def test_events_are_as_their_schema_says(line: dict[str, Any]) -> None:
    EVENTS.validate(json.loads(json.dumps(line)))
    assert not EVENTS.is_valid({**line, "event": "surprise"})


def test_the_time_of_an_event_is_utc() -> None:
    assert event_line(Event(kind="log", at=AT, text="x"))["at"] == "2026-11-22T10:15:30.000Z"
