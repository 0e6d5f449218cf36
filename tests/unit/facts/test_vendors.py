"""Other vendors are recognised by handler, layer, start-up script and variables, whatever the account."""

from __future__ import annotations

import re

import pytest

from ddsetup.facts.vendors import VENDORS, vendor_of, vendor_of_layer

AT = "arn:aws:lambda:eu-north-1:"
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


@pytest.mark.parametrize(
    ("handler", "vendor"),
    [
        ("lumigo_tracer._handler", "Lumigo"),
        ("/opt/python/lumigo_tracer._handler", "Lumigo"),
        ("lumigo-auto-instrument.handler", "Lumigo"),
        ("_lumigo/checkout.handler", "Lumigo"),
        ("newrelic_lambda_wrapper.handler", "New Relic"),
        ("newrelic-lambda-wrapper.handler", "New Relic"),
        ("/opt/nodejs/node_modules/newrelic-esm-lambda-wrapper/index.handler", "New Relic"),
        ("com.newrelic.java.HandlerWrapper::handleStreamsRequest", "New Relic"),
        ("instana-aws-lambda-auto-wrap.handler", "Instana"),
        ("instana.lambda_handler", "Instana"),
        ("epsagon.wrapper", "Epsagon"),
        ("epsagon_handlers/order.handler", "Epsagon"),
        ("thundra.handler.wrapper", "Thundra (Catchpoint)"),
        ("io.thundra.agent.lambda.core.handler.ThundraLambdaHandler", "Thundra (Catchpoint)"),
        ("/opt/nodejs/node_modules/@thundra/core/dist/handler.wrapper", "Thundra (Catchpoint)"),
        ("iopipe.handler.wrapper", "IOpipe"),
        ("/opt/nodejs/node_modules/@iopipe/iopipe.handler", "IOpipe"),
        ("com.iopipe.generic.GenericAWSRequestHandler", "IOpipe"),
        ("com.signalfx.lambda.wrapper.SignalFxRequestWrapper::handleRequest", "Splunk"),
        ("sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler", "Sentry"),
        ("/opt/nodejs/node_modules/@baselime/lambda-node-opentelemetry/handler.handler", "Baselime"),
    ],
)
def test_a_handler_that_is_a_vendors(handler: str, vendor: str) -> None:
    found = vendor_of(handler, (), {})
    assert found is not None
    assert (found.vendor, found.by, found.runs) == (vendor, "handler", True)


@pytest.mark.parametrize(
    "handler",
    ["app.handler", "src/lumigo.handler", "epsagonish.run", "instana.main", "newrelic.app", "", None],
)
def test_a_handler_of_the_users_own_is_nobodys(handler: str | None) -> None:
    assert vendor_of(handler, (), {}) is None


@pytest.mark.parametrize(
    ("script", "vendor"),
    [
        ("/opt/lumigo_wrapper", "Lumigo"),
        ("/opt/dynatrace", "Dynatrace"),
        ("/opt/newrelic-java-handler", "New Relic"),
        ("/opt/elastic-apm-handler", "Elastic APM"),
        ("/opt/python/bin/elasticapm-lambda", "Elastic APM"),
        ("/opt/appdynamics-extension-script", "AppDynamics"),
        ("/opt/baselime", "Baselime"),
        ("/opt/thundra_wrapper", "Thundra (Catchpoint)"),
        ("/opt/nodejs-otel-handler", "Splunk"),
        ("/opt/sls-sdk-node/exec-wrapper.sh", "Serverless Console"),
        ("/opt/otel-instrument", "OpenTelemetry"),
        ("/opt/otel-proxy-handler", "OpenTelemetry"),
    ],
)
def test_a_start_up_script_that_is_a_vendors(script: str, vendor: str) -> None:
    found = vendor_of("app.handler", (), {WRAPPER: script})
    assert found is not None
    assert (found.vendor, found.by) == (vendor, "wrapper")
    assert script in found.sign


@pytest.mark.parametrize(
    "script", ["/opt/bootstrap", "/opt/datadog_wrapper", "/var/task/start.sh", "/opt/own"]
)
def test_other_start_up_scripts_are_nobodys(script: str) -> None:
    assert vendor_of("run.sh", (), {WRAPPER: script}) is None


