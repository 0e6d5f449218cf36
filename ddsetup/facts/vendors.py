"""Who else's instrumentation a function carries: one table of other vendors, and one question to it.

Pure data, for live functions and for deployment files alike. A vendor shows itself by the handler that it
puts in place of the function's own, by a layer (whatever account publishes it: people copy layers), by the
start-up script in `AWS_LAMBDA_EXEC_WRAPPER`, or by a variable that loads its agent. Rows name their source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias

Sign: TypeAlias = Literal["handler", "wrapper", "variable", "layer"]

_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_PACKAGES = r"(?:.*/)?"
"""A handler in a layer or in a folder of packages, as Node's and Python's are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """How one vendor's instrumentation shows itself, in regular expressions for the whole of a value.

    `tracers` are names of layers that instrument; `collectors` those of layers that only ship logs or what
    others hand them, beside which anything can run. `accounts` publish its layers, under whatever name.
    `loaders` are variables whose value loads an agent.
    `plugins` are those of the Serverless Framework that put its tracer before every function.
    `own` are variables that nobody else uses: they tell whose distribution of OpenTelemetry a script starts.
    """

    name: str
    source: str
    handlers: tuple[str, ...] = ()
    tracers: tuple[str, ...] = ()
    collectors: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    loaders: Mapping[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """What a function carries of a vendor. `sign` names the handler, script, variable or layer (no value of
    a variable but the script's path). `runs` False: it only collects, and runs beside Datadog.
    """

    vendor: str
    by: Sign
    sign: str
    runs: bool = True


OPEN_TELEMETRY = "OpenTelemetry"

VENDORS: tuple[Vendor, ...] = (
    Vendor(
        name="New Relic",
        source="docs.newrelic.com, serverless function monitoring; newrelic-lambda-cli",
        handlers=(
            _PACKAGES + r"newrelic[-_]lambda[-_]wrapper\.handler",
            _PACKAGES + r"newrelic-(esm-)?lambda-wrapper(/index)?\.handler",
            r"com\.newrelic\.java\..+",
        ),
        tracers=(r"NewRelic(?!LambdaExtension)\w[\w-]*",),
        collectors=(r"NewRelicLambdaExtension[\w-]*",),
        accounts=("451483290750",),
        wrappers=(r"/opt/newrelic[-\w/.]*",),
        loaders={
            "CORECLR_PROFILER": r"(?i)\{36032161-FFC0-4B61-B559-F6C5D41BAE5A\}",
            "JAVA_TOOL_OPTIONS": r".*-javaagent:\S*newrelic.*",
        },
        own=("NEW_RELIC_LAMBDA_HANDLER", "NEW_RELIC_ACCOUNT_ID"),
        plugins=("serverless-newrelic-lambda-layers",),
    ),
    Vendor(
        name="Lumigo",
        source="lumigo-io/python_tracer, lumigo-node, serverless-lumigo-plugin",
        handlers=(
            _PACKAGES + r"lumigo_tracer\._handler",
            _PACKAGES + r"lumigo-auto-instrument\.handler",
            _PACKAGES + r"_lumigo/.+",
        ),
        tracers=(r"lumigo-(?!.*extension)[\w-]+",),
        collectors=(r"lumigo-[\w-]*extension[\w-]*",),
        accounts=("114300393969",),
        wrappers=(r"/opt/lumigo[-\w/.]*",),
        own=("LUMIGO_TRACER_TOKEN",),
        plugins=("serverless-lumigo",),
    ),
    Vendor(
        name="Dynatrace",
        source="docs.dynatrace.com, Trace Lambda functions",
        tracers=(r"Dynatrace_[\w-]+",),
        accounts=("725887861453",),
        wrappers=(r"/opt/dynatrace[-\w/.]*",),
        own=("DT_TENANT", "DT_CONNECTION_BASE_URL"),
        plugins=("@dynatrace/serverless-oneagent",),
    ),
    Vendor(
        name="Splunk",
        source="signalfx/lambda-layer-versions; docs of Splunk Observability, Lambda layer",
        handlers=(r"com\.signalfx\.lambda\..+",),
        tracers=(r"splunk-(apm|otel)(?!-collector)[\w-]*", r"(?i)signalfx-(?!extension)[\w-]+"),
        collectors=(
            r"splunk-apm-collector[\w-]*",
            r"splunk-lambda-[\w-]+",
            r"(?i)signalfx-extension[\w-]*",
        ),
        accounts=("254067382080",),
        wrappers=(r"/opt/(nodejs|python|java|ruby)-otel-handler",),
        own=("SPLUNK_ACCESS_TOKEN", "SPLUNK_REALM", "SIGNALFX_ACCESS_TOKEN", "SIGNALFX_LAMBDA_HANDLER"),
    ),
    Vendor(
        name="Instana",
        source="ibm.com/docs, Instana AWS Lambda native tracing; instana/nodejs, instana/python-sensor",
        handlers=(
            _PACKAGES + r"instana-aws-lambda-auto-wrap(-esm)?\.handler",
            r"instana\.lambda_handler",
        ),
        tracers=(r"instana-[\w-]+",),
        accounts=("410797082306",),
        loaders={
            "CORECLR_PROFILER_PATH": r"/opt/instana.*",
            "JAVA_TOOL_OPTIONS": r".*-javaagent:\S*instana.*",
        },
        own=("INSTANA_AGENT_KEY", "INSTANA_ENDPOINT_URL"),
    ),
    Vendor(
        name="Epsagon",
        plugins=("serverless-plugin-epsagon",),
        source="epsagon/epsagon-python, epsagon-node, serverless-plugin-epsagon",
        handlers=(r"epsagon\..+", _PACKAGES + r"epsagon(_handlers)?/.+", _PACKAGES + r"epsagon\.\w+"),
        tracers=(r"epsagon-[\w-]+",),
        accounts=("066549572091",),
        own=("EPSAGON_HANDLER",),
    ),
    Vendor(
        name="Thundra (Catchpoint)",
        plugins=("serverless-plugin-thundra",),
        source="thundra-io/serverless-plugin-thundra, thundra-agent-*; catchpoint tracing documentation",
        handlers=(
            r"(thundra|catchpoint)\.handler\.wrapper",
            r"io\.(thundra|catchpoint)\..+",
            _PACKAGES + r"@?(thundra|catchpoint)/.+",
            _PACKAGES + r"thundra_handlers/.+",
        ),
        tracers=(r"(thundra|catchpoint)-[\w-]+",),
        accounts=("269863060030",),
        wrappers=(r"/opt/(thundra|catchpoint)[-\w/.]*",),
        own=("THUNDRA_APIKEY", "THUNDRA_AGENT_LAMBDA_HANDLER", "thundra_agent_lambda_handler"),
    ),
    Vendor(
        name="IOpipe",
        plugins=("serverless-iopipe-layers",),
        source="iopipe/iopipe-python, iopipe-js, serverless-iopipe-layers",
        handlers=(
            r"iopipe\.handler\.wrapper",
            _PACKAGES + r"@iopipe/.+",
            _PACKAGES + r"iopipe_(handlers/.+|wrapper\.handler)",
            r"com\.iopipe\..+",
        ),
        tracers=(r"IOpipe\w+",),
        accounts=("146318645305",),
        own=("IOPIPE_HANDLER", "IOPIPE_TOKEN"),
    ),
    Vendor(
        name="Sentry",
        source="docs.sentry.io, AWS Lambda layer (Node, Python)",
        handlers=(r"sentry_sdk\.integrations\.init_serverless_sdk\.\w+",),
        tracers=(r"Sentry\w+SDK\w*",),
        accounts=("943013980633",),
        loaders={"NODE_OPTIONS": r".*@sentry/(aws-)?serverless/\S*awslambda-auto.*"},
        own=("SENTRY_INITIAL_HANDLER",),
    ),
    Vendor(
        name="Elastic APM",
        source="elastic.co/docs, APM agents on AWS Lambda (Node, Python, Java)",
        tracers=(r"elastic-apm-(?!extension)[\w-]+",),
        collectors=(r"elastic-apm-extension[\w-]*",),
        accounts=("267093732750",),
        wrappers=(r"/opt/elastic-apm[-\w/.]*", r"/opt/python/bin/elasticapm-lambda"),
        loaders={
            "NODE_OPTIONS": r".*\belastic-apm-node/start.*",
            "JAVA_TOOL_OPTIONS": r".*-javaagent:\S*elastic-apm.*",
        },
        own=("ELASTIC_APM_LAMBDA_APM_SERVER", "ELASTIC_OTLP_ENDPOINT"),
    ),
    Vendor(
        name="AppDynamics",
        source="help.splunk.com, AppDynamics AWS Lambda extension",
        tracers=(r"appdynamics-lambda-extension[\w-]*",),
        accounts=("338050622354", "716333212585"),
        wrappers=(r"/opt/appdynamics[-\w/.]*",),
        loaders={"APPDYNAMICS_PYTHON_AUTOINSTRUMENT": r"(?i)true"},
    ),
    Vendor(
        name="Baselime",
        source="Baselime/lambda-node-opentelemetry, Baselime documentation of its layers",
        handlers=(_PACKAGES + r"@baselime/.+",),
        tracers=(r"(?i)baselime-(?!.*extension)[\w-]+",),
        collectors=(r"(?i)baselime-[\w-]*extension[\w-]*",),
        accounts=("097948374213", "374211872663"),
        wrappers=(r"/opt/baselime[-\w/.]*",),
        own=("BASELIME_ACTUAL_HANDLER", "BASELIME_ORIGINAL_HANDLER"),
    ),
    Vendor(
        name="Serverless Console",
        source="serverless/console and serverless/dashboard (aws-lambda-sdk, aws-lambda-otel-extension)",
        tracers=(r"sls-(sdk|otel-extension)-[\w-]+",),
        accounts=("177335420605",),
        wrappers=(r"/opt/sls-sdk-(node|python)/.+", r"/opt/otel-extension-internal-\w+/.+"),
    ),
    Vendor(
        name="SolarWinds (OpenTelemetry)",
        source="solarwinds/apm-java releases (Lambda layer)",
        tracers=(r"solarwinds-apm-[\w-]+",),
        accounts=("851060098468",),
        wrappers=(r"/opt/solarwinds-apm[-\w/.]*",),
    ),
    Vendor(
        name="Coralogix (OpenTelemetry)",
        source="coralogix.com/docs, Lambda auto instrumentation",
        tracers=(r"coralogix-[\w-]*wrapper[\w-]*",),
        collectors=(r"coralogix-(extension|aws-lambda-telemetry-exporter)[\w-]*",),
        accounts=("625240141681",),
        own=("CX_ORIGINAL_HANDLER", "CX_DOMAIN"),
    ),
    Vendor(
        name="Sumo Logic (OpenTelemetry)",
        source="SumoLogic/sumologic-otel-lambda releases, sumologic-lambda-extensions",
        tracers=(r"sumologic-otel-lambda[\w-]*",),
        collectors=(r"sumologic-extension[\w-]*",),
        accounts=("663229565520", "956882708938"),
        own=("SUMOLOGIC_HTTP_TRACES_ENDPOINT_URL", "SUMO_OTLP_HTTP_ENDPOINT_URL"),
    ),
    Vendor(
        name="Honeycomb (OpenTelemetry)",
        source="honeycombio/honeycomb-lambda-extension",
        collectors=(r"honeycomb-lambda-extension[\w-]*",),
        own=("HONEYCOMB_API_KEY", "LIBHONEY_API_KEY"),
    ),
    Vendor(
        name="Lightstep (OpenTelemetry)",
        source="Lightstep documentation, OpenTelemetry launchers on AWS Lambda",
        own=("LS_ACCESS_TOKEN", "LIGHTSTEP_ACCESS_TOKEN"),
    ),
    Vendor(
        name="Logz.io (OpenTelemetry)",
        source="logzio/logzio-lambda-extensions",
        collectors=(r"LogzioLambdaExtension\w*",),
        accounts=("486140753397",),
    ),
    Vendor(
        name="OpenTelemetry (AWS distribution, Application Signals)",
        source="docs.aws.amazon.com, CloudWatch Application Signals on Lambda; aws-otel.github.io",
        tracers=(r"AWSOpenTelemetryDistro\w*", r"aws-otel-(?!collector)[\w-]+"),
        collectors=(r"aws-otel-collector[\w-]*",),
        own=("OTEL_AWS_APPLICATION_SIGNALS_ENABLED",),
    ),
    Vendor(
        name=OPEN_TELEMETRY,
        source="open-telemetry/opentelemetry-lambda releases",
        tracers=(r"opentelemetry-(?!collector)[\w-]+",),
        collectors=(r"opentelemetry-collector[\w-]*",),
        wrappers=(r"/opt/otel-[-\w/.]+", r"/opt/python/otel[-\w/.]+"),
        loaders={
            "JAVA_TOOL_OPTIONS": r".*-javaagent:\S*opentelemetry.*",
            "NODE_OPTIONS": r".*@opentelemetry/auto-instrumentations-node/register.*",
        },
    ),
)
"""Most telling first: many are distributions of OpenTelemetry, whose scripts have the same names."""


def vendor_of(handler: str | None, layers: Iterable[str], env: Mapping[str, str]) -> Carried | None:
    """The other vendor that a function carries, None if there is none.

    `layers` are ARNs or names of layers, with or without a version; `env` the function's variables as far as
    they are known. What runs the function comes before what only collects, and what is in force (handler,
    script, loaded agent) before a layer, which may do nothing by itself.
    """
    attached = tuple(layers)
    signs = [*_in_force(handler or "", env), *_layer_signs(attached)]
    running = next((sign for sign in signs if sign.runs), None)
    if running is None:
        return signs[0] if signs else None
    if running.vendor.startswith(OPEN_TELEMETRY):
        return _named(running, attached, env)
    return running


def vendor_of_plugin(names: Iterable[str]) -> str:
    """The other vendor of whom one of some plugins of the Serverless Framework is, empty if of none."""
    wanted = set(names)
    return next((vendor.name for vendor in VENDORS if wanted & set(vendor.plugins)), "")


def vendor_of_layer(layer: str) -> Carried | None:
    """The other vendor that a layer is known to be of, by its ARN or name."""
    return next(iter(_layer_signs((layer,))), None)


def _in_force(handler: str, env: Mapping[str, str]) -> Iterator[Carried]:
    wrapper = env.get(_WRAPPER, "")
    for vendor in VENDORS:
        if _any(vendor.handlers, handler):
            yield Carried(vendor.name, "handler", f"the handler {handler}")
    for vendor in VENDORS:
        if _any(vendor.wrappers, wrapper):
            yield Carried(vendor.name, "wrapper", f"{_WRAPPER}={wrapper}")
    for vendor in VENDORS:
        for name, pattern in vendor.loaders.items():
            if _any((pattern,), env.get(name, "")):
                yield Carried(vendor.name, "variable", f"the variable {name}")


def _layer_signs(layers: Iterable[str]) -> list[Carried]:
    """What runs first. A layer of an unknown name from a vendor's account is taken for one that collects."""
    found = []
    for layer in layers:
        account, name = _parts(layer)
        for vendor in VENDORS:
            runs = _any(vendor.tracers, name)
            if runs or _any(vendor.collectors, name) or account in vendor.accounts:
                found.append(Carried(vendor.name, "layer", f"the layer {name}", runs=runs))
                break
    return sorted(found, key=lambda sign: not sign.runs)


def _named(running: Carried, layers: tuple[str, ...], env: Mapping[str, str]) -> Carried:
    """Whose OpenTelemetry it is, where a layer or a variable of a distribution tells."""
    theirs = {sign.vendor for sign in _layer_signs(layers)} - {OPEN_TELEMETRY}
    for vendor in VENDORS:
        if vendor.name in theirs or any(name in env for name in vendor.own):
            return Carried(vendor.name, running.by, running.sign)
    return running


def _parts(layer: str) -> tuple[str, str]:
    """The account and the name in a layer's ARN; files have placeholders, or names alone."""
    place, is_arn, rest = layer.rpartition(":layer:")
    return (place.rpartition(":")[2] if is_arn else "", rest.split(":", 1)[0])


def _any(patterns: Iterable[str], value: str) -> bool:
    return bool(value) and any(_compiled(pattern).fullmatch(value) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)
