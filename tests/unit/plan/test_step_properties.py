"""What must hold for any function and any answers (hypothesis): nothing lost, nothing foreign touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ddsetup.facts import catalog
from ddsetup.facts.filters import filter_state
from ddsetup.model.account import Function, Layer, LogGroup, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers, KeySource, Tracing
from ddsetup.model.change import Change, Plan
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState, FunctionState, LogGroupState, TagsState
from ddsetup.plan.steps import instrument, subscriptions, uninstrument
from tests.applied import applied, carried_out
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
    role,
    secret,
    snapshot,
    subscription_filter,
)

PLANTED = "planted-secret"
OWNED = {
    *catalog.INSTRUMENTER_VARIABLES,
    *("DD_SERVICE", "DD_ENV", "DD_VERSION"),
    *catalog.DOTNET_PROFILER_VARIABLES,
    "DD_TAGS",
    catalog.WRAPPER_VARIABLE,
}
SETTINGS = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

ENCRYPTED = KeySource(kind="kms", value="Y2lwaGVydGV4dA==")

RUNTIMES = (
    "python3.12",
    "python3.9",
    "python3.7",
    "python2.7",
    "nodejs22.x",
    "nodejs26.x",
    "ruby3.4",
    "java21",
    "dotnet8",
    "provided.al2023",
    None,
)
HANDLERS = ("app.handler", catalog.PYTHON_HANDLER, catalog.NODE_HANDLER, catalog.NODE_BUNDLED_HANDLER, None)


def _layer(name: str, version: int, account: str) -> Layer:
    return Layer(f"arn:aws:lambda:{REGION}:{account}:layer:{name}:{version}")


def layer_lists() -> st.SearchStrategy[tuple[Layer, ...]]:
    names = [("Datadog-Python312", 120), ("Datadog-Python39", 3), ("Datadog-Node22-x", 142)]
    names += [("Datadog-Extension", 98), ("Datadog-Extension-ARM-FIPS", 99), ("dd-trace-java", 4)]
    ours = st.sampled_from([_layer(n, v, "464622532012") for n, v in names])
    copies = st.sampled_from([_layer(n, v, ACCOUNT) for n, v in names])
    foreign = st.sampled_from([_layer(n, 1, ACCOUNT) for n in ("zz", "aa", "mm", "kk", "bb")])
    return st.lists(st.one_of(ours, foreign, foreign, copies), max_size=5, unique=True).map(tuple)


def environments() -> st.SearchStrategy[dict[str, str]]:
    foreign = st.dictionaries(
        st.sampled_from(("DB", "TOKEN", "DD_CUSTOM", "DD_LOGS_CONFIG")),
        st.sampled_from((PLANTED, PLANTED * 100, PLANTED * 280)),
        max_size=3,
    )
    harmless = st.dictionaries(
        st.sampled_from(sorted(OWNED - {catalog.HANDLER_VARIABLE, catalog.WRAPPER_VARIABLE})),
        st.sampled_from(("true", "false", "orders", "a:b,c:d", "", "arn:aws:x")),
        max_size=6,
    )
    handler = st.sampled_from(
        [{}, *({catalog.HANDLER_VARIABLE: h or ""} for h in HANDLERS), {"DD_LAMBDA_HANDLER": "old.h"}]
    )
    wrapper = st.sampled_from(
        [
            {},
            {},
            {catalog.WRAPPER_VARIABLE: "/opt/bootstrap"},
            {catalog.WRAPPER_VARIABLE: "/opt/datadog_wrapper"},
        ]
    )
    keys = st.dictionaries(st.sampled_from(sorted(catalog.SECRET_VARIABLES)), st.just(PLANTED), max_size=2)
    return st.tuples(harmless, foreign, handler, wrapper, keys).map(
        lambda parts: {k: v for part in parts for k, v in part.items()}
    )


@st.composite
def functions(draw: st.DrawFn, *, ordinary: bool = False) -> Function:
    """Any function; `ordinary`: none that is left alone at first sight, for what is said of those changed."""
    unreadable = not ordinary and draw(st.sampled_from((False, False, False, True)))
    env = None if unreadable else draw(environments())
    size = sum(len(k) + len(v) for k, v in (env or {}).items())
    assume(size < 4096)
    return function(
        "orders",
        runtime=draw(st.sampled_from(RUNTIMES[:-1] if ordinary else RUNTIMES)),
        architecture=draw(st.sampled_from(("x86_64", "arm64"))),
        handler=draw(st.sampled_from(HANDLERS[:-1] if ordinary else HANDLERS)),
        layers=draw(layer_lists()),
        env=env,
        package_type="Zip" if ordinary else draw(st.sampled_from(("Zip", "Zip", "Zip", "Image"))),
        log_format=draw(st.sampled_from(("Text", "JSON"))),
        system_log_level=draw(st.sampled_from((None, "WARN", "INFO"))),
        state="Active" if ordinary else draw(st.sampled_from(("Active", "Active", "Failed"))),
    )


def tag_maps() -> st.SearchStrategy[dict[str, str]]:
    keys = ("env", "service", "team", "cost", "dd_ddsetup", "aws:cloudformation:stack-name")
    return st.dictionaries(st.sampled_from(keys), st.sampled_from(("a", "prod", "v0.0.1")))


@st.composite
def wishes(draw: st.DrawFn) -> Answers:
    flag = st.booleans()
    maybe = st.sampled_from((None, True, False))
    return answers(
        via=draw(st.sampled_from(("forwarder", "extension"))),
        logs=draw(flag),
        traces=draw(flag),
        enhanced_metrics=draw(flag),
        env=draw(st.sampled_from((None, "prod"))),
        service=draw(st.sampled_from((None, "shop"))),
        version=draw(st.sampled_from((None, "7"))),
        extra_tags=draw(st.sampled_from(((), (("team", "shop"), ("odd", "x|y"))))),
        layer_version=draw(st.sampled_from(("baseline", "latest", "none", "110"))),
        extension_version=draw(st.sampled_from(("baseline", "latest", "none", "20"))),
        fips=draw(flag),
        owned=draw(st.sampled_from(("change", "change", "skip"))),
        key_source=draw(
            st.sampled_from(
                (
                    KeySource(),
                    KeySource(value=secret("mine").arn),
                    KeySource(kind="ssm", value=f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/key"),
                    ENCRYPTED,
                )
            )
        ),
        tracing=Tracing(
            log_level=draw(st.sampled_from((None, "debug"))),
            capture_payload=draw(maybe),
            merge_xray=draw(maybe),
            appsec=draw(flag),
            llmobs=draw(st.sampled_from((None, "shop"))),
            git_commit=draw(st.sampled_from((None, "abc"))),
        ),
    )


def world(f: Function, tags: dict[str, str], *, secret_exists: bool = True) -> Snapshot:
    secrets = {"ddsetup/datadog-api-key": secret()} if secret_exists else {}
    return snapshot(lane_snapshot(f, tags={f.arn: tags} if tags else {}, secrets=secrets))


def function_changes(plan: Plan) -> list[Change]:
    return [c for c in plan.changes if c.resource.kind == "function"]


def assert_nothing_foreign_moved(before: Snapshot, after: Snapshot) -> None:
    (f,), (g,) = before.functions(), after.functions()
    if f.env is not None:
        assert g.env is not None
        untouchable = set(f.env) - OWNED
        assert {k: f.env[k] for k in untouchable} == {k: g.env.get(k) for k in untouchable}
    for mine in (f, g):
        assert len({layer.arn for layer in mine.layers}) == len(mine.layers)
    assert foreign_layers(f) == foreign_layers(g)
    assert (f.memory, f.timeout, f.role, f.runtime) == (g.memory, g.timeout, g.role, g.runtime)
    held, then = before.lanes[lane()].tags, after.lanes[lane()].tags
    assert not isinstance(held, Unreadable)
    assert not isinstance(then, Unreadable)
    for key in ("cost", "aws:cloudformation:stack-name"):
        assert held.get(f.arn, {}).get(key) == then.get(f.arn, {}).get(key)


def foreign_layers(f: Function) -> list[str]:
    parsed = [(layer.arn, catalog.parse_layer(layer.arn)) for layer in f.layers]
    return [arn for arn, layer in parsed if layer is None or not layer.datadogs]


@SETTINGS
@given(functions(), tag_maps(), wishes(), st.booleans())
def test_a_plan_after_its_apply_is_empty(
    f: Function, tags: dict[str, str], wanted: Answers, there: bool
) -> None:
    first = world(f, tags, secret_exists=there)
    changes = instrument.plan(first, wanted, (f,)).changes
    second = carried_out(first, changes)
    again = instrument.plan(second, wanted, second.functions())
    assert again.changes == ()
    assert any(s.resource.kind == "function" and s.reason for s in again.skipped)


@SETTINGS
@given(functions(), tag_maps(), wishes())
def test_what_a_run_that_was_killed_left_is_done_by_the_next(
    f: Function, tags: dict[str, str], wanted: Answers
) -> None:
    """Killed after the function and before its tags; that it was written is known from the journal."""
    first = world(f, tags)
    changes = instrument.plan(first, wanted, (f,)).changes
    whole = carried_out(first, changes)
    half = carried_out(first, [c for c in changes if c.resource.kind != "function_tags"])
    seen = replace(half, applied={c.resource: c for c in changes})
    again = carried_out(seen, instrument.plan(seen, wanted, seen.functions()).changes)
    assert (again.lanes, again.accounts) == (whole.lanes, whole.accounts)


@SETTINGS
@given(functions(), tag_maps(), wishes())
def test_the_inverse_gives_back_what_was_there(f: Function, tags: dict[str, str], wanted: Answers) -> None:
    first = world(f, tags)
    for planned in (instrument.plan(first, wanted, (f,)), uninstrument.plan(first, wanted, (f,))):
        changes = [c for c in planned.changes if c.resource.kind in ("function", "function_tags")]
        second = carried_out(first, changes)
        third = carried_out(second, [c.inverse() for c in reversed(changes)])
        assert [replace(g, revision_id=f.revision_id) for g in third.functions()] == [f]
        held = third.lanes[lane()].tags
        assert not isinstance(held, Unreadable)
        assert held.get(f.arn, {}) == tags


@SETTINGS
@given(functions(), tag_maps(), wishes())
@example(
    function("orders", env={"DD_KMS_API_KEY": PLANTED}), {}, answers(via="extension", key_source=ENCRYPTED)
)
def test_nothing_foreign_is_touched_and_no_secret_told(
    f: Function, tags: dict[str, str], wanted: Answers
) -> None:
    first = world(f, tags)
    for planned in (instrument.plan(first, wanted, (f,)), uninstrument.plan(first, wanted, (f,))):
        assert_nothing_foreign_moved(first, carried_out(first, planned.changes))
        assert PLANTED not in repr(planned)


@SETTINGS
@given(functions(ordinary=True), tag_maps(), wishes())
def test_the_limits_of_aws_are_kept(f: Function, tags: dict[str, str], wanted: Answers) -> None:
    changes = function_changes(instrument.plan(world(f, tags), wanted, (f,)))
    assume(changes)
    for change in changes:
        after = applied(f, change)
        assert len(after.layers) <= 5
        assert sum(len(k) + len(v) for k, v in (after.env or {}).items()) < 4096


@SETTINGS
@given(functions(), tag_maps(), wishes())
def test_every_function_is_either_changed_or_named_with_a_reason(
    f: Function, tags: dict[str, str], wanted: Answers
) -> None:
    for step in (instrument.plan, uninstrument.plan):
        planned = step(world(f, tags), wanted, (f,))
        named = [s for s in planned.skipped if s.resource.kind == "function"]
        assert len(named) + len(function_changes(planned)) == 1
        assert all(s.reason for s in named)
        assert all(s.fix for s in named if s.status == "skipped" and f.runtime is not None)


@SETTINGS
@given(functions(ordinary=True), tag_maps(), wishes())
def test_a_function_that_is_changed_can_start(f: Function, tags: dict[str, str], wanted: Answers) -> None:
    """Whoever's handler it is, the user's own is known; the library that runs it is there or is kept."""
    changes = function_changes(instrument.plan(world(f, tags), wanted, (f,)))
    assume(changes)
    for change in changes:
        assert isinstance(change.after, FunctionState)
        after = applied(f, change)
        if after.handler in catalog.DATADOG_HANDLERS:
            own = (after.env or {}).get(catalog.HANDLER_VARIABLE)
            assert own
            assert own not in catalog.DATADOG_HANDLERS
            if f.handler not in catalog.DATADOG_HANDLERS:
                assert own == f.handler


@SETTINGS
@given(functions(), tag_maps(), wishes())
def test_uninstrumenting_twice_changes_nothing_more(
    f: Function, tags: dict[str, str], wanted: Answers
) -> None:
    first = world(f, tags)
    second = carried_out(first, uninstrument.plan(first, wanted, (f,)).changes)
    assert uninstrument.plan(second, wanted, second.functions()).changes == ()


GROUP = "/aws/lambda/orders"
OURS, OLD = forwarder(), forwarder("old-datadog-forwarder", stack=None)


def filter_lists() -> st.SearchStrategy[tuple[SubscriptionFilter, ...]]:
    destinations = (
        OURS.arn,
        OLD.arn,
        function_arn("audit"),
        f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/logs",
        f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/datadog",
    )
    names = (
        "ddsetup-datadog-forwarder",
        f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}",
        "datadog-ci-filter",
        "a",
        "b",
    )
    one = st.builds(
        subscription_filter,
        st.just(GROUP),
        st.sampled_from(names),
        st.sampled_from(destinations),
        pattern=st.sampled_from(("", "ERROR")),
        distribution=st.sampled_from((None, "ByLogStream")),
    )
    return st.lists(one, max_size=2, unique_by=lambda f: f.name).map(tuple)


@st.composite
def subscribing(draw: st.DrawFn) -> Answers:
    conflict = st.sampled_from(("ask", "replace", "add", "skip"))
    return answers(
        subscribe=draw(st.sampled_from(("automatic", "direct", "none"))),
        on_conflict=draw(conflict),
        conflicts=draw(st.dictionaries(st.sampled_from((f"{GROUP}:a", f"{GROUP}:b")), conflict)),
        create_log_groups=draw(st.booleans()),
    )


def group_world(filters: tuple[SubscriptionFilter, ...], **over: Any) -> Snapshot:
    f = function("orders")
    known = integration(lambdas=(OURS.arn,), sources=("lambda",)) if over.pop("registered") else None
    there = over.pop("there")
    held = lane_snapshot(
        f,
        forwarders=(OURS, OLD),
        log_groups={GROUP: LogGroup(GROUP)} if there else {},
        filters={GROUP: filters} if there else {},
    )
    return snapshot(held, accounts=[account_snapshot(integration=known, role=role())])


def filters_after(held: Snapshot, changes: tuple[Change, ...]) -> Snapshot:
    """The log group after the changes, which are refused as AWS and the writer would refuse them."""
    at = held.lanes[lane()]
    assert not isinstance(at.log_groups, Unreadable)
    groups, filters = dict(at.log_groups), dict(at.filters)
    for change in changes:
        if isinstance(change.after, LogGroupState):
            groups[GROUP] = LogGroup(GROUP)
            filters[GROUP] = ()
        current = filters[GROUP]
        assert not isinstance(current, Unreadable)
        if isinstance(change.before, FilterState):
            (gone,) = [f for f in current if f.name == change.before.name]
            assert filter_state(gone) == change.before
            filters[GROUP] = tuple(f for f in current if f is not gone)
        if isinstance(change.after, FilterState):
            new = change.after
            assert new.name not in [f.name for f in current], "never overwrites a filter"
            filters[GROUP] = (*current, subscription_filter(GROUP, new.name, new.destination_arn))
        left = filters.get(GROUP, ())
        assert isinstance(left, Unreadable) or len(left) <= 2
    return replace(held, lanes={lane(): replace(at, log_groups=groups, filters=filters)})


@SETTINGS
@given(filter_lists(), subscribing(), st.booleans(), st.booleans())
def test_subscribing_settles_and_takes_only_what_was_given_away(
    filters: tuple[SubscriptionFilter, ...], wanted: Answers, registered: bool, there: bool
) -> None:
    first = group_world(filters if there else (), registered=registered, there=there)
    planned = subscriptions.plan(first, wanted, first.functions())
    second = filters_after(first, planned.changes)
    assert subscriptions.plan(second, wanted, second.functions()).changes == ()
    for change in planned.changes:
        if isinstance(change.before, FilterState) and not change.before.name.startswith("ddsetup-"):
            decision = wanted.conflicts.get(change.resource.id, wanted.on_conflict)
            assert decision == "replace"
            assert change.before.destination_arn in change.note
    if registered and wanted.subscribe == "direct":
        assert not [c for c in planned.changes if c.action == "create" and c.resource.kind != "log_group"]


def test_tags_state_is_what_the_helper_applies() -> None:
    """The helper refuses a change that was planned on something else, so the properties mean something."""
    f = function()
    plan = instrument.plan(world(f, {}), answers(), (f,))
    (change,) = [c for c in plan.changes if c.resource.kind == "function_tags"]
    assert isinstance(change.after, TagsState)
    wrong = replace(function_changes(plan)[0], before=FunctionState(handler="other.handler"))
    try:
        applied(f, wrong)
    except AssertionError:
        return
    raise AssertionError("applied a change of another function")
