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
from ddsetup.project.iac import docker_read, versions
from ddsetup.project.iac.described import Described
from ddsetup.project.iac.docker_read import Built, Instruction
from ddsetup.project.iac.limits import judge
from ddsetup.project.iac.model import CannotEdit, Edit, Proposal, Snippet, Wish
from ddsetup.project.iac.source import Source, Splice, spliced
from ddsetup.project.iac.variables import check_said, left_out, variables

EXTENSION_IMAGE = "public.ecr.aws/datadog/lambda-extension"
_HANDLER = re.compile(r"(?!/)[\w./-]+\.(?!(?:sh|py|js|mjs)$)[A-Za-z_$][\w$]*")
_ROOT = ("", "root", "0")


@dataclass(frozen=True, slots=True)
class _Image:
    """An image of a Dockerfile. `command` names its handler: CMD, or ENTRYPOINT where there is no CMD;
    `described` is the function as far as the file tells. `user` is who runs what is built, empty for root."""

    built: Built
    described: Described
    command: Instruction | None
    handler: str

    @property
    def user(self) -> str:
        """Whom `USER` has named when the command comes."""
        at = self.command.start if self.command else 0
        named = [each.value for each in self.built.instructions if each.name == "USER" and each.start < at]
        return named[-1] if named and named[-1].partition(":")[0] not in _ROOT else ""


def propose(source: Source, wanted: Wish, *, installs_requirements: bool = False) -> Proposal:
    """The lines that a Dockerfile of a function has to have. `installs_requirements`: the library comes with
    the project's own list of requirements. Raises AnswerMissing for what nobody said.
    """
    found, apart = docker_read.images(source.text)
    several = len(found) > 1
    every = {_place(image): image for image in (_image(each, several=several) for each in found)}
    via = _via(source.text, wanted)
    judged = judge((image.described for image in every.values()), "image", via)
    todo = [each for each in every.values() if each.handler not in catalog.DATADOG_HANDLERS]
    told = [*(judged.warnings if todo else ()), *_others(apart)]
    done = [each for each in every.values() if each not in todo]
    told += [warning for each in done for warning in _incomplete(each)]
    todo = [each for each in todo if each.described in judged.covered]
    asks = wanted.library and (not installs_requirements or "requirements" not in source.text)
    splices, by_hand = _changes(source, [(each, _lines(source, each, via, wanted, asks)) for each in todo])
    if splices:
        told += left_out(wanted, via, "variables")
    warnings = tuple(f"{source.path.name}: {each}" for each in told)
    if not splices and not by_hand:
        settled = (source.path,) if todo or done else ()
        return Proposal(settled=settled, warnings=warnings)
    edits: tuple[Edit, ...] = ()
    if splices:
        why = (f"handler redirected, {'with the Extension' if via == 'extension' else 'for the Forwarder'}",)
        text = spliced(source.text, splices)
        edits = (Edit(source.path, source.raw, source.encoded(text), why),)
    return Proposal(edits=edits, snippets=by_hand, warnings=warnings)


def _changes(
    source: Source, todo: list[tuple[_Image, list[str]]]
) -> tuple[list[Splice], tuple[Snippet, ...]]:
    """What is changed in the file, and the lines for a hand where that is not certain."""
    splices, by_hand = [], []
    for image, lines in todo:
        try:
            splices += _splices(source, image, lines) if lines else []
        except CannotEdit as reason:
            by_hand.append(Snippet(source.path, str(reason), "\n".join(lines) + "\n", "dockerfile"))
    return splices, tuple(by_hand)


def _place(image: _Image) -> int:
    """Where the handler is named: several stages may share that."""
    return image.command.start if image.command else -1


def _image(built: Built, *, several: bool) -> _Image:
    command = built.last("CMD")
    entry = built.last("ENTRYPOINT")
    if command is None and entry is not None and len(entry.words) > 1 and _handler(entry):
        command = entry
    adapter = any(each.name == "COPY" and "aws-lambda-adapter" in each.value for each in built.instructions)
    handler = _handler(command)
    described = Described(
        name=f"the function of stage {built.name}" if several and built.name else "its function",
        runtimes=built.runtimes,
        handler=handler,
        layers=("lambda-adapter",) if adapter else (),
        variables=built.variables,
    )
    return _Image(built, described, command, handler)


