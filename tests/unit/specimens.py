"""A report of every command that shows what others wrote, made of what its own functions return."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ddsetup.explore import cold_starts, errors, logs, metrics
from ddsetup.explore.custom_metrics import proof_data
from ddsetup.explore.flame import rows_of
from ddsetup.explore.given_time import with_time
from ddsetup.explore.story import invocation_of, story
from ddsetup.facts.functions_at_a_glance import status
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.event_search import Log, SpanEvent
from ddsetup.gateways.datadog.series import Series, Timeseries
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, Outcome, Plan, ResourceId, Skipped
from ddsetup.model.cost import Amount, Cost, Offer, Quantity
from ddsetup.model.report import Finding, Report, Signal
from ddsetup.model.states import FilterState, FunctionState, MonitorState, TagsState
from ddsetup.show.cost_blocks import cost_data
from tests import builders as b

END = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
WINDOW = Window(END - timedelta(hours=1), END)
ACCOUNT, REGION = b.ACCOUNT, b.REGION


def at(kind: str, name: str) -> ResourceId:
    return ResourceId(kind, name, REGION, ACCOUNT)


def filter_change(name: str = "audit", pattern: str = "ERROR") -> Change:
    """A subscription filter that is not Datadog's, about to be taken away."""
    gone = FilterState(
        log_group="/aws/lambda/pay",
        name=name,
        pattern=pattern,
        destination_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/audit",
    )
    return Change(
        step="subscriptions",
        resource=at("subscription_filter", f"/aws/lambda/pay:{name}"),
        before=gone,
        after=None,
        why="makes room for the Forwarder",
        note="it sends to somebody else",
    )


def plan() -> Plan:
    function = Change(
        step="instrument",
        resource=at("function", b.function_arn("pay")),
        before=FunctionState(handler="app.handler", env={"DD_SERVICE": "before"}),
        after=FunctionState(handler="datadog_lambda.handler.handler", env={"DD_SERVICE": "after"}),
        why="forwarder mode",
    )
    tags = Change(
        step="instrument",
        resource=at("function_tags", b.function_arn("pay")),
        before=TagsState(tags={"env": "dev"}),
        after=TagsState(tags={"env": "prod"}),
        why="tags",
    )
    monitor = Change(
        step="monitors",
        resource=ResourceId("monitor", "errors", account=ACCOUNT),
        before=None,
        after=MonitorState(key="errors", scope="all", name="Errors", query="sum:x{*}", message="help"),
        why="an alert",
    )
    skipped = Skipped(resource=at("function", b.function_arn("img")), status="skipped", reason="an image")
    return Plan(changes=(function, tags, filter_change(), monitor), skipped=(skipped,), warnings=("careful",))


def reports() -> Mapping[str, Report]:
    """By the name of the command; every text in them may have come from somebody else."""
    found = [
        Report(
            command="plan",
            account=ACCOUNT,
            regions=(REGION,),
            plan=plan(),
            sandbox=True,
            data={"cost": _cost()},
        ),
        _carried_out(),
        Report(command="verify", signals=_signals(), next=("ddsetup doctor",)),
        Report(command="doctor", findings=(_finding(),), data=_doctor_data()),
        Report(command="code check", findings=(_finding(),), data=_code()),
        Report(command="status", data=_status()),
        Report(command="undo", data={"runs": [_run()]}),
        Report(command="iac", data=_iac()),
        Report(command="explore cold-starts", data=_cold_starts()),
        Report(command="explore errors", data=_errors()),
        Report(command="explore traces", data=_traces()),
        Report(command="explore request", data=_request(), links={"trace": "https://app.datadoghq.eu/apm"}),
        Report(command="explore logs", data=logs.shaped([_log("no tea"), _log("boom")], WINDOW)),
        Report(command="explore metrics", data=_metrics()),
        Report(command="metrics list", data=_listed()),
        Report(command="metrics verify", data=_proven()),
        Report(command="sandbox status", data={"sandboxes": [_sandbox()]}),
        Report(command="sandbox traffic", data={"invocations": [_invocation()]}),
    ]
    return {report.command: report for report in found}


def _carried_out() -> Report:
    outcomes = tuple(
        Outcome(resource=change.resource, status=s, reason="so it is", fix="do that", action="update")  # type: ignore[arg-type]
        for change, s in zip(plan().changes, ("applied", "failed", "changed_since", "skipped"), strict=True)
    )
    return Report(
        command="setup",
        plan=plan(),
        outcomes=outcomes,
        signals=_signals(),
        findings=(_finding(),),
        links={"logs": "https://app.datadoghq.eu/logs"},
        next=("ddsetup verify --function pay",),
        data={"ci": "ddsetup setup --yes", "config": "ddsetup.toml", "source": _iac(), "cost": _cost()},
    )


