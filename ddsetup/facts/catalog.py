"""Datadog's facts about AWS as data: sites, Lambda layers, runtimes, variables.

Nothing here talks to the network. Site and layer tables are bundled files with a date of their own:
`layers_source()` names it, and `newest_layers` of a snapshot may know better. Sources: documentation of
Datadog (sites, environment variables), serverless-plugin-datadog (layer table, runtimes), datadog-ci.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from json import loads
from typing import Literal, TypeAlias

from ddsetup.facts.variables import ORG_UUID, VARIABLES
from ddsetup.model.account import Function, Json
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean

FamilyName: TypeAlias = Literal["python", "node", "ruby", "java", "dotnet", "custom"]

LAYER_ACCOUNTS: Mapping[str, str] = {"aws": "464622532012", "aws-us-gov": "002406178527"}
"""The accounts that publish Datadog's layers, by partition; none in `aws-cn`."""

PYTHON_HANDLER = "datadog_lambda.handler.handler"
NODE_HANDLER = "/opt/nodejs/node_modules/datadog-lambda-js/handler.handler"
NODE_BUNDLED_HANDLER = "node_modules/datadog-lambda-js/dist/handler.handler"
"""The Node handler of a function that brings the library in its own package."""
DATADOG_HANDLERS = frozenset({PYTHON_HANDLER, NODE_HANDLER, NODE_BUNDLED_HANDLER})

WRAPPER_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
DATADOG_WRAPPER = "/opt/datadog_wrapper"
HANDLER_VARIABLE = "DD_LAMBDA_HANDLER"
OWN_HANDLER = '"${HANDLER:?its own handler, like app.handler}"'
"""Stands in a command for the handler that only the reader knows; a shell refuses it until it is set."""

ORG_EXTENSION_SINCE = 96
"""The first version of the Extension that knows `DD_ORG_UUID` (datadog-lambda-extension, delegated
authentication)."""
KEY_VARIABLES = (
    ORG_UUID,
    "DD_KMS_API_KEY",
    "DD_API_KEY_SECRET_ARN",
    "DD_API_KEY_SSM_ARN",
    "DD_API_KEY",
)
"""Where the Extension looks for the API key, the first one found wins; exactly one should be set. The first
never falls back to another (datadog-lambda-extension, secrets/decrypt.rs)."""
SECRET_VARIABLES = frozenset(
    {"DD_API_KEY", "DATADOG_API_KEY", "DD_APP_KEY", *(row.name for row in VARIABLES if not row.shown)}
)
"""Key material, encrypted or not. What a function has in them is never shown, never part of a plan or
journal, and so never replaced: it could not be given back."""

INSTRUMENTER_VARIABLES = tuple(row.name for row in VARIABLES if row.removable)
"""What an instrumenter (ddsetup, datadog-ci, the Serverless plugin) sets and may take away again. The
unified tags (`DD_SERVICE`, `DD_ENV`, `DD_VERSION`, `DD_TAGS`) are missing: people set those too."""

DOTNET_PROFILER_VARIABLES: Mapping[str, str] = {
    "CORECLR_ENABLE_PROFILING": "1",
    "CORECLR_PROFILER": "{846F5F1C-F9AE-4B07-969E-05C26BC060D8}",
    "CORECLR_PROFILER_PATH": "/opt/datadog/Datadog.Trace.ClrProfiler.Native.so",
    "DD_DOTNET_TRACER_HOME": "/opt/datadog",
}
"""The way .NET was set up before the wrapper, with the values that only Datadog uses."""

SHOWN_VARIABLES = frozenset(
    {
        *(row.name for row in VARIABLES if row.shown),
        *DOTNET_PROFILER_VARIABLES,
        WRAPPER_VARIABLE,
        "DD_API_KEY_SSM_NAME",
        "DD_LOGS_INJECTION",
        "DD_COLD_START_TRACING",
        "DD_MIN_COLD_START_DURATION",
        "DD_TRACE_DEBUG",
        "DD_TRACE_MANAGED_SERVICES",
        "DD_PROFILING_ENABLED",
        "DD_APM_ENABLED",
        "DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH",
    }
)
"""Variables whose values are known to be harmless. Everything else is shown as `****`."""

EXTENSION_LAYER = "Datadog-Extension"
LIBRARY_LAYER_ZIPPED_BYTES = 9_231 * 1024
"""The upper bound that Datadog keeps for the Python layer; the others are of unknown size."""
FORWARDER_LAYER = "Datadog-Forwarder"


