"""The first screen: who, where, and what is there already; what cannot be read is no nothing."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.gateways.datadog.keys import KeyCheck
from ddsetup.journal.brief import Brief, trace_of
from ddsetup.model.account import Identity, Layer, Unreadable
from ddsetup.model.lines import text_of
from ddsetup.model.snapshot import Snapshot
from ddsetup.show.first_screen import welcome_lines
from tests import builders as b
from tests.unit.world import creation, header


def screen(snapshot: Snapshot, check: KeyCheck | None = None) -> str:
    return text_of(welcome_lines(snapshot, check, ("DD_API_KEY", "prompt"), alias="coffee-house"))


def test_an_untouched_account() -> None:
    identity = Identity(b.ACCOUNT, f"arn:aws:sts::{b.ACCOUNT}:assumed-role/dev/ann")
    text = screen(
        b.snapshot(
            b.lane_snapshot(b.function("a"), b.function("b", runtime="nodejs20.x"), b.function("c")),
            accounts=[b.account_snapshot(identity=identity)],
        )
    )
    assert f"AWS           account {b.ACCOUNT} (coffee-house) as assumed-role/dev/ann in eu-west-1" in text
    assert "Datadog       site EU1 (datadoghq.eu), keys from DD_API_KEY and prompt are valid" in text
    assert "Integration   none yet" in text
    assert "Forwarder     none yet" in text
    assert "Functions     3: 2 python3.12, 1 nodejs20.x" in text
    assert "3 without Datadog" in text


def test_a_run_that_was_interrupted_is_told_with_both_ways_on() -> None:
    traces = tuple(trace_of(n, creation(f"f{n}"), "applied") for n in range(94))
    cut = Brief(header=replace(header(), planned=1205), traces=traces, ended="stopped")
    account = b.snapshot(b.lane_snapshot(b.function("a")))
    said = text_of(welcome_lines(account, None, ("DD_API_KEY",), cut))
    assert "Interrupted   94 of 1,205 changes done" in said
    assert f"ddsetup undo {cut.id}" in said
    whole = replace(cut, header=replace(cut.header, planned=94), ended="whole")
    assert "Interrupted" not in text_of(welcome_lines(account, None, ("DD_API_KEY",), whole))
    killed = replace(whole, traces=(*traces[:-1], replace(traces[-1], status="")), ended="")
    assert "93 of 94 changes done" in text_of(welcome_lines(account, None, ("DD_API_KEY",), killed))


def test_other_sources_of_logs_are_counted_where_there_are_any() -> None:
    machines = (b.state_machine("brew", level="ALL", group="g"), b.state_machine("bake"))
    text = screen(b.snapshot(b.lane_snapshot(state_machines=machines, api_stages=(b.api_stage("shop"),))))
    said = "2 state machines, 1 with logging at ALL; 1 API stage, none with access logs"
    assert f"Others        {said}" in text
    assert "Others" not in screen(b.snapshot(b.lane_snapshot()))


def test_who_instrumented_and_who_manages_what() -> None:
    layer = f"arn:aws:lambda:eu-west-1:{b.DATADOG_ACCOUNT}:layer:Datadog-Python312:120"
    marked = b.function(
        "marked",
        handler="datadog_lambda.handler.handler",
        layers=(Layer(layer),),
        env={"DD_LAMBDA_HANDLER": "app.handler"},
    )
    vendor = b.function("other", handler="newrelic_lambda_wrapper.handler")
    stack = b.function("owned")
    tags = {marked.arn: {"dd_sls_ci": "v5"}, stack.arn: {"aws:cloudformation:stack-name": "web"}}
    text = screen(b.snapshot(b.lane_snapshot(marked, vendor, stack, tags=tags)))
    assert "(by datadog-ci)" in text
    assert "1 instrumented by New Relic" in text
    assert "1 managed by CloudFormation" in text


def test_what_cannot_be_read_is_told_with_its_permission() -> None:
    denied = Unreadable("tag:GetResources", "not authorized")
    text = screen(b.snapshot(b.lane_snapshot(b.function("a"), tags=denied)))
    assert "tags cannot be read: not authorized (needs tag:GetResources)" in text


def test_an_application_key_that_may_not_read_logs_is_told_before_it_matters() -> None:
    check = KeyCheck("datadoghq.eu", {"logs_read_data": "denied", "metrics_read": "ok"})
    assert "lacks logs_read_data" in screen(b.snapshot(b.lane_snapshot()), check)
    assert "lacks" not in screen(b.snapshot(b.lane_snapshot()), KeyCheck("datadoghq.eu", {}))


def test_the_organisation_of_the_keys_is_named_if_datadog_tells() -> None:
    text = screen(b.snapshot(b.lane_snapshot()), KeyCheck("datadoghq.eu", {}, "Coffee Inc."))
    assert "Datadog       organisation Coffee Inc., site EU1 (datadoghq.eu), keys from" in text
