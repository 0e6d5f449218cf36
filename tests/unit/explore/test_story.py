"""One request across functions: what failed first of all, told from spans and from what Lambda says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.explore.given_time import with_time
from ddsetup.explore.reports import ended
from ddsetup.explore.request import checked
from ddsetup.explore.request_blocks import request_blocks
from ddsetup.explore.story import invocation_of, is_invocation, story, told_by_logs
from ddsetup.facts.failures import failure_of
from ddsetup.gateways.datadog.event_search import Log, SpanEvent
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look
from ddsetup.show.layout import plain_text
from tests.builders import function

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CALLER, CALLEE = "7a894775-f62a-4464-95b6-9292bad0877f", "98f09b58-e2d7-47c5-bf91-6ab8eb8b7aa5"


def span(number: int, parent: int = 0, **over: Any) -> SpanEvent:
    values: dict[str, Any] = {
        "trace_id": "1",
        "span_id": str(number),
        "parent_id": str(parent),
        "service": "shop",
        "operation": "step",
        "resource": f"step-{number}",
        "start": START + timedelta(milliseconds=number),
        "duration_ms": 10.0,
    }
    return SpanEvent(**values | over)


def run(number: int, name: str, request: str, parent: int = 0, **over: Any) -> SpanEvent:
    arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{name}"
    values = {"operation": "aws.lambda", "resource": name, "function": name, "arn": arn}
    return span(number, parent, **values | {"request_id": request} | over)


def log(message: str, name: str = "roaster", **over: Any) -> Log:
    return Log(at=START, function=name, message=message, **{"status": "info", "stream": "s"} | over)


def told(*spans: SpanEvent, **logs: list[Log]) -> Any:
    return story(
        "1",
        spans,
        [invocation_of(each, logs.get(each.function, [])) for each in spans if is_invocation(each)],
    )


def test_the_cause_is_the_callees_timeout_and_not_what_its_callers_say_of_it() -> None:
    data = told(
        run(1, "counter", CALLER, failed=True, error="Task timed out after 2.00 seconds"),
        span(2, 1, operation="lambda.command", resource="lambda.invoke"),
        run(3, "roaster", CALLEE, 2, failed=True, error="Datadog detected an Impending Timeout"),
        counter=[log("[ERROR] RoasterFailed: Task timed out after 2.00 seconds", "counter", status="error")],
        roaster=[log(f"2026-11-22T03:00:02.000Z {CALLEE} Task timed out after 2.00 seconds")],
    )
    cause = data["cause"]
    assert (cause["function"], cause["kind"], cause["called_by"]) == ("roaster", "timeout", ["counter"])
    assert (cause["check"], cause["region"]) == ("timeout-margin", "eu-west-1")
    assert data["function"] == "counter"
    assert [row["function"] for row in data["functions"]] == ["counter", "roaster"]


def test_a_caller_whose_callee_left_no_span_has_not_run_into_its_own_timeout() -> None:
    said = "RoasterFailed: Task timed out after 2.00 seconds"
    cause = told(run(1, "counter", CALLER, failed=True, error=said))["cause"]
    assert (cause["kind"], cause["what"]) == ("error", f"failed: {said}")


def test_a_step_that_failed_is_named_with_its_function() -> None:
    data = told(
        run(1, "counter", CALLER, failed=True, error="no table"),
        span(2, 1, operation="dynamodb.command", resource="GetItem", failed=True, error="no table"),
    )
    assert data["cause"]["what"] == "failed in dynamodb.command GetItem: no table"
    assert data["cause"]["function"] == "counter"


def test_what_only_the_log_tells_is_a_cause_as_well() -> None:
    lines = [
        log(f"START RequestId: {CALLEE} Version: $LATEST"),
        log(f"2026-11-22T03:00:02.000Z {CALLEE} Task timed out after 2.00 seconds"),
        log(
            f"REPORT RequestId: {CALLEE}\tDuration: 2000.00 ms\tBilled Duration: 2000 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: timeout"
        ),
    ]
    found = told_by_logs(CALLEE, lines)
    assert found is not None
    cause = story("", (), [found])["cause"]
    assert (cause["function"], cause["kind"]) == ("roaster", "timeout")
    assert told_by_logs(CALLEE, []) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=10))
def test_below_the_cause_nothing_failed_and_no_other_such_span_is_deeper(
    described: list[tuple[int, bool]],
) -> None:
    spans = [
        run(n + 1, f"f{n + 1}", f"r{n + 1}", min(parent, n), failed=failed)
        for n, (parent, failed) in enumerate(described)
    ]
    data = told(*spans)
    failing = {row["span_id"] for row in data["spans"] if row["failed"]}
    if not failing:
        assert data["cause"] is None
        return
    by_id = {one.span_id: one for one in spans}

    def above(one: str) -> list[str]:
        parent = by_id[one].parent_id
        return [parent, *above(parent)] if parent in by_id else []

    begun = {one for one in failing if not any(one in above(other) for other in failing)}
    named = next(one.span_id for one in spans if one.function == data["cause"]["function"])
    assert named in begun
    assert len(above(named)) == max(len(above(one)) for one in begun)


def test_the_end_of_an_invocation_is_read_as_text_and_as_json_and_only_its_own() -> None:
    text = (
        f"REPORT RequestId: {CALLEE}\tDuration: 12.50 ms\tBilled Duration: 13 ms\tMemory Size: 256 MB\t"
        "Max Memory Used: 64 MB\tInit Duration: 310.20 ms\t"
    )
    metrics = {"durationMs": 12.5, "billedDurationMs": 13, "memorySizeMB": 256, "maxMemoryUsedMB": 64}
    record = {"requestId": CALLEE, "metrics": {**metrics, "initDurationMs": 310.2}, "status": "success"}
    document = json.dumps({"type": "platform.report", "record": record})
    for line in (text, document):
        found = ended(["noise", line], CALLEE)
        assert (found.duration_ms, found.init_ms) == (12.5, 310.2)
        assert (found.memory_mb, found.used_mb, found.status) == (256, 64, "")
        assert ended([line], CALLER).duration_ms is None
    assert (
        ended(['{"type": "platform.report", "record": 3}', f"REPORT RequestId: {CALLEE}"], CALLEE).used_mb
        is None
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("RequestId: x Error: Runtime exited with error: signal: killed", "memory"),
        ("[ERROR] Runtime.ImportModuleError: Unable to import module 'app'", "start"),
        ("User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: sqs:SendMessage", "permission"),
        ("TooManyRequestsException: Rate Exceeded.", "throttled"),
        ("order 7 refused", None),
    ],
)
def test_failures_are_known_by_the_words_of_lambda(said: str, kind: str | None) -> None:
    found = failure_of([said])
    assert (found.kind if found else None) == kind


def test_a_missing_permission_is_named() -> None:
    found = failure_of(
        ["x is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:::q because"]
    )
    assert found is not None
    assert found.fix == "allow its role sqs:SendMessage on arn:aws:sqs:::q"


def test_the_first_line_names_the_cause_and_the_command_mends_it() -> None:
    data = told(
        run(1, "counter", CALLER, failed=True, error="no beans"),
        run(2, "roaster", CALLEE, 1, failed=True, error_type="Impending Timeout"),
    )
    known = {"roaster": function("Roaster", timeout=2, region="eu-west-1")}
    whole = {"id": CALLER, **with_time(data, known), "unreadable": {}}
    first, *rest = plain_text(request_blocks(whole, Look(width=80)), Look(width=80)).splitlines()
    assert first == "✗ roaster ran into its timeout of 2 s, called by counter"
    assert "function-name Roaster --region eu-west-1 --timeout 4" in "\n".join(rest)
    assert whole["functions"][0]["timeout_ms"] is None


def test_a_request_that_nobody_knows_says_what_to_do() -> None:
    data = {"id": CALLER, **story("", (), ()), "unreadable": {}}
    assert "--since" in plain_text(request_blocks(data, Look(width=80)), Look(width=80))
    hidden = {**data, "unreadable": {"traces": "apm_read is missing"}}
    text = plain_text(request_blocks(hidden, Look(width=80)), Look(width=80))
    assert "traces could not be read: apm_read is missing" in text
    assert "--since" not in text


@pytest.mark.parametrize("given", [CALLER.upper(), "8317126432728083222", "6b02ce8c00000000ecb1d3ae9ebc8179"])
def test_requests_and_traces_are_named_in_any_of_their_forms(given: str) -> None:
    assert checked(given) == given.lower()


@pytest.mark.parametrize("given", ["", "latest", "7a894775", '1" OR *'])
def test_what_is_no_id_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="no id of a request"):
        checked(given)