def _handler(command: Instruction | None) -> str:
    words = command.words if command is not None else []
    return words[-1] if words and _HANDLER.fullmatch(words[-1]) else ""


def _others(apart: tuple[Built, ...]) -> list[str]:
    """Stages that may be images of functions, too."""
    named = [(each.name, _handler(each.last("CMD"))) for each in apart]
    return [
        f"stage {stage} names a handler of its own ({handler}) and was left; if functions are made of it "
        f"(--target {stage}), it needs the same lines"
        for stage, handler in named
        if handler and handler not in catalog.DATADOG_HANDLERS
    ]


def _via(text: str, wanted: Wish) -> Via:
    return wanted.via or ("extension" if EXTENSION_IMAGE in text else "forwarder")


def _lines(source: Source, image: _Image, via: Via, wanted: Wish, installs: bool) -> list[str]:
    """The lines before the command, and the command; `installs`: no list of requirements does."""
    if via == "extension":
        check_said(via, wanted, str(source.path), key=False)
    language, present = image.built.language, image.built.variables
    wished = variables(via, wanted)
    lines = ["# Datadog: how data gets there."]
    if wanted.library:
        wished = {catalog.HANDLER_VARIABLE: image.handler or "MODULE.FUNCTION", **wished}
        lines = ["# Datadog: the library, the function's own handler, and how data gets there."]
    if wanted.library and (installs or language == "node"):
        lines += _as_root(_install(language, wanted), image.user)
    if via == "extension" and not image.built.mentions(EXTENSION_IMAGE):
        lines.append(f"COPY --from={EXTENSION_IMAGE}:{versions.extension_version(wanted)} /opt/. /opt/")
    lines += [f"ENV {name}={json.dumps(value)}" for name, value in wished.items() if name not in present]
    if not wanted.library:
        return lines if lines[1:] else []
    redirected = catalog.NODE_BUNDLED_HANDLER if language == "node" else catalog.PYTHON_HANDLER
    command = image.command
    words = [*(command.words[:-1] if command and image.handler else ()), redirected]
    return [*lines, f"{command.name if command else 'CMD'} {json.dumps(words)}"]


def _as_root(line: str, user: str) -> list[str]:
    """Whoever runs the image may not write where its packages are."""
    return ["USER root", line, f"USER {user}"] if user else [line]


def _install(language: str, wanted: Wish) -> str:
    if language == "node":
        return "RUN npm install datadog-lambda-js dd-trace"
    return f"RUN pip install --no-cache-dir '{versions.python_requirement(wanted)}'"


def _splices(source: Source, image: _Image, lines: list[str]) -> list[Splice]:
    command = image.command
    if not image.built.language:
        raise CannotEdit("the image is for a language whose handler cannot be redirected")
    if command is None:
        raise CannotEdit("there is no CMD, so the handler is said somewhere else (ImageConfig.Command)")
    if not image.handler:
        raise CannotEdit('CMD does not name a handler in the form ["module.function"]')
    newline, start = source.newline, command.start
    text = source.text[start : command.end]
    indent = text[: len(text) - len(text.lstrip())]
    if not lines[-1].startswith(command.name):
        return [Splice(start, start, "".join(f"{indent}{line}{newline}" for line in lines))]
    return [Splice(start, command.end, newline.join(indent + line for line in lines))]


def _incomplete(image: _Image) -> tuple[str, ...]:
    """Redirected already, but by a hand that forgot the rest."""
    if catalog.HANDLER_VARIABLE in image.built.variables:
        return ()
    return (
        f"CMD is Datadog's handler ({image.handler}); {catalog.HANDLER_VARIABLE} has to be set to the "
        "function's own, here or in the function",
    )
