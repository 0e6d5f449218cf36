"""A whole project: its handlers, the metrics that it sends, what is wrong, and how handlers are wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ddsetup.model.errors import UsageError
from ddsetup.project.code_check.checks import check_module, libraries, metrics
from ddsetup.project.code_check.handlers import handed_on, handlers_of, named_handlers, redirects
from ddsetup.project.code_check.model import Handler, Metric, Place, Problem
from ddsetup.project.code_check.modules import Module, parse, python_files
from ddsetup.project.code_check.wrap import wrap
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Edit, Project, Wish
from ddsetup.project.iac.packages import lists, python_library

_PACKAGES = {"datadog_lambda": ("datadog-lambda",), "ddtrace": ("ddtrace", "datadog-lambda")}
"""The packages that bring what is imported; one of them is enough."""
_LISTS = (
    *("Pipfile", "setup.py", "setup.cfg", "environment.yml", "environment.yaml"),
    *("requirements*.txt", "requirements/*.txt", "requirements*.in", "requirements/*.in"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the code of a project is like. `redirected`: its deployment puts Datadog's handler in place.

    `edits` would wrap every handler that is not.
    """

    project: Project
    files: int
    handlers: tuple[Handler, ...]
    metrics: tuple[Metric, ...]
    problems: tuple[Problem, ...]
    edits: tuple[Edit, ...]
    redirected: bool


def check_project(path: Path) -> Checked:
    """Check the Python code below a directory, or one file. Raises UsageError when there is no such path."""
    files = python_files(path)
    root = path if path.is_dir() else path.parent
    project = detect(root)
    found = [parse(file) for file in files]
    modules = [each for each in found if isinstance(each, Module)]
    problems = [each for each in found if isinstance(each, Problem)]
    named, redirected = handed_on(modules, named_handlers(project)), redirects(project)
    handlers: list[Handler] = []
    edits: list[Edit] = []
    for module in modules:
        own = handlers_of(module, named, guess=not named)
        handlers += own
        problems += check_module(module, own)
        edit = wrap(module, own)
        if edit is not None:
            edits.append(edit)
    sent = [metric for module in modules for metric in metrics(module)]
    problems += _unwrapped(sent, handlers, redirected=redirected)
    problems += _doubly(handlers, redirected=redirected)
    problems += _not_listed(project, modules)
    edits += _library_for(project, edits)
    return Checked(
        project, len(files), tuple(handlers), tuple(sent), tuple(problems), tuple(edits), redirected
    )


def _elsewhere(root: Path) -> list[Path]:
    """Other lists of what a project needs, whose lines name packages as well."""
    return [path for pattern in _LISTS for path in sorted(root.glob(pattern)) if path.is_file()]


def _library_for(project: Project, edits: list[Edit]) -> tuple[Edit, ...]:
    """The library among the requirements, if a handler is to be wrapped by it and a list is at hand."""
    lists_of_it = [file.path for file in project.of("requirements", "pyproject")]
    if not edits or any(lists(path, "datadog-lambda") for path in (*lists_of_it, *_elsewhere(project.root))):
        return ()
    for path in lists_of_it:
        try:
            found = python_library(path, Wish()).edits
        except UsageError:
            continue
        if found:
            return found
    return ()


def _unwrapped(sent: list[Metric], handlers: list[Handler], *, redirected: bool) -> list[Problem]:
    """A handler beside metric calls that nothing wraps: what it sends is not flushed."""
    if redirected:
        return []
    sending = {metric.place.path for metric in sent}
    return [
        Problem(
            check="code.not_wrapped",
            severity="info",
            place=handler.place,
            what=f"{handler.name} sends metrics and is not wrapped in the code",
            fix="fine if its handler is redirected (ddsetup setup, ddsetup iac); else run with --write",
        )
        for handler in handlers
        if not handler.wraps and handler.place.path in sending
    ]


def _doubly(handlers: list[Handler], *, redirected: bool) -> list[Problem]:
    """Handlers that are wrapped in the code although the deployment puts Datadog's handler before them."""
    if not redirected:
        return []
    return [
        Problem(
            check="code.wrapped_and_redirected",
            severity="info",
            place=handler.place,
            what=f"{handler.name} is wrapped in the code, and redirected by the deployment as well",
            fix="one is enough: take the wrapper out, or the redirection",
        )
        for handler in handlers
        if handler.wraps
    ]


def _not_listed(project: Project, modules: list[Module]) -> list[Problem]:
    """What is imported of Datadog, and no list of requirements names. The library brings the tracer."""
    found = []
    requirements = [file.path for file in project.of("requirements", "pyproject")]
    for imported, packages in _PACKAGES.items():
        using = [module for module in modules if imported in libraries(module)]
        if not using or any(lists(path, *packages) for path in (*requirements, *_elsewhere(project.root))):
            continue
        where = Place(requirements[0], 1) if requirements else Place(using[0].path, 1)
        found.append(
            Problem(
                check="code.library_not_listed",
                severity="warning",
                place=where,
                what=f"{imported} is imported, and {packages[0]} is not among the requirements",
                fix="add datadog-lambda, which brings ddtrace; the layer has both, but only in Lambda",
            )
        )
    return found
