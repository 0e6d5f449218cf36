"""What is no longer wanted: shown, and removed with `--prune`; never what somebody changed since."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ddsetup.facts.catalog import PYTHON_HANDLER
from ddsetup.facts.firehose import STACK as LOGS
from ddsetup.facts.firehose import stream_arn
from ddsetup.facts.metric_streams import STACK as METRICS
from ddsetup.model.account import Function, Layer, NamespaceFilter
from ddsetup.model.answers import Answers, Selection, Tracing
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FunctionState, IntegrationState, LogCollectionState, TagsState
from ddsetup.plan.metric_stream_template import template
from ddsetup.plan.steps import instrument, uninstrument, unwanted
from ddsetup.plan.steps.api_key import APP_SECRET_NAME, OWN_TAGS, SECRET_NAME, SITE_TAG
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.steps.collection import plan as collection
from ddsetup.plan.steps.instrument.subject import function_resource, tags_resource
from ddsetup.plan.steps.integration import integration_id
from tests.applied import carried_out
from tests.builders import (
    ACCOUNT,
    REGION,
    SITE,
    account_snapshot,
    answers,
    forwarder,
    function,
    function_arn,
    integration,
    lane,
    lane_snapshot,
    role,
    secret,
    snapshot,
    stack,
)

OWN_LAYER = Layer(f"arn:aws:lambda:{REGION}:111122223333:layer:mine:1")
FORWARDER = function_arn("datadog-forwarder")


def set_up(wanted: Answers, f: Function, tags: dict[str, str] | None = None) -> Snapshot:
    """The account after a setup, with the record of it."""
    first = snapshot(lane_snapshot(f, tags={f.arn: tags or {}}, forwarders=(forwarder(),)))
    changes = instrument.plan(first, wanted, (f,)).changes
    applied = {c.resource: c for c in changes if c.resource.kind in ("function", "function_tags")}
    return replace(carried_out(first, changes), applied=applied)


def orders(held: Snapshot) -> Function:
    """The function that is set up; the Forwarder is one, too."""
    (found,) = [f for f in held.functions() if f.name == "orders"]
    return found


def planned(held: Snapshot, wanted: Answers) -> Plan:
    return instrument.plan(held, wanted, (orders(held),))


def env_after(held: Snapshot, wanted: Answers) -> dict[str, str]:
    f = orders(carried_out(held, planned(held, wanted).changes))
    return dict(f.env or {})


FIRST = answers(env="prod", extra_tags=(("team", "shop"), ("cost", "7")), tracing=Tracing(log_level="DEBUG"))
THEN = answers(extra_tags=(("team", "shop"),))


def test_it_is_shown_and_nothing_is_removed_without_prune() -> None:
    held = set_up(FIRST, function("orders", env={"DD_ENV": "staging"}))
    plan = planned(held, THEN)
    assert plan.changes == ()
    said = [warning for warning in plan.warnings if warning.startswith("- remove ")]
    named = ["tag cost", "tag env", "variable DD_ENV", "variable DD_LOG_LEVEL", "variable DD_TAGS"]
    assert [warning.split(": ")[0].removeprefix("- remove ") for warning in said] == named


def test_prune_gives_back_what_was_there_before() -> None:
    f = function("orders", env={"DD_ENV": "staging", "DD_TAGS": "mine:1"})
    held = set_up(FIRST, f, {"env": "staging", "own": "x"})
    wanted = replace(THEN, prune=True)
    env = env_after(held, wanted)
    assert (env["DD_ENV"], env["DD_TAGS"]) == ("staging", "mine:1,team:shop")
    assert "DD_LOG_LEVEL" not in env
    after = carried_out(held, planned(held, wanted).changes)
    tags = after.lanes[lane()].tags_of(f)
    assert {key: tags.get(key) for key in ("env", "own", "team", "cost")} == {
        "env": "staging",
        "own": "x",
        "team": "shop",
        "cost": None,
    }


def test_a_tag_that_was_replaced_comes_back_unless_somebody_gave_it_another_value() -> None:
    f = function("orders", env={"DD_TAGS": "cost:1,mine:1"})
    held, wanted = set_up(replace(FIRST, on_conflict="replace"), f), replace(answers(), prune=True)
    assert env_after(held, wanted)["DD_TAGS"] == "mine:1,cost:1"
    set_now = orders(held)
    tags = (set_now.env or {})["DD_TAGS"]
    assert tags == "cost:7,mine:1,team:shop"
    for now, left in ((f"{tags},own:2", "mine:1,own:2,cost:1"), ("cost:9,mine:1,team:shop", "cost:9,mine:1")):
        theirs = replace(set_now, env={**(set_now.env or {}), "DD_TAGS": now})
        moved = replace(held, lanes={lane(): replace(held.lanes[lane()], functions=(theirs,))})
        assert env_after(moved, wanted)["DD_TAGS"] == left, now


def test_what_somebody_changed_since_is_theirs() -> None:
    held = set_up(FIRST, function("orders"))
    f = orders(held)
    theirs = replace(f, env={**(f.env or {}), "DD_LOG_LEVEL": "WARN"})
    moved = replace(held, lanes={lane(): replace(held.lanes[lane()], functions=(theirs,))})
    assert env_after(moved, replace(THEN, prune=True))["DD_LOG_LEVEL"] == "WARN"


def test_without_a_record_nothing_is_pruned_and_that_is_said() -> None:
    held = replace(set_up(FIRST, function("orders")), applied=None)
    assert planned(held, replace(THEN, prune=True)).changes == ()
    (said,) = unwanted.plan(held, replace(THEN, prune=True), held.functions()).warnings
    assert "nothing is pruned" in said
    assert unwanted.plan(held, THEN, held.functions()).warnings == ()


def test_a_switch_that_is_on_again_is_its_default() -> None:
    held = set_up(answers(traces=False), function("orders"))
    assert env_after(held, answers())["DD_TRACE_ENABLED"] == "false"
    assert env_after(held, answers(prune=True))["DD_TRACE_ENABLED"] == "true"


def test_fips_goes_with_its_layer() -> None:
    held = set_up(answers(via="extension", fips=True), function("orders"))
    plain = answers(via="extension", prune=True)
    f = orders(carried_out(held, planned(held, plain).changes))
    assert not any("FIPS" in layer.arn for layer in f.layers)
    assert "DD_LAMBDA_FIPS_MODE" not in (f.env or {})
    assert any("FIPS" in la.arn for la in orders(held).layers)


def test_moving_to_the_forwarder_leaves_nothing_of_the_extension() -> None:
    held = set_up(answers(via="extension"), function("orders", env={"DB": "x"}))
    env = env_after(held, answers())
    left = {"DD_API_KEY_SECRET_ARN", "DD_SITE", "DD_SERVERLESS_LOGS_ENABLED"} & set(env)
    assert (left, env["DB"], env["DD_FLUSH_TO_LOG"]) == (set(), "x", "true")


def test_a_function_that_left_the_rule_loses_datadog() -> None:
    f = function("orders", layers=(OWN_LAYER,))
    held = set_up(answers(), f)
    (said,) = unwanted.plan(held, answers(selection=Selection(names=("other",))), ()).warnings
    assert said.startswith("- remove Datadog: orders")
    changes = unwanted.plan(held, answers(prune=True), ()).changes
    back = orders(carried_out(held, changes))
    assert (back.handler, back.layers, back.env) == (f.handler, f.layers, f.env)


def account(live: Any, record: Change, wanted: Answers) -> Plan:
    f = function("orders")
    held = snapshot(
        lane_snapshot(f, forwarders=(forwarder(),)),
        accounts=[account_snapshot(integration=live, role=role())],
    )
    return unwanted.plan(replace(held, applied={record.resource: record}), wanted, (f,))


def change(resource: ResourceId, before: Any, after: Any) -> Change:
    return Change(step="test", resource=resource, before=before, after=after, why="test")


def test_log_sources_and_services_go() -> None:
    record = change(
        collection_id(ACCOUNT),
        LogCollectionState(),
        LogCollectionState(lambdas=(FORWARDER,), sources=("lambda", "s3")),
    )
    live = integration(lambdas=(FORWARDER,), sources=("lambda", "s3", "elb"))
    assert "s3" in account(live, record, answers()).warnings[0]
    (gone,) = account(live, record, answers(prune=True)).changes
    assert gone.before == LogCollectionState(sources=("s3",)), "elb is somebody else's"
    after = IntegrationState(
        aws_account_id=ACCOUNT,
        partition="aws",
        role_name="DatadogIntegrationRole",
        namespaces_mode="exclude_only",
        namespaces=("AWS/ElasticMapReduce", "AWS/Usage"),
        resource_collection=True,
    )
    made = change(integration_id(ACCOUNT), None, after)
    live = integration(
        namespaces=NamespaceFilter(mode="exclude_only", names=after.namespaces), resource_collection=True
    )
    (pruned,) = account(live, made, answers(prune=True)).changes
    assert isinstance(pruned.after, IntegrationState)
    assert "AWS/SQS" in pruned.after.namespaces
    assert not pruned.after.resource_collection
    kept = set(after.namespaces) & set(pruned.after.namespaces)
    changed = sorted({*after.namespaces, *pruned.after.namespaces} - kept)
    assert pruned.why == f"no longer wanted: {', '.join([*changed, 'resource collection'])}"
    assert "AWS/SQS" in changed
    assert kept


def test_a_forwarder_leaves_log_collection_only_when_nobody_relies_on_it() -> None:
    f = function("orders", handler=PYTHON_HANDLER)
    other = function("other", handler=PYTHON_HANDLER)
    record = change(
        collection_id(ACCOUNT),
        LogCollectionState(),
        LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",)),
    )
    live = integration(lambdas=(FORWARDER,), sources=("lambda",))
    held = snapshot(
        lane_snapshot(f, other, forwarders=(forwarder(),)),
        accounts=[account_snapshot(integration=live, role=role())],
    )
    held = replace(held, applied={record.resource: record})
    direct = answers(subscribe="direct")
    assert collection(held, direct, (f,)).changes == ()
    (out,) = collection(held, direct, (f, other)).changes
    assert out.before == LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",))
    assert collection(replace(held, applied={}), direct, (f, other)).changes == (), (
        "not ddsetup's to take out"
    )
    by_extension = collection(held, answers(via="extension"), (f, other)).changes
    assert {need.kind for need in by_extension[0].needs} == {"function"}


def test_only_secrets_with_an_api_key_of_another_site_go() -> None:
    f = function("orders")
    kept = secret(tags={**OWN_TAGS, SITE_TAG: SITE})
    former = secret(f"{SECRET_NAME}/datadoghq.com", tags={**OWN_TAGS, SITE_TAG: "datadoghq.com"})
    of_keeper = secret(APP_SECRET_NAME, tags={**OWN_TAGS, SITE_TAG: SITE})
    held = snapshot(lane_snapshot(f, secrets={s.name: s for s in (kept, former, of_keeper)}))
    held = replace(held, applied={})
    (gone,) = unwanted.plan(held, answers(via="extension", prune=True), (f,)).changes
    assert (gone.resource.id, gone.action) == (former.name, "delete")
    (said,) = unwanted.plan(held, answers(via="extension"), (f,)).warnings
    assert former.name in said


def test_a_secret_goes_with_the_run_that_leads_the_streams_to_another_site() -> None:
    f = function("orders")
    kept = secret(tags={**OWN_TAGS, SITE_TAG: SITE})
    former = secret(f"{SECRET_NAME}/datadoghq.com", tags={**OWN_TAGS, SITE_TAG: "datadoghq.com"})
    reading = {"DdSite": "datadoghq.com", "DdApiKeySecretArn": former.arn}
    stacks = [stack(name, tags=OWN_TAGS, parameters=reading, outputs={}) for name in (METRICS, LOGS)]
    log_stream = {"policyName": f"ddsetup-{LOGS}", "policyDocument": ""}
    log_stream["policyDocument"] = json.dumps({"DestinationArn": stream_arn(lane())})
    held = lane_snapshot(
        f,
        secrets={s.name: s for s in (kept, former)},
        stacks=tuple(stacks),
        metric_streams=(),
        metric_stream_template=template(("AWS/Lambda",)),
        account_filter_policies=(log_stream,),
    )
    seen = replace(snapshot(held), applied={})
    both = answers(via="extension", subscribe="account", metrics="stream", prune=True)
    (gone,) = unwanted.plan(seen, both, (f,)).changes
    assert (gone.resource.id, gone.action) == (former.name, "delete")
    assert {need.id for need in gone.needs} >= {METRICS, LOGS}
    assert unwanted.plan(seen, replace(both, subscribe="automatic"), (f,)).changes == ()
    assert unwanted.plan(seen, replace(both, metrics="poll"), (f,)).changes == ()


def test_states_of_the_record_are_what_is_compared() -> None:
    f = function("orders")
    record = {
        function_resource(f): change(
            function_resource(f), FunctionState(), FunctionState(env={"DD_ENV": "a"})
        ),
        tags_resource(f): change(tags_resource(f), None, TagsState(tags={"env": "a"})),
    }
    told = {}
    for live in ("a", "b"):
        held = replace(snapshot(lane_snapshot(f, tags={f.arn: {"env": live}})), applied=record)
        told[live] = [w for w in planned(held, answers()).warnings if w.startswith("- remove") and "env" in w]
    assert (len(told["a"]), told["b"]) == (1, [])


def test_a_sample_rate_that_ddsetup_set_goes_with_datadog_and_one_that_was_there_comes_back() -> None:
    wanted = answers(tracing=Tracing(sample_rate="0.2"))
    for own in ({}, {"DD_TRACE_SAMPLE_RATE": "0.5"}):
        held = set_up(wanted, function("orders", env=own))
        assert (orders(held).env or {})["DD_TRACE_SAMPLE_RATE"] == "0.2"
        out = uninstrument.plan(held, answers(), (orders(held),))
        assert dict(orders(carried_out(held, out.changes)).env or {}) == own
