"""`ddsetup iac`: bring Datadog into the files that functions are deployed from."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup import catalog
from ddsetup.cli.call import Call
from ddsetup.cli.changing_files import check_committed, write_all
from ddsetup.errors import Denied, GatewayError, UsageError
from ddsetup.iac import backup
from ddsetup.iac import run as programs
from ddsetup.iac.cloudformation import MACRO_STACK, install_command
from ddsetup.iac.detect import detect
from ddsetup.iac.model import AnswerMissing, Install, Project, Proposal, Wanted
from ddsetup.iac.propose import propose
from ddsetup.iac.show import as_data, file_lines, finished
from ddsetup.iac.source import read_source
from ddsetup.model import Json
from ddsetup.prompter import Prompt
from ddsetup.questions import Choice
from ddsetup.report import Report
from ddsetup.settings import SETTINGS

if TYPE_CHECKING:
    from ddsetup.flow import Host
    from ddsetup.prompter import Prompter

_SAYS_VIA = re.compile(r"addExtension|extensionLayerVersion|datadog/lambda-extension")
_KEY_SOURCES = {
    "api_key_secret": "apiKeySecretArn",
    "api_key_ssm": "apiKeySsmArn",
    "api_key_kms": "apiKMSKey",
}
_VIA = Prompt(
    kind="one",
    text="How shall the data get to Datadog?",
    choices=(
        Choice("forwarder", "Forwarder: through the log groups"),
        Choice("extension", "Extension: from inside each function"),
    ),
    default="forwarder",
)


def _undo(call: Call, root: Path) -> Report:
    """Give the files of the last run back."""
    from ddsetup import flow

    last = backup.newest(call.state_dir(), root)
    if not call.given.on("dry_run"):
        flow.confirm(
            call.host(), f"Give back {len(last.files)} files as they were?", yes=call.given.on("yes")
        )
        results = backup.give_back(last)
    else:
        results = tuple((kept.path, "would be given back") for kept in last.files)
    rows = [{"path": str(path), "reason": reason} for path, reason in results]
    failed = not call.given.on("dry_run") and any(reason for _path, reason in results)
    return Report(command="iac", exit_code=1 if failed else 0, data={"given_back": rows})


def _change(call: Call, root: Path) -> Report:
    """Look at the project, show what would change, and change it once that is confirmed."""
    project = detect(root)
    if not project.files:
        fix = "name the directory of the project; functions without one are set up by `ddsetup setup`"
        raise UsageError("no file of a deployment tool was found", where=str(root), fix=fix)
    host = call.host()
    proposal = _propose(call, host, project)
    data = as_data(project, proposal)
    if proposal.needs_macro:
        data["macro"] = _macro(call)
    if call.given.on("dry_run") or not (proposal.edits or proposal.installs):
        return Report(command="iac", data=data, next=_next(project, proposal.installs))
    data = {**data, **_carry_out(call, host, project, proposal, data)}
    failed = any(each["status"] == "failed" for each in data["installs"])
    left = tuple(
        i for i, row in zip(proposal.installs, data["installs"], strict=True) if row["status"] != "done"
    )
    following = _next(project, left)
    if any(file["status"] == "changed" for file in data["files"]):
        following = (*following, f"ddsetup iac {root} --undo")
    return Report(command="iac", exit_code=5 if failed else 0, data=data, next=following)


def _carry_out(
    call: Call, host: Host, project: Project, proposal: Proposal, data: dict[str, Json]
) -> dict[str, Json]:
    """Write the files, all or none, and install what may be installed; the data with what came of it."""
    from ddsetup import flow

    if proposal.edits:
        for file in data["files"]:
            call.console.lines(file_lines(file))
        check_committed(call, host, project, proposal)
        flow.confirm(host, "Change these files?", yes=call.given.on("yes"))
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


def _propose(call: Call, host: Host, project: Project) -> Proposal:
    """The proposal; what the files do not say is asked, or named as missing."""
    wanted = _wanted(call)
    if wanted.via is None and host.prompter is not None and not _says_via(project):
        via = host.prompter.ask(_VIA)
        wanted = replace(wanted, via="extension" if via == "extension" else "forwarder")
    while True:
        try:
            return propose(project, wanted)
        except AnswerMissing as missing:
            if host.prompter is None:
                raise
            wanted = _asked(host.prompter, wanted, missing)


def _asked(prompter: Prompter, wanted: Wanted, missing: AnswerMissing) -> Wanted:
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
        return replace(wanted, site=str(prompter.ask(Prompt(kind="one", text=text, choices=choices))))
    text = "ARN of the secret that holds the API key"
    value = prompter.ask(Prompt(kind="text", text=text, why=missing.what, check=problem))
    return replace(wanted, key_source=(_KEY_SOURCES[missing.setting], str(value)))


def _says_via(project: Project) -> bool:
    return any(_SAYS_VIA.search(read_source(file.path).text) for file in project.files)


def _wanted(call: Call) -> Wanted:
    """What flags, variables and file say. Raises UsageError with all that is wrong."""
    given = call.given
    wrong = []
    for key, raw in given.values.items():
        try:
            given.value(key)
        except ValueError as error:
            wrong.append(f"{raw.where}: {error}")
    if wrong:
        raise UsageError("\n".join(wrong))
    sources = [(name, given.text(key)) for key, name in _KEY_SOURCES.items() if key in given]
    via, arns, regions, tags = (given.value(key) for key in ("via", "forwarder_arn", "region", "extra_tag"))
    return Wanted(
        via=via if via in ("forwarder", "extension") else None,  # type: ignore[arg-type]
        site=given.text("site"),
        key_source=sources[0] if sources else None,
        forwarders=arns if isinstance(arns, tuple) else (),
        env=given.text("env"),
        service=given.text("service"),
        version=given.text("version_tag"),
        tags=tags if isinstance(tags, tuple) else (),
        log_level=given.text("log_level"),
        traces=_said(call, "traces"),
        logs=_said(call, "logs"),
        capture_payload=_said(call, "capture_payload"),
        merge_xray=_said(call, "merge_xray"),
        region=regions[0] if isinstance(regions, tuple) and len(regions) == 1 else "",
        layer_version=_number(given.text("layer_version")),
        extension_version=_number(given.text("extension_version")),
    )


def _said(call: Call, key: str) -> bool | None:
    return call.given.on(key) if key in call.given else None


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _may_install(call: Call, host: Host, install: Install) -> bool:
    """Whether the project's package manager may be run: only by a flag of its own, or when asked."""
    if call.value("install"):
        return True
    if host.prompter is None or call.given.on("yes"):
        return False
    text = f"Run `{' '.join(install.command)}` in {install.directory}?"
    return bool(host.prompter.ask(Prompt(kind="confirm", text=text, default=True)))


