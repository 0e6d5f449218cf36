"""What is printed, held against files that a person has read. `UPDATE_GOLDEN=1` writes them anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ddsetup.cli import policy as commands_policy
from ddsetup.cli import status as commands_status
from ddsetup.cli import undo as commands_undo
from ddsetup.cli.sandbox import env as commands_sandbox_env
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Outcome, Plan, ResourceId, Skipped
from ddsetup.model.errors import Denied, UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.lines import Look, names, shorten, text_of
from ddsetup.model.report import Finding, Report, Signal, SignalStatus
from ddsetup.model.states import (
    REF_EXTERNAL_ID,
    REF_SECRET,
    FilterState,
    FunctionState,
    RoleState,
    SecretState,
    StackState,
    TagsState,
)
from ddsetup.plan.policy import least_policy
from ddsetup.show.report_lines import error_lines, report_lines
from tests.builders import function_arn

GOLDEN = Path(__file__).parents[2] / "golden"
ACCOUNT, REGION = "123456789012", "eu-west-1"


def matches_golden(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, "utf-8")
    known = path.read_text("utf-8")
    assert text == known, (
        f"not as in {path.name}; if it is meant: UPDATE_GOLDEN=1 pytest -n 0 THIS, and git diff"
    )


def function_change(name: str) -> Change:
    arn = function_arn(name)
    layer = f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:127"
    return Change(
        step="instrument",
        resource=ResourceId("function", arn, REGION, ACCOUNT),
        before=FunctionState(
            handler="app.handler",
            layers=("arn:aws:lambda:eu-west-1:1:layer:own:3",),
            env={"DD_TRACE_ENABLED": "false", "DD_EXTRACTION": "a-hidden-value"},
        ),
        after=FunctionState(
            handler="datadog_lambda.handler.handler",
            layers=("arn:aws:lambda:eu-west-1:1:layer:own:3", layer),
            env={
                "DD_TRACE_ENABLED": "true",
                "DD_LAMBDA_HANDLER": "app.handler",
                "DD_EXTRACTION": "other-value",
            },
        ),
        why="forwarder mode",
        note="only $LATEST changes; alias live serves version 3",
    )


def full_plan(functions: int = 2) -> Plan:
    def at(kind: str, name: str, region: str = REGION) -> ResourceId:
        return ResourceId(kind, name, region, ACCOUNT)

    role = RoleState(
        name="DatadogIntegrationRole",
        trust_account="464622532012",
        external_id=REF_EXTERNAL_ID,
        policies={"DatadogAWSIntegrationPolicyV2": {"Statement": [{"Action": ["a:B", "a:C", "a:D", "a:E"]}]}},
    )
    stack = StackState(
        name="datadog-forwarder",
        version="latest",
        parameters={"DdApiKeySecretArn": f"{REF_SECRET}ddsetup/datadog-api-key", "DdSite": "datadoghq.eu"},
    )
    gone = FilterState(
        log_group="/aws/lambda/pay",
        name="kinesis",
        pattern="ERROR",
        destination_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/audit",
    )
    changes = (
        Change(
            step="integration",
            resource=at("iam_role", "DatadogIntegrationRole", ""),
            before=None,
            after=role,
            why="Datadog assumes it",
        ),
        Change(
            step="forwarder",
            resource=at("secret", "ddsetup/datadog-api-key"),
            before=None,
            after=SecretState(name="ddsetup/datadog-api-key"),
            why="holds the API key",
        ),
        Change(
            step="forwarder",
            resource=at("stack", "datadog-forwarder"),
            before=None,
            after=stack,
            why="there is no Forwarder in this region",
        ),
        *(function_change(f"shop-{n:02}") for n in range(functions)),
        Change(
            step="instrument",
            resource=at("function_tags", function_arn("shop-00")),
            before=TagsState(tags={"env": "dev"}),
            after=TagsState(tags={"env": "prod", "dd_ddsetup": "v0.1.0"}),
            why="tags reach logs and metrics",
        ),
        Change(
            step="subscriptions",
            resource=at("subscription_filter", "/aws/lambda/pay:kinesis"),
            before=gone,
            after=None,
            why="makes room",
            note="stream audit gets nothing more from this log group",
        ),
    )
    skipped = (
        Skipped(resource=at("function", function_arn("done")), status="unchanged", reason="already so"),
        *(
            Skipped(
                resource=at("function", function_arn(f"image-{n}")),
                status="skipped",
                reason="a container image",
                fix="install the library in the image",
            )
            for n in range(7)
        ),
    )
    return Plan(changes=changes, skipped=skipped, warnings=("the Forwarder costs an invocation a batch",))


def signals(status: SignalStatus = "missing") -> tuple[Signal, ...]:
    found = [
        Signal(function="orders", region=REGION, signal=name, status="arrived", path="forwarder")
        for name in ("cloudwatch_metrics", "logs", "traces", "enhanced_metrics", "cold_start")
    ]
    pay = [
        Signal(function="pay", region=REGION, signal="cloudwatch_metrics", status="arrived"),
        Signal(function="pay", region=REGION, signal="logs", status=status, reason="invoked 4 times"),
        Signal(
            function="pay",
            region=REGION,
            signal="custom_metric",
            status="waiting",
            metric="coffee.sold",
            reason="usually within 5 minutes",
        ),
    ]
    return tuple(found + pay)


def outcomes() -> tuple[Outcome, ...]:
    stack = ResourceId("stack", "datadog-forwarder", REGION, ACCOUNT)
    group = ResourceId("log_collection", ACCOUNT, "", ACCOUNT)
    done = [ResourceId("function", function_arn(f"shop-{n:02}"), REGION, ACCOUNT) for n in range(12)]
    return (
        Outcome(
            resource=stack,
            status="failed",
            reason=Lines.of("no capacity", "second line"),
            fix="try again",
            action="create",
        ),
        Outcome(
            resource=group,
            status="skipped",
            reason="needs stack datadog-forwarder, which failed",
            action="update",
        ),
        *(Outcome(resource=resource, status="applied", action="update") for resource in done[:11]),
        Outcome(resource=done[11], status="changed_since", reason="handler changed", action="update"),
    )


def whole(**over: object) -> Report:
    report = Report(
        command="setup",
        exit_code=5,
        account=ACCOUNT,
        regions=(REGION,),
        plan=full_plan(),
        outcomes=outcomes(),
        signals=signals(),
        findings=(
            Finding(
                check="forwarder-version",
                severity="warning",
                resource=ResourceId("stack", "datadog-forwarder", REGION, ACCOUNT),
                what="an old Forwarder",
                fix="upgrade it",
                command="ddsetup setup --forwarder-upgrade",
            ),
        ),
        links={"serverless": "https://app.datadoghq.eu/functions", "logs": "https://app.datadoghq.eu/logs"},
        run="20261122T101530Z-ab12",
        next=("ddsetup verify --wait 900",),
    )
    return replace(report, **over)  # type: ignore[arg-type]


STATUS = {
    "integrations": [
        {
            "account": ACCOUNT,
            "state": "present",
            "role": "DatadogIntegrationRole",
            "role_state": "present",
            "metrics": True,
            "forwarders": [],
            "log_sources": ["lambda", "s3"],
        },
        {"account": "210987654321", "state": "unreadable", "reason": "no permission"},
    ],
    "forwarders": [
        {"name": "datadog-forwarder", "region": REGION, "version": "5.4.11", "stack": "datadog-forwarder"}
    ],
    "functions": [
        {
            "function": "orders",
            "region": REGION,
            "runtime": "python3.12",
            "datadog": "forwarder",
            "note": "",
            "owner": "",
        },
        {
            "function": "pay",
            "region": REGION,
            "runtime": "nodejs20.x",
            "datadog": "none",
            "note": "",
            "owner": "CloudFormation (shop)",
        },
        {
            "function": "till",
            "region": REGION,
            "runtime": "python3.13",
            "datadog": "forwarder",
            "by": "ddsetup",
            "note": "",
            "owner": "SAM (till)",
        },
    ],
    "unreadable": [{"what": "eu-west-1 tags", "reason": "denied", "action": "tag:GetResources"}],
}
RUNS = [
    {
        "run": "20261122T101530Z-ab12",
        "command": "setup",
        "account": ACCOUNT,
        "regions": [REGION, "us-east-1"],
        "changes": 23,
        "planned": 23,
        "state": "in force",
    }
]


_BODIES = {
    "status": commands_status.blocks,
    "undo": commands_undo.blocks,
    "policy": commands_policy.blocks,
    "sandbox env": commands_sandbox_env.blocks,
}


@pytest.mark.parametrize(
    ("name", "report", "look"),
    [
        ("plan", whole(command="plan", outcomes=(), signals=(), findings=(), run=""), Look()),
        ("plan_folded", Report(command="plan", plan=full_plan(9)), Look()),
        ("setup", whole(), Look()),
        ("setup_verbose", whole(plan=Plan(), signals=(), findings=()), Look(verbose=True)),
        ("setup_narrow", Report(command="setup", signals=signals("no_traffic")), Look(width=60)),
        ("nothing_to_do", Report(command="setup", plan=Plan(skipped=full_plan().skipped[:1])), Look()),
        ("sandbox", Report(command="plan", account=ACCOUNT, regions=(REGION,), sandbox=True), Look()),
        ("status", Report(command="status", data=STATUS), Look()),
        ("runs", Report(command="undo", data={"runs": RUNS}), Look()),
        (
            "runs_gone",
            Report(command="undo", data={"runs": [{**RUNS[0], "state": "its sandbox is gone"}, *RUNS]}),
            Look(),
        ),
        (
            "runs_narrow",
            Report(command="undo", data={"runs": [{**RUNS[0], "planned": 1205, "state": "interrupted"}]}),
            Look(width=79),
        ),
        (
            "policy",
            Report(
                command="policy",
                sandbox=True,
                data={
                    "policy": least_policy(
                        Answers(site="datadoghq.eu", regions=(REGION,)),
                        "aws",
                        (ACCOUNT,),
                        (REGION,),
                        ("setup", "undo"),
                    )
                },
            ),
            Look(),
        ),
        ("env", Report(command="sandbox env", sandbox=True, data={"env": {"A": "b c", "D": "e"}}), Look()),
    ],
)
def test_text_is_as_it_was_read(name: str, report: Report, look: Look) -> None:
    matches_golden(name, text_of(report_lines(report, look, _BODIES.get(report.command))))


@pytest.mark.parametrize("secret", ["a-hidden-value", "other-value"])
def test_foreign_values_are_not_shown_but_their_change_is(secret: str) -> None:
    text = text_of(report_lines(Report(command="plan", plan=full_plan()), Look(verbose=True)))
    assert secret not in text
    assert "~ DD_EXTRACTION = **** (another value)" in text


def test_verbose_folds_nothing() -> None:
    text = text_of(report_lines(Report(command="plan", plan=full_plan(40)), Look(verbose=True)))
    assert all(f"shop-{n:02}" in text for n in range(40))
    assert "shows all" not in text
    assert " more, " not in text.replace("nothing more", "")
    assert not [row for row in text.splitlines() if row.endswith(" more")]


def test_a_step_is_told_once_however_its_changes_come() -> None:
    changes = full_plan(9).changes
    by_turns = Plan(changes=(*changes[::2], *changes[1::2]))
    text = text_of(report_lines(Report(command="undo", plan=by_turns), Look()))
    assert [row for row in text.splitlines() if row == "Functions"] == ["Functions"]
    assert "… and 4 more to change: functions" in text


def test_every_function_left_alone_is_named_or_counted_with_its_reason() -> None:
    text = text_of(report_lines(Report(command="plan", plan=full_plan()), Look()))
    assert "image-4 (eu-west-1) and 2 more" in text
    assert "a container image" in text


def test_an_arn_is_never_cut_where_lines_may_be_long() -> None:
    text = text_of(report_lines(Report(command="plan", plan=full_plan()), Look()))
    assert "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Python312:127" in text


def test_the_table_fits_eighty_columns() -> None:
    long = tuple(
        replace(s, function="a-very-long-name-of-a-function-that-nobody-should-use") for s in signals()
    )
    lines = text_of(report_lines(Report(command="verify", signals=long), Look(width=80))).splitlines()
    assert max(len(text) for text in lines if "✓" in text or "Function" in text) <= 80


def test_errors_say_where_what_and_what_to_do() -> None:
    error = UsageError(Lines.of("line one", "line two"), where="ddsetup.toml, line 3", fix="do this")
    assert text_of(error_lines(error)) == "error: ddsetup.toml, line 3: line one\n  line two\n  do: do this\n"


def test_a_refused_call_names_its_permission_once() -> None:
    assert text_of(error_lines(Denied("no", action="tag:GetResources"))).count("tag:GetResources") == 1
    said = Denied("not allowed: tag:GetResources", action="tag:GetResources")
    assert text_of(error_lines(said)).count("tag:GetResources") == 1


@for_all(st.text("abcdefgh", max_size=40), st.integers(5, 30))
def test_shortened_text_fits_and_keeps_both_ends(text: str, width: int) -> None:
    short = shorten(text, width)
    assert len(short) <= width
    assert short[:2] == text[:2]
    assert short[-2:] == text[-2:]


def test_names_are_counted_where_there_are_many() -> None:
    assert names(["a", "b", "c"], 2) == "a, b and 1 more"
    assert names(["a", "b", "c"], 0) == "a, b, c"
