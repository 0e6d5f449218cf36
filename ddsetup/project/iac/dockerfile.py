"""Container images: layers cannot be added to them, so library and Extension are built in.

The lines are those of Datadog's instructions for container images: the library from the language's registry,
the Extension from its public image, and the handler that the library brings instead of the function's own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ddsetup.facts import catalog
from ddsetup.model.answers import Via
from ddsetup.project.iac import versions
from ddsetup.project.iac.described import Described
from ddsetup.project.iac.limits import judge
from ddsetup.project.iac.model import CannotEdit, Edit, Proposal, Snippet, Wish
from ddsetup.project.iac.source import Source, Splice, spliced
from ddsetup.project.iac.variables import check_said, left_out, variables

EXTENSION_IMAGE = "public.ecr.aws/datadog/lambda-extension"
_CMD = re.compile(r"(?im)^[ \t]*CMD[ \t]+(.*?)[ \t]*(?=\r?$)")
_FROM = re.compile(r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?")
_HANDLER = re.compile(r"(?!/)[\w./-]+\.(?!(?:sh|py|js|mjs)$)[A-Za-z_$][\w$]*")
_AWS_BASE = re.compile(r"(?:aws-)?lambda[-/](python|nodejs|java|dotnet|ruby|provided|go)[:@]([\w.-]+)")
_ADAPTER = re.compile(r"(?im)^[ \t]*COPY\b[^\n]*aws-lambda-adapter")
_ENV = re.compile(r"(?im)^[ \t]*ENV[ \t]+(\w+)[= ][ \t]*(\"[^\"\n]*\"|'[^'\n]*'|[^\s]+)")


@dataclass(frozen=True, slots=True)
class _Image:
    """The last stage of a Dockerfile. `command` is the CMD that counts, with its handler; `described` is the
    function as far as the stage tells."""

    described: Described
    language: str
    start: int
    command: re.Match[str] | None
    handler: str


def propose(source: Source, wanted: Wish, *, installs_requirements: bool = False) -> Proposal:
    """The lines that a Dockerfile of a function has to have. `installs_requirements`: the library comes with
    the project's own list of requirements. Raises AnswerMissing for what nobody said.
    """
    image = _read(source.text)
    via = _via(source.text, wanted)
    if image.handler in catalog.DATADOG_HANDLERS:
        return Proposal(settled=(source.path,), warnings=_incomplete(source, image))
    judged = judge((image.described,), "image", via)
    told = tuple(f"{source.path.name}: {each}" for each in judged.warnings)
    if judged.out:
        return Proposal(warnings=told)
    installs_itself = not installs_requirements or "requirements" not in source.text
    lines = _lines(source, image, via, wanted, library=image.language != "python" or installs_itself)
    if not lines:
        return Proposal(settled=(source.path,), warnings=told)
    try:
        splices = _splices(source, image, lines)
    except CannotEdit as reason:
        snippet = Snippet(source.path, str(reason), "\n".join(lines) + "\n", "dockerfile")
        return Proposal(snippets=(snippet,), warnings=told)
    text = spliced(source.text, splices)
    why = (f"handler redirected, {'with the Extension' if via == 'extension' else 'for the Forwarder'}",)
    said = tuple(f"{source.path.name}: {each}" for each in left_out(wanted, via, "variables"))
    return Proposal(
        edits=(Edit(source.path, source.raw, source.encoded(text), why),), warnings=(*told, *said)
    )


def _read(text: str) -> _Image:
    stages = list(_FROM.finditer(text))
    start = stages[-1].start() if stages else 0
    commands = [match for match in _CMD.finditer(text) if match.start() >= start]
    command = commands[-1] if commands else None
    base = _base(stages)
    language = "node" if "nodejs" in base or "/node" in base or base.startswith("node") else "python"
    known = "python" in base or language == "node" or "awslambdaric" in text
    handler = _handler(command)
    described = _described(text[start:], _runtime(base), handler)
    return _Image(described, language if known else "", start, command, handler)


def _runtime(base: str) -> tuple[str, ...]:
    """The runtime that an image of AWS's is made for: `public.ecr.aws/lambda/python:3.12-arm64`."""
    match = _AWS_BASE.search(base)
    if match is None:
        return ()
    name, number = match[1], re.sub(r"-(x86_64|arm64)$|[.-]\d{4}[\d.]*$", "", match[2])
    return (f"{name}{'.' if name == 'provided' else ''}{number}{'.x' if name == 'nodejs' else ''}",)


