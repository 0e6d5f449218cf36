"""What a `serverless.yml` says of its functions, as far as the Framework's variables let it be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddsetup.facts.vendors import vendor_of_plugin
from ddsetup.model.account import Json
from ddsetup.model.errors import DdsetupError
from ddsetup.project.iac import yamldoc
from ddsetup.project.iac.described import Described, runtime, texts
from ddsetup.project.iac.service_variables import Known
from ddsetup.project.iac.source import read_json, read_source
from ddsetup.project.iac.yamldoc import Document

_AT_EDGE = ("cloudFront", "preExistingCloudFront")
BUNDLERS = ("serverless-webpack", "serverless-esbuild", "serverless-bundle")
"""Plugins that make one file of a function and its libraries."""
_INSTALLS_PYTHON = "serverless-python-requirements"
_OURS = frozenset({"service", "provider", "functions", "plugins", "custom", "resources"})
_LOCKED = {
    "package-lock.json": r'"node_modules/serverless-plugin-datadog"\s*:\s*\{\s*"version"\s*:\s*"(\d+)',
    "yarn.lock": r"serverless-plugin-datadog@[^\n]*:\n\s+version:? \"?(\d+)",
    "pnpm-lock.yaml": r"serverless-plugin-datadog(?:@|/|:\s*(?:\n\s*specifier:[^\n]*\n\s*version:\s*)?)(\d+)",
}
"""How lock files name the release of the plugin."""


def foreign(document: Document) -> str:
    """Why a file is none of the Serverless Framework for AWS Lambda, empty if it is one."""
    root = _mapping(yamldoc.as_plain(document.root))
    provider = root.get("provider")
    name = provider.get("name") if isinstance(provider, dict) else provider
    if isinstance(name, str) and name.lower() != "aws" and "${" not in name:
        return f"its provider is {name}, which has no AWS Lambda functions"
    if provider is None and "component" in root:
        return f"it describes a component of Serverless Inc. ({root['component']}), no Lambda functions"
    if not _OURS & set(root):
        return "it names neither a service nor a provider, so it is no file of the Serverless Framework"
    if "functions" not in root and {"resources", "layers"} & set(root):
        return "it has resources or layers, and no functions"
    vendor = vendor_of_plugin(_plugins(root))
    return f"the plugin of another vendor ({vendor}) instruments its functions" if vendor else ""


def functions(document: Document) -> tuple[Described, ...]:
    """The functions of a service, what the provider gives to all included."""
    root = _mapping(yamldoc.as_plain(document.root))
    known = Known(root, document.source.path.parent)
    provider = known.mapping(root.get("provider"))
    listed = known.value(root.get("functions"))
    found: dict[str, Any] = {}
    for part in listed if isinstance(listed, list) else [listed]:
        found |= known.mapping(part)
    return tuple(_function(str(name), known.mapping(own), provider, known) for name, own in found.items())


def _mapping(value: Json) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _function(name: str, own: Mapping[str, Json], provider: Mapping[str, Json], known: Known) -> Described:
    said = known.value(own.get("runtime") or provider.get("runtime"))
    events = own.get("events")
    edge = "lambdaAtEdge" in own or any(
        kind in _AT_EDGE for event in (events if isinstance(events, list) else []) for kind in _mapping(event)
    )
    layers = known.value(own.get("layers") or provider.get("layers"))
    handler = known.value(own.get("handler"))
    return Described(
        name=name,
        runtimes=runtime(said),
        computed_runtime=isinstance(said, str) and "${" in said,
        handler=handler if isinstance(handler, str) else "",
        image=bool(own.get("image")),
        edge=edge,
        layers=_layers(layers),
        code=".",
        installs=_installs(said, known.root),
        variables=_variables(*(known.value(each.get("environment")) for each in (provider, own))),
    )


def _plugins(root: Mapping[str, Json]) -> set[str]:
    """The plugins that are listed in the file."""
    listed = root.get("plugins")
    names = listed.get("modules") if isinstance(listed, dict) else listed
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _installs(said: Json, root: Mapping[str, Json]) -> bool:
    """Whether what a service lists gets into its package as it is: Node's without a bundler, Python's by the
    plugin for it, unless that packs or leaves out."""
    listed = root.get("plugins")
    names = _mapping(listed).get("modules") if isinstance(listed, dict) else listed
    plugins = _plugins(root)
    if isinstance(said, str) and said.startswith("python"):
        options = _mapping(_mapping(root.get("custom")).get("pythonRequirements"))
        return _INSTALLS_PYTHON in plugins and not {"zip", "noDeploy", "slimPatterns"} & set(options)
    return names is None or (isinstance(names, list) and not plugins & set(BUNDLERS) and "build" not in root)


def _layers(value: Json) -> tuple[str, ...] | None:
    if isinstance(value, list):
        return tuple(" ".join(texts(each)) for each in value)
    return None if isinstance(value, dict) else ()


def _variables(*levels: Json) -> dict[str, str]:
    found: dict[str, str] = {}
    for level in levels:
        found |= {k: v if isinstance(v, str) else "" for k, v in _mapping(level).items()}
    return found


def plugin_major(folder: Path) -> int | None:
    """The major release of Datadog's plugin that a project has, by its lock file, else by package.json."""
    for name, pattern in _LOCKED.items():
        found = re.search(pattern, _text(folder / name))
        if found is not None:
            return int(found[1])
    try:
        manifest = _mapping(read_json(read_source(folder / "package.json")))
    except DdsetupError:
        return None
    for group in ("devDependencies", "dependencies"):
        found = re.search(r"\d+", str(_mapping(manifest.get(group)).get("serverless-plugin-datadog", "")))
        if found is not None:
            return int(found[0])
    return None


def _text(path: Path) -> str:
    try:
        return read_source(path).text if path.is_file() else ""
    except DdsetupError:
        return ""
