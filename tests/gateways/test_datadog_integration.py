"""Reading and writing Datadog's record of an AWS account, and the catalogues beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ddsetup.facts.iam_documents import MANAGED_LIMIT, allow, size
from ddsetup.gateways.datadog.catalogues import log_services, namespaces, permissions, resource_collection
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import (
    create_integration,
    delete_integration,
    get_integration,
    integration_state,
    new_external_id,
    read_integration,
    set_log_collection,
    update_integration,
)
from ddsetup.model.account import Integration, NamespaceFilter, Unreadable
from ddsetup.model.errors import ChangedSince, Denied, GatewayError
from ddsetup.model.states import IntegrationState
from tests.gateways.datadog_world import World, datadog

ACCOUNT = "111122223333"
ACCOUNTS = "/api/v2/integration/aws/accounts"
FORWARDER = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:datadog-forwarder"
WANTED = IntegrationState(
    aws_account_id=ACCOUNT,
    partition="aws",
    role_name="DatadogIntegrationRole",
    namespaces_mode="exclude_only",
    namespaces=("AWS/ElasticMapReduce",),
    tags=("created_by:ddsetup",),
)


@pytest.fixture
def world() -> Iterator[World]:
    with datadog() as started:
        yield started


@pytest.fixture
def dd(world: World) -> Datadog:
    return world.connect()


def created(dd: Datadog, state: IntegrationState = WANTED) -> Integration:
    return create_integration(dd, state, new_external_id(dd))


def test_an_account_that_is_not_there_is_none(dd: Datadog) -> None:
    assert read_integration(dd, ACCOUNT) is None


def test_what_may_not_be_read_is_not_nothing() -> None:
    with datadog({"app_keys": {"c" * 40: ["logs_read_data"]}}) as world:
        found = read_integration(world.connect(app_key="c" * 40), ACCOUNT)
        assert isinstance(found, Unreadable)
        assert (found.action, found.denied) == ("aws_configuration_read", True)


def test_an_outage_is_unreadable_but_not_denied(world: World, dd: Datadog) -> None:
    world.fault(ACCOUNTS, status=500, times=9)
    found = read_integration(dd, ACCOUNT)
    assert isinstance(found, Unreadable)
    assert not found.denied


def test_what_was_created_is_what_was_asked_for(dd: Datadog) -> None:
    external_id = new_external_id(dd)
    made = create_integration(dd, WANTED, external_id)
    assert made.external_id == external_id
    assert read_integration(dd, ACCOUNT) == made
    assert integration_state(made) == WANTED
    assert made.namespaces == NamespaceFilter(mode="exclude_only", names=("AWS/ElasticMapReduce",))
    assert (made.regions, made.lambdas, made.sources) == (None, (), ())
    assert made.raw["resources_config"]["cloud_security_posture_management_collection"] is False


def test_regions_can_be_narrowed(dd: Datadog) -> None:
    made = created(dd, replace(WANTED, regions=("eu-west-1",)))
    assert made.regions == ("eu-west-1",)


def test_creating_again_after_a_lost_answer_is_no_error(world: World, dd: Datadog) -> None:
    external_id = new_external_id(dd)
    world.fault(ACCOUNTS, method="POST", status=None, after_effect=True)
    assert create_integration(dd, WANTED, external_id).external_id == external_id
    assert [call["status"] for call in world.calls(ACCOUNTS) if call["method"] == "POST"] == [0, 409]


def test_somebody_elses_registration_is_not_taken_over(dd: Datadog) -> None:
    theirs = created(dd, replace(WANTED, role_name="TheirRole"))
    with pytest.raises(ChangedSince, match="by somebody else"):
        created(dd)
    assert get_integration(dd, theirs.config_id) == theirs


def test_the_same_registration_with_another_external_id_is_somebody_elses(dd: Datadog) -> None:
    created(dd)
    with pytest.raises(ChangedSince):
        created(dd)


def test_an_update_sends_only_what_differs(world: World, dd: Datadog) -> None:
    live = created(dd, replace(WANTED, regions=("eu-west-1",)))
    with_logs = set_log_collection(dd, live, [FORWARDER], ["lambda"])
    before = integration_state(with_logs)
    after = replace(before, namespaces=("AWS/ElasticMapReduce", "AWS/Usage"), metrics_enabled=False)
    kept = update_integration(dd, live.config_id, before, after, with_logs)
    assert integration_state(kept) == after
    assert (kept.lambdas, kept.sources, kept.external_id) == ((FORWARDER,), ("lambda",), live.external_id)


def test_an_update_back_and_forth_restores_the_record(dd: Datadog) -> None:
    live = created(dd)
    before = integration_state(live)
    after = replace(
        before, namespaces_mode="include_only", namespaces=("AWS/Lambda",), regions=("eu-west-1",)
    )
    changed = update_integration(dd, live.config_id, before, after, live)
    assert changed.namespaces == NamespaceFilter(mode="include_only", names=("AWS/Lambda",))
    restored = update_integration(dd, live.config_id, after, before, changed)
    assert integration_state(restored) == before
    assert {**restored.raw, "modified_at": ""} == {**live.raw, "modified_at": ""}


def test_an_update_on_top_of_somebody_elses_is_refused(world: World, dd: Datadog) -> None:
    live = created(dd)
    before = integration_state(live)
    meanwhile = update_integration(dd, live.config_id, before, replace(before, tags=("theirs",)), live)
    with pytest.raises(ChangedSince, match="has changed: tags"):
        update_integration(dd, live.config_id, before, replace(before, tags=("ours",)), meanwhile)
    assert get_integration(dd, live.config_id) == meanwhile


def test_an_update_that_is_there_already_writes_nothing(world: World, dd: Datadog) -> None:
    live = created(dd)
    after = integration_state(live)
    before = replace(after, metrics_enabled=False)
    assert update_integration(dd, live.config_id, before, after, live) == live
    assert not [call for call in world.calls(ACCOUNTS) if call["method"] == "PATCH"]


def test_a_change_that_datadog_drops_is_noticed(world: World, dd: Datadog) -> None:
    live = created(dd)
    before = integration_state(live)
    world.fault(f"{ACCOUNTS}/*", method="PATCH", status=200, body={"data": {}})
    with pytest.raises(GatewayError, match="keeps other values of tags"):
        update_integration(dd, live.config_id, before, replace(before, tags=("ours",)), live)
    world.fault(f"{ACCOUNTS}/*", method="PATCH", status=200, body={"data": {}})
    assert set_log_collection(dd, live, [FORWARDER], ["lambda"]).lambdas == ()


def test_registering_a_forwarder_keeps_the_rest_of_the_section() -> None:
    tag_filters = [{"source": "s3", "tags": ["team:a"]}]
    seeded = {
        "aws_account_id": ACCOUNT,
        "aws_partition": "aws",
        "auth_config": {"role_name": "DatadogIntegrationRole"},
        "logs_config": {
            "lambda_forwarder": {
                "lambdas": [],
                "sources": ["s3"],
                "log_source_config": {"tag_filters": tag_filters},
            }
        },
    }
    with datadog({"accounts": [seeded]}) as world:
        dd = world.connect()
        live = read_integration(dd, ACCOUNT)
        assert isinstance(live, Integration)
        kept = set_log_collection(dd, live, [FORWARDER], ["s3", "lambda"])
        assert (kept.lambdas, kept.sources) == ((FORWARDER,), ("s3", "lambda"))
        section = kept.raw["logs_config"]["lambda_forwarder"]
        assert section["log_source_config"]["tag_filters"] == tag_filters


def test_deleting_twice_is_no_error(dd: Datadog) -> None:
    live = created(dd)
    delete_integration(dd, live.config_id)
    delete_integration(dd, live.config_id)
    assert read_integration(dd, ACCOUNT) is None


def test_writing_without_permission_names_it() -> None:
    with datadog({"app_keys": {"c" * 40: ["aws_configuration_read", "aws_configuration_edit"]}}) as world:
        dd = world.connect(app_key="c" * 40)
        with pytest.raises(Denied) as caught:
            created(dd)
        assert caught.value.action == "aws_configurations_manage"


def test_catalogues_are_live_where_datadog_answers(dd: Datadog) -> None:
    for catalogue, known in (
        (permissions, "lambda:List*"),
        (log_services, "lambda"),
        (namespaces, "AWS/Lambda"),
    ):
        names, origin = catalogue(dd)
        assert origin == "live"
        assert known in names


def test_what_resource_collection_needs_comes_policy_by_policy(world: World, dd: Datadog) -> None:
    live = resource_collection(dd)
    assert len(live) > 1
    world.fault("*", status=403)
    bundled = resource_collection(dd)
    assert {a for chunk in live for a in chunk} == {a for chunk in bundled for a in chunk}
    assert all(size(allow(chunk)) <= MANAGED_LIMIT for chunk in (*live, *bundled))


def test_catalogues_fall_back_on_the_bundled_ones(world: World, dd: Datadog) -> None:
    world.fault("*", status=403, times=2)
    world.fault("*", status=200, body={"data": {"attributes": {"namespaces": []}}})
    for catalogue, known in (
        (permissions, "lambda:List*"),
        (log_services, "lambda"),
        (namespaces, "AWS/Lambda"),
    ):
        names, origin = catalogue(dd)
        assert origin == "bundled"
        assert known in names
