"""Everything that a project needs, tool by tool."""

from __future__ import annotations

from pathlib import Path

from ddsetup.project.iac import cdk, cloudformation, dockerfile, packages, plugin, serverless, terraform
from ddsetup.project.iac.model import Project, ProjectFile, Proposal, Snippet, Wanted
from ddsetup.project.iac.source import Source, read_source

_AFTERWARDS = "`ddsetup setup` does it after each deployment"
_ELSEWHERE = {
    "chalice": "set `layers` and `environment_variables` of the stage in .chalice/config.json",
    "zappa": "set `layers` and `environment_variables` in zappa_settings",
    "sst": "set `layers`, `environment` and `handler` of the functions",
}


def propose(project: Project, wanted: Wanted) -> Proposal:
    """What has to change in a project, and what the user has to put in by hand. Nothing is changed.

    Raises BrokenFile for a file that its own tool would not accept, AnswerMissing for what is not said.
    """
    found = Proposal()
    for file in project.of("serverless"):
        found += _with_plugin(file, serverless.propose(read_source(file.path), wanted))
    for file in project.of("serverless_code"):
        found += _by_program(file, wanted)
    for file in project.of("cloudformation"):
        found += cloudformation.propose(read_source(file.path), wanted)
    for file in project.of("cdk"):
        found += cdk.propose(file.path, wanted)
    found += _terraform(project, wanted)
    for file in project.of("dockerfile"):
        found += _image(file, read_source(file.path), wanted)
    others = tuple(
        f"{project.name(file.path)}: {_ELSEWHERE[file.kind]}; or {_AFTERWARDS}"
        for file in project.of("chalice", "zappa", "sst")
    )
    return found + Proposal(warnings=others)


def _terraform(project: Project, wanted: Wanted) -> Proposal:
    """The files of one directory are one module, in which nothing may be declared twice."""
    found = Proposal()
    said: set[Path] = set()
    for file in project.of("terraform"):
        proposal = terraform.propose(read_source(file.path), wanted, first=file.path.parent not in said)
        if proposal.snippets:
            said.add(file.path.parent)
        found += proposal
    return found


def _with_plugin(file: ProjectFile, proposal: Proposal) -> Proposal:
    """The plugin has to be installed wherever a file names it."""
    why = "the plugin that serverless.yml names"
    return proposal + packages.node_dependency(file.path.parent, plugin.NAME, why, dev=True)


def _by_program(file: ProjectFile, wanted: Wanted) -> Proposal:
    source = read_source(file.path)
    if plugin.NAME in source.text:
        return Proposal(settled=(file.path,))
    text = serverless.program_text(wanted, str(file.path))
    reason = "the file is a program; put this into the object that it exports"
    language = "typescript" if file.path.suffix == ".ts" else "javascript"
    return _with_plugin(file, Proposal(snippets=(Snippet(file.path, reason, text, language),)))


def _image(file: ProjectFile, source: Source, wanted: Wanted) -> Proposal:
    """A Dockerfile, and beside it the list of requirements that it installs."""
    beside = _requirements_beside(file.path, source)
    if beside is None:
        return dockerfile.propose(source, wanted)
    found = dockerfile.propose(source, wanted, installs_requirements=True)
    return found + packages.python_library(beside, wanted)


def _requirements_beside(path: Path, source: Source) -> Path | None:
    for name in ("requirements.txt", "pyproject.toml"):
        if name in source.text and (path.parent / name).exists():
            return path.parent / name
    return None