@pytest.mark.parametrize(
    ("layer", "vendor", "runs"),
    [
        (f"{AT}615299751070:layer:AWSOpenTelemetryDistroPython:13", "OpenTelemetry (AWS distribution", True),
        (f"{AT}999988887777:layer:AWSOpenTelemetryDistroJs:2", "OpenTelemetry (AWS distribution", True),
        ("AWSOpenTelemetryDistroDotNet", "OpenTelemetry (AWS distribution", True),
        (
            f"{AT}901920570463:layer:aws-otel-python-amd64-ver-1-32-0:1",
            "OpenTelemetry (AWS distribution",
            True,
        ),
        (f"{AT}184161586896:layer:opentelemetry-nodejs-0_13_0:1", "OpenTelemetry", True),
        (f"{AT}184161586896:layer:opentelemetry-collector-arm64-0_15_0:1", "OpenTelemetry", False),
        (
            "arn:${AWS::Partition}:lambda:${AWS::Region}:114300393969:layer:lumigo-node-tracer:312",
            "Lumigo",
            True,
        ),
        (f"{AT}451483290750:layer:NewRelicPython312:40", "New Relic", True),
        (f"{AT}451483290750:layer:NewRelicLambdaExtension:52", "New Relic", False),
        (f"{AT}725887861453:layer:Dynatrace_OneAgent_1_295_5_nodejs:1", "Dynatrace", True),
        (f"{AT}254067382080:layer:splunk-apm:107", "Splunk", True),
        (f"{AT}410797082306:layer:instana-python:99", "Instana", True),
        (f"{AT}625240141681:layer:coralogix-python-wrapper-and-exporter-x86_64:7", "Coralogix", True),
        (f"{AT}625240141681:layer:coralogix-aws-lambda-telemetry-exporter-x86_64:38", "Coralogix", False),
        (f"{AT}663229565520:layer:sumologic-otel-lambda-python-x86_64-v1-40-0:2", "Sumo Logic", True),
        (f"{AT}486140753397:layer:LogzioLambdaExtensionLogs:14", "Logz.io", False),
        (f"{AT}702835727665:layer:honeycomb-lambda-extension-x86_64-v11-1-1:1", "Honeycomb", False),
        (f"{AT}267093732750:layer:elastic-apm-python-ver-6-24-0:1", "Elastic APM", True),
        (f"{AT}267093732750:layer:elastic-apm-extension-ver-1-6-0-x86_64:1", "Elastic APM", False),
        (f"{AT}943013980633:layer:SentryNodeServerlessSDKv8:3", "Sentry", True),
    ],
)
def test_a_layer_tells_by_its_name_in_any_account(layer: str, vendor: str, runs: bool) -> None:
    found = vendor_of_layer(layer)
    assert found is not None
    assert found.vendor.startswith(vendor)
    assert found.runs is runs
    assert vendor_of("app.handler", (f"{AT}111122223333:layer:own:1", layer), {}) == found


@pytest.mark.parametrize(
    "name", ["Datadog-Python312", "LambdaAdapterLayerX86", "own-otel", "LambdaInsightsExtension"]
)
def test_other_layers_are_nobodys(name: str) -> None:
    assert vendor_of_layer(f"{AT}111122223333:layer:{name}:1") is None


@pytest.mark.parametrize(
    ("env", "vendor"),
    [
        ({"NODE_OPTIONS": "--import @sentry/aws-serverless/awslambda-auto"}, "Sentry"),
        ({"NODE_OPTIONS": "-r elastic-apm-node/start"}, "Elastic APM"),
        ({"CORECLR_PROFILER": "{36032161-FFC0-4B61-B559-F6C5D41BAE5A}"}, "New Relic"),
        ({"JAVA_TOOL_OPTIONS": "-Xmx1g -javaagent:/opt/opentelemetry-javaagent.jar"}, "OpenTelemetry"),
    ],
)
def test_a_variable_that_loads_an_agent(env: dict[str, str], vendor: str) -> None:
    found = vendor_of("app.handler", (), env)
    assert found is not None
    assert (found.vendor, found.by) == (vendor, "variable")


@pytest.mark.parametrize(
    ("layer", "env", "vendor"),
    [
        ("splunk-apm", {}, "Splunk"),
        ("", {"HONEYCOMB_API_KEY": "k"}, "Honeycomb (OpenTelemetry)"),
        ("", {"LS_ACCESS_TOKEN": "k"}, "Lightstep (OpenTelemetry)"),
        ("LogzioLambdaExtensionLogs", {}, "Logz.io (OpenTelemetry)"),
        ("coralogix-nodejs-wrapper-and-exporter-arm64", {}, "Coralogix (OpenTelemetry)"),
        ("AWSOpenTelemetryDistroJava", {}, "OpenTelemetry (AWS distribution, Application Signals)"),
    ],
)
def test_whose_open_telemetry_a_shared_script_starts(layer: str, env: dict[str, str], vendor: str) -> None:
    found = vendor_of("app.handler", (layer,), {WRAPPER: "/opt/otel-handler", **env})
    assert found is not None
    assert (found.vendor, found.by) == (vendor, "wrapper")


def test_variables_alone_are_no_sign_that_a_vendor_runs_anything() -> None:
    stale = {
        "NEW_RELIC_LAMBDA_HANDLER": "app.handler",
        "LUMIGO_TRACER_TOKEN": "t",
        "NODE_OPTIONS": "--trace-warnings",
    }
    assert vendor_of("app.handler", (), stale) is None


def test_no_value_of_a_variable_is_told() -> None:
    found = vendor_of(
        "app.handler", (), {"JAVA_TOOL_OPTIONS": "-javaagent:/opt/newrelic.jar -Dtoken=hunter2"}
    )
    assert found is not None
    assert "hunter2" not in found.sign


def test_each_row_has_a_source_and_patterns_that_compile() -> None:
    for vendor in VENDORS:
        assert vendor.source
        for pattern in (*vendor.handlers, *vendor.tracers, *vendor.collectors, *vendor.wrappers):
            re.compile(pattern)
    assert len({v.name for v in VENDORS}) == len(VENDORS)


def test_variables_that_nobody_else_uses_tell_whose_open_telemetry_it_is() -> None:
    """Names as the vendors' own documentation and repositories have them (`source` of each)."""
    theirs = {vendor.name: vendor.own for vendor in VENDORS}
    assert theirs["Thundra (Catchpoint)"] == (
        "THUNDRA_APIKEY",
        "THUNDRA_AGENT_LAMBDA_HANDLER",
        "thundra_agent_lambda_handler",
    )
    names = [name for own in theirs.values() for name in own]
    assert len(names) == len(set(names))
    for vendor, own in theirs.items():
        for name in own:
            found = vendor_of("app.handler", (), {WRAPPER: "/opt/otel-handler", name: "k"})
            assert found is not None
            assert found.vendor.startswith(vendor)
