"""What the emulator lacks of CodeBuild: builds run, as their project's role, and EventBridge starts them.

A build is a process on this machine. Its buildspec's phases run in a shell; what pip would fetch is what is
installed here already, so that `pip install ddsetup==VERSION` succeeds for this version alone, and `ddsetup`
is this one. Variables of type SECRETS_MANAGER are read as the project's role before anything runs (CodeBuild
user guide, "Build specification reference", env/secrets-manager). No build starts beside as many as
`concurrentBuildLimit` says: that one is refused (user guide, "Builds in AWS CodeBuild"), and EventBridge does
not try again here. What the shell prints goes to the log; how it ended is counted in CloudWatch.
"""

from __future__ import annotations

import contextvars
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator import itself, stack_rights
from ddsetup.sandbox.model import Keys

_PIP = """#!{python}
import sys
from ddsetup._version import __version__

wanted = [word for word in sys.argv[1:] if word != "install" and not word.startswith("-")]
wrong = [word for word in wanted if word != f"ddsetup=={{__version__}}"]
sys.exit(f"ERROR: No matching distribution found for {{wrong[0]}}" if wrong else 0)
"""
_DDSETUP = """#!/bin/sh
exec "{python}" -m ddsetup "$@"
"""
_PHASES = ("install", "pre_build", "build", "post_build")
_LIMIT = "concurrentBuildLimit"


def install(directory: Path) -> None:
    """Let builds run; what they find beside the shell is put into the directory."""
    from ministack.services import codebuild, eventbridge
    from ministack.services.cloudformation import provisioners

    tools = directory / "build-tools"
    tools.mkdir()
    for name, text in (("pip", _PIP), ("ddsetup", _DDSETUP)):
        (tools / name).write_text(text.format(python=sys.executable), encoding="utf-8")
        (tools / name).chmod(0o700)

    def start(data: Mapping[str, Any], initiator: str = "") -> Any:
        return _started(data, initiator, tools)

    codebuild._start_build = start
    _keep_limit(provisioners._RESOURCE_HANDLERS["AWS::CodeBuild::Project"])
    plain = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> None:
        if ":codebuild:" not in target.get("Arn", ""):
            plain(target, event, rule, view)
            return
        _start_by_rule(target, rule, start)

    eventbridge._invoke_target = invoke


def _keep_limit(maker: dict[str, Any]) -> None:
    """The emulator forgets it."""
    from ministack.services import codebuild

    for way, place in (("create", 1), ("update", 2)):
        plain = maker[way]

        def with_limit(*given: Any, plain: Any = plain, place: int = place, **named: Any) -> Any:
            name, attributes = plain(*given, **named)
            limit = given[place].get("ConcurrentBuildLimit")
            codebuild._projects[name][_LIMIT] = int(limit) if limit else None
            return name, attributes

        maker[way] = with_limit


def _start_by_rule(target: Mapping[str, Any], rule: Mapping[str, Any], start: Any) -> None:
    """As EventBridge does: in the name of the target's role."""
    from ministack.services import cloudwatch

    arn, name = str(target["Arn"]), str(rule["Name"])
    keys = itself.session_of(str(target.get("RoleArn", "")), name)
    refused = stack_rights.refusal(keys.access_key_id, "codebuild:StartBuild", arn)
    done = not refused and start({"projectName": arn.rpartition("/")[2]}, f"rule/{name}")[0] == 200
    for metric in ("Invocations", *(() if done else ("FailedInvocations",))):
        cloudwatch.record_metric("AWS/Events", metric, 1, "Count", {"RuleName": name})


def _started(data: Mapping[str, Any], initiator: str, tools: Path) -> Any:
    from ministack.core.responses import error_response_json, json_response
    from ministack.services import codebuild

    name = str(data.get("projectName", ""))
    project = codebuild._projects.get(name)
    if project is None:
        return error_response_json("ResourceNotFoundException", f"Project cannot be found: {name}", 400)
    running = [b for b in codebuild._builds.values() if b["projectName"] == name and _runs(b)]
    if project.get(_LIMIT) and len(running) >= project[_LIMIT]:
        message = f"Cannot have more than {project[_LIMIT]} builds in progress for the project"
        return error_response_json("AccountLimitExceededException", message, 400)
    build = codebuild._make_build_record(project, codebuild._build_id(name), data.get("sourceVersion"))
    del build["endTime"]
    build |= {"buildStatus": "IN_PROGRESS", "currentPhase": "SUBMITTED", "phases": []}
    build["initiator"] = initiator or build["initiator"]
    codebuild._builds[build["id"]] = build
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, build, dict(project), tools), daemon=True).start()
    return json_response({"build": dict(build)})


