"""The bundled tables, and what is told from names."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.facts import catalog, recognise
from ddsetup.facts.ownership import Owner, is_datadog_helper, is_forwarder, owner
from ddsetup.model.account import Layer
from ddsetup.model.errors import UsageError
from tests.builders import forwarder, function, lane_snapshot

SPLUNK = Layer("arn:aws:lambda:eu-west-1:254067382080:layer:splunk-apm:107")


def test_a_site_is_found_by_domain_and_by_name() -> None:
    assert catalog.site("datadoghq.eu") is catalog.site("eu1")
    assert catalog.site("eu1").api_url == "https://api.datadoghq.eu"
    with pytest.raises(UsageError) as caught:
        catalog.site("datadog.eu")
    assert "did you mean datadoghq.eu?" in caught.value.fix


def test_the_trusted_account_depends_on_site_and_partition() -> None:
    assert catalog.trust_account("datadoghq.com", "aws") == "464622532012"
    assert catalog.trust_account("ap1.datadoghq.com", "aws") == "417141415827"
    assert catalog.trust_account("ddog-gov.com", "aws-us-gov") == "065115117704"
    assert catalog.trust_account("datadoghq.com", "aws-us-gov") is None


@pytest.mark.parametrize(
    ("runtime", "architecture", "name"),
    [
        ("python3.12", "x86_64", "Datadog-Python312"),
        ("python3.12", "arm64", "Datadog-Python312-ARM"),
        ("nodejs22.x", "arm64", "Datadog-Node22-x"),
        ("ruby3.4", "x86_64", "Datadog-Ruby3-4"),
        ("java8.al2", "arm64", "dd-trace-java"),
        ("dotnet8", "arm64", "dd-trace-dotnet-ARM"),
        ("provided.al2023", "arm64", None),
        ("python3.15", "x86_64", None),
        ("python2.7", "x86_64", None),
        ("", "x86_64", None),
    ],
)
def test_layer_names(runtime: str, architecture: str, name: str | None) -> None:
    assert catalog.library_layer(runtime, architecture) == name


def test_every_layer_of_the_table_is_recognised_as_datadogs() -> None:
    assert len(catalog.layer_names()) > 20
    for name in catalog.layer_names():
        version = catalog.baseline_version(name, "eu-west-1")
        assert version is not None
        assert catalog.layer_arn("eu-west-1", name, version).datadogs


def test_versions_differ_by_region() -> None:
    assert catalog.baseline_version("Datadog-Extension-ARM-FIPS", "me-central-1") == 98
    assert catalog.baseline_version("Datadog-Ruby4-0", "me-central-1") is None
    assert catalog.baseline_version("Datadog-Python312", "us-gov-east-1") == 130


def test_a_layer_is_datadogs_by_account_and_exact_name_only() -> None:
    region = "arn:aws:lambda:eu-west-1"
    for arn in (
        f"{region}:111122223333:layer:Datadog-Python312:1",
        f"{region}:464622532012:layer:My-Datadog-Python312:1",
        f"{region}:464622532012:layer:Datadog-Forwarder:1",
    ):
        parsed = catalog.parse_layer(arn)
        assert parsed is not None
        assert str(parsed) == arn
        assert not parsed.datadogs
    assert catalog.parse_layer("not an arn") is None


def test_no_secret_variable_is_ever_shown() -> None:
    assert not catalog.SECRET_VARIABLES & catalog.SHOWN_VARIABLES


def test_retired_runtimes() -> None:
    retired = (
        "python2.7",
        "nodejs8.10",
        "nodejs",
        "nodejs14.x",
        "java8",
        "dotnetcore3.1",
        "ruby2.7",
        "go1.x",
    )
    assert all(catalog.is_retired(r) for r in retired)
    assert not any(catalog.is_retired(r) for r in ("python3.7", "nodejs16.x", "java8.al2", "provided.al2"))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, None),
        ({"dd_sls_ci": "v5"}, None),
        ({"dd_sls_plugin": "v5", "aws:cloudformation:stack-name": "s"}, Owner("Serverless Framework", "s")),
        ({"dd_sls_macro": "v1", "dd_sls_macro_by": "CDK"}, Owner("CDK")),
        ({"lambda:createdBy": "SAM", "aws:cloudformation:stack-name": "s"}, Owner("SAM", "s")),
        ({"aws:cloudformation:stack-name": "s"}, Owner("CloudFormation", "s")),
        (
            {"aws:cloudformation:stack-name": "shop-prod", "STAGE": "prod"},
            Owner("Serverless Framework", "shop-prod"),
        ),
        ({"ManagedBy": "terraform"}, Owner("Terraform", sure=False)),
        ({"managed_by": "Terraform"}, Owner("Terraform", sure=False)),
        ({"ManagedBy": "me"}, None),
    ],
)
def test_owners(tags: dict[str, str], expected: Owner | None) -> None:
    assert owner(function("shop-prod-orders"), tags) == expected


def test_a_forwarder_is_known_by_tag_layer_name_or_the_snapshot() -> None:
    plain = function("plain")
    assert not is_forwarder(plain, {}, lane_snapshot(plain))
    assert is_forwarder(plain, {"dd_forwarder_version": "5"})
    assert is_forwarder(plain, {}, lane_snapshot(plain, forwarders=(forwarder("plain"),)))
    assert is_forwarder(function("DatadogLambdaLogForwarder"), {})
    layer = Layer("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Forwarder:83")
    assert is_forwarder(function("x", layers=(layer,)), {})
    assert is_datadog_helper(function("datadog-remote-instrumenter"), {})


def test_modes() -> None:
    library = Layer("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Python312:127")
    extension = Layer("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:99")
    own = {"DD_LAMBDA_HANDLER": "app.handler"}
    wrapped = catalog.PYTHON_HANDLER
    assert recognise.mode_of(function()) == "none"
    assert recognise.mode_of(function(handler=wrapped, layers=(library,), env=own)) == "forwarder"
    assert recognise.mode_of(function(handler=wrapped, layers=(library, extension), env=own)) == "extension"
    assert recognise.mode_of(function(handler=wrapped, layers=(library,))) == "broken"
    # Python's library may be in the package; Node's handler says that it is in a layer.
    assert recognise.mode_of(function(handler=wrapped, env=own)) == "forwarder"
    node = function(
        runtime="nodejs22.x", handler=catalog.NODE_HANDLER, env={"DD_LAMBDA_HANDLER": "index.main"}
    )
    assert recognise.mode_of(node) == "broken"
    executed = {"DD_LAMBDA_HANDLER": "run.sh", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}
    assert recognise.mode_of(function(handler=wrapped, layers=(library,), env=executed)) == "broken"


@pytest.mark.parametrize(
    ("over", "vendor"),
    [
        ({"handler": "newrelic_lambda_wrapper.handler"}, "New Relic"),
        ({"handler": "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler"}, "Sentry"),
        ({"env": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/dynatrace"}}, "Dynatrace"),
        ({"env": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}}, None),
        ({}, None),
        ({"layers": (SPLUNK,)}, "Splunk"),
        ({"layers": (SPLUNK,), "handler": catalog.PYTHON_HANDLER}, None),
        ({"layers": (SPLUNK,), "env": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}}, None),
        ({"handler": "newrelic_lambda_wrapper.handler", "layers": (SPLUNK,)}, "New Relic"),
        ({"layers": (Layer("arn:aws:lambda:eu-west-1:1:layer:LogzioLambdaExtensionLogs:14"),)}, None),
    ],
)
def test_vendors(over: dict[str, Any], vendor: str | None) -> None:
    found = recognise.active_vendor(function(**over))
    assert (found.vendor if found else None) == vendor
