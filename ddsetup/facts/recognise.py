"""What a function carries already: Datadog, another vendor, or nothing. Told from its configuration alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from ddsetup.facts import catalog
from ddsetup.facts.catalog import LayerArn
from ddsetup.facts.start_up import foreign_script, starts_in_its_own_way
from ddsetup.facts.variables import is_on
from ddsetup.facts.vendors import Carried, vendor_of, vendor_of_layer
from ddsetup.model.account import Function

Mode: TypeAlias = Literal["none", "forwarder", "extension", "broken"]

LEAST_LIBRARY_BYTES = 2_000_000
"""No zipped package with Datadog's Python library in it is smaller: the tracer's wheel alone has more."""
_PACKAGED = re.compile(r"(?!/opt/)(?:.*/)?node_modules/datadog-lambda-js/(?:dist/)?handler\.handler")


def datadog_layers(function: Function) -> tuple[LayerArn, ...]:
    """The layers of the function that Datadog published, in their order."""
    parsed = (catalog.parse_layer(layer.arn) for layer in function.layers)
    return tuple(layer for layer in parsed if layer is not None and layer.datadogs)


def copied_layers(function: Function) -> tuple[LayerArn, ...]:
    """Layers that carry a name of Datadog's but were published by somebody else, usually a private copy."""
    parsed = (catalog.parse_layer(layer.arn) for layer in function.layers)
    return tuple(layer for layer in parsed if layer is not None and layer.role and not layer.datadogs)


def has_extension(function: Function) -> bool:
    """Whether the Datadog Extension, Datadog's own or a copy of it, is attached."""
    return any(a.role == "extension" for a in (*datadog_layers(function), *copied_layers(function)))


def has_datadog(function: Function) -> bool:
    """Whether anything of Datadog's is in the function that sends data."""
    layers = datadog_layers(function) or copied_layers(function)
    return bool(layers) or is_datadog_handler(function.handler)


def extension_ships_logs(function: Function) -> bool:
    """Whether the function's logs already reach Datadog through the Extension."""
    env = function.env or {}
    return has_extension(function) and is_on(env, "DD_SERVERLESS_LOGS_ENABLED")


def is_datadog_handler(handler: str | None) -> bool:
    """Whether the handler is the entry point of one of Datadog's libraries, in a layer or in a package."""
    return handler in catalog.DATADOG_HANDLERS or is_packaged_handler(handler)


def is_packaged_handler(handler: str | None) -> bool:
    """Whether it is the entry point of Datadog's Node library in the function's own package."""
    return handler is not None and _PACKAGED.fullmatch(handler) is not None


def brings_library(function: Function) -> bool:
    """Whether the library is started, and must be in the function's package, as no layer has it.

    Node's handler tells where it is; Python's is the same in both places (Datadog's documentation of the
    installation by package), so the size of the package tells whether it can be there.
    """
    if is_packaged_handler(function.handler):
        return True
    layers = (*datadog_layers(function), *copied_layers(function))
    redirected = function.handler == catalog.PYTHON_HANDLER and own_handler(function) is not None
    holds = function.code_size >= LEAST_LIBRARY_BYTES
    return redirected and holds and not any(layer.role == "library" for layer in layers)


def stays_as_it_starts(function: Function) -> str:
    """Why the function's handler must not be redirected to Datadog's library; empty if it can be."""
    redirected = is_datadog_handler(function.handler)
    return starts_in_its_own_way(function, own_handler(function), redirected=redirected)


def own_handler(function: Function) -> str | None:
    """The user's own handler, looking through Datadog's redirection; None if it cannot be known any more."""
    if not is_datadog_handler(function.handler):
        return function.handler
    remembered = (function.env or {}).get(catalog.HANDLER_VARIABLE)
    return None if not remembered or is_datadog_handler(remembered) else remembered


def mode_of(function: Function) -> Mode:
    """How the function is instrumented by Datadog at present, judged by its configuration.

    "broken": the handler is Datadog's, but nobody remembers the user's own, or it is none that the library
    could run, or it is in a layer that is not there. Whether a Python package holds the library is not seen.
    """
    layers = (*datadog_layers(function), *copied_layers(function))
    redirected = is_datadog_handler(function.handler)
    if redirected and function.package_type == "Zip" and function.env is not None:
        needs_layer = function.handler == catalog.NODE_HANDLER and not function.layers
        if own_handler(function) is None or needs_layer or stays_as_it_starts(function):
            return "broken"
    if any(layer.role == "extension" for layer in layers):
        return "extension"
    return "forwarder" if redirected or any(layer.role == "library" for layer in layers) else "none"


def foreign_wrapper(function: Function) -> str | None:
    """The start-up script in `AWS_LAMBDA_EXEC_WRAPPER` if it is not Datadog's."""
    return foreign_script(function.env or {}) or None


def active_vendor(function: Function) -> Carried | None:
    """What shows that another vendor runs this function, None if none does.

    A layer by itself does nothing where Datadog's handler or start-up script has the place that it needs.
    """
    handler = own_handler(function) or function.handler
    found = vendor_of(handler, (layer.arn for layer in function.layers), function.env or {})
    if found is None or not found.runs:
        return None
    wrapper = (function.env or {}).get(catalog.WRAPPER_VARIABLE)
    datadogs = is_datadog_handler(function.handler) or wrapper == catalog.DATADOG_WRAPPER
    return None if found.by == "layer" and datadogs else found


def vendor_layers(function: Function) -> Mapping[str, str]:
    """Layers of other monitoring vendors by ARN, with the vendor's name."""
    found = {layer.arn: vendor_of_layer(layer.arn) for layer in function.layers}
    return {arn: carried.vendor for arn, carried in found.items() if carried is not None}


def forwarder_like(name: str) -> bool:
    """Whether a function's name is one that people gave to Datadog's Forwarder over the years."""
    lowered = name.lower().replace("-", "").replace("_", "")
    return ("datadog" in lowered and "forwarder" in lowered) or lowered == "logforwarder"


def is_edge(function: Function) -> bool:
    """Whether it is a replica or master of Lambda@Edge, where layers and variables are not allowed."""
    return function.master_arn is not None