def _runs(build: Mapping[str, Any]) -> bool:
    return bool(build["buildStatus"] == "IN_PROGRESS")


def _run(build: dict[str, Any], project: Mapping[str, Any], tools: Path) -> None:
    from ministack.services import cloudwatch, codebuild

    began = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="build-", dir=tools))
    try:
        status = _status(build, project, work)
    except Exception as error:  # noqa: BLE001 - as CodeBuild, it ends in FAULT whatever went wrong
        codebuild._log_sink(build)(f"the sandbox cannot run this build: {error}")
        status = "FAULT"
    shutil.rmtree(work, ignore_errors=True)
    dimensions = {"ProjectName": str(project["name"])}
    counted = "SucceededBuilds" if status == "SUCCEEDED" else "FailedBuilds"
    for metric in ("Builds", counted):
        cloudwatch.record_metric("AWS/CodeBuild", metric, 1, "Count", dimensions)
    cloudwatch.record_metric("AWS/CodeBuild", "Duration", time.monotonic() - began, "Seconds", dimensions)
    codebuild._record_phase(build, "COMPLETED", status)
    # In whole seconds, as the emulator has it, a build would have ended before what it did last.
    build |= {"endTime": time.time(), "currentPhase": "COMPLETED", "buildStatus": status}


def _status(build: dict[str, Any], project: Mapping[str, Any], work: Path) -> str:
    """Run the phases; the status that the build ends with."""
    import yaml
    from ministack.services import codebuild

    spec = yaml.safe_load(project["source"]["buildspec"])
    keys = itself.session_of(str(project["serviceRole"]), f"AWSCodeBuild-{uuid.uuid4()}")
    environ, refused = _environment(build, project, work, keys)
    if refused:
        _failed_phase(build, "DOWNLOAD_SOURCE", "CLIENT_ERROR", refused)
        return "FAILED"
    codebuild._record_phase(build, "DOWNLOAD_SOURCE", "SUCCEEDED")
    for phase in _PHASES:
        commands: list[str] = (spec["phases"].get(phase) or {}).get("commands") or []
        code = _shell(build, "\n".join(commands), environ, work) if commands else 0
        if code:
            message = f"Error while executing command: {commands[-1]}. Reason: exit status {code}"
            _failed_phase(build, phase.upper(), "COMMAND_EXECUTION_ERROR", message)
            return "FAILED"
        codebuild._record_phase(build, phase.upper(), "SUCCEEDED")
    return "SUCCEEDED"


def _failed_phase(build: dict[str, Any], phase: str, code: str, message: str) -> None:
    from ministack.services import codebuild

    codebuild._record_phase(build, phase, "FAILED")
    build["phases"][-1]["contexts"] = [{"statusCode": code, "message": message}]


def _environment(
    build: Mapping[str, Any], project: Mapping[str, Any], work: Path, keys: Keys
) -> tuple[dict[str, str], str]:
    """The variables of a build, and why one of them cannot be read."""
    from botocore.exceptions import BotoCoreError, ClientError
    from ministack.core.responses import get_region

    region = get_region()
    environ = {
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_SESSION_TOKEN": keys.session_token,
        "PATH": f"{work.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(work),
        "AWS_ENDPOINT_URL": itself.address(),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "CODEBUILD_BUILD_ID": str(build["id"]),
        "CODEBUILD_INITIATOR": str(build["initiator"]),
    }
    secrets = itself.client("secretsmanager", region, keys)
    for each in project["environment"].get("environmentVariables") or ():
        value = str(each["value"])
        if each.get("type") == "SECRETS_MANAGER":
            try:
                value = str(secrets.get_secret_value(SecretId=value)["SecretString"])
            except (ClientError, BotoCoreError) as error:
                return environ, f"Secrets Manager Error Message: {error}"
        environ[str(each["name"])] = value
    return environ, ""


def _shell(build: dict[str, Any], script: str, environ: Mapping[str, str], work: Path) -> int:
    """Run it as CodeBuild does, the first command that fails ends it; what it prints goes to the log."""
    from ministack.services import codebuild

    emit = codebuild._log_sink(build)
    process = subprocess.Popen(
        ["/bin/sh", "-ec", script],
        cwd=work,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    for line in process.stdout:
        emit(line.rstrip("\n"))
    return process.wait()
