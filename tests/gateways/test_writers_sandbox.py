"""All writers together on the sandbox: a whole run and its undo, killed or not, compared call by call.

The emulated AWS checks revisions, refuses updates while one is in progress, and runs real stacks.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ddsetup.apply.run import Writer, apply
from ddsetup.apply.writers import make_writers
from ddsetup.gateways.aws.functions import list_functions, read_function, wait_updated
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.aws.tags import function_tags
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.integration import read_integration
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, list_runs
from ddsetup.journal.undo import undo_changes
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.clock import Clock
from ddsetup.model.event import Event
from ddsetup.model.snapshot import DatadogSnapshot, LaneSnapshot, Snapshot
from ddsetup.model.states import (
    REF_EXTERNAL_ID,
    REF_SECRET,
    FilterState,
    FunctionState,
    IntegrationState,
    LogCollectionState,
    LogGroupState,
    RoleState,
    SecretState,
    StackState,
    State,
    TagsState,
)
from ddsetup.sandbox.control import start
from ddsetup.sandbox.model import SandboxOptions
from tests.unit.world import Killed, journal_file, read_journal

REGION = "us-east-1"
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
SECRET = "ddsetup/datadog-api-key"
OWN = {"created_by": "ddsetup"}


@dataclass(frozen=True)
class Place:
    """One sandbox, and the identity that works in it."""

    aws: Aws
    dd: Datadog
    keys: DatadogKeys
    clock: Clock
    template: str

    @property
    def lane(self) -> Lane:
        return Lane(self.aws.identity().account, REGION)

    def client(self, service: str) -> Any:
        return self.aws.client(service, REGION)

    def look(self) -> Snapshot:
        functions, tags = list_functions(self.aws, self.lane), function_tags(self.aws, self.lane)
        lane = LaneSnapshot(lane=self.lane, functions=functions, tags=tags)
        datadog = DatadogSnapshot(site=self.dd.site)
        return Snapshot(accounts={}, lanes={self.lane: lane}, datadog=datadog, at=self.clock.now())

    def writers(self) -> dict[str, Writer]:
        return dict(make_writers(self.aws, self.dd, self.keys, self.look(), self.clock, quiet))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    # Real time, since the emulator has its own; only the long pauses between looks are cut short.
    clock = Clock(lambda: datetime.now(UTC), time.monotonic, lambda seconds: time.sleep(min(seconds, 0.1)))
    options = SandboxOptions(operator_policy=ANYTHING, scenarios=("healthy",), regions=(REGION,))
    with start(options) as sandbox, pytest.MonkeyPatch.context() as environment:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            environment.delenv(name)
        env = sandbox.env()
        for name in [n for n in env if n.startswith("AWS_")]:
            environment.setenv(name, env[name])
        keys = DatadogKeys(env["DD_API_KEY"], env["DD_APP_KEY"])
        dd = Datadog.connect(env["DD_SITE"], keys, env["DDSETUP_DATADOG_URL"], clock=clock)
        aws = Aws.connect(AwsOptions(), clock=clock, rate_scale=20.0)
        yield Place(aws, dd, keys, clock, env["DDSETUP_FORWARDER_TEMPLATE_URL"])


def quiet(event: Event) -> None:
    """Nobody watches."""


def resource(place: Place, kind: str, identifier: str) -> ResourceId:
    region = "" if kind in ("iam_role", "integration", "log_collection") else REGION
    return ResourceId(kind, identifier, region, place.lane.account)


def change(
    place: Place, resource_id: ResourceId, before: State | None, after: State | None, *needs: Change
) -> Change:
    return Change(
        step="test",
        resource=resource_id,
        before=before,
        after=after,
        why="test",
        needs=tuple(need.resource for need in needs),
    )


def whole_setup(place: Place) -> tuple[Change, ...]:
    """From nothing to instrumented functions: every kind of resource that a setup writes."""
    account = place.lane.account
    arn = f"arn:aws:lambda:{REGION}:{account}:function:datadog-forwarder"

    def make(kind: str, identifier: str, before: State | None, after: State | None, *needs: Change) -> Change:
        return change(place, resource(place, kind, identifier), before, after, *needs)

    role_state = RoleState(
        name="DatadogIntegrationRole",
        trust_account="464622532012",
        external_id=REF_EXTERNAL_ID,
        policies={"DatadogAWSIntegrationPolicyV2": ANYTHING},
        attached=("arn:aws:iam::aws:policy/SecurityAudit",),
    )
    role = make("iam_role", role_state.name, None, role_state)
    integration_state = IntegrationState(aws_account_id=account, partition="aws", role_name=role_state.name)
    integration = make("integration", account, None, integration_state, role)
    secret = make("secret", SECRET, None, SecretState(name=SECRET, tags=OWN))
    stack_state = StackState(
        name="datadog-forwarder",
        template_url=place.template,
        version="latest",
        parameters={
            "FunctionName": "datadog-forwarder",
            "DdSite": place.dd.site,
            "DdApiKeySecretArn": f"{REF_SECRET}{SECRET}",
        },
        tags=OWN,
    )
    stack = make("stack", stack_state.name, None, stack_state, secret)
    registered = LogCollectionState(lambdas=(arn,), sources=("lambda",))
    collection = make("log_collection", account, LogCollectionState(), registered, stack, integration)
    group = make("log_group", "/test/new", None, LogGroupState(name="/test/new"))
    filter_state = FilterState(log_group="/test/new", name="ddsetup-datadog-forwarder", destination_arn=arn)
    put = make("subscription_filter", "/test/new:ddsetup", None, filter_state, stack, group)
    rest = [c for function in chosen(place) for c in instrumentation(place, function)]
    return (role, integration, secret, stack, collection, group, put, *rest)


def chosen(place: Place) -> Sequence[Function]:
    found = place.look().functions()
    return [function for function in found if function.name.startswith("coffee-")]


def instrumentation(place: Place, function: Function) -> tuple[Change, Change]:
    assert function.env is not None
    layers = tuple(layer.arn for layer in function.layers)
    layer = f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:130"
    write = change(
        place,
        resource(place, "function", function.arn),
        FunctionState(handler=function.handler, layers=layers),
        FunctionState(
            handler="datadog_lambda.handler.handler",
            layers=(*layers, layer),
            env={"DD_LAMBDA_HANDLER": function.handler or "", "DD_FLUSH_TO_LOG": "true"},
        ),
    )
    tag = change(
        place,
        resource(place, "function_tags", function.arn),
        TagsState(),
        TagsState(tags={"dd_ddsetup": "v1"}),
        write,
    )
    return replace(write, precondition=function.revision_id), tag


def carry_out(
    place: Place, state: Path, changes: Sequence[Change], run: str, *, undoes: str = "", **options: Any
) -> tuple[Outcome, ...]:
    header = Header(
        run=run,
        version="0",
        command="setup",
        accounts=(place.lane.account,),
        regions=(REGION,),
        site=place.dd.site,
        started=place.clock.now(),
        undoes=undoes,
    )
    journal = Journal.create(OnDisk(state), header)
    wrap: Callable[[Writer], Writer] = options.get("wrap", lambda writer: writer)
    try:
        return apply(
            changes,
            {kind: wrap(writer) for kind, writer in place.writers().items()},
            journal,
            clock=place.clock,
            on_event=quiet,
            cancel=threading.Event(),
            workers=options.get("workers", 8),
        )
    finally:
        journal.close()


def everything(place: Place) -> Mapping[str, Any]:
    """All that a setup may touch, as AWS and Datadog answer it, without what every write moves."""
    moving = ("RevisionId", "LastModified", "LastUpdateStatus", "State")
    empty: tuple[Any, ...] = ([], {}, {"Variables": {}})
    functions = place.client("lambda").list_functions()["Functions"]
    logs = place.client("logs")
    groups = [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]]
    tags = function_tags(place.aws, place.lane)
    assert not isinstance(tags, Unreadable)
    integration = read_integration(place.dd, place.lane.account)
    stacks = place.client("cloudformation").describe_stacks()["Stacks"]
    return {
        "functions": {
            f["FunctionName"]: {k: v for k, v in f.items() if not k.startswith(moving) and v not in empty}
            for f in functions
        },
        "tags": {arn: dict(pairs) for arn, pairs in tags.items()},
        "filters": {
            g: logs.describe_subscription_filters(logGroupName=g)["subscriptionFilters"]
            for g in groups
            if "datadog-forwarder" not in g
        },
        "roles": sorted(r["RoleName"] for r in place.client("iam").list_roles()["Roles"]),
        "stacks": sorted(s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"),
        "secrets": [s["Name"] for s in place.client("secretsmanager").list_secrets()["SecretList"]],
        "integration": integration.raw if isinstance(integration, Integration) else integration,
    }


def give_back(place: Place, state: Path, run: str) -> tuple[Outcome, ...]:
    changes = undo_changes(read_journal(journal_file(state, run)))
    return carry_out(place, state, changes, f"{run}-undo", undoes=run)


def test_a_whole_setup_and_its_undo(place: Place, tmp_path: Path) -> None:
    before = everything(place)
    changes = whole_setup(place)
    outcomes = carry_out(place, tmp_path, changes, "r1")
    assert [(o.resource.name, o.reason) for o in outcomes if o.status != "applied"] == []
    during = everything(place)
    assert during["integration"]["logs_config"]["lambda_forwarder"]["sources"] == ["lambda"]
    assert during["functions"]["coffee-orders"]["Handler"] == "datadog_lambda.handler.handler"

    again = carry_out(place, tmp_path, _as_planned_again(changes), "r2")
    assert {o.status for o in again} == {"unchanged"}

    undone = give_back(place, tmp_path, "r1")
    assert [(o.resource.name, o.reason) for o in undone if o.status != "applied"] == []
    assert everything(place) == before
    assert (
        undo_changes(read_journal(journal_file(tmp_path, "r1")), list_runs(OnDisk(tmp_path)).readable) == ()
    )


def _as_planned_again(changes: Sequence[Change]) -> list[Change]:
    """The same changes by somebody who does not know that they are made; the filter is found by its role."""
    return [replace(c, precondition="") for c in changes if c.resource.kind != "iam_role"]


@pytest.mark.parametrize("moment", [1, 6, 11, 16, 21])
def test_killed_at_any_moment_the_undo_restores_all(place: Place, tmp_path: Path, moment: int) -> None:
    before = everything(place)
    changes = whole_setup(place)
    passed = [0]

    class Dying:
        """A writer of a process that dies before or after its nth write."""

        def __init__(self, writer: Writer) -> None:
            self._writer = writer
            self.batch = writer.batch

        def resolve(self, change: Change) -> Change:
            return self._writer.resolve(change)

        def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
            self._live()
            outcomes = self._writer.write(changes)
            self._live()
            return outcomes

        def _live(self) -> None:
            if passed[0] == moment:
                raise Killed
            passed[0] += 1

    with pytest.raises(Killed):
        carry_out(place, tmp_path, changes, "r1", wrap=Dying, workers=1)
    undone = give_back(place, tmp_path, "r1")
    assert {o.status for o in undone} <= {"applied", "unchanged"}
    assert everything(place) == before


def test_a_failed_stack_is_explained_and_removed_before_the_next_try(place: Place, tmp_path: Path) -> None:
    before = everything(place)
    secret, stack = (c for c in whole_setup(place) if c.resource.kind in ("secret", "stack"))
    assert isinstance(stack.after, StackState)
    taken = {**stack.after.parameters, "FunctionName": "coffee-orders"}
    wrong = replace(stack, after=replace(stack.after, parameters=taken))
    made, failed = carry_out(place, tmp_path, [secret, wrong], "r1")
    assert (made.status, failed.status) == ("applied", "failed")
    assert "Forwarder (AWS::Lambda::Function) CREATE_FAILED" in failed.reason
    assert "--forwarder-stack" in failed.fix

    assert [o.status for o in carry_out(place, tmp_path, [stack], "r2")] == ["changed_since"]
    again = replace(stack, precondition="ROLLBACK_COMPLETE")
    assert [o.status for o in carry_out(place, tmp_path, [again], "r3")] == ["applied"]
    give_back(place, tmp_path, "r3")
    assert {o.status for o in give_back(place, tmp_path, "r1")} == {"applied", "unchanged"}
    assert everything(place) == before


def test_a_failed_stack_is_removed_by_undo(place: Place, tmp_path: Path) -> None:
    before = everything(place)
    secret, stack = (c for c in whole_setup(place) if c.resource.kind in ("secret", "stack"))
    assert isinstance(stack.after, StackState)
    taken = {**stack.after.parameters, "FunctionName": "coffee-orders"}
    carry_out(place, tmp_path, [secret, replace(stack, after=replace(stack.after, parameters=taken))], "r1")
    assert everything(place) != before
    assert {o.status for o in give_back(place, tmp_path, "r1")} == {"applied"}
    assert everything(place) == before


def resize(place: Place, function: Function, memory: int) -> None:
    """What somebody else does to a function meanwhile."""
    wait_updated(place.aws, place.lane, function.name, place.clock)
    client = place.client("lambda")
    client.update_function_configuration(FunctionName=function.name, MemorySize=memory)


def test_a_function_that_moved_since_the_plan_is_left_alone(place: Place, tmp_path: Path) -> None:
    function = chosen(place)[0]
    write, tag = instrumentation(place, function)
    writer = place.writers()["function"]
    resize(place, function, 777)
    assert [o.status for o in writer.write([write])] == ["changed_since"]
    live = read_function(place.aws, place.lane, function.name)
    assert (live.memory, live.handler, live.layers) == (777, function.handler, function.layers)
    outcomes = carry_out(place, tmp_path, [write, tag], "r1")
    assert [o.status for o in outcomes] == ["changed_since", "skipped"]
    resize(place, function, function.memory)


def test_a_revision_that_moved_back_and_forth_does_not_stop_the_write(place: Place) -> None:
    function = chosen(place)[0]
    write, _ = instrumentation(place, function)
    writer = place.writers()["function"]
    resize(place, function, 777)
    resize(place, function, function.memory)
    assert read_function(place.aws, place.lane, function.name).revision_id != function.revision_id
    assert [o.status for o in writer.write([write])] == ["applied"]
    assert [o.status for o in place.writers()["function"].write([write.inverse()])] == ["applied"]


def test_only_the_log_level_is_written_where_only_that_differs(place: Place) -> None:
    function = chosen(place)[0]
    client = place.client("lambda")
    group = "/aws/lambda/elsewhere"
    logging = {
        "LogFormat": "JSON",
        "SystemLogLevel": "WARN",
        "ApplicationLogLevel": "DEBUG",
        "LogGroup": group,
    }
    client.update_function_configuration(FunctionName=function.name, LoggingConfig=logging)
    level = change(
        place,
        resource(place, "function", function.arn),
        FunctionState(system_log_level="WARN"),
        FunctionState(system_log_level="INFO"),
    )
    assert [o.status for o in place.writers()["function"].write([level])] == ["applied"]
    now = read_function(place.aws, place.lane, function.name)
    assert (now.system_log_level, now.application_log_level, now.log_group) == ("INFO", "DEBUG", group)
    assert now.handler == function.handler
    assert [o.status for o in place.writers()["function"].write([level.inverse()])] == ["applied"]
    assert read_function(place.aws, place.lane, function.name).system_log_level == "WARN"
