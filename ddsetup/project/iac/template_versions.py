"""Which versions of Datadog's layers a template has to name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddsetup.facts import catalog
from ddsetup.model.answers import Via
from ddsetup.project.iac import in_package, versions
from ddsetup.project.iac.described import Described
from ddsetup.project.iac.model import Wish
from ddsetup.project.iac.yamldoc import Document
from ddsetup.project.iac.yamltext import Plain

_VERSION_PARAMETERS = {
    "python": "pythonLayerVersion",
    "node": "nodeLayerVersion",
    "java": "javaLayerVersion",
    "dotnet": "dotnetLayerVersion",
    "ruby": "rubyLayerVersion",
}


@dataclass(frozen=True, slots=True)
class Versions:
    """The layers' versions that a template needs."""

    document: Document
    now: Mapping[str, Plain | None]
    via: Via
    wanted: Wish
    found: tuple[Described, ...]

    def of(self, family: str) -> int | None:
        """The version that the functions of a language get, None if there is no layer."""
        pinned = self.now.get(_VERSION_PARAMETERS.get(family, ""))
        if self.wanted.layer_version is None and str(pinned).isdecimal():
            return int(str(pinned))
        runtimes = [r for each in self.found for r in each.runtimes if family_name(r) == family]
        return versions.newest_for(family, runtimes, self.wanted)

    def has_layer(self, runtime: str, architecture: str) -> bool:
        """Whether a runtime's layer has the version that its language gets."""
        if self.now.get("addLayers") is False or not self.wanted.library:
            return True
        number = self.of(family_name(runtime))
        return number is None or versions.exists(runtime, architecture, number, self.wanted)

    def parameters(self, covered: Iterable[Described]) -> tuple[dict[str, Plain], dict[str, Plain]]:
        """Those that were asked for, and those that only fill a gap."""
        pinned: dict[str, Plain] = {}
        filling: dict[str, Plain] = {}
        functions = tuple(covered)
        families = {f for each in functions for f in each.families} or (set() if self.found else {"python"})
        layered = (
            self.wanted.library
            and self.now.get("addLayers") is not False
            and not ("addLayers" not in self.now and in_package.without_layers(functions))
        )
        for family in sorted(families) if layered else ():
            name, number = _VERSION_PARAMETERS.get(family), self.of(family)
            if name and number:
                (pinned if self.wanted.layer_version else filling)[name] = number
        if self.via == "forwarder":
            filling["flushMetricsToLogs"] = True
        elif number := versions.extension_version(self.wanted):
            (pinned if self.wanted.extension_version else filling)["extensionLayerVersion"] = number
        return pinned, filling


def family_name(runtime: str) -> str:
    """The language of a runtime, empty if it is unknown."""
    family = catalog.family_of(runtime)
    return family.name if family is not None else ""
