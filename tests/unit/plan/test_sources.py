"""State machines and stages of APIs: who is meant, what is changed, what is left alone, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.errors import UsageError
from ddsetup.model.services import (
    ApiStage,
    ApiStageState,
    StateMachine,
    StateMachineSettings,
    StateMachineState,
)
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState, LogCollectionState, LogGroupState, StackState, State
from ddsetup.plan.select_services import chosen
from ddsetup.plan.steps import collection, forwarder, sources
from ddsetup.plan.steps.sources.api_stages import FORMAT
from ddsetup.plan.whole import make_plan
from tests import builders as b

FUNCTION = b.function("orders")
FORWARDER = b.forwarder()
REGISTERED = b.integration(lambdas=(FORWARDER.arn,), sources=("lambda",))
GROUP = "/aws/vendedlogs/states/brew-Logs"
OWNED = {"aws:cloudformation:stack-name": "kitchen"}


def world(*machines: StateMachine, stages: tuple[ApiStage, ...] = (), **over: Any) -> Snapshot:
    """One function, a Forwarder that is registered, and these."""
    account = b.account_snapshot(integration=over.pop("integration", REGISTERED), role=b.role())
    over.setdefault("forwarders", (FORWARDER,))
    over.setdefault("log_groups", {})
    functions = (FUNCTION, b.function("datadog-forwarder"))
    held = b.lane_snapshot(*functions, **{"state_machines": machines, "api_stages": stages, **over})
    return b.snapshot(held, accounts=[account])


def planned(snapshot: Snapshot, **over: Any) -> Plan:
    over.setdefault("state_machines", ("all",) if state_machines_of(snapshot) else ())
    over.setdefault("api_stages", ("all",) if api_stages_of(snapshot) else ())
    return sources.plan(snapshot, b.answers(**over), (FUNCTION,))


def of_kind(plan: Plan, kind: str) -> Change:
    (found,) = [change for change in plan.changes if change.resource.kind == kind]
    return found


def only_skipped(plan: Plan) -> Skipped:
    assert plan.changes == ()
    (found,) = plan.skipped
    return found


def test_a_silent_state_machine_gets_a_group_full_logging_and_the_tag() -> None:
    plan = planned(world(b.state_machine("brew")), env="prod")
    group, machine = of_kind(plan, "log_group"), of_kind(plan, "state_machine")
    assert group.after == LogGroupState(name=GROUP)
    assert machine.before == StateMachineState()
    assert machine.after == StateMachineState(
        level="ALL",
        include_execution_data=True,
        destinations=(f"arn:aws:logs:{b.REGION}:{b.ACCOUNT}:log-group:{GROUP}:*",),
        tags={"DD_TRACE_ENABLED": "true", "env": "prod"},
    )
    assert group.resource in machine.needs
    assert collection.collection_id(b.ACCOUNT) in machine.needs
    assert "inputs and outputs" in machine.note


def test_a_group_that_is_logged_to_already_is_kept() -> None:
    machine = b.state_machine("brew", level="ERROR", group="/mine", tags={"env": "test", "team": "tea"})
    plan = planned(world(machine, log_groups={"/mine": b.log_group("/mine")}), env="prod", traces=False)
    change = of_kind(plan, "state_machine")
    assert len(plan.changes) == 1
    assert isinstance(change.before, StateMachineState)
    assert isinstance(change.after, StateMachineState)
    assert change.before.destinations == change.after.destinations
    assert (change.before.tags, change.after.tags) == ({"env": "test"}, {"env": "prod"})


def test_a_tag_of_a_state_machine_that_somebody_else_set_stays_unless_it_is_given_away() -> None:
    held = world(b.state_machine("brew", tags={"team": "tea"}))
    wish: dict[str, Any] = {"extra_tags": (("team", "shop"),), "traces": False}
    change = of_kind(planned(held, **wish), "state_machine")
    assert isinstance(change.after, StateMachineState)
    assert (change.after.tags, "keeps its tag team=tea" in change.note) == ({}, True)
    given_away = of_kind(planned(held, **wish, conflicts={"tag:team": "replace"}), "state_machine")
    assert isinstance(given_away.after, StateMachineState)
    assert given_away.after.tags == {"team": "shop"}
    own = planned(replace(held, applied={change.resource: given_away}), **wish)
    assert of_kind(own, "state_machine").after == given_away.after, "ddsetup wrote it"


def test_nothing_is_planned_again_once_it_is_as_planned() -> None:
    first = world(b.state_machine("brew"), stages=(b.api_stage("shop"), b.api_stage("menu", protocol="HTTP")))
    for wish in ({}, {"subscribe": "direct"}, {"traces": False, "service": "tea"}):
        unregistered = first if not wish else replace_integration(first)
        changes = planned(unregistered, **wish).changes
        assert changes
        second = after(unregistered, changes)
        assert planned(second, **wish).changes == (), wish


def replace_integration(snapshot: Snapshot) -> Snapshot:
    (account,) = snapshot.accounts.values()
    plain = replace(account, integration=b.integration())
    return replace(snapshot, accounts={b.ACCOUNT: plain})


def test_names_globs_and_arns_choose_and_a_typing_mistake_is_told() -> None:
    snapshot = world(b.state_machine("brew"), b.state_machine("bake"), stages=(b.api_stage("shop"),))
    arn = b.state_machine("bake").arn

    def names(*patterns: str) -> list[str]:
        return [m.name for m in chosen(snapshot, b.answers(state_machines=patterns), StateMachine)]

    assert names("br*") == ["brew"]
    assert names(arn, "brew") == ["brew", "bake"]
    assert names("all") == names("*") == ["brew", "bake"]
    assert names() == []
    with pytest.raises(UsageError, match="--state-machine brw matches no state machine") as raised:
        names("brw")
    assert "did you mean brew?" in raised.value.fix
    for pattern in ("shop/prod", "id-of-shop/*", "all"):
        assert chosen(snapshot, b.answers(api_stages=(pattern,)), ApiStage)
    with pytest.raises(UsageError, match="--api-stage shop/test matches no stage"):
        chosen(snapshot, b.answers(api_stages=("shop/test",)), ApiStage)


def test_without_a_choice_nothing_is_said() -> None:
    snapshot = world(b.state_machine("brew"), stages=(b.api_stage("shop"),))
    assert planned(snapshot, state_machines=(), api_stages=()) == Plan()


@pytest.mark.parametrize(
    ("machine", "over", "answers", "reason"),
    [
        (b.state_machine("brew", tags=OWNED), {}, {"owned": "skip"}, "owned by CloudFormation"),
        (
            b.state_machine("brew", tags=Unreadable("tag:GetResources", "no")),
            {},
            {"owned": "skip"},
            "unknown",
        ),
        (b.state_machine("brüh"), {}, {}, "characters"),
        (b.state_machine("brew"), {}, {"logs": False, "traces": False, "enhanced_metrics": True}, "neither"),
        (
            b.state_machine("brew", settings=Unreadable("states:DescribeStateMachine", "denied")),
            {},
            {},
            "cannot see how it logs",
        ),
        (b.state_machine("brew"), {}, {"via": "extension"}, "Forwarder, and none is wanted"),
        (
            b.state_machine("brew"),
            {"log_groups": Unreadable("logs:DescribeLogGroups", "no")},
            {},
            "cannot see",
        ),
        (
            b.state_machine("brew"),
            {"log_groups": {GROUP: b.log_group(GROUP, log_class="DELIVERY")}},
            {},
            "no subscription filters",
        ),
    ],
)
def test_a_state_machine_is_left_alone_with_a_reason(
    machine: StateMachine, over: dict[str, Any], answers: dict[str, Any], reason: str
) -> None:
    skipped = only_skipped(planned(world(machine, **over), **answers))
    assert skipped.status == "skipped"
    assert reason in skipped.reason
    assert skipped.fix
    assert skipped.resource.name == machine.name


def test_a_role_that_may_not_log_is_named_with_the_right_it_lacks_and_never_changed() -> None:
    machine = b.state_machine("brew")
    assert isinstance(machine.settings, StateMachineSettings)
    role = machine.settings.role
    skipped = only_skipped(planned(world(machine, log_delivery={role: "denied"})))
    assert "its role may not deliver logs" in skipped.reason
    assert "put-role-policy --role-name brew-role" in skipped.fix
    assert "logs:CreateLogDelivery" in skipped.fix
    unknown = planned(world(machine, log_delivery={role: "unknown"}))
    assert "unknown" in of_kind(unknown, "state_machine").note
    allowed = planned(world(machine, log_delivery={role: "allowed"}))
    assert "unknown" not in of_kind(allowed, "state_machine").note


def test_a_change_says_that_a_deployment_takes_it_back() -> None:
    note = of_kind(planned(world(b.state_machine("brew", tags=OWNED))), "state_machine").note
    assert "owned by CloudFormation (stack kitchen), whose next deploy takes this back" in note


def test_what_may_not_be_listed_is_said_and_no_name_is_called_wrong() -> None:
    denied = Unreadable("states:ListStateMachines", "denied")
    skipped = only_skipped(planned(world(state_machines=denied), state_machines=("brew",)))
    assert skipped.reason == "cannot see which state machines exist: denied (needs states:ListStateMachines)"


def test_datadog_is_told_the_sources_of_what_is_chosen() -> None:
    snapshot = world(b.state_machine("brew"), stages=(b.api_stage("shop"),))
    chosen = b.answers(state_machines=("brew",), api_stages=("shop/*",))
    (change,) = collection.plan(snapshot, chosen, (FUNCTION,)).changes
    assert isinstance(change.after, LogCollectionState)
    assert change.after.sources == ("lambda", "states", "apigw-access-logs")
    assert collection.plan(snapshot, b.answers(), (FUNCTION,)).changes == ()


def test_with_direct_subscriptions_the_group_gets_a_filter_of_ours() -> None:
    snapshot = world(b.state_machine("brew"), integration=b.integration())
    plan = planned(snapshot, subscribe="direct")
    made = of_kind(plan, "subscription_filter")
    assert made.after == FilterState(
        log_group=GROUP, name="ddsetup-datadog-forwarder", destination_arn=FORWARDER.arn
    )
    assert of_kind(plan, "log_group").resource in made.needs


def test_no_second_filter_is_put_where_one_leads_to_datadog_or_two_are_there() -> None:
    machine = b.state_machine("brew", level="ALL", group="/mine", tags={"DD_TRACE_ENABLED": "true"})

    def with_filters(*destinations: str) -> Plan:
        made = tuple(b.subscription_filter("/mine", f"f{n}", arn) for n, arn in enumerate(destinations))
        groups = {"/mine": b.log_group("/mine")}
        snapshot = world(machine, log_groups=groups, filters={"/mine": made}, integration=b.integration())
        return planned(snapshot, subscribe="direct")

    assert only_skipped(with_filters(FORWARDER.arn)).status == "unchanged"
    assert (
        "leads to Datadog already"
        in only_skipped(with_filters(b.function_arn("old-datadog-forwarder"))).reason
    )
    foreign = b.function_arn("audit")
    assert "AWS's limit" in only_skipped(with_filters(foreign, b.function_arn("more"))).reason
    assert of_kind(with_filters(foreign), "subscription_filter").action == "create"


def test_a_filter_of_ours_is_handed_over_when_datadog_takes_the_source() -> None:
    machine = b.state_machine("brew", level="ALL", group="/mine", tags={"DD_TRACE_ENABLED": "true"})
    mine = b.subscription_filter("/mine", "ddsetup-datadog-forwarder", FORWARDER.arn)
    theirs = b.subscription_filter("/mine", "audit", b.function_arn("audit"))
    held = world(machine, log_groups={"/mine": b.log_group("/mine")}, filters={"/mine": (mine, theirs)})
    (change,) = planned(held).changes
    assert (change.action, change.resource.id) == ("delete", "/mine:ddsetup-datadog-forwarder")
    assert collection.collection_id(b.ACCOUNT) in change.needs
    assert change.step == "sources"


def test_a_forwarder_of_our_own_learns_to_make_traces_of_state_machines() -> None:
    machine = b.state_machine("brew")
    wish = b.answers(state_machines=("brew",))
    bare = world(machine, forwarders=())
    bare = replace(
        bare, lanes={lane: replace(held, functions=(FUNCTION,)) for lane, held in bare.lanes.items()}
    )
    (stack,) = [c for c in forwarder.plan(bare, wish, (FUNCTION,)).changes if c.resource.kind == "stack"]
    assert isinstance(stack.after, StackState)
    assert stack.after.parameters["DdStepFunctionsTraceEnabled"] == "true"
    has = {"DdFetchLambdaTags": "true", "DdForwardLog": "true", "DdStepFunctionsTraceEnabled": "false"}
    ours = b.stack(parameters=has, tags={"created_by": "ddsetup"})
    for stacks, changes in (((ours,), 1), ((replace(ours, tags={}),), 0)):
        plan = forwarder.plan(world(machine, stacks=stacks), wish, (FUNCTION,))
        assert len(plan.changes) == changes
    plain = forwarder.plan(world(machine, stacks=(ours,)), b.answers(), (FUNCTION,))
    assert plain.changes == ()


def test_a_stage_without_access_logs_gets_them_in_datadogs_format() -> None:
    plan = planned(world(stages=(b.api_stage("shop"),), api_log_role="arn:aws:iam::1:role/apigw"))
    change = of_kind(plan, "api_stage")
    group = "api-gateway/id-of-shop/prod"
    assert of_kind(plan, "log_group").after == LogGroupState(name=group)
    assert change.after == ApiStageState(
        api="shop",
        protocol="REST",
        destination=f"arn:aws:logs:{b.REGION}:{b.ACCOUNT}:log-group:{group}",
        format=FORMAT,
    )
    assert change.note == "stage prod of shop"
    http = planned(world(stages=(b.api_stage("menu", protocol="HTTP", stage="$default"),)))
    assert of_kind(http, "log_group").after == LogGroupState(name="api-gateway/id-of-menu/default")
    assert of_kind(http, "api_stage").note == "stage $default of menu", "its role is no matter"
    unknown = planned(world(stages=(b.api_stage("shop"),), api_log_role=None))
    assert "a role by which it logs is unknown" in of_kind(unknown, "api_stage").note


@pytest.mark.parametrize(
    ("stage", "over", "status", "reason"),
    [
        (b.api_stage(destination="arn:aws:logs:r:1:log-group:mine"), {}, "unchanged", "go to mine"),
        (b.api_stage(destination="arn:aws:firehose:r:1:deliverystream/x"), {}, "skipped", "no log group"),
        (b.api_stage(protocol="WEBSOCKET"), {}, "skipped", "names no format"),
        (b.api_stage(tags=OWNED), {"owned": "skip"}, "skipped", "owned by CloudFormation"),
        (b.api_stage(), {"logs": False}, "skipped", "no logs are wanted"),
    ],
)
def test_a_stage_is_left_alone_with_a_reason(
    stage: ApiStage, over: dict[str, Any], status: str, reason: str
) -> None:
    snapshot = world(stages=(stage,), log_groups={"mine": b.log_group("mine")})
    skipped = only_skipped(planned(snapshot, **over))
    assert (skipped.status, reason in skipped.reason) == (status, True)


def test_without_a_role_api_gateway_cannot_log_and_how_to_give_it_one_is_said() -> None:
    skipped = only_skipped(planned(world(stages=(b.api_stage(),), api_log_role="")))
    assert "no role by which it logs" in skipped.reason
    assert "aws apigateway update-account --region eu-west-1" in skipped.fix
    http = planned(world(stages=(b.api_stage(protocol="HTTP"),), api_log_role=""))
    assert of_kind(http, "api_stage")


def test_a_whole_plan_has_the_sources_after_the_functions() -> None:
    snapshot = world(b.state_machine("brew"))
    plan = make_plan(snapshot, b.answers(state_machines=("brew",)), (FUNCTION,))
    steps = list(dict.fromkeys(change.step for change in plan.changes))
    assert steps[-1] == "sources"
    assert "collection" in steps


def test_a_log_group_of_two_state_machines_is_made_and_subscribed_once() -> None:
    pair = [b.state_machine(name, level="ERROR", group="/shared") for name in ("brew", "bake")]
    plan = planned(world(*pair, integration=b.integration()), subscribe="direct")
    kinds = [change.resource.kind for change in plan.changes]
    assert sorted(kinds) == ["log_group", "state_machine", "state_machine", "subscription_filter"]


def state_machines_of(held: Snapshot) -> bool:
    """Whether there are state machines, or it cannot be told."""
    return any(found.listed(StateMachine) for found in held.lanes.values())


def api_stages_of(held: Snapshot) -> bool:
    """Whether there are stages of APIs."""
    return any(found.listed(ApiStage) for found in held.lanes.values())


def after(held: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """The snapshot after changes of log groups, filters, state machines and stages were carried out."""
    made = {(change.resource.kind, change.resource.id): change.after for change in changes}
    lanes = {}
    for at, found in held.lanes.items():
        assert not isinstance(found.log_groups, Unreadable)
        machines, stages = found.listed(StateMachine), found.listed(ApiStage)
        assert not isinstance(machines, Unreadable)
        assert not isinstance(stages, Unreadable)
        groups = [s.name for s in made.values() if isinstance(s, LogGroupState)]
        filters = [s for s in made.values() if isinstance(s, FilterState)]
        lanes[at] = replace(
            found,
            log_groups={**found.log_groups, **{name: b.log_group(name) for name in groups}},
            filters={
                **found.filters,
                **{
                    f.log_group: (b.subscription_filter(f.log_group, f.name, f.destination_arn),)
                    for f in filters
                },
            },
            services={
                "state_machine": tuple(_logging(m, made.get(("state_machine", m.arn))) for m in machines),
                "api_stage": tuple(_logged(s, made.get(("api_stage", s.id))) for s in stages),
            },
        )
    return replace(held, lanes=lanes)


def _logging(machine: StateMachine, state: State | None) -> StateMachine:
    if not isinstance(state, StateMachineState):
        return machine
    assert isinstance(machine.settings, StateMachineSettings)
    assert not isinstance(machine.tags, Unreadable)
    settings = replace(
        machine.settings,
        level=state.level,
        include_execution_data=state.include_execution_data,
        destinations=state.destinations,
    )
    return replace(machine, settings=settings, tags={**machine.tags, **state.tags})


def _logged(stage: ApiStage, state: State | None) -> ApiStage:
    if not isinstance(state, ApiStageState):
        return stage
    return replace(stage, destination=state.destination, format=state.format)
