"""Datadog's layers and the redirected handler of functions."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case, Subject
from ddsetup.doctor.checks.check import Checks, Result
from ddsetup.doctor.checks.functions import command_for, mendable, problem
from ddsetup.doctor.checks.road import LIBRARY, ROAD
from ddsetup.facts import catalog, recognise
from ddsetup.facts.catalog import LayerArn
from ddsetup.facts.guides import LAMBDA_GUIDE, SETTINGS_GUIDE

_LIST = ("lambda:ListFunctions",)
MOST_BEHIND = 20
"""Versions by which a layer may lag before it is worth a warning."""
check = Checks("functions", needs=_LIST)


def _libraries(subject: Subject) -> tuple[LayerArn, ...]:
    return tuple(a for a in recognise.datadog_layers(subject.function) if a.role == "library")


def _any_library(subject: Subject) -> bool:
    copied = (a for a in recognise.copied_layers(subject.function) if a.role == "library")
    return bool(_libraries(subject)) or any(copied)


def _current(case: Case) -> Iterator[Subject]:
    """Functions that carry Datadog and whose configuration can be judged."""
    return (s for s in case.subjects if s.touchable and s.mode != "none")


@check(
    "layer-present",
    "functions whose handler is Datadog's have Datadog's layer",
    fix="automatic",
    link=LAMBDA_GUIDE,
    at="layer",
    proves="layer",
    stops=(*ROAD, "start"),
)
def present(case: Case) -> Iterator[Result]:
    """The handler is Datadog's, and the layer that holds it is not attached: the function cannot start
    ("No module named 'datadog_lambda'").

    Unless the library is in its package, which its configuration does not tell: where data arrives, or the
    package is large enough for it and Node's handler or Python's fits, nothing is said.
    """
    for s in case.subjects:
        redirected = recognise.is_datadog_handler(s.function.handler)
        elsewhere = recognise.brings_library(s.function) or s.arrived("enhanced_metrics")
        if s.touchable and redirected and not elsewhere and not _any_library(s):
            yield mendable(
                s,
                "its handler is Datadog's, but the layer with it is not attached: it cannot start, unless "
                "its package has the library",
                "attach the layer",
            )


@check(
    "layer-runtime",
    "Datadog's layers fit the functions' runtimes",
    fix="automatic",
    at="layer",
    proves="fitting layer",
    stops=(*ROAD, "start"),
)
def layer_runtime(case: Case) -> Iterator[Result]:
    """The library layer was made for another runtime version, as happens when only the runtime is moved."""
    for s in _current(case):
        wanted = catalog.library_layer(s.function.runtime or "", s.function.architecture)
        for layer in _libraries(s):
            if wanted and _plain(layer.name) != _plain(wanted):
                yield mendable(
                    s,
                    f"{layer.label} does not fit {s.function.runtime}; {wanted} does",
                    "swap the layer",
                )


@check(
    "layer-architecture",
    "Datadog's layers fit the functions' architectures",
    fix="automatic",
    at="layer",
    stops=(*ROAD, "start"),
)
def layer_architecture(case: Case) -> Iterator[Result]:
    """A layer was made for the other architecture (x86_64 or arm64), so its native parts do not load."""
    for s in _current(case):
        wanted = {
            catalog.library_layer(s.function.runtime or "", s.function.architecture),
            catalog.extension_layer(s.function.architecture),
        }
        plain = {_plain(name): name for name in wanted if name}
        for layer in recognise.datadog_layers(s.function):
            name = layer.name.removesuffix("-FIPS")
            right = plain.get(_plain(name))
            if right and right != name:
                yield mendable(
                    s,
                    f"{layer.label} is not for {s.function.architecture}; {right} is",
                    "swap the layer",
                )


@check("layer-recent", "Datadog's layers are recent", "info", fix="automatic")
def recent(case: Case) -> Iterator[Result]:
    """A layer is more than 20 versions behind the newest one that is known."""
    for s in _current(case):
        lane = case.snapshot.lanes[s.function.lane]
        for layer in recognise.datadog_layers(s.function):
            bundled = catalog.baseline_version(layer.name, s.function.region) or 0
            newest = max(lane.newest_layers.get(layer.name, 0), bundled)
            if newest - layer.version > MOST_BEHIND:
                yield mendable(
                    s,
                    f"{layer.label} is {newest - layer.version} versions behind",
                    "bring it up to date",
                )


@check(
    "layer-retired",
    "no layer is of a kind that Datadog gave up",
    "warning",
    at="layer",
    proves="current layer",
    stops=("fitting layer",),
)
def retired(case: Case) -> Iterator[Result]:
    """The layer belongs to a runtime that AWS retired (Python27, Node8-10, ...) and is no longer updated."""
    known = set(catalog.layer_names())
    for s in _current(case):
        for layer in recognise.datadog_layers(s.function):
            if layer.name.removesuffix("-ARM") not in known and layer.name not in known:
                yield problem(
                    s, f"{layer.label} is no longer published", "move the function to a current runtime"
                )


@check(
    "handler-redirected",
    "functions with the library's layer start through it",
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="handler",
    proves="redirection",
    stops=LIBRARY,
)
def redirected(case: Case) -> Iterator[Result]:
    """The layer is attached, but the handler is still the function's own: the library is never started.

    A later deployment that resets the handler does that. If the code wraps the handler itself
    (`datadog_lambda_wrapper`, `datadog()`), all is well; where its data arrives nothing is said.
    """
    for s in _current(case):
        family = s.family
        if family is None or family.handler is None or not _any_library(s):
            continue
        own = not recognise.is_datadog_handler(s.function.handler)
        if recognise.stays_as_it_starts(s.function):
            continue
        if own and not s.arrived("enhanced_metrics"):
            remembered = s.env.get(catalog.HANDLER_VARIABLE)
            stale = remembered and remembered != s.function.handler
            yield mendable(
                s,
                f"its handler is {s.function.handler}, so the library is not started"
                + (f" ({catalog.HANDLER_VARIABLE} is stale, too: {remembered})" if stale else ""),
                "redirect the handler",
            )


@check(
    "handler-known",
    "functions whose handler is Datadog's remember their own",
    link=LAMBDA_GUIDE,
    at="handler",
    stops=(*ROAD, "start", "layer"),
)
def known_handler(case: Case) -> Iterator[Result]:
    """The handler is Datadog's, and DD_LAMBDA_HANDLER is missing or names Datadog's handler itself: the
    function cannot start, and its own handler is known to nobody but you."""
    for s in case.subjects:
        if not s.touchable or not recognise.is_datadog_handler(s.function.handler):
            continue
        if recognise.own_handler(s.function) is None:
            remembered = s.env.get(catalog.HANDLER_VARIABLE)
            how = "names Datadog's handler, too" if remembered else "is missing"
            yield problem(
                s,
                f"its handler is Datadog's, and {catalog.HANDLER_VARIABLE}, which must name its own, {how}",
                "look its own handler up in the deployment's files, set it, then instrument again",
                command=command_for(s, f"--handler {catalog.OWN_HANDLER}"),
            )


@check("handler-variable", "only functions that need it have DD_LAMBDA_HANDLER", "info")
def stray(case: Case) -> Iterator[Result]:
    """DD_LAMBDA_HANDLER means nothing to Java, .NET, Ruby and custom runtimes; it was set by mistake."""
    for s in _current(case):
        if s.family is not None and s.family.handler is None and catalog.HANDLER_VARIABLE in s.env:
            yield problem(s, f"{catalog.HANDLER_VARIABLE} has no effect on {s.function.runtime}", "remove it")


@check(
    "wrapper-set",
    "Java and .NET functions start through Datadog's script",
    fix="automatic",
    at="handler",
    proves="start-up script",
    stops=LIBRARY,
)
def wrapper_set(case: Case) -> Iterator[Result]:
    """The tracer's layer is attached, but AWS_LAMBDA_EXEC_WRAPPER does not name Datadog's script."""
    for s in _current(case):
        set_up = s.env.get(catalog.WRAPPER_VARIABLE) or "CORECLR_ENABLE_PROFILING" in s.env
        if s.family is not None and s.family.wrapped and _libraries(s) and not set_up:
            yield mendable(
                s,
                f"{catalog.WRAPPER_VARIABLE} is not {catalog.DATADOG_WRAPPER}, so nothing is traced",
                "set the variable",
            )


def _plain(name: str) -> str:
    return name.removesuffix("-FIPS").removesuffix("-ARM")
