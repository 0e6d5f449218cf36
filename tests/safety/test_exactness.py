"""For any account: what undo gives back is what was there, to the letter (hypothesis, on the emulated AWS).

Through everything that is real: observed, planned, written, journalled, read from the journal, given back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ddsetup.gateways.aws.functions import wait_updated
from ddsetup.model.account import Forwarder, Function
from ddsetup.model.answers import Answers, Selection
from ddsetup.model.change import Change
from ddsetup.model.snapshot import AccountSnapshot, Snapshot
from ddsetup.observe.chosen import observe_filters
from ddsetup.plan.steps import instrument, subscriptions, uninstrument
from tests.gateways.test_writers_sandbox import REGION, Place, carry_out, give_back, place
from tests.safety.competing import archive

__all__ = ["place"]

pytestmark = pytest.mark.e2e

DATADOG_LAYER = "arn:aws:lambda:us-east-1:464622532012:layer:Datadog-Python312:130"
HANDLER = "datadog_lambda.handler.handler"
FORWARDER = "datadog-forwarder"
FUNCTIONS = 4


@dataclass(frozen=True)
class Stage:
    """An account with a Forwarder, layers of the user's own, and a place for generated functions."""

    place: Place
    role: str
    layers: tuple[str, ...]
    state: Path
    numbers: Iterator[int]

    @property
    def forwarder(self) -> str:
        return f"arn:aws:lambda:{REGION}:{self.place.lane.account}:function:{FORWARDER}"


@pytest.fixture(scope="module")
def stage(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    lambda_ = place.client("lambda")
    role = lambda_.get_function_configuration(FunctionName="coffee-orders")["Role"]
    layers = tuple(
        lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": archive(0)})["LayerVersionArn"]
        for name in ("one", "two", "three", "four")
    )
    create(place, role, FORWARDER, {"Environment": {"Variables": {"DD_SITE": "datadoghq.com"}}})
    lambda_.add_permission(
        FunctionName=FORWARDER,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceAccount=place.lane.account,
    )
    return Stage(place, role, layers, tmp_path_factory.mktemp("state"), count())


def create(place: Place, role: str, name: str, more: Mapping[str, Any]) -> None:
    place.client("lambda").create_function(
        **{
            "FunctionName": name,
            "Runtime": "python3.12",
            "Role": role,
            "Handler": "app.handler",
            "Code": {"ZipFile": archive(1)},
            **more,
        }
    )
    wait_updated(place.aws, place.lane, name, place.clock)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)
NAMES = st.sampled_from(
    ("DB", "_x", "Ünï".encode("ascii", "ignore").decode() or "N", "DD_CUSTOM", "DD_LOGS_CONFIG", "DD_ENV",
     "DD_SERVICE", "DD_TAGS", "DD_FLUSH_TO_LOG", "DD_TRACE_ENABLED", "DD_LOG_LEVEL", "DD_MERGE_XRAY_TRACES",
     "DD_SITE", "DD_API_KEY", "PATH_TO_ALL")
)  # fmt: skip


@st.composite
def wishes(draw: st.DrawFn) -> Mapping[str, Any]:
    """The parts of a function that ddsetup may touch, and what it must not."""
    wrapped = draw(st.booleans())
    env = draw(st.dictionaries(NAMES, TEXTS, max_size=6))
    if wrapped and draw(st.booleans()):
        env["DD_LAMBDA_HANDLER"] = "own.entry"
    return {
        "handler": HANDLER if wrapped else draw(st.sampled_from(("app.handler", "pkg/mod.entry"))),
        "env": env,
        "layers": draw(st.permutations(range(5)).flatmap(lambda p: st.integers(0, 5).map(lambda n: p[:n]))),
        "tags": draw(
            st.dictionaries(st.sampled_from(("team", "env", "dd_ddsetup", "Größe")), TEXTS, max_size=3)
        ),
        "level": draw(st.sampled_from((None, "WARN", "INFO"))),
        "filters": draw(st.lists(filters(), max_size=2, unique_by=lambda f: f["filterName"])),
    }


