"""The contents of the Datadog layers that the sandbox offers.

The Python layers hold the real `datadog-lambda` library: the installed distribution and everything it
requires, laid out as a layer. Functions of the sandbox run on this machine's Python, so one build serves all
Python layers. Every other layer is a placeholder: it can be attached, its code is not run.

The build is kept in the user's cache directory, keyed by the versions of all distributions in it.
"""

from __future__ import annotations

import compileall
import hashlib
import io
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.sandbox.errors import SandboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARY = "datadog-lambda"
_AWS_SDK = ("boto3",)
_SCOUT = """
import json, os, re, sys
import logging, runpy, socket, boto3, botocore.handlers, datadog_lambda.handler
own = {name for name in sys.modules if name.partition(".")[0] in sys.stdlib_module_names}
files = [getattr(module, "__file__", None) or "" for name, module in sys.modules.items() if name not in own]
files = [os.path.realpath(file) for file in files if file.endswith(".py")]
patterns = [[each, int(flags)] for kind, each, flags in getattr(re, "_cache", ()) if kind is str]
print(json.dumps({"modules": sorted(own - {"__main__"}), "files": files, "patterns": patterns}))
"""
"""Imports what a function with the library does, and tells what that came to."""


@dataclass(frozen=True, slots=True)
class BuiltLayer:
    """A layer's contents, once unpacked (what `/opt` would show) and once as the published archive."""

    directory: Path
    archive: Path


def library_layer(cache: Path) -> BuiltLayer:
    """The Datadog Lambda library for Python as a layer; built on first use (some seconds), then cached.

    Raises `SandboxUnavailable` when the sandbox extra is not installed.
    """
    distributions = _closure((_LIBRARY,))
    target = cache / f"layer-{_key(distributions)}"
    if not target.exists():
        with _staging(target) as staging:
            _copy_all(distributions, staging / "content" / "python")
            _archive(staging / "content", staging / "layer.zip")
            _compile(staging / "content")
    return BuiltLayer(target / "content", target / "layer.zip")


def runtime_packages(cache: Path) -> Path:
    """A directory with the AWS SDK and what it requires: what the Lambda Python runtimes bring along."""
    distributions = _closure(_AWS_SDK)
    target = cache / f"runtime-{_key(distributions)}"
    if not target.exists():
        with _staging(target) as staging:
            for name in sorted(_top_level_names(distributions)):
                (staging / name).symlink_to(_installed(distributions, name))
    return target


def common_start(library: BuiltLayer, runtime: Path, cache: Path) -> Path:
    """A file that tells what cold starts with the library have in common: `modules` of Python's own, the
    `files` of others, and the regular expressions that they compile, as `patterns` with their flags.
    """
    scout = hashlib.sha256(_SCOUT.encode()).hexdigest()[:8]
    target = cache / f"start-{library.directory.parent.name}-{runtime.name}-{scout}"
    told = target / "start.json"
    if not told.exists():
        places = (library.directory / "python", runtime)
        environment = {
            "PYTHONPATH": os.pathsep.join(map(str, places)),
            "DD_LAMBDA_HANDLER": "bisect.bisect",
            "DD_FLUSH_TO_LOG": "true",
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "scout",
        }
        command = [sys.executable, "-S", "-s", "-c", _SCOUT]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        with _staging(target) as staging:
            (staging / told.name).write_bytes(done.stdout)
    return told


def placeholder_archive(name: str) -> bytes:
    """The archive of a layer whose code is never run: one file that says so."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = zipfile.ZipInfo("README")
        archive.writestr(info, f"{name}: a placeholder of the ddsetup sandbox.\n")
    return content.getvalue()


def archive_of(files: dict[str, bytes]) -> bytes:
    """A zip of `files`, the same bytes for the same contents."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


class _staging:  # noqa: N801 (used as a statement)
    """A scratch directory beside `target` that takes its name when the block ends well.

    Two sandboxes may build at once: the first one to finish wins, the other's work is dropped.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._path.rename(self._target)
            except OSError:
                if not self._target.exists():
                    raise
        shutil.rmtree(self._path, ignore_errors=True)


def _closure(roots: tuple[str, ...]) -> tuple[metadata.Distribution, ...]:
    """The installed distributions of `roots` and all they require; a requirement of another platform is not
    installed here and so left out.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            if name in roots:
                raise SandboxUnavailable(f"the package {name}, which is not installed") from error
            continue
        key = distribution.metadata["Name"].lower()
        if key in found:
            continue
        found[key] = distribution
        waiting += [_requirement_name(line) for line in distribution.requires or () if "extra ==" not in line]
    return tuple(found[key] for key in sorted(found))


def _requirement_name(line: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", line)
    return match.group() if match else line


def _key(distributions: tuple[metadata.Distribution, ...]) -> str:
    parts = [f"{each.metadata['Name']}={each.version}@{each.locate_file('')}" for each in distributions]
    return hashlib.sha256("\n".join([sys.version, *parts]).encode()).hexdigest()[:16]


def _copy_all(distributions: tuple[metadata.Distribution, ...], destination: Path) -> None:
    for distribution in distributions:
        for source, relative in _files(distribution):
            target = destination / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _files(distribution: metadata.Distribution) -> Iterator[tuple[Path, Path]]:
    for file in distribution.files or ():
        parts = file.parts
        if ".." in parts or "__pycache__" in parts or file.suffix == ".pyc" or "tests" in parts:
            continue
        source = Path(str(distribution.locate_file(file)))
        if source.is_file():
            yield source, Path(*parts)


def _top_level_names(distributions: tuple[metadata.Distribution, ...]) -> set[str]:
    return {relative.parts[0] for each in distributions for _, relative in _files(each)}


def _installed(distributions: tuple[metadata.Distribution, ...], name: str) -> Path:
    candidates = (Path(str(each.locate_file(name))) for each in distributions)
    return next(path for path in candidates if path.exists())


def _compile(directory: Path) -> None:
    # Unchecked hashes: the cache directory never changes, and a cold start need not stat 1,500 sources.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(str(directory), quiet=2, workers=0, invalidation_mode=mode)


def _archive(content: Path, destination: Path) -> None:
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(content.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(content).as_posix())
