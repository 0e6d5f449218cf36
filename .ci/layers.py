#!/usr/bin/env python3
"""Refreshes the bundled table of Datadog's Lambda layers from the packages that carry it.

    .venv/bin/python .ci/layers.py

Which layer is published where is told by `serverless-plugin-datadog` (npm). It is refreshed by hand
there, so newer numbers are taken from `@datadog/datadog-ci-base` (npm; all families) and `datadog-lambda`
(PyPI; the number of the Python layer is the middle of its version). Datadog publishes a new version of a
layer in all regions at once; layers that it does not go on with keep their number. The table says where
it is from, with the date.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parent.parent / "ddsetup/data/layers_baseline.json"
FILES = {"aws": "package/dist/src/layers.json", "aws-us-gov": "package/dist/src/layers-gov.json"}
VERSIONS = "package/dist/helpers/serverless/lambda-layer-versions.js"

Table = dict[str, dict[str, Any]]


def main() -> int:
    """Write the table anew; what changed is said."""
    plugin, plugin_said = from_npm("serverless-plugin-datadog")
    newest, ci_said = newest_of(from_npm("@datadog/datadog-ci-base"))
    library = version_of_library()
    newest["python"] = max(newest["python"], int(library.split(".")[1]))
    layers = {partition: raised(table(plugin[file]), newest) for partition, file in FILES.items()}
    before = json.loads(TABLE.read_text("utf-8"))
    source = f"{plugin_said}, {ci_said}, datadog-lambda {library}, {date.today().isoformat()}"
    after = {"accounts": before["accounts"], "layers": layers, "source": source}
    TABLE.write_text(json.dumps(after, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{source}\n{newest}")
    return 0


def from_npm(package: str) -> tuple[dict[str, bytes], str]:
    """The files of the newest version of a package, and its name and version."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-layers-") as place:
        packed = run("npm", "pack", package, "--json", "--pack-destination", place)
        version = json.loads(packed)[0]["version"]
        (archive,) = Path(place).glob("*.tgz")
        return files_in(archive), f"{package} {version}"


def files_in(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        opened = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
        return {name: file.read() for name, file in opened.items() if file is not None}


def version_of_library() -> str:
    """The newest version of the library for Python."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-layers-") as place:
        wanted = ["--quiet", "--no-deps", "--dest", place, "datadog-lambda"]
        run(sys.executable, "-m", "pip", "download", *wanted)
        (wheel,) = Path(place).iterdir()
        return wheel.name.split("-")[1]


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def newest_of(package: tuple[dict[str, bytes], str]) -> tuple[dict[str, int], str]:
    """The newest number of each family of layers: extension, dotnet, java, node, python, ruby."""
    files, said = package
    found = re.findall(r"(\w+): (\d+),", files[VERSIONS].decode())
    return {name: int(number) for name, number in found}, said


def table(document: bytes) -> Table:
    """By layer, the runtimes it is for, and in which regions each of its versions is."""
    layers: Table = {}
    for region, by_runtime in json.loads(document)["regions"].items():
        for runtime, arn in by_runtime.items():
            name, number = arn.split(":")[6:8]
            entry = layers.setdefault(name, {"runtimes": [], "versions": {}})
            entry["runtimes"] = sorted({*entry["runtimes"], runtime})
            entry["versions"].setdefault(number, []).append(region)
    return layers


def raised(layers: Table, newest: dict[str, int]) -> Table:
    """The same with newer numbers where a family goes on: what most of its layers have, and only that."""
    families: dict[str, Counter[str]] = {}
    for name, entry in layers.items():
        families.setdefault(family(name), Counter()).update(entry["versions"].keys())
    for name, entry in layers.items():
        number = families[family(name)].most_common(1)[0][0]
        if number in entry["versions"] and newest[family(name)] > int(number):
            entry["versions"][str(newest[family(name)])] = entry["versions"].pop(number)
    return layers


def family(name: str) -> str:
    words = {"Extension": "extension", "dotnet": "dotnet", "java": "java", "Node": "node", "Python": "python"}
    return next((found for word, found in words.items() if word in name), "ruby")


if __name__ == "__main__":
    sys.exit(main())