def _described(stage: str, runtimes: tuple[str, ...], handler: str) -> Described:
    """What the last stage says. The Web Adapter comes as a file of its image, where others have a layer."""
    return Described(
        name="its function",
        runtimes=runtimes,
        handler=handler,
        layers=("lambda-adapter",) if _ADAPTER.search(stage) else (),
        variables={name: value.strip("\"'") for name, value in _ENV.findall(stage)},
    )


def _base(stages: list[re.Match[str]]) -> str:
    """The image that the last stage is built on, through stages of the same file."""
    named = {(stage[2] or "").lower(): stage[1] for stage in stages}
    base = stages[-1][1] if stages else ""
    for _ in stages:
        base = named.get(base.lower(), base)
    return base


def _handler(command: re.Match[str] | None) -> str:
    if command is None:
        return ""
    try:
        words = json.loads(command[1])
    except (ValueError, RecursionError):
        return ""
    last = words[-1] if isinstance(words, list) and words else ""
    return last if isinstance(last, str) and _HANDLER.fullmatch(last) else ""


def _via(text: str, wanted: Wish) -> Via:
    return wanted.via or ("extension" if EXTENSION_IMAGE in text else "forwarder")


def _lines(source: Source, image: _Image, via: Via, wanted: Wish, *, library: bool) -> list[str]:
    """The lines before CMD, and CMD."""
    if via == "extension":
        check_said(via, wanted, str(source.path), key=False)
    wished = variables(via, wanted)
    lines = ["# Datadog: how data gets there."]
    if wanted.library:
        wished = {catalog.HANDLER_VARIABLE: image.handler or "MODULE.FUNCTION", **wished}
        lines = ["# Datadog: the library, the function's own handler, and how data gets there."]
    if library and wanted.library:
        lines.append(_install(image.language, wanted))
    if via == "extension" and EXTENSION_IMAGE not in source.text:
        lines.append(f"COPY --from={EXTENSION_IMAGE}:{versions.extension_version(wanted)} /opt/. /opt/")
    absent = {name: value for name, value in wished.items() if f"{name}=" not in source.text}
    lines += [f"ENV {name}={json.dumps(value)}" for name, value in absent.items()]
    if not wanted.library:
        return lines if lines[1:] else []
    redirected = catalog.NODE_BUNDLED_HANDLER if image.language == "node" else catalog.PYTHON_HANDLER
    return [*lines, f"CMD [{json.dumps(redirected)}]"]


def _install(language: str, wanted: Wish) -> str:
    if language == "node":
        return "RUN npm install datadog-lambda-js dd-trace"
    return f"RUN pip install --no-cache-dir '{versions.python_requirement(wanted)}'"


def _splices(source: Source, image: _Image, lines: list[str]) -> list[Splice]:
    if not image.language:
        raise CannotEdit("the image is for a language whose handler cannot be redirected")
    if image.command is None:
        raise CannotEdit("there is no CMD, so the handler is said somewhere else (ImageConfig.Command)")
    if not image.handler:
        raise CannotEdit('CMD does not name a handler in the form ["module.function"]')
    newline, start = source.newline, image.command.start()
    indent = image.command[0][: len(image.command[0]) - len(image.command[0].lstrip())]
    if not lines[-1].startswith("CMD"):
        return [Splice(start, start, "".join(f"{indent}{line}{newline}" for line in lines))]
    words = json.loads(image.command[1])
    if len(words) != 1:
        lines = [*lines[:-1], f"CMD {json.dumps([*words[:-1], json.loads(lines[-1][4:])[0]])}"]
    return [Splice(start, image.command.end(), newline.join(indent + line for line in lines))]


def _incomplete(source: Source, image: _Image) -> tuple[str, ...]:
    """Redirected already, but by a hand that forgot the rest."""
    if f"{catalog.HANDLER_VARIABLE}" in source.text:
        return ()
    return (
        f"{source.path.name}: CMD is Datadog's handler ({image.handler}); "
        f"{catalog.HANDLER_VARIABLE} has to be set to the function's own, here or in the function",
    )
