"""What Datadog answers now and then: a registration it keeps otherwise, keys of nobody, very many regions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.integration import (
    create_integration,
    integration_state,
    new_external_id,
    read_integration,
    update_integration,
)
from ddsetup.gateways.datadog.keys import _bad_api_key, _bad_app_key, _organisation, _valid_on
from ddsetup.gateways.datadog.monitors import find_monitors
from ddsetup.gateways.datadog.sightings import _bundles
from ddsetup.gateways.datadog.workload_identity import create_mapping
from ddsetup.model.account import Integration
from ddsetup.model.errors import GatewayError
from tests import builders as b
from tests.gateways.aws_stand import FakeTime, Reply, ScriptedAws
from tests.in_full.datadog_cases import ACCOUNT, RECORD, WANTED

EXTERNAL_ID = "e" * 32


def connected(served: ScriptedAws, *replies: Reply, api: str = "a" * 32, app: str = "b" * 40) -> Datadog:
    served.requests.clear()
    served.script(*replies)
    return Datadog.connect("datadoghq.eu", DatadogKeys(api, app), served.url, clock=FakeTime().clock)


def listed(**over: Any) -> Reply:
    """A list with the record of the account, some of its attributes otherwise."""
    attributes: Any = RECORD["attributes"]
    return Reply({"data": [{**RECORD, "attributes": {**attributes, **over}}]})


def found(served: ScriptedAws) -> Integration:
    made = read_integration(connected(served, listed()), ACCOUNT)
    assert isinstance(made, Integration)
    return made


def test_an_external_id_is_issued_or_there_is_none(served: ScriptedAws) -> None:
    def issued(text: str) -> Reply:
        return Reply({"data": {"attributes": {"external_id": text}}})

    assert new_external_id(connected(served, issued("x1"))) == "x1"
    with pytest.raises(GatewayError, match="Datadog issued no external ID"):
        new_external_id(connected(served, issued("")))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (Reply({"data": []}), f"accepted AWS account {ACCOUNT} but does not list it"),
        (
            listed(auth_config={"role_name": WANTED.role_name, "external_id": "other"}),
            "another external ID than the role trusts",
        ),
        (listed(account_tags=[]), "keeps other values of tags"),
    ],
)
def test_a_registration_that_is_kept_otherwise_is_no_success(
    served: ScriptedAws, after: Reply, said: str
) -> None:
    dd = connected(served, Reply({"data": {}}), after)
    with pytest.raises(GatewayError, match=said):
        create_integration(dd, WANTED, EXTERNAL_ID)


def test_a_registration_that_is_refused_says_so(served: ScriptedAws) -> None:
    with pytest.raises(Rejected, match="no such role"):
        create_integration(connected(served, Reply({"errors": ["no such role"]}, 400)), WANTED, EXTERNAL_ID)


@pytest.mark.parametrize(
    ("field", "value", "sent"),
    [
        ("role_name", "New", {"auth_config": {"role_name": "New"}}),
        ("tags", ("a:b",), {"account_tags": ["a:b"]}),
        ("regions", None, {"aws_regions": {"include_all": True}}),
        ("regions", ("eu-west-2",), {"aws_regions": {"include_only": ["eu-west-2"]}}),
        ("resource_collection", True, {"resources_config": {"extended_collection": True}}),
        ("metrics_enabled", False, {"metrics_config": {"enabled": False}}),
    ],
)
def test_an_update_says_what_differs_and_the_account(
    served: ScriptedAws, field: str, value: Any, sent: dict[str, Any]
) -> None:
    live = found(served)
    before = integration_state(live)
    after = replace(before, **{field: value})
    dd = connected(served, Reply({"errors": ["stop here"]}, 400))
    with pytest.raises(Rejected, match="stop here"):
        update_integration(dd, live.config_id, before, after, live)
    (_, _, body) = served.requests[0]
    assert json.loads(body)["data"]["attributes"] == {"aws_account_id": ACCOUNT, **sent}


def test_an_organisation_is_named_where_datadog_names_it(served: ScriptedAws) -> None:
    def of(*included: Any) -> str:
        return _organisation(connected(served, Reply({"data": {}, "included": list(included)})))

    role = {"type": "roles", "attributes": {"name": "Admin"}}
    assert of(role, {"type": "orgs", "attributes": {"name": "Coffee"}}) == "Coffee"
    assert of(role, {"type": "orgs"}) == ""
    assert of(role) == of() == ""


@pytest.mark.parametrize(
    ("reply", "valid"),
    [(Reply({"valid": True}), True), (Reply({"errors": ["x"]}, 403), False), (Reply({}, 500), False)],
)
def test_a_site_that_does_not_answer_is_not_the_keys_own(
    served: ScriptedAws, reply: Reply, valid: bool
) -> None:
    dd = connected(served, reply)
    assert _valid_on(lambda _site: dd, "datadoghq.com") is valid


@pytest.mark.parametrize(
    ("api", "app", "of_api", "of_app"),
    [
        (
            "a" * 32,
            "b" * 40,
            "API key is not valid on datadoghq.eu (",
            "valid on datadoghq.eu, but the application key",
        ),
        ("a" * 40, "b" * 32, "it has the form of an application key", "it has the form of an API key"),
        (
            "odd",
            "odd",
            "it does not have the form of one (32 hex digits)",
            "valid on datadoghq.eu, but the application",
        ),
    ],
)
def test_what_is_wrong_with_keys_is_told_by_their_form(
    served: ScriptedAws, api: str, app: str, of_api: str, of_app: str
) -> None:
    dd = connected(served, Reply(), api=api, app=app)
    assert of_api in _bad_api_key(dd)
    assert of_app in _bad_app_key(dd)


def test_accounts_are_asked_for_together_as_far_as_an_answer_has_room() -> None:
    def functions(account: str, count: int, *regions: str) -> list[Any]:
        return [
            b.function(f"f{n}", region=region, account=account) for region in regions for n in range(count)
        ]

    few = functions("1" * 12, 2, "eu-west-1") + functions("2" * 12, 2, "eu-west-1")
    (together,) = _bundles(few)
    assert len(together) == 4
    assert list(_bundles([])) == []
    many = functions("3" * 12, 450, *(f"eu-west-{n}" for n in range(1, 9)))
    apart = list(_bundles([*few, *many]))
    assert [sorted({f.region for f in each}) for each in apart[1:]] == [[f"eu-west-{n}"] for n in range(1, 9)]
    assert [len(each) for each in apart] == [4] + [450] * 8


def test_only_an_account_that_is_not_known_yet_is_waited_for(served: ScriptedAws) -> None:
    """`ErrorConflict` comes at once; what is not known yet is tried again, as Datadog's own provider does."""

    def refused(detail: str, status: int = 409) -> Reply:
        return Reply({"errors": [detail]}, status=status)

    not_yet = refused("Account 1 is not integrated with this organization", 400)
    made = Reply({"data": {"id": "m", "type": "x", "attributes": {"arn_pattern": "p"}}})
    time, keys = FakeTime(), DatadogKeys("a" * 32, "b" * 40)
    served.requests.clear()
    served.script(not_yet, not_yet, made)
    create_mapping(Datadog.connect("datadoghq.eu", keys, served.url, clock=time.clock), "p")
    assert (len(served.requests), time.slept) == (3, [2.0, 4.0])
    time.slept.clear()
    served.requests.clear()
    served.script(refused("it conflicts with another"))
    with pytest.raises(Rejected, match="conflicts"):
        create_mapping(Datadog.connect("datadoghq.eu", keys, served.url, clock=time.clock), "p")
    assert (len(served.requests), time.slept) == (1, [])


def test_a_monitor_is_read_as_it_is_and_what_is_not_said_is_usual(served: ScriptedAws) -> None:
    bare = {"id": 1, "name": "n", "query": "q", "tags": []}
    whole = {
        **bare,
        "id": 2,
        "type": "log alert",
        "message": "m",
        "options": {"thresholds": {"critical": 1.0}},
    }
    whole["tags"] = ["created_by:ddsetup", "serverless_monitor_id:errors", "ddsetup_scope:all"]
    first, second = find_monitors(connected(served, Reply([bare, whole]), Reply([])), "a:b")
    assert (first.state.type, first.state.message, first.state.options) == ("query alert", "", {})
    assert (first.state.key, first.state.scope, first.number) == ("", "", 1)
    assert (second.state.type, second.state.message) == ("log alert", "m")
    assert (second.state.key, second.state.scope) == ("errors", "all")
    assert second.options == second.state.options == {"thresholds": {"critical": 1.0}}