def _signals() -> tuple[Signal, ...]:
    return tuple(
        Signal(function="pay", region=REGION, signal=name, status=status, reason="nobody knows")  # type: ignore[arg-type]
        for name, status in (("logs", "arrived"), ("traces", "missing"), ("cold_start", "waiting"))
    )


def _cost() -> Mapping[str, Any]:
    known, least = Amount(2.0), Amount(30.5, at_least=True)
    found = Cost(
        quantities=(
            Quantity("logs_gb", known, least),
            Quantity("custom_metrics", Amount(None), Amount(None)),
        ),
        automatic=("/aws/lambda/stock",),
        automatic_gb=1.5,
        doubled=("/aws/lambda/pay",),
        offers=(Offer(what="too much", option="--exclude-at-match x", saves="half of it"),),
        unknown=("custom metrics: the code decides",),
    )
    return dict(cost_data(found, {"logs_gb": 0.1}))


def _finding() -> Finding:
    return Finding(
        check="filter-twice",
        severity="error",
        resource=at("log_group", "/aws/lambda/pay"),
        what="two filters send to Datadog",
        fix="delete one",
        command="ddsetup doctor --fix",
        link="https://docs.datadoghq.com",
    )


def _doctor_data() -> Mapping[str, Any]:
    link = {"title": "Log group", "mark": "broken", "detail": "not there", "check": "log-group"}
    told = {"check": "filter-twice", "severity": "error", "resource": "pay", "what": "twice"}
    return {
        "passed": [{"check": "role-exists", "title": "the role is there"}],
        "unreadable": [{"check": "x", "resource": "pay", "action": "", "reason": "timed out"}],
        "skipped": [],
        "ignored": [{"check": "y", "what": "pay: nothing", "reason": "known"}],
        "folded": [{**told, "because_of": "filter-twice /aws/lambda/pay (eu-west-1)"}],
        "chains": [
            {
                "function": "pay",
                "region": REGION,
                "way": "Forwarder",
                "links": [link],
                "breaks_at": "Log group",
            }
        ],
        "fix": {"gone": [told], "left": [told], "new": [told]},
        "probe": {
            "forwarder": "dd",
            "legs": [{"leg": "arrives", "ok": False, "detail": "no", "seconds": 1.0}],
            "forms": [{"signal": "log", "query": "q", "relied": True, "answer": "not found"}],
        },
        "unseen": [{"what": "filters", "why": "slow", "count": 2, "items": ["a"], "checks": ["z"]}],
    }


def _status() -> Mapping[str, Any]:
    ours = b.function("ours", env={"DD_SERVICE": "orders"})
    lane = b.lane_snapshot(
        ours,
        tags={ours.arn: {"aws:cloudformation:stack-name": "kitchen"}},
        state_machines=(b.state_machine("brew"),),
        api_stages=(b.api_stage("shop"),),
    )
    denied = b.lane_snapshot(functions=Unreadable("lambda:ListFunctions", "denied"))
    data = dict(status(b.snapshot(lane)))
    forwarder = {"name": "dd", "region": REGION, "version": "4.1.0", "stack": "datadog-forwarder"}
    return {**data, "unreadable": status(b.snapshot(denied))["unreadable"], "forwarders": [forwarder]}


def _run() -> Mapping[str, Any]:
    return {
        "run": "r1",
        "command": "setup",
        "account": ACCOUNT,
        "regions": [REGION],
        "changes": 2,
        "planned": 2,
        "state": "in force",
    }


def _iac() -> Mapping[str, Any]:
    diff = "--- serverless.yml\n+++ serverless.yml\n@@ -1 +1,2 @@\n service: pay\n+plugins:\n"
    return {
        "files": [{"path": "serverless.yml", "status": "would change", "why": ["the plugin"], "diff": diff}],
        "snippets": [{"path": "app.py", "reason": "computed", "language": "python", "text": "import x\nx()"}],
        "installs": [
            {"directory": "api", "command": "npm i", "why": "plugin", "status": "failed", "reason": "no npm"}
        ],
        "warnings": ["careful"],
        "macro": {"state": "failed", "region": REGION, "reason": "denied", "command": "x", "run": ""},
    }


