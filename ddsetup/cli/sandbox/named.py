"""Which sandbox is meant: the one that is named, or the only one that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.ask.questions import Choice
from ddsetup.flow.call import Call
from ddsetup.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsetup.sandbox.model import Sandbox

UP = "ddsetup sandbox up --detach"


def registry(call: Call) -> Path:
    """Where the sandboxes of the state directory are entered."""
    return call.state_dir() / "sandboxes"


def running(call: Call) -> tuple[Sandbox, ...]:
    """The sandboxes of the state directory that run, the newest first."""
    from ddsetup.sandbox.detached import status

    return status(registry(call))


def chosen(call: Call, found: Sequence[Sandbox]) -> Sandbox:
    """The one of `found` that is meant. Several and none named: the one whose variables are set, else a
    person is asked.

    Raises UsageError, naming those there are, when it cannot be told.
    """
    name = call.value("sandbox_name")
    if not found:
        raise UsageError("no sandbox is running", fix=UP)
    if name:
        named = [sandbox for sandbox in found if sandbox.name == name]
        if not named:
            raise UsageError(f"no sandbox {name!r} is running", fix=f"running: {_listed(found)}")
        return named[0]
    here = call.environ.get("AWS_ENDPOINT_URL")
    inside = found if len(found) == 1 else [each for each in found if each.aws_endpoint_url == here]
    if inside:
        return inside[0]
    prompter = call.prompter()
    if prompter is None:
        what = f"{len(found)} sandboxes are running, and none is named: {_listed(found)}"
        raise UsageError(what, fix=f"{call.called or f'ddsetup {call.command}'} {found[0].name}")
    choices = tuple(Choice(each.name, hint=_described(each)) for each in found)
    name = prompter.ask(Prompt(kind="one", text="Which sandbox?", choices=choices))
    return next(sandbox for sandbox in found if sandbox.name == name)


def _listed(found: Sequence[Sandbox]) -> str:
    return ", ".join(f"{each.name} ({_described(each)})" for each in found)


def _described(sandbox: Sandbox) -> str:
    return f"account {sandbox.account}, {', '.join(sandbox.regions)}, {', '.join(sandbox.scenarios)}"
