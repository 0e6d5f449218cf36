"""Which layers a function gets, and where in its list. Layers of others keep their place."""

from __future__ import annotations

from dataclasses import dataclass

from ddsetup.facts import catalog, recognise
from ddsetup.facts.catalog import LayerArn
from ddsetup.plan.steps.instrument.subject import Refusal, Subject
from ddsetup.plan.steps.taken_back import put_layers

MAX_LAYERS = 5
"""Layers per function (AWS Lambda quotas page)."""
LARGE_ZIPPED_BYTES = 80 * 1024 * 1024
"""From this sum of zipped sizes on the 250 MB of unzipped code and layers may be exceeded.

An experience value: AWS tells zipped sizes only, so the real sum cannot be known beforehand.
"""


@dataclass(frozen=True, slots=True)
class Layers:
    """The whole list of layer ARNs, and which of them are Datadog's library and Extension."""

    arns: tuple[str, ...]
    library: LayerArn | None = None
    extension: LayerArn | None = None
    notes: tuple[str, ...] = ()


def layers(subject: Subject) -> Layers | Refusal:
    """The function's layers as they should be, or why they cannot be."""
    library = _wanted_library(subject)
    if isinstance(library, Refusal):
        return library
    extension = _wanted_extension(subject)
    if isinstance(extension, Refusal):
        return extension
    too_old = _wrapper_too_old(subject, library, extension)
    if too_old:
        return too_old
    if not subject.extension and any(
        a.role == "extension" for a in recognise.copied_layers(subject.function)
    ):
        return Refusal(
            "it carries a copy of the Extension from another account, which bypasses the Forwarder",
            "keep it that way with --via extension, or remove that layer",
        )
    arns = [layer.arn for layer in subject.function.layers]
    if not subject.extension:
        arns = [arn for arn in arns if not _is_datadogs(arn, "extension")]
    for wanted in (library, extension):
        if wanted is not None:
            arns = _placed(arns, wanted)
    if len(arns) > MAX_LAYERS:
        return _too_many(subject, arns)
    return Layers(tuple(arns), library, extension, (*_mode_notes(subject), *_size_notes(subject, arns)))


def _wanted_library(subject: Subject) -> LayerArn | Refusal | None:
    function, setting = subject.function, subject.answers.layer_version
    name = catalog.library_layer(function.runtime or "", function.architecture)
    packaged = recognise.brings_library(function) and not setting.isdecimal()
    if name is None or setting == "none" or packaged or _copy_of(subject, name):
        return None
    if subject.starts_otherwise:
        return None
    return _version(subject, name, setting, "--layer-version")


def _wanted_extension(subject: Subject) -> LayerArn | Refusal | None:
    setting = subject.answers.extension_version
    if not subject.extension or setting == "none":
        return None
    if any(layer.role == "extension" for layer in recognise.copied_layers(subject.function)):
        return None
    attached = [a.name for a in recognise.datadog_layers(subject.function) if a.role == "extension"]
    kept = [name for name in attached if name.endswith("-FIPS")]
    if subject.answers.prune and set(kept) <= put_layers(subject):
        kept = []
    fips = subject.answers.fips or bool(kept)
    name = catalog.extension_layer(subject.function.architecture, fips=fips)
    return _version(subject, name, setting, "--extension-version")


def _version(subject: Subject, name: str, setting: str, flag: str) -> LayerArn | Refusal:
    """The layer in the version asked for. Only a pinned number ever goes back to an older version."""
    region = subject.function.region
    if setting.isdecimal():
        return catalog.layer_arn(region, name, int(setting))
    known = catalog.baseline_version(name, region)
    if setting == "latest":
        known = max(filter(None, (known, subject.lane.newest_layers.get(name))), default=None)
    if known is None:
        return Refusal(
            f"Datadog publishes no {name} in {region} (table of {catalog.layers_source()})",
            f"if it does by now: {flag} latest, or {flag} NUMBER",
        )
    present = [a.version for a in recognise.datadog_layers(subject.function) if a.name == name]
    return catalog.layer_arn(region, name, max([known, *present]))


def _copy_of(subject: Subject, name: str) -> bool:
    return any(layer.name == name for layer in recognise.copied_layers(subject.function))


def _wrapper_too_old(
    subject: Subject, library: LayerArn | None, extension: LayerArn | None
) -> Refusal | None:
    """A pinned version below what the start-up script needs (datadog-ci refuses the same combinations)."""
    family = subject.family
    if family is None or not family.wrapped or library is None:
        return None
    for layer, key in ((extension, "extension"), (library, family.name)):
        least = catalog.WRAPPER_NEEDS[key]
        if layer is not None and layer.version < least:
            return Refusal(
                f"{layer.label} is too old for {subject.function.runtime}: it must be {least} or newer",
                "pin a newer version, or none at all",
            )
    return None


def _is_datadogs(arn: str, role: str) -> bool:
    layer = catalog.parse_layer(arn)
    return layer is not None and layer.datadogs and layer.role == role


def _placed(arns: list[str], wanted: LayerArn) -> list[str]:
    """The list with `wanted` in place of what Datadog published for the same purpose, else at its end.

    The order of layers decides which file wins, so nothing else moves; the Extension stays last of ours.
    """
    result: list[str] = []
    placed = False
    for arn in arns:
        if not _is_datadogs(arn, wanted.role):
            result.append(arn)
        elif not placed:
            result.append(str(wanted))
            placed = True
    if not placed:
        at = next((i for i, arn in enumerate(result) if _is_datadogs(arn, "extension")), len(result))
        result.insert(at if wanted.role == "library" else len(result), str(wanted))
    return result


def _too_many(subject: Subject, arns: list[str]) -> Refusal:
    others = [arn for arn in arns if not (_is_datadogs(arn, "library") or _is_datadogs(arn, "extension"))]
    ours = len(arns) - len(others)
    fix = "merge or remove a layer of your own"
    if subject.extension and ours == 2 and len(others) == MAX_LAYERS - 1:
        fix += ", or use --via forwarder, which needs one layer less"
    return Refusal(
        f"it would have {len(arns)} layers ({len(others)} of its own); AWS allows {MAX_LAYERS}", fix
    )


def _mode_notes(subject: Subject) -> tuple[str, ...]:
    present = recognise.has_extension(subject.function)
    if present and not subject.extension:
        return ("moves from the Extension to the Forwarder",)
    if subject.extension and not present and subject.answers.extension_version == "none":
        return ("the Extension itself is not attached (--extension-version none)",)
    return ()


def _size_notes(subject: Subject, arns: list[str]) -> list[str]:
    sizes = {layer.arn: layer.code_size for layer in subject.function.layers}
    added = [arn for arn in arns if arn not in sizes]
    total = subject.function.code_size + sum(sizes.get(arn, 0) for arn in arns)
    total += sum(catalog.LIBRARY_LAYER_ZIPPED_BYTES for arn in added if "Datadog-Python" in arn)
    if not added or total <= LARGE_ZIPPED_BYTES:
        return []
    return [
        f"large: {total // 1024**2} MB zipped with its layers; AWS refuses it if that is over 250 MB unzipped"
    ]
