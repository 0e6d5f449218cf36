"""Everything that a project needs, tool by tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import cdk, cloudformation, dockerfile, packages, plugin, serverless, terraform
from ddsetup.project.iac.model import AnswerMissing, Kind, Project, Proposal, Snippet, Wish
from ddsetup.project.iac.source import Source, check_inside, read_source

_AFTERWARDS = "`ddsetup setup` does it after each deployment"
_ELSEWHERE = {
    "chalice": "set `layers` and `environment_variables` of the stage in .chalice/config.json",
    "zappa": "set `layers` and `environment_variables` in zappa_settings",
    "sst": "set `layers`, `environment` and `handler` of the functions",
}


def propose(project: Project, wanted: Wish) -> Proposal:
    """What has to change in a project, and what the user has to put in by hand. Nothing is changed.

    A file that cannot be read or changed is left, told, and the others go on. Raises that file's UsageError
    where there is no other, and AnswerMissing for what is not said.
    """
    found = Proposal()
    wrong: list[UsageError] = []
    jobs = list(_jobs(project))
    for reader, files in jobs:
        try:
            for path in files:
                check_inside(project.root, path)
            found += reader(files, wanted)
        except AnswerMissing:
            raise
        except UsageError as error:
            wrong.append(error)
    if wrong and len(wrong) == len(jobs):
        raise wrong[0]
    left = tuple(f"left alone, {_in_words(project, error)}" for error in wrong)
    others = tuple(
        f"{project.name(file.path)}: {_ELSEWHERE[file.kind]}; or {_AFTERWARDS}"
        for file in project.of("chalice", "zappa", "sst")
    )
    return found + Proposal(warnings=left + others)


def _in_words(project: Project, error: UsageError) -> str:
    where = (error.where or "").removeprefix(f"{project.root}/")
    return f"{where}: {error.what}{f' ({error.fix})' if error.fix else ''}"


def _with_plugin(path: Path, proposal: Proposal) -> Proposal:
    """The plugin has to be installed wherever a file names it."""
    named = any(plugin.NAME in read_source(each).text for each in proposal.settled)
    if not (proposal.edits or proposal.snippets or named):
        return proposal
    why = "the plugin that serverless.yml names"
    return proposal + packages.node_dependency(path.parent, plugin.NAME, why, dev=True)


def _by_program(path: Path, wanted: Wish) -> Proposal:
    source = read_source(path)
    if plugin.NAME in source.text:
        return Proposal(settled=(path,))
    text = serverless.program_text(wanted, str(path))
    reason = "the file is a program; put this into the object that it exports"
    language = "typescript" if path.suffix == ".ts" else "javascript"
    return _with_plugin(path, Proposal(snippets=(Snippet(path, reason, text, language),)))


def _image(path: Path, source: Source, wanted: Wish) -> Proposal:
    """A Dockerfile, and beside it the list of requirements that it installs."""
    beside = _requirements_beside(path, source)
    if beside is None:
        return dockerfile.propose(source, wanted)
    found = dockerfile.propose(source, wanted, installs_requirements=True)
    return found + packages.python_library(beside, wanted)


Reader: TypeAlias = Callable[[tuple[Path, ...], Wish], Proposal]
_READERS: Mapping[Kind, Reader] = {
    "serverless": lambda files, wanted: _with_plugin(
        files[0], serverless.propose(read_source(files[0]), wanted)
    ),
    "serverless_code": lambda files, wanted: _by_program(files[0], wanted),
    "cloudformation": lambda files, wanted: cloudformation.propose(read_source(files[0]), wanted),
    "cdk": lambda files, wanted: cdk.propose(files[0], wanted),
    "terraform": lambda files, wanted: terraform.propose(files[0].parent, files, wanted),
    "dockerfile": lambda files, wanted: _image(files[0], read_source(files[0]), wanted),
}
"""Who knows a kind of file, in the order in which they are shown."""


def _jobs(project: Project) -> Iterator[tuple[Reader, tuple[Path, ...]]]:
    """Each file with its reader. Terraform's files of one directory are one module, where nothing may be
    declared twice."""
    for kind, reader in _READERS.items():
        paths = [file.path for file in project.of(kind)]
        if kind != "terraform":
            yield from ((reader, (path,)) for path in paths)
            continue
        for folder in dict.fromkeys(path.parent for path in paths):
            yield reader, tuple(path for path in paths if path.parent == folder)


def _requirements_beside(path: Path, source: Source) -> Path | None:
    for name in ("requirements.txt", "pyproject.toml"):
        if name in source.text and (path.parent / name).exists():
            return path.parent / name
    return None
