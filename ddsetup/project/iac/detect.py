"""What a project directory is deployed with, told from its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import terraform
from ddsetup.project.iac.docker_read import is_lambda_image
from ddsetup.project.iac.model import Kind, Project, ProjectFile
from ddsetup.project.iac.source import read_bytes

DEPTH = 4
"""How many directories deep is looked: deep enough for a repository of many services."""
_NOT_OURS = frozenset(
    {
        *("node_modules", "__pycache__", "venv", "site-packages", "vendor", "dist", "build", "cdk.out"),
        *("coverage", "tests", "test", "fixtures", "examples"),
    }
)
_BY_NAME: dict[str, Kind] = {
    **{f"serverless.{suffix}": "serverless" for suffix in ("yml", "yaml", "json")},
    **{f"serverless.{suffix}": "serverless_code" for suffix in ("ts", "js", "mjs", "cjs")},
    "cdk.json": "cdk",
    "requirements.txt": "requirements",
    "pyproject.toml": "pyproject",
    "package.json": "package_json",
    "zappa_settings.json": "zappa",
    "zappa_settings.yml": "zappa",
    "sst.config.ts": "sst",
}
_FORMAT = re.compile(r"^[\"']?AWSTemplateFormatVersion[\"']?\s*:", re.MULTILINE)
_TRANSFORM = re.compile(r"AWS::Serverless-2016-10-31")
_FUNCTION = re.compile(r"AWS::(Serverless|Lambda)::Function\b")
_DOCKERFILE = re.compile(r"(?:Docker|Container)file([.\-_].*)?|.+\.([Dd]ocker|[Cc]ontainer)file")
_HEAD = 2_000_000
_TEMPLATE_LIKE = re.compile(r"(?i)(template|cloudformation|sam|stack|cfn|\.cf)")


def detect(path: Path, *, depth: int = DEPTH) -> Project:
    """The files of a project by which functions are deployed or built. Nothing is changed.

    `path` is a directory, or one file of a project to look at alone; `depth` is how many directories deep is
    looked. Raises UsageError when it is not there,
    or is a file of no tool that is known.
    """
    path = path.absolute()
    if not path.exists():
        raise UsageError("there is no such file or directory", where=str(path))
    if path.is_file():
        kind = kind_of(path, named=True)
        if kind is None:
            raise UsageError("this is no file of a deployment tool that ddsetup knows", where=str(path))
        return Project(path.parent, (ProjectFile(kind, path),))
    files = [
        ProjectFile(kind, file)
        for file in _files(path, depth)
        if (kind := kind_of(file, named=_TEMPLATE_LIKE.search(file.name) is not None)) is not None
    ]
    return Project(path, tuple(sorted(files, key=lambda f: (len(f.path.parts), f.path))))


def _files(root: Path, deepest: int) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if here.name == ".chalice":
            folders.clear()
            if "config.json" in names:
                yield here / "config.json"
            continue
        depth = len(here.relative_to(root).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < deepest and name not in _NOT_OURS and (not name.startswith(".") or name == ".chalice")
        )
        yield from (here / name for name in sorted(names))


def kind_of(path: Path, *, named: bool = True) -> Kind | None:
    """What a file is, by its name and, for templates and container images, by what it says.

    `named`: its name does not rule out a template, so it is worth opening.
    """
    name = path.name
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.endswith(terraform.SUFFIXES):
        return "terraform" if terraform.FUNCTIONS.search(_read(path)) else None
    if _DOCKERFILE.fullmatch(name):
        return "dockerfile" if is_lambda_image(_read(path)) else None
    if name == "config.json" and path.parent.name == ".chalice":
        return "chalice"
    if named and path.suffix in (".yml", ".yaml", ".json", ".template"):
        return "cloudformation" if _is_template(_read(path)) else None
    return None


def _is_template(text: str) -> bool:
    return bool(_FUNCTION.search(text)) and bool(_FORMAT.search(text) or _TRANSFORM.search(text))


def _read(path: Path) -> str:
    """The beginning of a file, empty for what cannot be read or is no ordinary file."""
    try:
        return read_bytes(path, most=_HEAD, cut=True).decode("utf-8", "replace")
    except UsageError:
        return ""