def _next(project: Project, installs: tuple[Install, ...]) -> tuple[str, ...]:
    commands = [" ".join(each.command) for each in installs]
    if project.of("serverless", "serverless_code"):
        commands.append("serverless deploy")
    if project.of("cloudformation"):
        commands.append("sam deploy")
    return tuple(commands)


def _macro(call: Call) -> Json:
    """Whether Datadog's macro is installed in the region; "unknown" without credentials or permission."""
    from ddsetup.errors import CredentialsError
    from ddsetup.gateways.aws.session import Aws, AwsOptions
    from ddsetup.gateways.aws.stacks import read_stack
    from ddsetup.model import Lane

    options = AwsOptions(
        profile=call.given.text("profile") or None,
        role_arn=call.given.text("role_arn") or None,
        interactive=call.can_ask,
    )
    regions = call.given.value("region")
    region = regions[0] if isinstance(regions, tuple) and regions else ""
    state = "unknown"
    try:
        aws = Aws.connect(options)
        region = region or aws.default_region or ""
        if region:
            stack = read_stack(aws, Lane(aws.identity().account, region), MACRO_STACK)
            state = "missing" if stack is None else "installed"
    except (CredentialsError, Denied, GatewayError) as error:
        call.console.say(f"whether the macro is installed cannot be told: {error.what}", "dim")
    return {"stack": MACRO_STACK, "region": region, "state": state, "command": install_command(region)}


def run(call: Call) -> Report:
    """Change the files, or give them back."""
    root = Path(call.value("path") or ".").expanduser()
    root = (call.directory / root).resolve()
    return _undo(call, root) if call.value("undo") else _change(call, root)
