"""One organisation of Datadog's asked for many accounts, and a key that somebody else holds."""

from __future__ import annotations

import pytest

from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.health import key_state
from ddsetup.gateways.datadog.integration import ACCOUNTS, ALL_ACCOUNTS
from ddsetup.gateways.datadog.shapes import ANYTHING
from ddsetup.gateways.datadog.shared import Once
from tests.gateways.aws_stand import FakeTime, Reply, ScriptedAws

KEY, APP = "a" * 32, "b" * 40
RECORDS = [
    {"id": f"c{n}", "attributes": {"aws_account_id": n, "aws_partition": "aws", "auth_config": {}}}
    for n in ("111122223333", "222233334444")
]


def connected(served: ScriptedAws, url: str = "") -> Datadog:
    served.requests.clear()
    return Datadog.connect("datadoghq.eu", DatadogKeys(KEY, APP), url or served.url, clock=FakeTime().clock)


def test_the_records_of_all_accounts_are_asked_for_once(served: ScriptedAws) -> None:
    dd = Once.of(connected(served))
    served.script(Reply({"data": RECORDS}))

    def ids(query: dict[str, str] | None) -> list[str]:
        answer = dd.get(ACCOUNTS, action="", shape=ALL_ACCOUNTS, query=query)
        return [record["id"] for record in answer["data"]]

    assert ids({"aws_account_id": "222233334444"}) == ["c222233334444"]
    assert ids({"aws_account_id": "333344445555"}) == []
    assert ids(None) == ids({}) == ["c111122223333", "c222233334444"]
    assert [path for _, path, _ in served.requests] == [ACCOUNTS]


def test_what_is_asked_of_the_integration_is_asked_once_and_all_else_each_time(served: ScriptedAws) -> None:
    dd = Once.of(connected(served))
    of_aws = "/api/v2/integration/aws/available_namespaces"
    served.script(Reply({"n": 1}), Reply({"n": 2}), Reply({"n": 3}), Reply({"n": 4}))
    asked = [(of_aws, None), (of_aws, None), (of_aws, {"a": "b"}), ("/api/v1/x", None), ("/api/v1/x", None)]
    found = [dd.get(path, action="", shape=ANYTHING, query=query)["n"] for path, query in asked]
    assert found == [1, 1, 2, 3, 4]
    assert [path for _, path, _ in served.requests] == [of_aws, f"{of_aws}?a=b", "/api/v1/x", "/api/v1/x"]


@pytest.mark.parametrize(
    ("text", "state", "says"),
    [
        ("", "missing", "the secret with its API key is empty"),
        (" \n", "missing", "the secret with its API key is empty"),
        ('{"DD_API_KEY": ""}', "missing", "the secret with its API key is empty"),
        ("odd", "malformed", "its secret does not hold an API key of 32 hex digits"),
        (APP, "malformed", "of 32 hex digits: it has the form of an application key"),
        ('{"DD_API_KEY": 7}', "malformed", "of 32 hex digits"),
        (f'{{"other": "{KEY}"}}', "malformed", "of 32 hex digits"),
        (f'{{"DD_API_KEY": "{KEY}"', "malformed", "of 32 hex digits"),
    ],
)
def test_a_secret_without_a_key_is_told_without_asking(
    served: ScriptedAws, text: str, state: str, says: str
) -> None:
    found, said = key_state(connected(served), text, "datadoghq.eu")
    assert found == state
    assert said.endswith(says)
    assert served.requests == []


@pytest.mark.parametrize("text", [KEY, f"  {KEY}\n", f' {{"DD_API_KEY": " {KEY} "}}'])
def test_a_key_is_valid_where_datadog_says_so(served: ScriptedAws, text: str) -> None:
    dd = connected(served)
    served.script(Reply({"valid": True}))
    assert key_state(dd, text, "datadoghq.eu") == ("valid", "")
    assert [path for _, path, _ in served.requests] == ["/api/v1/validate"]


@pytest.mark.parametrize("reply", [Reply({"valid": False}), Reply({"errors": ["Forbidden"]}, 403)])
def test_a_key_is_invalid_where_datadog_refuses_it(served: ScriptedAws, reply: Reply) -> None:
    dd = connected(served)
    served.script(reply)
    said = "Datadog refuses its API key on datadoghq.eu"
    assert key_state(dd, KEY, "datadoghq.eu") == ("invalid", said)


def test_a_key_that_could_not_be_asked_for_is_unknown(served: ScriptedAws) -> None:
    dd = connected(served)
    served.script(Reply({"errors": ["oops"]}, 500))
    assert key_state(dd, KEY, "datadoghq.eu") == ("unknown", "")


def test_a_key_of_another_site_is_asked_for_there_if_there_is_a_way(served: ScriptedAws) -> None:
    served.script(Reply({"valid": True}))
    assert key_state(connected(served), KEY, "datadoghq.com") == ("unknown", "")
    assert served.requests == [], "the address that was given is of one site"
    dd = connected(served, f"{served.url}/{{site}}")
    assert key_state(dd, KEY, "datadoghq.com") == ("valid", "")
    assert [path for _, path, _ in served.requests] == ["/datadoghq.com/api/v1/validate"]
