"""Monitors, dashboards and tag configurations: written once, compared first, given back to the letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.apply.writers.dashboards import DashboardWriter
from ddsetup.apply.writers.metric_tags import MetricTagsWriter
from ddsetup.apply.writers.monitors import MonitorWriter
from ddsetup.apply.writers.slos import SloWriter
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.dashboards import find_dashboards
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.metric_tags import read_configuration, tag_keys
from ddsetup.gateways.datadog.monitors import find_monitors, validate_monitor
from ddsetup.gateways.datadog.shapes import ANYTHING
from ddsetup.gateways.datadog.slos import find_slos
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.errors import Denied, GatewayError
from ddsetup.model.states import MetricTagsState, MonitorState
from ddsetup.monitors.dashboards import overview, plan_dashboard
from ddsetup.monitors.objectives import parse_slo, slos_for, with_objectives
from ddsetup.monitors.on_logs import parse_on_logs
from ddsetup.monitors.plan import plan_monitors, plan_slos
from ddsetup.monitors.recommended import BY_KEY
from ddsetup.monitors.scope import MonitorScope
from ddsetup.monitors.wanted import services_in_use
from ddsetup.monitors.wish import OnMetric, Wish, monitors_for
from tests.builders import ACCOUNT, function
from tests.gateways import datadog_world
from tests.gateways.datadog_world import World, library_metric, metric, tags_of

METRIC = "shop.value"
Writer = MonitorWriter | SloWriter | DashboardWriter | MetricTagsWriter


@pytest.fixture
def world() -> Iterator[World]:
    with datadog_world.datadog() as found:
        metric(found, METRIC, 3.0, [*tags_of(function("orders"), forwarded=True), "product:tea"])
        yield found


def write(writer: Writer, *changes: Change) -> list[Outcome]:
    return [outcome for change in changes for outcome in writer.write([writer.resolve(change)])]


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def documents(world: World) -> Any:
    return world.standin.server.world.documents


def wanted_changes(dd: Datadog, wish: Wish) -> tuple[Change, ...]:
    live = find_monitors(dd)
    return plan_monitors(monitors_for(wish, [one.state for one in live]), live, ACCOUNT).changes


# Monitors


def test_all_monitors_are_created_found_again_and_given_back(world: World) -> None:
    dd = world.connect()
    wish = Wish(scope=MonitorScope(env="prod", functions=("a", "b*")), on_metrics=(OnMetric(METRIC, "<", 1),))
    changes = wanted_changes(dd, wish)
    assert set(statuses(write(MonitorWriter(dd), *changes))) == {"applied"}
    assert len(documents(world).monitors) == 8
    assert wanted_changes(dd, wish) == ()
    assert set(statuses(write(MonitorWriter(dd), *changes))) == {"unchanged"}
    assert set(statuses(write(MonitorWriter(dd), *(c.inverse() for c in changes)))) == {"applied"}
    assert documents(world).monitors == {}
    assert set(statuses(write(MonitorWriter(dd), *(c.inverse() for c in changes)))) == {"unchanged"}


def test_a_change_keeps_what_others_set_on_a_monitor(world: World) -> None:
    dd = world.connect()
    write(MonitorWriter(dd), *wanted_changes(dd, Wish(keys=("timeout",))))
    stored = next(iter(documents(world).monitors.values()))
    stored["options"] |= {"renotify_interval": 60}
    stored["tags"] = [*stored["tags"], "team:shop"]
    stored["priority"] = 2
    changes = wanted_changes(dd, Wish(keys=("timeout",), thresholds={"timeout": 0.8}))
    assert statuses(write(MonitorWriter(dd), *changes)) == ["applied"]
    stored = next(iter(documents(world).monitors.values()))
    assert stored["options"]["thresholds"] == {"critical": 0.8}
    assert (stored["options"]["renotify_interval"], stored["priority"]) == (60, 2)
    assert "team:shop" in stored["tags"]
    assert statuses(write(MonitorWriter(dd), *(c.inverse() for c in changes))) == ["applied"]
    assert next(iter(documents(world).monitors.values()))["options"]["thresholds"] == {"critical": 1}


def test_a_monitor_that_moved_since_is_left_alone(world: World) -> None:
    dd = world.connect()
    write(MonitorWriter(dd), *wanted_changes(dd, Wish(keys=("timeout",))))
    changes = wanted_changes(dd, Wish(keys=("timeout",), thresholds={"timeout": 0.8}))
    next(iter(documents(world).monitors.values()))["message"] = "by hand"
    moved = write(MonitorWriter(dd), *changes)
    assert statuses(moved) == ["changed_since"]
    assert "message" in moved[0].reason
    documents(world).monitors.clear()
    assert statuses(write(MonitorWriter(dd), *changes)) == ["changed_since"]


def test_a_monitor_of_somebody_else_is_never_found(world: World) -> None:
    dd = world.connect()
    state = monitors_for(Wish(keys=("timeout",)))[0]
    dd.post(
        "/api/v1/monitor",
        {
            "name": state.name,
            "type": "query alert",
            "query": state.query,
            "tags": ["created_by:dd_sls_plugin"],
        },
        action="monitors_write",
        shape=ANYTHING,
    )
    assert find_monitors(dd) == ()
    assert len(wanted_changes(dd, Wish(keys=("timeout",)))) == 1


def test_a_create_call_whose_answer_was_lost_leaves_one_monitor(world: World) -> None:
    dd = world.connect()
    world.fault("/api/v1/monitor", method="POST", after_effect=True, times=1)
    assert statuses(write(MonitorWriter(dd), *wanted_changes(dd, Wish(keys=("timeout",))))) == ["applied"]
    assert len(world.calls("/api/v1/monitor")) >= 4
    assert len(documents(world).monitors) == 1


def test_what_datadog_refuses_is_not_created(world: World) -> None:
    dd = world.connect()
    state = replace(monitors_for(Wish(keys=("timeout",)))[0], query="avg(last_15m):nonsense > 1")
    with pytest.raises(Rejected, match="query"):
        validate_monitor(dd, state)
    change = Change(step="monitors", resource=ResourceId("monitor", "x"), before=None, after=state, why="")
    with pytest.raises(Rejected):
        write(MonitorWriter(dd), change)
    assert documents(world).monitors == {}


def test_every_definition_is_accepted_by_datadogs_own_check(world: World) -> None:
    scope = MonitorScope(env="prod", service="shop", functions=("orders", "stock"))
    wish = Wish(
        keys=tuple(BY_KEY),
        scope=scope,
        on_metrics=(OnMetric(METRIC, ">=", 1.5, "max"),),
        on_logs=(parse_on_logs('"pay \\"no\\"" -status:(info OR debug) > 3'), parse_on_logs("source:x a")),
        notify=("@a",),
    )
    for state in monitors_for(wish):
        validate_monitor(world.connect(), state)
    broken = replace(
        monitors_for(replace(wish, keys=(), on_metrics=()))[0],
        query='logs("(").rollup("count").last("5m") > 3',
    )
    with pytest.raises(Rejected):
        validate_monitor(world.connect(), broken)


def test_a_key_for_monitors_alone_need_not_be_allowed_to_ask_for_metrics(world: World) -> None:
    metric(world, "aws.sqs.number_of_messages_sent", 1, ["queuename:orders"])
    used, unread = services_in_use(world.connect(), world.now())
    assert (used, unread) == (("sqs_dead_letter", "sqs_old_messages"), None)
    world.fault("/api/v2/query/scalar", status=403, body={"errors": ["Forbidden"]})
    used, unread = services_in_use(world.connect(), world.now())
    assert used == ()
    assert unread is not None
    assert "timeseries_query" in unread.what


# Service level objectives


def slo_changes(dd: Datadog, *texts: str) -> tuple[Change, ...]:
    states = slos_for([parse_slo(text) for text in texts], Wish(scope=MonitorScope(env="prod")))
    return plan_slos(states, find_slos(dd), ACCOUNT).changes


def test_all_objectives_are_created_changed_and_given_back(world: World) -> None:
    dd = world.connect()
    texts = [f"{key}=99.9" for key in with_objectives()] + [f"max:{METRIC}>3=99/7d"]
    changes = slo_changes(dd, *texts)
    assert set(statuses(write(SloWriter(dd), *changes))) == {"applied"}
    assert slo_changes(dd, *texts) == ()
    assert set(statuses(write(SloWriter(dd), *changes))) == {"unchanged"}
    stored = next(iter(documents(world).slos.values()))
    stored["tags"] = [*stored["tags"], "team:shop"]
    stricter = slo_changes(dd, "high_error_rate=99.99")
    assert statuses(write(SloWriter(dd), *stricter)) == ["applied"]
    changed = next(iter(documents(world).slos.values()))
    assert changed["thresholds"][0]["target"] == 99.99
    assert "team:shop" in changed["tags"]
    assert statuses(write(SloWriter(dd), *(c.inverse() for c in stricter))) == ["applied"]
    next(iter(documents(world).slos.values()))["name"] = "by hand"
    taken = statuses(write(SloWriter(dd), *(c.inverse() for c in changes)))
    assert (taken.count("applied"), taken.count("changed_since")) == (len(changes) - 1, 1)


def test_a_create_call_whose_answer_was_lost_leaves_one_objective(world: World) -> None:
    dd = world.connect()
    world.fault("/api/v1/slo", method="POST", after_effect=True, times=1)
    assert statuses(write(SloWriter(dd), *slo_changes(dd, "high_error_rate=99.9"))) == ["applied"]
    assert len(documents(world).slos) == 1


# Dashboards


def test_a_dashboard_is_created_updated_and_given_back(world: World) -> None:
    dd, scope = world.connect(), MonitorScope()
    create = plan_dashboard(overview("Shop", scope), None, ACCOUNT).changes[0]
    made = write(DashboardWriter(dd), create)[0]
    assert made.details["url"].startswith("/dashboard/")
    live = find_dashboards(dd, "Shop")[0]
    assert plan_dashboard(overview("Shop", scope), live, ACCOUNT).changes == ()
    next(iter(documents(world).dashboards.values()))["notify_list"] = ["me@example.com"]
    update = plan_dashboard(overview("Shop", MonitorScope(env="prod")), live, ACCOUNT).changes[0]
    assert statuses(write(DashboardWriter(dd), update)) == ["applied"]
    stored = next(iter(documents(world).dashboards.values()))
    assert "env:prod" in stored["description"]
    assert stored["notify_list"] == ["me@example.com"]
    assert statuses(write(DashboardWriter(dd), update.inverse())) == ["applied"]
    assert find_dashboards(dd, "Shop")[0].state == live.state
    assert statuses(write(DashboardWriter(dd), create.inverse(), create.inverse())) == [
        "applied",
        "unchanged",
    ]
    assert documents(world).dashboards == {}


def test_a_dashboard_of_the_same_title_that_others_made_is_not_touched(world: World) -> None:
    dd = world.connect()
    body = {"title": "Shop", "layout_type": "ordered", "widgets": [], "description": "mine"}
    dd.post("/api/v1/dashboard", body, action="dashboards_write", shape=ANYTHING)
    assert find_dashboards(dd, "Shop") == ()
    create = plan_dashboard(overview("Shop", MonitorScope()), None, ACCOUNT).changes[0]
    assert statuses(write(DashboardWriter(dd), create, create.inverse())) == ["applied", "applied"]
    assert [d["description"] for d in documents(world).dashboards.values()] == ["mine"]


def test_a_dashboard_that_was_edited_since_is_left_alone(world: World) -> None:
    dd = world.connect()
    create = plan_dashboard(overview("Shop", MonitorScope()), None, ACCOUNT).changes[0]
    write(DashboardWriter(dd), create)
    next(iter(documents(world).dashboards.values()))["widgets"].pop()
    assert statuses(write(DashboardWriter(dd), create.inverse())) == ["changed_since"]
    assert statuses(write(DashboardWriter(dd), create)) == ["changed_since"]
    assert len(documents(world).dashboards) == 1


def test_a_create_call_whose_answer_was_lost_leaves_one_dashboard(world: World) -> None:
    dd = world.connect()
    world.fault("/api/v1/dashboard", method="POST", after_effect=True, times=1)
    create = plan_dashboard(overview("Shop", MonitorScope()), None, ACCOUNT).changes[0]
    made = write(DashboardWriter(dd), create)[0]
    assert [d["url"] for d in documents(world).dashboards.values()] == [made.details["url"]]


# Tags of metrics


def tags_change(after: MetricTagsState | None, before: MetricTagsState | None = None) -> Change:
    resource = ResourceId("metric_tags", METRIC, account=ACCOUNT)
    return Change(step="metrics", resource=resource, before=before, after=after, why="percentiles")


def test_percentiles_are_turned_on_changed_and_given_back(world: World) -> None:
    dd = world.connect()
    keys = tag_keys(dd, METRIC)
    assert "product" in keys
    on = tags_change(MetricTagsState(metric=METRIC, tags=keys, include_percentiles=True))
    assert statuses(write(MetricTagsWriter(dd), on, on)) == ["applied", "unchanged"]
    assert read_configuration(dd, METRIC) == on.after
    fewer = MetricTagsState(metric=METRIC, tags=("product",), include_percentiles=True)
    less = tags_change(fewer, read_configuration(dd, METRIC))
    assert statuses(write(MetricTagsWriter(dd), less, less.inverse())) == ["applied", "applied"]
    assert read_configuration(dd, METRIC) == on.after
    assert statuses(write(MetricTagsWriter(dd), on.inverse(), on.inverse())) == ["applied", "unchanged"]
    assert read_configuration(dd, METRIC) is None


def test_a_configuration_that_somebody_made_since_is_left_alone(world: World) -> None:
    dd = world.connect()
    theirs = MetricTagsState(metric=METRIC, tags=("region",), include_percentiles=False)
    write(MetricTagsWriter(dd), tags_change(theirs))
    mine = tags_change(MetricTagsState(metric=METRIC, tags=("product",), include_percentiles=True))
    assert statuses(write(MetricTagsWriter(dd), mine, mine.inverse())) == ["changed_since", "changed_since"]
    assert read_configuration(dd, METRIC) == theirs


def test_a_lost_answer_and_a_refusal_are_told_apart(world: World) -> None:
    dd = world.connect()
    world.fault("/api/v2/metrics/*/tags", method="POST", after_effect=True, times=1)
    on = tags_change(MetricTagsState(metric=METRIC, tags=("product",), include_percentiles=True))
    assert statuses(write(MetricTagsWriter(dd), on)) == ["applied"]
    integration = MetricTagsState(metric="aws.lambda.invocations", tags=("region",), include_percentiles=True)
    change = replace(tags_change(integration), resource=ResourceId("metric_tags", "aws.lambda.invocations"))
    with pytest.raises(Rejected, match="integration metric"):
        write(MetricTagsWriter(dd), change)


def test_a_missing_permission_is_named_for_each_kind() -> None:
    seed = {"app_keys": {"c" * 40: ["monitors_read", "dashboards_read", "metrics_read"]}}
    with datadog_world.datadog(seed) as world:
        library_metric(world, function("orders"))
        dd = world.connect(app_key="c" * 40)
        found = {}
        state: MonitorState = monitors_for(Wish(keys=("timeout",)))[0]
        for writer, change in (
            (
                MonitorWriter(dd),
                Change(step="", resource=ResourceId("monitor", "x"), before=None, after=state, why=""),
            ),
            (DashboardWriter(dd), plan_dashboard(overview("Shop", MonitorScope()), None, ACCOUNT).changes[0]),
            (MetricTagsWriter(dd), tags_change(MetricTagsState(metric=METRIC, tags=("product",)))),
        ):
            with pytest.raises(GatewayError) as caught:
                write(writer, change)
            assert isinstance(caught.value, Denied)
            found[type(writer).__name__] = caught.value.action
        assert found == {
            "MonitorWriter": "monitors_write",
            "DashboardWriter": "dashboards_write",
            "MetricTagsWriter": "metric_tags_write",
        }