def filters() -> st.SearchStrategy[dict[str, Any]]:
    """Foreign filters: to a stream, with every optional field there or not, or the defaults."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "distribution": st.sampled_from(("Random", "ByLogStream")),
        "applyOnTransformedLogs": st.booleans(),
        "emitSystemFields": st.sampled_from((["@aws.account"], ["@aws.account", "@aws.region"])),
        "fieldSelectionCriteria": st.just('@aws.region IN ["us-east-1"]'),
    }
    return st.fixed_dictionaries(
        {
            "filterName": st.sampled_from(("a", "ärger", "datadog", "Z z")),
            "filterPattern": st.sampled_from(("", "ERROR", '{ $.level = "é" }', "[w1, w2]")),
            "destinationArn": st.sampled_from(
                (
                    f"arn:aws:kinesis:{REGION}:123456789012:stream/logs",
                    f"arn:aws:firehose:{REGION}:123456789012:deliverystream/datadog-logs",
                )
            ),
            "roleArn": st.just("arn:aws:iam::123456789012:role/logs-out"),
        },
        optional=optional,
    )


def furnish(stage: Stage, wish: Mapping[str, Any]) -> str:
    """Make one function with its log group, tags and filters; its name."""
    name = f"made-{next(stage.numbers)}"
    more: dict[str, Any] = {
        "Handler": wish["handler"],
        "Layers": [(*stage.layers, DATADOG_LAYER)[n] for n in wish["layers"]],
        "Tags": wish["tags"],
    }
    if wish["env"]:
        more["Environment"] = {"Variables": wish["env"]}
    if wish["level"]:
        # AWS always answers with the group; the emulator only if it was named.
        group = f"/aws/lambda/{name}"
        more["LoggingConfig"] = {"LogFormat": "JSON", "SystemLogLevel": wish["level"], "LogGroup": group}
    create(stage.place, stage.role, name, more)
    logs = stage.place.client("logs")
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    for each in wish["filters"]:
        logs.put_subscription_filter(logGroupName=f"/aws/lambda/{name}", **each)
    return name


def look(stage: Stage, names: Sequence[str]) -> tuple[Snapshot, tuple[Function, ...]]:
    place = stage.place
    forwarder = Forwarder(
        arn=stage.forwarder, name=FORWARDER, region=REGION, version="5.4.11", found_by=("tag",)
    )
    seen = replace(place.look().lanes[place.lane], forwarders=(forwarder,))
    account = AccountSnapshot(identity=place.aws.identity())
    snapshot = replace(place.look(), lanes={place.lane: seen}, accounts={account.identity.account: account})
    groups = [f"/aws/lambda/{name}" for name in names]
    snapshot = observe_filters(place.aws, snapshot, {place.lane: groups})
    return snapshot, tuple(f for f in snapshot.functions() if f.name in names)


def raw(stage: Stage, names: Sequence[str]) -> str:
    """All of these functions as AWS answers it, without what every write moves."""
    place, found = stage.place, {}
    moving = ("RevisionId", "LastModified", "LastUpdateStatus", "State")
    for name in names:
        answer = place.client("lambda").get_function(FunctionName=name)
        configuration = {k: v for k, v in answer["Configuration"].items() if not k.startswith(moving)}
        filters = place.client("logs").describe_subscription_filters(logGroupName=f"/aws/lambda/{name}")
        found[name] = {
            "configuration": _without_empty(configuration),
            "tags": answer.get("Tags", {}),
            "filters": sorted(
                ({k: v for k, v in f.items() if k != "creationTime"} for f in filters["subscriptionFilters"]),
                key=lambda f: str(f["filterName"]),
            ),
        }
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)


def _without_empty(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """No variables and no layers are the same to AWS as an empty list of them."""
    return {k: v for k, v in configuration.items() if v not in ([], {}, {"Variables": {}})}


ANSWERS = st.builds(
    Answers,
    site=st.just("datadoghq.com"),
    regions=st.just((REGION,)),
    selection=st.just(Selection(all=True)),
    subscribe=st.just("direct"),
    on_conflict=st.sampled_from(("replace", "add")),
    owned=st.just("change"),
    env=st.sampled_from((None, "prod")),
    service=st.sampled_from((None, "shop")),
    traces=st.booleans(),
    layer_version=st.just("130"),
)


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    derandomize=True,
)
@given(st.lists(wishes(), min_size=FUNCTIONS, max_size=FUNCTIONS), ANSWERS)
def test_undo_gives_back_any_account_to_the_letter(
    stage: Stage, wanted: list[Mapping[str, Any]], answers: Answers
) -> None:
    with ThreadPoolExecutor(FUNCTIONS) as pool:
        names = list(pool.map(lambda wish: furnish(stage, wish), wanted))
    try:
        before = raw(stage, names)
        snapshot, chosen = look(stage, names)
        assert len(chosen) == FUNCTIONS
        set_up = (
            *instrument.plan(snapshot, answers, chosen).changes,
            *subscriptions.plan(snapshot, answers, chosen).changes,
        )
        there_and_back(stage, names, set_up, before)
        snapshot, chosen = look(stage, names)
        there_and_back(stage, names, uninstrument.plan(snapshot, answers, chosen).changes, before)
    finally:
        for name in names:
            stage.place.client("lambda").delete_function(FunctionName=name)
            stage.place.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")


def there_and_back(stage: Stage, names: Sequence[str], changes: Sequence[Change], before: str) -> None:
    """Carry changes out and give them back, by the journal alone."""
    run = f"r{next(stage.numbers)}"
    outcomes = carry_out(stage.place, stage.state, changes, run)
    assert [(o.resource, o.reason) for o in outcomes if o.status != "applied"] == []
    assert bool(changes) == (raw(stage, names) != before)
    undone = give_back(stage.place, stage.state, run)
    assert [(o.resource, o.reason) for o in undone if o.status != "applied"] == []
    assert raw(stage, names) == before