@dataclass(frozen=True, slots=True)
class Site:
    """A Datadog site. `trust_accounts` maps an AWS partition to the account that assumes customers' roles."""

    name: str
    site: str
    app_url: str
    api_url: str
    trust_accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """What Datadog needs to instrument the runtimes of one language.

    `handler` is what the function's handler is redirected to, None where it stays. `wrapped`: a start-up
    script is needed. `forwarder`: the library can report through the log ("forwarder mode"); if not, the
    Extension is required for anything but logs.
    """

    name: FamilyName
    handler: str | None = None
    wrapped: bool = False
    forwarder: bool = True
    has_library: bool = True


FAMILIES: Mapping[FamilyName, Family] = {
    f.name: f
    for f in (
        Family("python", handler=PYTHON_HANDLER),
        Family("node", handler=NODE_HANDLER),
        Family("ruby"),
        Family("java", wrapped=True, forwarder=False),
        Family("dotnet", wrapped=True, forwarder=False),
        Family("custom", forwarder=False, has_library=False),
    )
}

WRAPPER_NEEDS: Mapping[str, int] = {"extension": 24, "java": 5, "dotnet": 4}
"""The lowest layer versions with which `DATADOG_WRAPPER` works."""
TRACER_APPSEC_SINCE = 114
"""From this Python layer on AppSec is in the tracer and needs no wrapper."""

_FAMILY_BY_PREFIX: Mapping[str, FamilyName] = {
    "python": "python",
    "nodejs": "node",
    "ruby": "ruby",
    "java": "java",
    "dotnet": "dotnet",
    "go": "custom",
    "provided": "custom",
}
_JAVA = ("java8.al2", "java11", "java17", "java21", "java25")
_DOTNET = ("dotnet6", "dotnet8", "dotnet10")
_CUSTOM = ("provided.al2", "provided.al2023")
SUPPORTED_WITHOUT_TABLE = frozenset({*_JAVA, *_DOTNET, *_CUSTOM})
_RETIRED = re.compile(
    r"python(2\.7|3\.6)|nodejs([468]\.\d+|1[024]\.x)?|java8|dotnet(core.*|5\.0|7)|ruby2\.\d|go1\.x|provided"
)
FROZEN_RUNTIMES: Mapping[str, str] = {
    "python3.7": "Datadog's layer for it ends with version 85",
    "nodejs16.x": "Datadog's layer for it ends with version 120",
}
"""Runtimes that AWS has deprecated and for which Datadog publishes nothing newer."""

_LAYER_ARN = re.compile(
    r"arn:(?P<partition>[^:]+):lambda:(?P<region>[^:]+):(?P<account>\d{12}):layer:(?P<name>[^:]+):(?P<version>\d+)"
)
_LIBRARY_NAME = re.compile(
    r"Datadog-(Python\d+|Node\d+-(x|10)|Ruby\d-\d)(-ARM)?|dd-trace-(java|dotnet)(-ARM)?"
)
_EXTENSION_NAME = re.compile(r"Datadog-Extension(-ARM)?(-FIPS)?")


@dataclass(frozen=True, slots=True)
class LayerArn:
    """A layer version's ARN in its parts."""

    partition: str
    region: str
    account: str
    name: str
    version: int

    def __str__(self) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:layer:{self.name}:{self.version}"

    @property
    def label(self) -> str:
        """The short form that people use: name and version."""
        return f"{self.name}:{self.version}"

    @property
    def role(self) -> Literal["library", "extension", ""]:
        """What the layer's name says it is, whoever published it."""
        if _LIBRARY_NAME.fullmatch(self.name):
            return "library"
        return "extension" if _EXTENSION_NAME.fullmatch(self.name) else ""

    @property
    def datadogs(self) -> bool:
        """Whether Datadog published it: by account and exact name, never by a part of the name."""
        return self.account in LAYER_ACCOUNTS.values() and self.role != ""


def parse_layer(arn: str) -> LayerArn | None:
    """The parts of a layer version's ARN, None if it is not one."""
    found = _LAYER_ARN.fullmatch(arn)
    if found is None:
        return None
    return LayerArn(
        found["partition"], found["region"], found["account"], found["name"], int(found["version"])
    )


@cache
def sites() -> tuple[Site, ...]:
    """Every Datadog site, US1 first."""
    return tuple(
        Site(s["name"], s["site"], s["app_url"], s["api_url"], s["trust_account_by_partition"])
        for s in _bundled("sites.json")
    )


def site(name: str) -> Site:
    """The site by its domain ("datadoghq.eu") or name ("EU1").

    Raises UsageError, which names the nearest ones, when there is no such site.
    """
    for known in sites():
        if name.strip().lower() in (known.site, known.name.lower()):
            return known
    domains = [s.site for s in sites()]
    fix = did_you_mean(name.lower(), domains, f"one of: {', '.join(domains)}")
    raise UsageError(f"{name!r} is no Datadog site", fix=fix)


