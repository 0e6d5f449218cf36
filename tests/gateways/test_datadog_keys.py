"""What is said of keys that are not good: each cause has its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.keys import check_keys, key_kind, probe_permissions
from ddsetup.model.errors import CredentialsError, GatewayError
from tests.gateways.datadog_world import World, datadog
from tests.gateways.standin import API_KEY, APP_KEY

OTHER_API_KEY, OTHER_APP_KEY = "c" * 32, "d" * 40


@pytest.fixture
def world() -> Iterator[World]:
    with datadog() as started:
        yield started


def elsewhere(world: World, home: str) -> Callable[[str], Datadog]:
    """Clients of the other sites, of which only `home` knows the key."""

    def connect(site: str) -> Datadog:
        key = API_KEY if site == home else OTHER_API_KEY
        return Datadog.connect(site, DatadogKeys(key, ""), world.standin.server.url, clock=world.clock)

    return connect


def test_good_keys_pass_and_tell_what_they_may_do(world: World) -> None:
    check = check_keys(world.connect())
    assert check.site == "datadoghq.eu"
    assert check.permissions["aws_configuration_read"] == "ok"
    assert check.permissions["logs_read_data"] == "ok"
    assert check.permissions["apm_read"] == "ok"
    assert check.permissions["timeseries_query"] == "ok"
    assert check.permissions["aws_configuration_edit"] == "unknown"
    assert check.denied == ()
    assert not any(call["write"] for call in world.calls())


def test_the_organisation_is_named_and_whoever_may_not_know_it_gets_on_without(world: World) -> None:
    assert check_keys(world.connect()).organisation == "Coffee (sandbox)"
    world.fault("/api/v2/current_user", status=403)
    check = check_keys(world.connect())
    assert (check.organisation, check.denied) == ("", ())


def test_a_key_of_another_site_is_told_its_site(world: World) -> None:
    dd = world.connect(api_key=OTHER_API_KEY)
    with pytest.raises(CredentialsError, match=r"belongs to the site AP1 \(ap1.datadoghq.com\)") as caught:
        check_keys(dd, elsewhere=elsewhere(world, "ap1.datadoghq.com"))
    assert caught.value.fix == "repeat it with --site ap1.datadoghq.com"
    assert world.slept == []


def test_a_key_is_good_on_one_site_of_the_stand_in_only_which_is_found(world: World) -> None:
    world.standin.server.site = "datadoghq.eu"
    url = f"{world.standin.server.url}/{{site}}"
    keys = DatadogKeys(API_KEY, APP_KEY)
    assert check_keys(Datadog.connect("datadoghq.eu", keys, url, clock=world.clock)).denied == ()
    with pytest.raises(
        CredentialsError, match=r"belongs to the site EU1 \(datadoghq.eu\), not to datadoghq.com"
    ):
        check_keys(Datadog.connect("datadoghq.com", keys, url, clock=world.clock))


def test_a_key_of_no_site_is_invalid(world: World) -> None:
    dd = world.connect(api_key=OTHER_API_KEY)
    with pytest.raises(CredentialsError, match=r"API key is not valid on datadoghq\.eu") as caught:
        check_keys(dd, elsewhere=elsewhere(world, "nowhere"))
    assert "https://app.datadoghq.eu/organization-settings/api-keys" in caught.value.fix
    assert OTHER_API_KEY not in caught.value.what


def test_a_key_that_datadog_does_not_call_valid_is_not(world: World) -> None:
    """Whatever the status of the answer: what counts is that it says `"valid": true`."""
    world.fault("/api/v1/validate", status=200, body={"valid": False}, times=9)
    with pytest.raises(CredentialsError, match=r"the Datadog API key is not valid on datadoghq\.eu"):
        check_keys(world.connect())
    assert not world.calls("/api/v2/")


@pytest.mark.parametrize("body", [{"valid": "true"}, {}, {"errors": []}, []])
def test_an_answer_that_says_nothing_of_a_key_does_not_call_it_invalid(world: World, body: object) -> None:
    world.fault("/api/v1/validate", status=200, body=body, times=9)
    with pytest.raises(GatewayError, match="cannot read Datadog's answer"):
        check_keys(world.connect())
    assert not world.calls("/api/v2/")


def test_a_new_key_gets_a_moment(world: World) -> None:
    world.fault("/api/v1/validate", status=403, times=2)
    assert check_keys(world.connect()).denied == ()
    assert world.slept == [1.0, 2.0]


def test_a_new_application_key_gets_a_moment(world: World) -> None:
    for path in (
        "/api/v2/validate_keys",
        "/api/v1/query",
        "/api/v2/logs/events/search",
        "/api/v2/integration/*",
    ):
        world.fault(path, status=403)
    world.fault("/api/v2/spans/events/search", status=403)
    assert check_keys(world.connect()).denied == ()
    assert world.slept == [1.0]


def test_a_key_that_only_a_part_of_datadog_knows_yet_gets_a_moment(world: World) -> None:
    world.fault("/api/v2/integration/*", status=403)
    assert check_keys(world.connect()).denied == ()
    assert world.slept == [1.0]


def test_a_scoped_key_that_the_pair_check_refuses_is_proven_by_what_it_may_do() -> None:
    with datadog({"app_keys": {OTHER_APP_KEY: ["apm_read"]}}) as world:
        world.fault("/api/v2/validate_keys", status=403, times=9)
        check = check_keys(world.connect(app_key=OTHER_APP_KEY), needed=["apm_read"])
        assert check.permissions["apm_read"] == "ok"
        assert world.slept == []


def test_swapped_keys_are_named_without_asking(world: World) -> None:
    dd = world.connect(api_key=APP_KEY, app_key=API_KEY)
    with pytest.raises(CredentialsError, match="swapped"):
        check_keys(dd)
    assert world.calls() == []


def test_an_invalid_application_key_is_not_blamed_on_the_api_key(world: World) -> None:
    with pytest.raises(CredentialsError, match=r"the API key is valid on datadoghq\.eu, but the application"):
        check_keys(world.connect(app_key=OTHER_APP_KEY))


def test_an_api_key_in_place_of_the_application_key_is_recognised(world: World) -> None:
    with pytest.raises(CredentialsError, match="it has the form of an API key"):
        check_keys(world.connect(app_key=OTHER_API_KEY))


def test_missing_permissions_are_named() -> None:
    with datadog({"app_keys": {OTHER_APP_KEY: ["logs_read_data"]}}) as world:
        dd = world.connect(app_key=OTHER_APP_KEY)
        assert set(check_keys(dd, needed=["logs_read_data"]).denied) == {
            "aws_configuration_read",
            "timeseries_query",
            "apm_read",
        }
        with pytest.raises(
            CredentialsError, match=r"lacks the permissions aws_configuration_read, apm_read$"
        ):
            check_keys(dd, needed=["aws_configuration_read", "apm_read", "logs_read_data"])


def test_a_failing_probe_is_unknown_and_not_denied(world: World) -> None:
    world.fault("/api/v2/spans/*", status=500, times=9)
    assert probe_permissions(world.connect())["apm_read"] == "unknown"


def test_an_outage_is_not_an_invalid_key(world: World) -> None:
    world.fault("/api/v1/validate", status=500, times=9)
    with pytest.raises(GatewayError) as caught:
        check_keys(world.connect())
    assert not isinstance(caught.value, CredentialsError)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("0123456789abcdef" * 2, "api"),
        ("0123456789" * 4, "app"),
        ("ddapp_" + "aZ9" * 11 + "x", "app"),
        ("0123456789abcdeg" * 2, ""),
        ("", ""),
    ],
)
def test_keys_are_told_apart_by_their_form(key: str, kind: str) -> None:
    assert key_kind(key) == kind
