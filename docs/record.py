"""Record what the pages of docs/ show: `python docs/record.py [SESSION...]`.

Each session runs the installed command in a sandbox of its own and keeps what it printed in docs/recorded/;
`docs/generate.py` puts that into the pages. Nothing is touched up but what differs each time (ports, keys)
and what a page leaves out, which a line of three dots marks.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
PROJECTS = HERE / "projects"
BIN = Path(sys.executable).parent

_CHANGING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"((?:KEY|KEY_ID)=)\w+"), r"\1…"),
    (re.compile(r"(datadog-api-key)-[0-9a-f]{6}"), r"\1-1a2b3c"),
    (re.compile(r"/\S*/tmp/ddsetup-[\w.-]+"), "/tmp/ddsetup-sandbox-x1y2"),
    (re.compile(r"\bo-[a-z0-9]{10}\b"), "o-a1b2c3d4e5"),
)
_NUMBER = re.compile(r"(?<![\d-])(?!464622532012)\d{12}(?!\d)")
"""Each sandbox has account numbers of its own; Datadog's stays as it is."""
_OWN = "123456789012"


_SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog-AbCdEf"


@dataclass(frozen=True, kw_only=True)
class Take:
    """One command of a session. `keep` shortens what is shown; a take without a name is only carried out."""

    command: str
    name: str = ""
    keep: Callable[[str], str] = str
    exit_code: int = 0
    progress: bool = True
    """Whether standard error is shown, too."""
    project: str = ""
    """The project of docs/projects in which it is run."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Commands that are run one after the other. Without scenarios there is no sandbox."""

    name: str
    takes: tuple[Take, ...]
    up: str = ""
    numbers: dict[str, str] = field(default_factory=dict)
    """By which number each account is shown, where there are several."""


def between(*ranges: tuple[str, str]) -> Callable[[str], str]:
    """Leave out the lines after one that holds the first text, up to one that holds the second."""

    def shorten(text: str) -> str:
        shown: list[str] = []
        until = ""
        for line in text.splitlines():
            if until and until not in line:
                continue
            until = next((end for begin, end in ranges if begin in line), "")
            shown += [line, "..."] if until else [line]
        return "\n".join(shown) + "\n"

    return shorten


def head(lines: int) -> Callable[[str], str]:
    """Only the first lines."""
    return lambda text: "\n".join(text.splitlines()[:lines]) + "\n..."


def section(title: str, until: str = "\n\n") -> Callable[[str], str]:
    """One part of what was printed, from a line that holds the title."""

    def cut(text: str) -> str:
        start = text.rindex("\n", 0, text.index(title)) + 1
        end = text.find(until, start + len(title))
        return "...\n" + text[start : end if end > 0 else len(text)] + "\n...\n"

    return cut


def first_entries(text: str) -> str:
    """A JSON document of which each list shows only its first entry."""

    def short(value: object) -> object:
        if isinstance(value, dict):
            return {k: short(v) for k, v in value.items()}
        return [short(v) for v in value[:1]] if isinstance(value, list) else value

    document = json.loads(text)
    document["links"] = dict(list(document["links"].items())[:1])
    return json.dumps(short(document), indent=1, ensure_ascii=False)


