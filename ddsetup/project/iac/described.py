"""A function as the file of a deployment tool describes it, as far as that can be told without the tool."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ddsetup.facts import catalog
from ddsetup.model.account import Json

Library: TypeAlias = Literal["", "listed", "packaged", "unwanted"]
Tool: TypeAlias = Literal["plugin", "macro", "terraform", "cdk", "image"]
_RUNTIME = re.compile(r"[a-z]+[0-9a-z.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A function by the name that its file has for it.

    `runtimes` are those that it can have, none where that is not known; `computed_runtime` says that it is
    neither written nor a parameter. `layers` are written as in the file, None: the list is computed as a
    whole; `variables` likewise. `function_name` is empty where there is none or it is computed.
    `latest_runtime`: the CDK's NODEJS_LATEST, which only the CDK resolves. `cloudfront`: a function of
    CloudFront's own, which is none of Lambda.
    `code` is the folder of its code, as written; `installs`: the tool installs what is listed there.
    `ignored`: what of layers, variables and handler Terraform is told not to change.
    `library`: Datadog's is in its package, or listed beside its code, where it may get there, or unwanted.
    """

    name: str
    runtimes: tuple[str, ...] = ()
    computed_runtime: bool = False
    handler: str = ""
    image: bool = False
    edge: bool = False
    layers: tuple[str, ...] | None = ()
    variables: Mapping[str, str] | None = field(default_factory=dict)
    architecture: str | None = "x86_64"
    function_name: str = ""
    computed_tags: bool = False
    ignored: tuple[str, ...] = ()
    latest_runtime: bool = False
    cloudfront: bool = False
    code: str = ""
    installs: bool = False
    library: Library = ""

    @property
    def families(self) -> tuple[str, ...]:
        """The languages that its runtimes are of."""
        found = (catalog.family_of(runtime) for runtime in self.runtimes)
        return tuple(dict.fromkeys(str(family.name) for family in found if family is not None))

    @property
    def redirected(self) -> bool:
        """Whether Datadog's handler or start-up script is named in the file itself."""
        variables = self.variables or {}
        return (
            self.handler in catalog.DATADOG_HANDLERS
            or catalog.HANDLER_VARIABLE in variables
            or variables.get(catalog.WRAPPER_VARIABLE) == catalog.DATADOG_WRAPPER
        )

    @property
    def datadog_layers(self) -> tuple[str, ...]:
        """The layers of Datadog that the file lists, as they are written there."""
        return tuple(layer for layer in self.layers or () if DATADOG_LAYER.search(layer))


DATADOG_LAYER = re.compile(
    r":layer:(Datadog-(Extension|Python|Node|Ruby)[\w-]*|dd-trace-(java|dotnet)[\w-]*)"
)
"""The names of Datadog's layers in an ARN, whoever published them; region and account may be computed."""


def runtime(text: Json) -> tuple[str, ...]:
    """A runtime that is written, nothing for whatever else."""
    return (text,) if isinstance(text, str) and _RUNTIME.fullmatch(text) else ()


def texts(value: Json, seen: set[int] | None = None) -> Iterator[str]:
    """Every text and key in a value, those in one that stands at several places once."""
    seen = set() if seen is None else seen
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and id(value) not in seen:
        seen.add(id(value))
        items: Iterable[Json] = value
        if isinstance(value, dict):
            items = [each for pair in value.items() for each in pair]
        for item in items:
            yield from texts(item, seen)
