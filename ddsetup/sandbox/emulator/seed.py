"""Publishes the layers of Datadog's account in every region, under their real names and version numbers."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator.settings import EmulatorSettings
from ddsetup.sandbox.layers import placeholder_archive

FORWARDER_LAYER = "Datadog-Forwarder"
FORWARDER_LAYER_VERSIONS = (109, 110)
"""110 is that of template 5.4.11, mapping `Constants.DdForwarder.LayerVersion`."""
_RETIRED = {"Datadog-Python27": 50, "Datadog-Node8-10": 50, "Datadog-Node10-x": 60, "Datadog-Node12-x": 80}
"""Layers that nobody gets any more; old functions still carry them."""
_PUBLISHED = "2026-08-06T12:00:00.000+0000"


def publish_layers(settings: EmulatorSettings) -> None:
    """Publish, with permission for everyone to read them, the newest two versions of every known layer.

    The emulator numbers versions from one, which would take 130 calls for one layer: so the records are made
    here, in its process, as `PublishLayerVersion` and `AddLayerVersionPermission` would make them.
    """
    from ministack.services import lambda_svc

    for layer in (*_library_layers(settings), *_other_layers(settings)):
        digest = base64.b64encode(hashlib.sha256(layer.content).digest()).decode()
        for region in layer.regions:
            arn = f"arn:aws:lambda:{region}:{settings.layer_account}:layer:{layer.name}"
            records = [_version_record(arn, version, layer, digest) for version in layer.versions]
            stored = {"versions": records, "next_version": max(layer.versions) + 1}
            lambda_svc._layers.set_scoped(settings.layer_account, region, layer.name, stored)


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    versions: tuple[int, ...]
    regions: tuple[str, ...]
    content: bytes
    runtimes: tuple[str, ...] = ()


def _library_layers(settings: EmulatorSettings) -> Iterator[_Layer]:
    library = Path(settings.library_archive).read_bytes()
    for name, known in _baseline().items():
        content = library if name.startswith("Datadog-Python") else placeholder_archive(name)
        for version, regions in known["versions"].items():
            newest = int(version)
            yield _Layer(name, (newest - 1, newest), tuple(regions), content, _runtimes(known["runtimes"]))


def _other_layers(settings: EmulatorSettings) -> Iterator[_Layer]:
    versions = [each["versions"] for each in _baseline().values()]
    regions = tuple(sorted({region for each in versions for where in each.values() for region in where}))
    for name, newest in _RETIRED.items():
        yield _Layer(name, (newest,), regions, placeholder_archive(name))
    forwarder = Path(settings.forwarder_archive).read_bytes()
    yield _Layer(FORWARDER_LAYER, FORWARDER_LAYER_VERSIONS, regions, forwarder)


def _baseline() -> dict[str, Any]:
    document = json.loads(resources.files("ddsetup.data").joinpath("layers_baseline.json").read_text("utf-8"))
    layers: dict[str, Any] = document["layers"]["aws"]
    return layers


def _runtimes(names: list[str]) -> tuple[str, ...]:
    plain = [name.removesuffix("-arm") for name in names]
    return tuple(name for name in plain if name[-1].isdigit() or name.endswith(".x"))


def _version_record(arn: str, version: int, layer: _Layer, digest: str) -> dict[str, Any]:
    version_arn = f"{arn}:{version}"
    everyone = {
        "Sid": "everyone",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": version_arn,
    }
    return {
        "LayerArn": arn,
        "LayerVersionArn": version_arn,
        "Version": version,
        "Description": "",
        "CompatibleRuntimes": list(layer.runtimes),
        "CompatibleArchitectures": [],
        "LicenseInfo": "",
        "CreatedDate": _PUBLISHED,
        "Content": {"Location": "", "CodeSha256": digest, "CodeSize": len(layer.content)},
        "_zip_data": layer.content,
        "_policy": {"Version": "2012-10-17", "Id": "default", "Statement": [everyone]},
        "_policy_revision_id": str(uuid.uuid4()),
    }