SESSIONS = (
    Session(
        name="trial",
        takes=(
            Take(
                name="trial",
                command="ddsetup setup --sandbox --all --env dev --yes",
                keep=between(
                    ("IAM role DatadogIntegrationRole  ", "+ integration of"),
                    ("Datadog has no record", "Forwarder: sends"),
                    ("no Forwarder in us-east-1", "Log collection:"),
                    ("DD_TRACE_ENABLED", "1 more to change: function"),
                    ("tags of function coffee-invoices", "Log subscriptions"),
                    ("log group /aws/lambda/coffee-invoices", "10 to create"),
                    ("ForwarderRole CREATE_IN_PROGRESS", "datadog-forwarder CREATE_COMPLETE"),
                ),
            ),
        ),
    ),
    Session(
        name="healthy",
        up="ddsetup sandbox up --detach",
        takes=(
            Take(name="env", command="ddsetup sandbox env"),
            Take(
                name="plan",
                command="ddsetup plan --function 'coffee-o*' --env dev",
                progress=False,
                keep=between(("account:GetAccountInformation", "+ integration of")),
            ),
            Take(
                name="extension",
                command="ddsetup plan --function coffee-orders --via extension",
                progress=False,
                keep=section("Functions", "\n\n"),
            ),
            Take(
                name="plan_json",
                command="ddsetup plan --function coffee-orders --env dev --output json",
                progress=False,
                keep=first_entries,
            ),
            Take(
                name="setup_short",
                command="ddsetup setup --all --env dev --yes --no-verify",
                progress=False,
            ),
            Take(command="sleep 6"),  # Datadog subscribes the log groups
            Take(name="traffic", command="ddsetup sandbox traffic", progress=False),
            Take(
                name="verify",
                command="ddsetup verify --wait 60",
                progress=False,
            ),
            Take(
                name="again",
                command="ddsetup setup --all --env dev --yes",
                progress=False,
                keep=between(("Datadog has a record of the account", "Nothing to do")),
            ),
            Take(name="status", command="ddsetup status", progress=False),
            Take(name="doctor", command="ddsetup doctor", progress=False),
            Take(
                name="doctor_chain",
                command="ddsetup doctor --function coffee-orders",
                progress=False,
            ),
            Take(name="cold_starts", command="ddsetup explore cold-starts", progress=False),
            Take(
                name="verify_json",
                command="ddsetup verify --function coffee-orders --output json",
                progress=False,
                keep=first_entries,
            ),
            Take(name="runs", command="ddsetup undo --list", progress=False),
            Take(name="undo", command="ddsetup undo --yes", progress=False),
            Take(name="status_after", command="ddsetup status", progress=False),
            Take(
                name="ndjson",
                command="ddsetup setup --function coffee-orders --yes --no-verify --output ndjson",
                progress=False,
                keep=head(4),
            ),
            Take(
                name="missing",
                command="env -u DD_API_KEY -u DD_SITE ddsetup setup --no-input",
                exit_code=2,
            ),
            Take(
                name="typo",
                command="ddsetup plan --function cofee-orders",
                exit_code=2,
            ),
            Take(
                name="policy",
                command="ddsetup policy --for status --for verify --all",
                progress=False,
                keep=head(28),
            ),
        ),
    ),
    Session(
        name="messy",
        up="ddsetup sandbox up --detach --scenario messy",
        takes=(
            Take(
                name="messy",
                command="ddsetup plan --all",
                progress=False,
                keep=section("Skipped", "\n\n"),
            ),
            Take(
                name="messy_status",
                command="ddsetup status",
                progress=False,
            ),
            Take(
                name="conflict_replace",
                command="ddsetup plan --all --on-conflict replace",
                progress=False,
                keep=section("Log subscriptions", "\n\n"),
            ),
        ),
    ),
    Session(
        name="organisation",
        up="ddsetup sandbox up --detach --scenario organisation",
        takes=(
            Take(name="org_status", command="ddsetup org status", progress=False, exit_code=5),
            Take(
                name="org_plan",
                command="ddsetup org plan --account coffee-dev --all --env dev --out plans.jsonl",
                progress=False,
            ),
            Take(
                name="org_apply",
                command="ddsetup org apply plans.jsonl --account coffee-dev --invoke --yes --wait 5m",
                progress=False,
            ),
            Take(
                name="org_rollout",
                command="ddsetup org rollout --ou production --canary coffee-kitchen --yes",
                progress=False,
                exit_code=5,
            ),
            Take(
                name="org_apply_unit",
                command="ddsetup org apply --ou production --all --env prod --invoke --yes --wait 5m",
                progress=False,
                exit_code=5,
            ),
            Take(command="ddsetup sandbox account --account coffee-partner --admits"),
            Take(
                name="org_rollout_rest",
                command="ddsetup org rollout --ou production --yes",
                progress=False,
            ),
            Take(
                name="org_apply_rest",
                command="ddsetup org apply --ou production --all --env prod --invoke --yes --wait 5m",
                progress=False,
            ),
            Take(
                name="org_verify",
                command="ddsetup org verify --wait 5m --html organisation.html",
                progress=False,
            ),
            Take(name="org_runs", command="ddsetup undo --list", progress=False),
            Take(name="org_undo", command="ddsetup org undo --yes", progress=False),
            Take(command="ddsetup org undo --yes"),
            Take(command="ddsetup org undo --yes"),
            Take(name="org_remove", command="ddsetup org rollout --remove --yes", progress=False),
        ),
    ),
    Session(
        name="source",
        takes=(
            *(
                Take(
                    name=f"iac_{project}",
                    command=f"ddsetup iac --site datadoghq.eu{more} --dry-run",
                    progress=False,
                    project=project,
                )
                for project, more in (
                    ("serverless", ""),
                    ("sam", " --region eu-west-1"),
                    ("cdk", f" --via extension --api-key-secret {_SECRET}"),
                    ("terraform", " --region eu-west-1"),
                    ("image", f" --via extension --api-key-secret {_SECRET}"),
                )
            ),
            Take(
                name="code_check", command="ddsetup code check", progress=False, project="code", exit_code=1
            ),
        ),
    ),
    Session(
        name="owned",
        up="ddsetup sandbox up --detach --scenario stack-owned",
        takes=(
            Take(
                name="owned_plan",
                command="ddsetup plan --all",
                progress=False,
                project="web",
                keep=section("! 1 of these functions"),
            ),
            Take(
                name="owned_source",
                command="ddsetup setup --all --owned source --yes --no-verify",
                progress=False,
                project="web",
            ),
            Take(command="ddsetup iac --undo --yes", project="web"),
            Take(command="ddsetup setup --all --yes --no-verify"),
            Take(name="owned_status", command="ddsetup status", progress=False),
        ),
    ),
)


