"""Bringing Datadog into the files of a project: what is open is asked, the diff shown, confirmed, written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.ask.questions import Choice
from ddsetup.facts import catalog
from ddsetup.flow.call import Call
from ddsetup.model.account import Json
from ddsetup.model.answers import KeyKind, KeySource
from ddsetup.model.errors import UsageError
from ddsetup.project.changing_files import check_committed, write_all
from ddsetup.project.iac import backup
from ddsetup.project.iac import run as programs
from ddsetup.project.iac.model import AnswerMissing, Install, Project, ProjectFile, Proposal, Wish
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.show import as_data, file_blocks, finished
from ddsetup.project.iac.source import read_source
from ddsetup.settings.table import SETTINGS

if TYPE_CHECKING:
    from ddsetup.ask.prompter import Prompter
    from ddsetup.flow.verbs import Host

ITS_STACK = "STACK"
"""What stands for the name of a stack in a command, where no function tells it."""
_SAYS_VIA = re.compile(r"addExtension|extensionLayerVersion|datadog/lambda-extension")
_VIA = Prompt(
    kind="one",
    text="How should the data get to Datadog?",
    choices=(
        Choice("forwarder", "Forwarder: through the log groups"),
        Choice("extension", "Extension: from inside each function"),
    ),
    default="forwarder",
)
_KEYS: Mapping[str, tuple[KeyKind, str]] = {
    "api_key_secret": ("secret", "ARN of the secret that holds the API key"),
    "org_uuid": ("wif", "UUID of the Datadog organisation"),
}
"""Where the API key is, as far as it is asked: the kind of the place and the question, by setting."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of a project's files, as data of a report, with the commands that follow.

    `failed`: a package manager could not add what is needed.
    """

    data: dict[str, Json]
    next: tuple[str, ...] = ()
    failed: bool = False

    @property
    def changed(self) -> bool:
        """Whether a file was written."""
        return any(file["status"] == "changed" for file in self.data["files"])


def proposed(host: Host, project: Project, wanted: Wish) -> Proposal:
    """The proposal; what the files do not say is asked.

    Raises AnswerMissing where nobody can be asked, BrokenFile for a file that its own tool would not read.
    """
    if wanted.via is None and host.prompter is not None and not _says_via(project):
        via = host.prompter.ask(_VIA)
        answers = replace(wanted.answers, via="extension" if via == "extension" else "forwarder")
        wanted = replace(wanted, answers=answers, said=wanted.said | {"via"})
    while True:
        try:
            return propose(project, wanted)
        except AnswerMissing as missing:
            if host.prompter is None:
                raise
            wanted = _asked(host.prompter, wanted, missing)


def _says_via(project: Project) -> bool:
    texts = []
    for file in project.files:
        try:
            texts.append(read_source(file.path).text)
        except UsageError:
            continue
    return any(_SAYS_VIA.search(text) for text in texts)


def _asked(prompter: Prompter, wanted: Wish, missing: AnswerMissing) -> Wish:
    setting = SETTINGS[missing.setting]

    def problem(value: Json) -> str:
        try:
            setting.parse(value)
        except ValueError as error:
            return str(error)
        return ""

    if missing.setting == "site":
        choices = tuple(Choice(site.site, f"{site.name}: {site.site}") for site in catalog.sites())
        text = "Which Datadog site is yours?"
        site = str(prompter.ask(Prompt(kind="one", text=text, choices=choices)))
        return replace(wanted, answers=replace(wanted.answers, site=site))
    kind, text = _KEYS[missing.setting]
    value = prompter.ask(Prompt(kind="text", text=text, why=missing.what, check=problem))
    source = KeySource(kind=kind, value=str(value))
    return replace(wanted, answers=replace(wanted.answers, key_source=source))


def bring(call: Call, host: Host, project: Project, proposal: Proposal) -> Brought:
    """Change the files once that is confirmed; with `--dry-run` only say what would become of them.

    Raises UsageError, Declined and DdsetupError; then every file is as it was.
    """
    data = as_data(project, proposal)
    if call.given.on("dry_run") or not (proposal.edits or proposal.installs):
        return Brought(data, _next(project, proposal, proposal.installs))
    data = _carry_out(call, host, project, proposal, data)
    left = tuple(
        i for i, row in zip(proposal.installs, data["installs"], strict=True) if row["status"] != "done"
    )
    failed = any(each["status"] == "failed" for each in data["installs"])
    return Brought(data, _next(project, proposal, left), failed)


def _carry_out(
    call: Call, host: Host, project: Project, proposal: Proposal, data: dict[str, Json]
) -> dict[str, Json]:
    """Write the files, all or none, and install what may be installed; the data with what came of it."""
    from ddsetup.flow import verbs

    if proposal.edits:
        for file in data["files"]:
            call.console.blocks(file_blocks(file))
        check_committed(call, host, project, proposal)
        verbs.confirm(host, "Change these files?", yes=call.given.on("yes"))
    installs = tuple(each for each in proposal.installs if _may_install(call, host, each))
    if not proposal.edits and not installs:
        return data
    touched = {path: _content(path) for install in installs for path in install.touches}
    record = write_all(call.state_dir(), project.root, proposal.edits, datetime.now(UTC), touched)
    results = []
    for each in installs:
        call.console.say(f"running {' '.join(each.command)}")
        results.append((each, programs.install(each)))
    backup.finish(record)
    status = {"would change": "changed"}
    files = [{**file, "status": status.get(file["status"], file["status"])} for file in data["files"]]
    return finished({**data, "files": files}, results)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _may_install(call: Call, host: Host, install: Install) -> bool:
    """Whether the project's package manager may be run: only by a flag of its own, or when asked."""
    if call.value("install"):
        return True
    if host.prompter is None or call.given.on("yes"):
        return False
    text = f"Run `{' '.join(install.command)}` in {install.directory}?"
    return bool(host.prompter.ask(Prompt(kind="confirm", text=text, default=True)))


def _next(project: Project, proposal: Proposal, installs: tuple[Install, ...]) -> tuple[str, ...]:
    """What follows for what is changed, and for nothing else."""
    commands = [" ".join(each.command) for each in installs]
    touched = {edit.path for edit in proposal.edits}
    commands += [
        command for file in project.files if file.path in touched for command in _deploys(project, file)
    ]
    return tuple(dict.fromkeys(commands))


def _deploys(project: Project, file: ProjectFile) -> tuple[str, ...]:
    """How a file is brought to AWS."""
    if file.kind == "cloudformation":
        by_sam = "AWS::Serverless" in read_source(file.path).text
        name = project.name(file.path)
        plain = f"aws cloudformation deploy --template-file {shlex.quote(name)} --stack-name {ITS_STACK}"
        return ("sam deploy" if by_sam else plain,)
    tool = {"serverless": "serverless deploy", "cdk": "cdk deploy", "terraform": "terraform apply"}
    return (tool[file.kind],) if file.kind in tool else ()