def trust_account(site_name: str, partition: str) -> str | None:
    """The AWS account that this site assumes roles from in this partition; None if it does not do so."""
    return site(site_name).trust_accounts.get(partition)


_PARTITIONS: Mapping[str, str] = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""By how the names of a partition's regions begin (botocore, `partitions.json`, `regionRegex`)."""


def partition_of(region: str) -> str:
    """The partition that a region is in, by its name."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def layers_source() -> str:
    """Where the bundled layer table comes from, with its date."""
    return str(_bundled("layers_baseline.json")["source"])


def family_of(runtime: str | None) -> Family | None:
    """The language family of an AWS runtime identifier, None if the identifier is unknown or missing."""
    prefix = re.match(r"[a-z]+", runtime or "")
    name = _FAMILY_BY_PREFIX.get(prefix[0]) if prefix else None
    return FAMILIES[name] if name else None


def is_retired(runtime: str) -> bool:
    """Whether the runtime is so old that neither AWS updates nor Datadog's current layers exist for it."""
    return _RETIRED.fullmatch(runtime) is not None


@cache
def is_supported(runtime: str, partition: str = "aws") -> bool:
    """Whether Datadog supports the runtime, as far as the bundled table knows."""
    if runtime in SUPPORTED_WITHOUT_TABLE:
        return True
    family = family_of(runtime)
    if family is None or family.name not in ("python", "node", "ruby"):
        return False
    return any(runtime in entry["runtimes"] for entry in _layers(partition).values())


@cache
def library_layer(runtime: str, architecture: str) -> str | None:
    """The name of Datadog's library layer; None where there is none (custom runtimes, unsupported ones).

    Node and Java layers serve both architectures; the others have a variant of their own for arm64.
    """
    family = family_of(runtime)
    if family is None or not family.has_library or not is_supported(runtime):
        return None
    arm = "-ARM" if architecture == "arm64" else ""
    version = re.sub(r"^[a-z]+", "", runtime)
    match family.name:
        case "python":
            return f"Datadog-Python{version.replace('.', '')}{arm}"
        case "node":
            return f"Datadog-Node{version.replace('.', '-')}"
        case "ruby":
            return f"Datadog-Ruby{version.replace('.', '-')}{arm}"
        case "java":
            return "dd-trace-java"
        case _:
            return f"dd-trace-dotnet{arm}"


def extension_layer(architecture: str, *, fips: bool = False) -> str:
    """The name of the Extension's layer. Only the Extension has a FIPS variant."""
    return f"{EXTENSION_LAYER}{'-ARM' if architecture == 'arm64' else ''}{'-FIPS' if fips else ''}"


@cache
def baseline_version(name: str, region: str) -> int | None:
    """The newest version of a layer that the bundled table knows in a region, None if not published there."""
    versions: Mapping[str, list[str]] = _layers(partition_of(region)).get(name, {}).get("versions", {})
    return max((int(v) for v, regions in versions.items() if region in regions), default=None)


@cache
def layer_regions() -> tuple[str, ...]:
    """The regions in which Datadog publishes layers: a list to find a misspelt name in, not to refuse by."""
    layers = (layer for partition in LAYER_ACCOUNTS for layer in _layers(partition).values())
    return tuple(
        sorted({region for layer in layers for found in layer["versions"].values() for region in found})
    )


def layer_arn(region: str, name: str, version: int) -> LayerArn:
    """The ARN of one of Datadog's layer versions.

    Raises UsageError in a partition in which Datadog publishes none.
    """
    partition = partition_of(region)
    account = LAYER_ACCOUNTS.get(partition)
    if account is None:
        raise UsageError(f"Datadog publishes no Lambda layers in the partition {partition}", where=region)
    return LayerArn(partition, region, account, name, version)


def layer_names() -> tuple[str, ...]:
    """The names of all layers in the bundled table."""
    return tuple(sorted(_layers("aws")))


def layer_names_for(function: Function) -> tuple[str, ...]:
    """The layers that instrumenting this function may need: what "latest" has to be probed for."""
    if function.runtime is None or function.package_type != "Zip":
        return ()
    library = library_layer(function.runtime, function.architecture)
    extension = extension_layer(function.architecture)
    return tuple(name for name in (library, extension, f"{extension}-FIPS") if name)


def _layers(partition: str) -> Mapping[str, Json]:
    layers: Mapping[str, Json] = _bundled("layers_baseline.json")["layers"].get(partition, {})
    return layers


@cache
def _bundled(name: str) -> Json:
    return loads(resources.files("ddsetup.data").joinpath(name).read_text(encoding="utf-8"))
