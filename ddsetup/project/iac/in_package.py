"""Whether Datadog's library comes with a function's own package, as the lists beside its code tell.

Datadog calls this the installation by package: no layer of the library is needed then (`addLayers: false` of
the plugin, the macro and the construct). A list of requirements only tells where the deployment tool installs
it, too: `sam build` does from requirements.txt, the Serverless Framework with serverless-python-requirements,
terraform-aws-modules/lambda from `source_path`. Node's handler in a package needs dd-trace beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import packages
from ddsetup.project.iac.described import Described, Library
from ddsetup.project.iac.model import Wish
from ddsetup.project.iac.source import read_json, read_source

WITHOUT_LAYER: frozenset[Library] = frozenset({"packaged", "unwanted"})
_PYTHON, _NODE, _TRACER = "datadog-lambda", "datadog-lambda-js", "dd-trace"


def looked_up(function: Described, root: Path, wanted: Wish) -> Described:
    """The function, with what the folder of its code says. A layer that was asked for by its number is
    attached, whatever the package has, and none where none is wanted."""
    if not wanted.library:
        return replace(function, library="unwanted")
    if function.image or wanted.layer_version is not None or not function.code:
        return function
    if Path(function.code).is_absolute():
        return function
    return replace(function, library=_library(root / function.code, function))


def _library(folder: Path, function: Described) -> Library:
    found: Library = ""
    if "python" in function.families:
        found = _of_python(folder, installs=function.installs)
    elif "node" in function.families:
        found = _of_node(folder, installs=function.installs)
    return found


def _of_python(folder: Path, *, installs: bool) -> Library:
    if (folder / "datadog_lambda" / "__init__.py").is_file():
        return "packaged"
    if packages.lists(folder / "requirements.txt", _PYTHON):
        return "packaged" if installs else "listed"
    return "listed" if packages.lists(folder / "pyproject.toml", _PYTHON) else ""


def _of_node(folder: Path, *, installs: bool) -> Library:
    """Only what is no dependency of development goes into a package, and TypeScript is mostly bundled."""
    try:
        manifest = read_json(read_source(folder / "package.json"))
    except (UsageError, OSError):
        return ""
    listed = manifest.get("dependencies") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or _NODE not in listed:
        return ""
    as_it_is = installs and not (folder / "tsconfig.json").exists()
    return "packaged" if as_it_is and _TRACER in listed else "listed"


def without_layers(covered: Iterable[Described]) -> bool:
    """Whether all functions that would get a layer of a library have it in their package, or shall not."""
    layered = [each for each in covered if not each.image and each.families != ("custom",)]
    return bool(layered) and all(each.library in WITHOUT_LAYER for each in layered)


def kept_layers(covered: Iterable[Described], *, said: bool) -> tuple[str, ...]:
    """Why layers stay where a package has the library. `said`: the file asks for layers itself."""
    functions = tuple(covered)
    if not any(each.library == "packaged" for each in functions):
        return ()
    if said:
        return ("`addLayers: true` was left so; with `false`, the library would be there only once",)
    if without_layers(functions):
        return ()
    return ("`addLayers: false` would keep the layer from all functions, so it is not set",)