def _code() -> Mapping[str, Any]:
    return {
        "python_files": 1,
        "redirected": False,
        "handlers": [{"handler": "app.handler", "path": "app.py", "line": 1, "wrapped": False}],
        "metrics": [{"metric": "orders", "path": "app.py", "line": 3}],
        "files": _iac()["files"],
    }


def _cold_starts() -> Mapping[str, Any]:
    series = (Series("invocations", (), (10, 10)), Series("cold", (), (5, 1)))
    groups: dict[tuple[str, ...], dict[str, float]] = {
        ("pay", REGION): {"invocations": 90.0, "cold": 9.0, "init": 0.3}
    }
    milliseconds = int(END.timestamp() * 1000)
    points = Timeseries((milliseconds - 60_000, milliseconds), series)
    return cold_starts.shaped(groups, points, WINDOW, Whose(account=ACCOUNT))


def _log(message: str, function: str = "pay") -> Log:
    return Log(at=END, function=function, status="error", message=message, stream="s1")


def _errors() -> Mapping[str, Any]:
    return errors.shaped([_log("no tea\nTraceback\n  File x\nBroken: it"), _log("boom")], 2, WINDOW)


def _span(function: str, number: str, parent: str) -> SpanEvent:
    return SpanEvent(
        trace_id="1",
        span_id=number,
        parent_id=parent,
        service="shop",
        operation="aws.lambda",
        resource=function,
        start=END,
        duration_ms=10.0,
        function=function,
        request_id=f"r{number}",
        failed=True,
        error="broken",
    )


def _request() -> Mapping[str, Any]:
    """A function whose callee ran into its timeout."""
    caller, callee = _span("pay", "1", "0"), _span("stock", "2", "1")
    invocations = (
        invocation_of(caller, [_log("boom")]),
        invocation_of(callee, [_log("RequestId: r2 Task timed out after 2.00 seconds", "stock")]),
    )
    minute: dict[str, Any] = {"function": "pay", "longest_s": 2.0}
    minute |= dict.fromkeys(("invocations", "errors", "timeouts", "throttles", "cold_starts"), 1)
    return {
        "id": "r1",
        **with_time(story("1", [caller, callee], invocations), {"stock": b.function("stock", timeout=2)}),
        "minute": {
            "from": "2026-11-22T11:00:00.000Z",
            "to": "2026-11-22T11:01:00.000Z",
            "functions": [minute],
        },
        "link": "https://app.datadoghq.eu/apm",
        "unreadable": {"metrics": "denied"},
    }


def _traces() -> Mapping[str, Any]:
    root = _span("pay", "1", "0")
    trace = {
        "trace_id": "1",
        "function": "pay",
        "start": "2026-11-22T11:00:00.000Z",
        "duration_ms": 10.0,
        "failed": True,
        "cold_start": True,
        "error": "broken",
        "spans": rows_of([root]),
        "logs": [{"at": "2026-11-22T11:00:00.000Z", "status": "error", "message": "no tea\nat all"}],
        "link": "https://app.datadoghq.eu/apm",
    }
    return {"traces": [trace], "slowest": ["1"], "failing": ["1"]}


def _metrics() -> Mapping[str, Any]:
    milliseconds = int(END.timestamp() * 1000)
    rows = tuple(Series(f"q0_{way}", ("product:tea",), (1.0,)) for way in ("avg", "min", "max"))
    return metrics.shaped(("shop.value",), Timeseries((milliseconds,), rows), WINDOW, "avg", "product")


def _listed() -> Mapping[str, Any]:
    row = {"metric": "shop.value", "percentiles": True, "tags": ["product"]}
    return {"distributions": [row], "left_out": 1}


def _proven() -> Mapping[str, Any]:
    row = {"function": "pay", "avg": 7.0, "min": 2.4, "max": 10.8, "sum": 63.0}
    arrived = {"metric": "shop.value", "status": "arrived", "functions": [row], "missing_from": ["stock"]}
    missing = {"metric": "shop.valu", "status": "missing", "functions": [], "missing_from": []}
    return proof_data([arrived, missing], ["shop.value"], WINDOW)


def _sandbox() -> Mapping[str, Any]:
    return {
        "name": "shop",
        "aws": "http://127.0.0.1:1",
        "datadog": "http://127.0.0.1:2",
        "account": ACCOUNT,
        "regions": [REGION],
        "scenarios": ["coffee"],
    }


def _invocation() -> Mapping[str, Any]:
    return {"function": "pay", "region": REGION, "error": "boom"}
