"""Leading log groups to the Forwarder: once, and never over somebody else's filter."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.facts.filters import Forwarders, classify, filter_owner
from ddsetup.model.account import Function, Integration, Layer, LogGroup, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState, LogGroupState
from ddsetup.plan.steps import subscriptions
from tests.builders import (
    ACCOUNT,
    REGION,
    account_snapshot,
    answers,
    forwarder,
    function,
    function_arn,
    integration,
    lane,
    lane_snapshot,
    log_group,
    role,
    snapshot,
    subscription_filter,
)

FORWARDER = forwarder()
OLD = forwarder("old-datadog-forwarder", stack=None, version="2.0.0")
GROUP = "/aws/lambda/orders"
KINESIS = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/logs"


def found(name: str, destination: str, **over: Any) -> SubscriptionFilter:
    return subscription_filter(GROUP, name, destination, **over)


FOREIGN = (found("splunk", KINESIS), found("audit", function_arn("audit")))


def registered(*arns: str) -> Integration:
    return integration(lambdas=arns or (FORWARDER.arn,), sources=("lambda",))


def world(
    *filters: SubscriptionFilter, known: Integration | Unreadable | None = None, **over: Any
) -> tuple[Snapshot, tuple[Function, ...]]:
    """One function whose log group has these filters, and a Forwarder in its region."""
    f = over.pop("function", function("orders"))
    over.setdefault("forwarders", (FORWARDER,))
    over.setdefault("log_groups", {GROUP: LogGroup(GROUP)})
    over.setdefault("filters", {GROUP: filters})
    account = account_snapshot(integration=known, role=role())
    return snapshot(lane_snapshot(f, **over), accounts=[account]), (f,)


def direct(**over: Any) -> Answers:
    return answers(subscribe="direct", **over)


def planned(wanted: Answers, *filters: SubscriptionFilter, **over: Any) -> Plan:
    held, functions = world(*filters, **over)
    return subscriptions.plan(held, wanted, functions)


def only_skipped(plan: Plan) -> str:
    assert plan.changes == ()
    (skipped,) = plan.skipped
    return f"{skipped.status}: {skipped.reason}"


def test_direct_puts_one_filter_that_passes_everything() -> None:
    (change,) = planned(direct()).changes
    assert change.resource.id == f"{GROUP}:ddsetup-datadog-forwarder"
    assert change.before is None
    assert change.after == FilterState(
        log_group=GROUP, name="ddsetup-datadog-forwarder", destination_arn=FORWARDER.arn
    )


def test_direct_waits_for_a_forwarder_that_is_yet_to_be_deployed() -> None:
    (change,) = planned(direct(), forwarders=()).changes
    assert [(n.kind, n.id) for n in change.needs] == [("stack", "datadog-forwarder")]
    assert isinstance(change.after, FilterState)
    assert change.after.destination_arn == function_arn("datadog-forwarder")


def test_automatic_leaves_the_filter_to_datadog() -> None:
    assert "Datadog subscribes it by itself" in only_skipped(planned(answers(), known=registered()))


def test_automatic_without_registration_says_so() -> None:
    plan = planned(answers(), known=Unreadable("aws_configuration_read", "403"))
    assert "not in the account's log collection" in only_skipped(plan)


def test_never_a_second_filter_beside_datadogs_triggers() -> None:
    assert "automatic triggers cover it" in only_skipped(planned(direct(), known=registered()))


@pytest.mark.parametrize("name", ["DD_LOG_SUBSCRIPTION_FILTER_x", "datadog-ci-filter", "mine"])
def test_any_filter_to_our_forwarder_is_enough(name: str) -> None:
    plan = planned(direct(), found(name, FORWARDER.arn))
    assert only_skipped(plan) == f"unchanged: already led to the Forwarder by {name}"


def test_a_partial_pattern_and_a_double_filter_are_warned_about() -> None:
    plan = planned(direct(), found("a", FORWARDER.arn, pattern="ERROR"), found("b", FORWARDER.arn))
    assert any("'ERROR'" in w for w in plan.warnings)
    assert any("two filters lead to the same Forwarder" in w for w in plan.warnings)
    assert "by a and b" in plan.skipped[0].reason


def test_what_is_to_be_said_of_many_groups_is_said_once() -> None:
    fs = tuple(function(f"f{n}") for n in range(5))
    filters = {
        f.log_group: (subscription_filter(f.log_group, "x", FORWARDER.arn, pattern="ERROR"),) for f in fs
    }
    held = snapshot(lane_snapshot(*fs, forwarders=(FORWARDER,), filters=filters))
    (warning,) = subscriptions.plan(held, direct(), fs).warnings
    assert warning.startswith("/aws/lambda/f0, /aws/lambda/f1, /aws/lambda/f2 and 2 more: ")


def test_two_foreign_filters_are_left_alone_unless_the_user_says_so() -> None:
    for wanted in (direct(), direct(on_conflict="ask"), direct(on_conflict="add"), answers()):
        said = only_skipped(
            planned(wanted, *FOREIGN, known=None if wanted.subscribe == "direct" else registered())
        )
        assert said.startswith("skipped")
        assert KINESIS in said
        assert function_arn("audit") in said


def test_the_filter_given_away_is_deleted_with_all_that_brings_it_back() -> None:
    kinesis = found(
        "splunk", KINESIS, pattern="{$.x=1}", role_arn="arn:aws:iam::1:role/r", distribution="Random"
    )
    wanted = direct(conflicts={f"{GROUP}:splunk": "replace"})
    deletion, put = planned(wanted, kinesis, FOREIGN[1]).changes
    assert deletion.action == "delete"
    assert deletion.before == FilterState(
        log_group=GROUP,
        name="splunk",
        pattern="{$.x=1}",
        destination_arn=KINESIS,
        role_arn="arn:aws:iam::1:role/r",
        distribution="Random",
    )
    assert KINESIS in deletion.note
    assert put.needs == (deletion.resource,)


def test_only_one_filter_goes_and_a_dead_one_first() -> None:
    dead = (found("a-live-one", KINESIS), found("z-dead-one", function_arn("gone")))
    deletion, _ = planned(direct(on_conflict="replace"), *dead).changes
    assert deletion.resource.id == f"{GROUP}:z-dead-one", "its function does not exist any more"
    chosen = direct(on_conflict="replace", conflicts={f"{GROUP}:a-live-one": "replace"})
    assert planned(chosen, *dead).changes[0].resource.id == f"{GROUP}:a-live-one"
    alive = (found("splunk", KINESIS), found("later", KINESIS))
    deletion, _ = planned(direct(on_conflict="replace"), *alive).changes
    assert deletion.resource.id == f"{GROUP}:later"


@pytest.mark.parametrize(
    ("destination", "dead"),
    [
        (function_arn("gone"), True),
        (function_arn("gone") + ":live", True),
        (function_arn("orders"), False),
        (function_arn("orders") + ":live", False),
        (function_arn("gone", region="us-west-2"), False),
        (function_arn("gone").replace(ACCOUNT, "2" * 12), False),
        (KINESIS, False),
    ],
)
def test_dead_is_what_leads_to_a_function_of_this_region_that_is_gone(destination: str, dead: bool) -> None:
    filters = (found("z", destination), found("a", KINESIS))
    deletion, _ = planned(direct(on_conflict="replace"), *filters).changes
    assert deletion.resource.id == f"{GROUP}:{'z' if dead else 'a'}"


def test_automatic_only_clears_the_way() -> None:
    plan = planned(answers(on_conflict="replace"), *FOREIGN, known=registered())
    (deletion,) = plan.changes
    assert deletion.action == "delete"


def test_nothing_is_taken_away_before_what_it_makes_room_for_can_stand() -> None:
    deletion, put = planned(direct(on_conflict="replace"), *FOREIGN, forwarders=()).changes
    assert [need.kind for need in deletion.needs] == ["stack"], "a stack that fails must not cut anybody off"
    assert deletion.resource in put.needs
    (deletion,) = planned(answers(on_conflict="replace"), *FOREIGN, known=registered()).changes
    assert [need.kind for need in deletion.needs] == ["log_collection"], "without it Datadog puts nothing"
    nobody = planned(answers(on_conflict="replace"), *FOREIGN, known=Unreadable("denied", "aws:Read"))
    assert nobody.changes == (), "what nobody will replace stays"


def test_one_foreign_filter_is_no_conflict() -> None:
    (change,) = planned(direct(), FOREIGN[0]).changes
    assert change.action == "create"


def test_an_old_forwarder_is_a_duplicate_to_decide_on() -> None:
    old = found("triggered", OLD.arn)
    held = {"forwarders": (FORWARDER, OLD)}
    for undecided in (direct(), direct(on_conflict="ask")):
        assert "sent to Datadog already, by" in only_skipped(planned(undecided, old, **held))
    put, deletion = planned(direct(on_conflict="replace"), old, **held).changes
    assert (deletion.resource.id, put.action) == (f"{GROUP}:triggered", "create")
    assert deletion.needs == (put.resource,), "there is room for both, so nothing is cut off meanwhile"
    assert deletion.resource not in put.needs
    (put,) = planned(direct(on_conflict="add"), old, **held).changes
    assert put.action == "create"


def test_a_filter_that_datadog_would_put_back_is_not_deleted() -> None:
    old = found(f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", OLD.arn)
    plan = planned(direct(on_conflict="replace"), old, forwarders=(FORWARDER, OLD), known=registered(OLD.arn))
    assert "put" in only_skipped(plan)
    assert OLD.arn in plan.skipped[0].fix


def test_our_own_filter_makes_way_when_datadog_takes_over() -> None:
    ours = found("ddsetup-datadog-forwarder", FORWARDER.arn)
    (deletion,) = planned(answers(), ours, known=registered()).changes
    assert deletion.action == "delete"
    assert [n.kind for n in deletion.needs] == ["log_collection"]
    assert planned(answers(), ours, known=Unreadable("x", "y")).changes == ()


def test_a_missing_group_is_made_before_it_is_subscribed() -> None:
    create, put = planned(direct(), log_groups={}).changes
    assert create.after == LogGroupState(name=GROUP)
    assert put.needs == (create.resource,)
    assert [c.after for c in planned(answers(), log_groups={}, known=registered()).changes] == [create.after]
    assert "does not exist" in only_skipped(planned(direct(create_log_groups=False), log_groups={}))


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"log_groups": {GROUP: log_group(GROUP, log_class="INFREQUENT_ACCESS")}}, "INFREQUENT_ACCESS"),
        ({"log_groups": Unreadable("logs:DescribeLogGroups", "denied")}, "logs:DescribeLogGroups"),
        ({"filters": {}}, "not looked at"),
        (
            {"filters": {GROUP: Unreadable("logs:DescribeSubscriptionFilters", "denied")}},
            "logs:DescribeSubscriptionFilters",
        ),
        ({"forwarders": Unreadable("lambda:ListFunctions", "denied")}, "there is no Forwarder"),
    ],
)
def test_what_cannot_be_seen_is_never_taken_for_nothing(over: dict[str, Any], said: str) -> None:
    text = only_skipped(planned(direct(), **over))
    assert text.startswith("skipped")
    assert said in text


def test_a_group_shared_by_functions_is_subscribed_once() -> None:
    one, two = function("one", log_group="/shop"), function("two", log_group="/shop")
    held = snapshot(lane_snapshot(one, two, forwarders=(FORWARDER,)))
    (change,) = subscriptions.plan(held, direct(), (one, two)).changes
    assert change.resource.id == "/shop:ddsetup-datadog-forwarder"
    assert "one, two" in change.why


def test_the_forwarders_own_group_is_never_subscribed() -> None:
    f = function("orders", log_group="/aws/lambda/datadog-forwarder")
    held = snapshot(lane_snapshot(f, forwarders=(FORWARDER,)))
    assert "feed on itself" in only_skipped(subscriptions.plan(held, direct(), (f,)))
    it = function("datadog-forwarder")
    held = snapshot(lane_snapshot(it, forwarders=(FORWARDER,)))
    assert subscriptions.plan(held, direct(), (it,)) == Plan()


def test_nothing_is_subscribed_in_extension_mode_but_doubles_are_named() -> None:
    plan = planned(answers(via="extension"), found("x", FORWARDER.arn))
    assert plan.changes == ()
    assert any("twice" in w and "orders" in w for w in plan.warnings)
    assert planned(answers(via="extension", logs=False), found("x", FORWARDER.arn)).warnings == ()


def test_a_java_function_that_keeps_its_extension_is_not_subscribed() -> None:
    extension = Layer(f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Extension:99")
    java = function("orders", runtime="java21", layers=(extension,))
    assert "through the Extension" in only_skipped(planned(direct(), function=java))
    quiet = function(
        "orders", runtime="java21", layers=(extension,), env={"DD_SERVERLESS_LOGS_ENABLED": "false"}
    )
    assert len(planned(direct(), function=quiet).changes) == 1


def test_functions_of_an_owner_are_left_alone_when_asked() -> None:
    tags = {function_arn("orders"): {"aws:cloudformation:stack-name": "shop"}}
    assert planned(direct(owned="skip"), tags=tags).changes == ()
    assert planned(direct(), tags=tags).changes


def test_none_is_none() -> None:
    assert "left to you" in only_skipped(planned(answers(subscribe="none")))


def test_groups_to_read_are_those_that_can_have_filters() -> None:
    held, functions = world()
    assert subscriptions.groups_to_read(held, answers(), functions) == {lane(): (GROUP,)}
    assert subscriptions.groups_to_read(held, answers(subscribe="none"), functions) == {}
    assert subscriptions.groups_to_read(held, answers(via="extension"), functions) == {lane(): (GROUP,)}
    held, functions = world(forwarders=())
    assert subscriptions.groups_to_read(held, answers(via="extension"), functions) == {}
    held, functions = world(log_groups={})
    assert subscriptions.groups_to_read(held, answers(), functions) == {}


def test_of_a_group_that_nobody_chose_there_is_nothing_to_plan() -> None:
    held, functions = world(log_groups={GROUP: LogGroup(GROUP), "/audit": LogGroup("/audit")})
    plan_group = subscriptions.late_planner(held, direct(), functions)
    assert plan_group(lane(), "/audit", ()) == Plan()
    assert plan_group(lane(region="us-west-2"), GROUP, ()) == Plan()
    (made,) = plan_group(lane(), GROUP, ()).changes
    assert made.resource.kind == "subscription_filter"


def test_conflicts_are_what_is_still_to_be_decided() -> None:
    held, functions = world(*FOREIGN)
    (conflict,) = subscriptions.conflicts(held, direct(), functions)
    assert (conflict.kind, conflict.group) == ("limit", GROUP)
    assert KINESIS in conflict.what
    decided = direct(conflicts={subscriptions.key(FOREIGN[0]): "skip"})
    assert subscriptions.conflicts(held, decided, functions) == ()


def test_an_account_policy_that_reaches_our_forwarder_is_enough() -> None:
    policy = {"policyName": "p", "policyDocument": f'{{"DestinationArn":"{FORWARDER.arn}"}}'}
    assert "account-level" in only_skipped(planned(direct(), account_filter_policies=(policy,)))


@pytest.mark.parametrize(
    ("destination", "kind"),
    [
        (FORWARDER.arn, "ours"),
        (OLD.arn, "forwarder"),
        (function_arn("DatadogLambdaLogForwarder"), "forwarder"),
        (f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/datadog-logs", "firehose"),
        (f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/splunk", "foreign"),
        (KINESIS, "foreign"),
        (function_arn("audit"), "foreign"),
    ],
)
def test_destinations(destination: str, kind: str) -> None:
    assert classify(found("x", destination), Forwarders(FORWARDER.arn, frozenset({OLD.arn}))) == kind


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("DD_LOG_SUBSCRIPTION_FILTER_/aws/lambda/x", "Datadog's automatic triggers"),
        ("ddsetup-fwd", "ddsetup"),
        ("datadog-ci-filter", "datadog-ci"),
        ("shop-prod-OrdersLogGroupSubscription-1X2Y3Z", "a CloudFormation stack"),
        ("NewRelicLogStreaming", "New Relic"),
        ("whatever", "unknown owner"),
    ],
)
def test_owners_by_name(name: str, owner: str) -> None:
    assert filter_owner(found(name, KINESIS)) == owner
