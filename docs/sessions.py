"""What the pages of docs/ show of the command: the sessions that are recorded, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

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
