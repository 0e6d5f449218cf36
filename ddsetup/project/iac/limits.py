"""What each deployment tool does not do for a function, once: the plan says it, and the reference page.

A rule that is `out` means more than that nothing is attached: the tool would break the function, or stop the
deployment, so the function is put on the tool's list of exceptions. Sources: datadog-cloudformation-macro
(src/lambda), serverless-plugin-datadog (src/layer.ts, src/env.ts, src/wrapper.ts), datadog-cdk-constructs,
Datadog's pages for Terraform and container images; quotas and restrictions of AWS Lambda and Lambda@Edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from ddsetup.facts import catalog
from ddsetup.facts.start_up import foreign_script, has_web_adapter, starts_otherwise
from ddsetup.facts.vendors import vendor_of
from ddsetup.model.answers import Via
from ddsetup.project.iac.described import Described, Tool
from ddsetup.project.iac.in_package import WITHOUT_LAYER

MOST_LAYERS = 5
"""AWS Lambda's quota of layers for a function."""
_ALL: tuple[Tool, ...] = ("plugin", "macro", "terraform", "cdk")
TITLES: dict[Tool, str] = {
    "plugin": "the Serverless plugin",
    "macro": "Datadog's macro",
    "terraform": "Terraform",
    "cdk": "Datadog's construct",
    "image": "a container image",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A function under one tool. `has_layer`: the version that is to be attached exists for its runtime."""

    function: Described
    via: Via
    has_layer: Callable[[str, str], bool]
    tool: Tool

    @property
    def family(self) -> str:
        """The language, empty if that is not known or may be several."""
        return self.function.families[0] if len(self.function.families) == 1 else ""

    @property
    def first(self) -> catalog.Family | None:
        """What is known of the first runtime that it can have, None if that is nothing."""
        return catalog.family_of(next(iter(self.function.runtimes), ""))


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule. `text` says it of `{them}`; `{tool}` and `{runtime}` stand for what is found."""

    id: str
    tools: tuple[Tool, ...]
    applies: Callable[[Case], bool]
    text: str
    out: bool = False


_stops = partial(Limit, out=True)


def _runtimes(case: Case, test: Callable[[str], bool]) -> bool:
    return bool(case.function.runtimes) and all(test(runtime) for runtime in case.function.runtimes)


def _unknown_to_table(runtime: str) -> bool:
    return not catalog.is_supported(runtime) and not catalog.is_retired(runtime)


def _too_many(case: Case) -> bool:
    family = case.first
    own = len(case.function.layers or ())
    library = family is not None and family.has_library and case.function.library not in WITHOUT_LAYER
    needed = int(library) + int(case.via == "extension")
    return own + needed > MOST_LAYERS


def _redirected_in(runtime: str) -> bool:
    family = catalog.family_of(runtime)
    return family is not None and family.handler is not None


def _needs_the_scripts_place(case: Case) -> bool:
    """A start-up script of others, where Datadog's would have to stand or nothing is known of the handler."""
    family = case.first
    unclear = family is None or family.wrapped or (family.handler is not None and not _told(case.function))
    return unclear and bool(foreign_script(case.function.variables or {}))


def _redirected_without_library(case: Case) -> bool:
    family = case.first
    redirects = family is None or family.handler is not None or family.wrapped
    return case.function.library == "unwanted" and redirects


LIMITS: tuple[Limit, ...] = (
    _stops(
        "cloudfront",
        ("cdk",),
        lambda case: case.function.cloudfront,
        "functions of CloudFront are no Lambda functions, and left out",
    ),
    _stops(
        "edge",
        _ALL,
        lambda case: case.function.edge,
        "Lambda@Edge takes neither layers nor environment variables: {them} left out",
    ),
    _stops(
        "redirected",
        ("terraform",),
        lambda case: case.function.redirected,
        "{them} redirected to Datadog's handler already, and left so",
    ),
    _stops(
        "ignored_changes",
        ("terraform",),
        lambda case: bool(case.function.ignored) and not case.function.image,
        "Terraform is told not to change {ignored} of {them} (lifecycle.ignore_changes), so it would carry "
        "out a part at most, and the function could not start: left out; `ddsetup setup` does it, and "
        "Terraform leaves that alone",
    ),
    _stops(
        "by_hand",
        ("plugin", "macro", "cdk"),
        lambda case: case.function.redirected,
        "{them} redirected to Datadog's handler by hand already (DD_LAMBDA_HANDLER, layers), and left so; to "
        "leave it to {tool}, take that out of the file",
    ),
    _stops(
        "layer_by_hand",
        ("plugin", "macro", "cdk"),
        lambda case: bool(case.function.datadog_layers),
        "{them} with a layer of Datadog's by hand already; Lambda refuses two versions of one layer, so "
        "{tool} leaves it out until that layer is taken out of the file",
    ),
    _stops(
        "other_vendor",
        (*_ALL, "image"),
        lambda case: bool(vendor(case.function)),
        "{them} run by another vendor's handler or layer ({vendor}), and left to it",
    ),
    _stops(
        "starts_otherwise",
        _ALL,
        lambda case: bool(started(case.function)),
        "{started}; left out, as that handler cannot be redirected to Datadog's library: `ddsetup setup "
        "--via extension` attaches the Extension alone, and the code sends its traces to it",
    ),
    _stops(
        "web_server_image",
        ("image",),
        lambda case: has_web_adapter(case.function.layers or (), case.function.variables or {}),
        "{them} is a web server behind the AWS Lambda Web Adapter: there is no handler to redirect, so it "
        "is left out; trace the server itself (ddtrace-run, or `node -r dd-trace/init`)",
    ),
    _stops(
        "started_image",
        ("image",),
        lambda case: bool(started(case.function)),
        "{started}; left out, as that handler cannot be redirected to Datadog's library",
    ),
    _stops(
        "other_language_image",
        ("image",),
        lambda case: _runtimes(case, lambda runtime: not _redirected_in(runtime)),
        "{them} is written for {runtime}, whose handlers are not redirected: left out; the Extension and the "
        "tracer are put in as Datadog's page for container images says it",
    ),
    _stops(
        "retired_image",
        ("image",),
        lambda case: _runtimes(
            case, lambda each: catalog.is_retired(each) or each in catalog.FROZEN_RUNTIMES
        ),
        "Datadog's library is not made for {runtime} any more, and its installation would stop the build: "
        "{them} left out",
    ),
    _stops(
        "own_wrapper",
        _ALL,
        _needs_the_scripts_place,
        "{them} with a start-up script of its own in AWS_LAMBDA_EXEC_WRAPPER, which stays: left out",
    ),
    Limit(
        "image",
        _ALL,
        lambda case: case.function.image,
        "{them} built as a container image, to which no layer can be added: its lines go into the Dockerfile "
        "({tool} leaves it alone)",
    ),
    _stops(
        "unwanted_library",
        ("macro",),
        _redirected_without_library,
        "{tool} redirects the handler of {them} to Datadog's library in any case, which --layer-version none "
        "leaves away: left out",
    ),
    _stops(
        "retired_runtime",
        _ALL,
        lambda case: _runtimes(case, catalog.is_retired),
        "Datadog has no layer for {runtime} any more: {them} left out",
    ),
    _stops(
        "unknown_runtime",
        _ALL,
        lambda case: _runtimes(case, _unknown_to_table),
        "Datadog has no layer for {runtime} that ddsetup knows of: {them} left out",
    ),
    _stops(
        "frozen_runtime",
        ("macro", "cdk"),
        lambda case: any(
            not case.has_layer(runtime, case.function.architecture or "x86_64")
            for runtime in case.function.runtimes
        ),
        "there is no layer of the version that the others get for {runtime} (ended, or not for this "
        "architecture or region): {them} left out, as the deployment would fail",
    ),
    Limit(
        "ended_runtime",
        _ALL,
        lambda case: any(runtime in catalog.FROZEN_RUNTIMES for runtime in case.function.runtimes),
        "AWS and Datadog have ended {runtime}: {them} with the last layer there was",
    ),
    Limit(
        "computed_runtime",
        ("macro", "cdk", "terraform"),
        lambda case: case.function.computed_runtime and not case.function.image,
        "{tool} cannot tell the runtime of {them}, as it is computed: look whether its layer is attached",
    ),
    Limit(
        "packaged",
        _ALL,
        lambda case: case.function.library == "packaged",
        "Datadog's library is in the package of {them} already, so no layer of it is needed",
    ),
    Limit(
        "listed",
        _ALL,
        lambda case: case.function.library == "listed",
        "the requirements beside the code of {them} list Datadog's library; if it gets into the package, its "
        "layer is one too many",
    ),
    Limit(
        "latest_runtime",
        ("cdk",),
        lambda case: case.function.latest_runtime,
        "{tool} cannot tell the runtime behind NODEJS_LATEST, so it adds no layer to {them} and redirects "
        "nothing; name the runtime, e.g. Runtime.NODEJS_22_X",
    ),
    Limit(
        "custom_runtime",
        _ALL,
        lambda case: case.family == "custom" and case.via == "forwarder",
        "custom runtimes ({runtime}) send nothing but logs through the Forwarder: {them}; --via extension "
        "adds metrics and traces",
    ),
    Limit(
        "needs_extension",
        _ALL,
        lambda case: case.family in ("java", "dotnet") and case.via == "forwarder",
        "Java and .NET send nothing but logs through the Forwarder: {them} ({runtime}); --via extension "
        "adds metrics and traces",
    ),
    Limit(
        "ruby_by_code",
        _ALL,
        lambda case: case.family == "ruby",
        "Ruby handlers are not redirected: wrap {them} in the code (Datadog::Lambda.wrap) for traces",
    ),
    _stops(
        "computed_layers",
        ("plugin", "macro"),
        lambda case: case.function.layers is None,
        "the list of layers of {them} is computed, so {tool} cannot add to it: left out",
    ),
    _stops(
        "computed_environment",
        ("macro",),
        lambda case: case.function.variables is None,
        "the environment of {them} is computed, so {tool} cannot add to it: left out",
    ),
    _stops(
        "computed_architecture",
        ("macro",),
        lambda case: case.function.architecture is None,
        "the architecture of {them} is computed, which stops {tool}: left out",
    ),
    _stops(
        "computed_tags",
        ("macro",),
        lambda case: case.function.computed_tags,
        "the tags of {them} are computed, which stops {tool}: left out",
    ),
    _stops(
        "five_layers",
        ("plugin", "macro", "terraform"),
        _too_many,
        "AWS allows five layers, and {them} would have more: left out",
    ),
)


_OF_LAYERS = ("layer_by_hand", "computed_layers", "five_layers", "frozen_runtime", "packaged", "listed")


def vendor(function: Described) -> str:
    """The other vendor whose handler, start-up script or layer a file names, empty if there is none."""
    found = vendor_of(function.handler, function.layers or (), function.variables or {})
    return found.vendor if found is not None and found.runs else ""


def _told(function: Described) -> str:
    """The handler, empty where a part of it is computed."""
    return "" if "${" in function.handler else function.handler


def started(function: Described) -> str:
    """Why a handler must not be redirected, as `ddsetup setup` says it of functions on AWS; empty if it can
    be, or where the file does not tell."""
    layers, variables = function.layers or (), function.variables or {}
    reasons = (starts_otherwise(_told(function), each, layers, variables) for each in function.runtimes)
    return next(filter(None, reasons), "")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a tool leaves out, what it covers, and what there is to say."""

    out: tuple[Described, ...] = ()
    covered: tuple[Described, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def doing(self) -> tuple[Described, ...]:
        """The functions to which plugin or macro do something: container images take no layers."""
        return tuple(each for each in self.covered if not each.image)


def judge(
    functions: Iterable[Described],
    tool: Tool,
    via: Via,
    has_layer: Callable[[str, str], bool] = lambda _runtime, _architecture: True,
    *,
    own_layers: bool = False,
) -> Judged:
    """Which of the functions a tool covers. Each is left out for one reason, the first that holds.

    `own_layers`: the tool is told to add none, so those of the functions are no matter.
    """
    out: list[Described] = []
    covered: list[Described] = []
    said: dict[str, list[Described]] = {}
    rules = [each for each in LIMITS if tool in each.tools and not (own_layers and each.id in _OF_LAYERS)]
    for function in functions:
        case = Case(function, via, has_layer, tool)
        holding = [limit for limit in rules if limit.applies(case)]
        stopping = next((limit for limit in holding if limit.out), None)
        (covered if stopping is None else out).append(function)
        for limit in holding if stopping is None else [stopping]:
            said.setdefault(limit.id, []).append(function)
    warnings = tuple(_said(limit, said[limit.id], tool) for limit in LIMITS if limit.id in said)
    return Judged(tuple(out), tuple(covered), warnings)


def _said(limit: Limit, functions: list[Described], tool: Tool) -> str:
    runtimes = dict.fromkeys(runtime for each in functions for runtime in each.runtimes)
    vendors = dict.fromkeys(vendor(each) for each in functions)
    ways: dict[str, list[str]] = {}
    for each in functions:
        ways.setdefault(started(each), []).append(each.name)
    return limit.text.format(
        them=", ".join(each.name for each in functions),
        tool=TITLES[tool],
        runtime=", ".join(runtimes),
        vendor=", ".join(vendors),
        ignored=", ".join(dict.fromkeys(name for each in functions for name in each.ignored)),
        started="; ".join(f"{', '.join(names)}: {way}" for way, names in ways.items()),
    )