def record(session: Session) -> None:
    """Run a session from beginning to end, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="docs-") as home:
        environ = _environ(home)
        shutil.copytree(PROJECTS, Path(home) / PROJECTS.name)
        if session.up:
            _run(session.up, environ)
        try:
            if session.up:
                environ |= _exports(_run("ddsetup sandbox env", environ).stdout)
            for take in session.takes:
                _keep(
                    session,
                    take,
                    _run(take.command, environ, take.exit_code, together=take.progress, project=take.project),
                )
        finally:
            if session.up:
                _run("ddsetup sandbox down", environ)


def _environ(home: str) -> dict[str, str]:
    (Path(home) / "tmp").mkdir()
    kept = {name: os.environ[name] for name in ("LANG",) if name in os.environ}
    return kept | {
        "HOME": home,
        "TMPDIR": f"{home}/tmp",
        "PATH": f"{BIN}:/usr/bin:/bin",
        "COLUMNS": "110",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
        "DDSETUP_STATE_DIR": f"{home}/state",
    }


def _exports(text: str) -> Mapping[str, str]:
    words = (shlex.split(line)[1] for line in text.splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for word in words)


def _run(
    command: str,
    environ: Mapping[str, str],
    exit_code: int = 0,
    *,
    together: bool = False,
    project: str = "",
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        shlex.split(command),
        env=dict(environ),
        cwd=Path(environ["HOME"], PROJECTS.name, project) if project else environ["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != exit_code:
        sys.exit(f"{command}\nended with {done.returncode}, not {exit_code}:\n{done.stdout}{done.stderr}")
    return done


def _shown_number(session: Session, number: str) -> str:
    if "organisation" not in session.up:
        return _OWN
    return session.numbers.setdefault(number, f"2{len(session.numbers):011}" if session.numbers else _OWN)


def _keep(session: Session, take: Take, done: subprocess.CompletedProcess[str]) -> None:
    if not take.name:
        return
    text = done.stdout
    for pattern, shown in _CHANGING:
        text = pattern.sub(shown, text)
    text = _NUMBER.sub(lambda found: _shown_number(session, found[0]), text)
    text = take.keep(text).strip("\n")
    ended = f"\n(ends with exit code {take.exit_code})" if take.exit_code else ""
    (RECORDED / f"{take.name}.txt").write_text(f"$ {take.command}\n{text}{ended}\n", encoding="utf-8")
    print(f"{take.name}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    RECORDED.mkdir(exist_ok=True)
    for wanted in SESSIONS:
        if wanted.name in sys.argv[1:] or not sys.argv[1:]:
            record(wanted)
