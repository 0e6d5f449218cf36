"""A report as text: pure, complete, and with nothing in it that may be secret."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence

from ddsetup.change import Outcome, Status
from ddsetup.custom_metrics import metric_list_lines, metric_proof_lines
from ddsetup.errors import DdsetupError, GatewayError
from ddsetup.explore.cold_starts import cold_start_lines
from ddsetup.explore.errors import error_lines as error_pattern_lines
from ddsetup.explore.flame import trace_lines
from ddsetup.explore.metrics import metric_lines
from ddsetup.iac.show import code_lines, iac_lines
from ddsetup.lines import Line, Look, Span, Style, counted, line, names, table
from ddsetup.model import Json
from ddsetup.render_doctor import doctor_lines, remedy_lines
from ddsetup.render_ending import link_lines, next_lines
from ddsetup.render_plan import plan_lines, resource_text, skipped_lines
from ddsetup.render_signals import signal_lines
from ddsetup.render_sources import source_lines
from ddsetup.report import Report, Severity

SANDBOX = "sandbox"
_LISTED = 10
"""How many applied changes are listed one by one."""

_OUTCOMES: Mapping[Status, Span] = {
    "failed": Span("✗ failed", "bad"),
    "changed_since": Span("! changed since", "warn"),
    "skipped": Span("! skipped", "warn"),
    "applied": Span("✓", "good"),
    "unchanged": Span("=", "dim"),
}
_DONE: Mapping[str | None, str] = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    None: "done",
}
_SEVERITIES: Mapping[Severity, Span] = {
    "error": Span("✗ error", "bad"),
    "warning": Span("! warning", "warn"),
    "info": Span("i info", "dim"),
}


def report_lines(report: Report, look: Look) -> list[Line]:
    """All that a report has to say. A plan that was carried out is told by its outcomes."""
    found: list[Line] = []
    if report.sandbox and report.command not in _READ_BY_PROGRAMS and "terraform" not in report.data:
        where = where_text(report)
        found.append(line(Span(f"[{SANDBOX}]", "warn"), f" {where}" if where else ""))
    carried_out = [outcome for outcome in report.outcomes if outcome.action is not None]
    if carried_out:
        found.extend(_spaced(outcome_lines(carried_out, look)))
        found.extend(skipped_lines(report.plan.skipped, look, unchanged=look.verbose))
    elif (
        report.command in _WITH_PLAN and not {"runs", "terraform"} & set(report.data) and report.error is None
    ):
        found.extend(_spaced(plan_lines(report.plan, look)))
    found.extend(_spaced(signal_lines(report.signals, look)))
    if report.command == "doctor":
        found.extend(_spaced(doctor_lines(report, look)))
    else:
        found.extend(_spaced(_finding_lines(report)))
    special = _SPECIAL.get(report.command)
    if special is not None:
        found.extend(_spaced(special(report.data, look)))
    found.extend(_spaced(link_lines(report.links, look)))
    if report.run:
        gone = "sandbox_gone" in report.data
        how = "On an account that stays, this gives it back: " if gone else "To give it back: "
        found.append(line(how, Span(f"ddsetup undo {report.run}", "code")))
    if report.next:
        found.extend(next_lines(report, look))
    while found and not found[-1]:
        found.pop()
    return found


_READ_BY_PROGRAMS = ("policy", "sandbox env")
"""What these write is pasted or evaluated as it is; that it is a sandbox is said on standard error."""
_AFTERWARDS = (
    "monitors plan",
    "monitors apply",
    "monitors remove",
    "metrics percentiles",
    "dashboards create",
)
_WITH_PLAN = ("plan", "setup", "uninstrument", "undo", "apply", *_AFTERWARDS)


def where_text(report: Report) -> str:
    """The account and regions of a report."""
    account = f"account {report.account}" if report.account else ""
    return ", ".join(part for part in (account, *report.regions) if part)


def outcome_lines(outcomes: Sequence[Outcome], look: Look) -> list[Line]:
    """What failed first, each with what to do, then what was done."""
    found: list[Line] = []
    for status in ("failed", "changed_since", "skipped"):
        for outcome in outcomes:
            if outcome.status == status:
                found.append(line(_OUTCOMES[outcome.status], f" {resource_text(outcome.resource)}"))
                found.extend(line("    ", reason) for reason in outcome.reason.splitlines())
                if outcome.fix:
                    found.append(line("    ", Span("do: ", "bold"), outcome.fix))
    applied = [o for o in outcomes if o.status == "applied"]
    shown = applied if look.verbose or len(applied) <= _LISTED else applied[:_LISTED]
    for outcome in shown:
        remark = Span(f"  {outcome.reason}", "dim") if outcome.reason else Span("")
        text = f" {resource_text(outcome.resource)} {_DONE[outcome.action]}"
        found.append(line(_OUTCOMES["applied"], text, remark))
    if len(applied) > len(shown):
        found.append(line(Span(f"  … and {len(applied) - len(shown):,} more (-v shows all)", "dim")))
    found.append(line(Span(outcome_summary(outcomes), "bold")))
    return found


def outcome_summary(outcomes: Sequence[Outcome]) -> str:
    """`12 applied, 1 failed`."""
    words = {"changed_since": "changed since and left alone"}
    counts = {status: sum(o.status == status for o in outcomes) for status in _ORDER}
    return ", ".join(f"{n:,} {words.get(status, status)}" for status, n in counts.items() if n)


_ORDER: tuple[Status, ...] = ("applied", "unchanged", "failed", "changed_since", "skipped")


def outcome_text(outcome: Outcome) -> Line:
    """One outcome in a line, for progress."""
    what = f" {resource_text(outcome.resource)}"
    if outcome.status == "applied":
        return line(_OUTCOMES["applied"], what, f" {_DONE[outcome.action]}")
    reason = outcome.reason.splitlines()[0] if outcome.reason else ""
    return line(_OUTCOMES[outcome.status], what, f": {reason}" if reason else "")


def error_lines(error: DdsetupError) -> list[Line]:
    """Where, what, and what to do."""
    first, *rest = error.what.splitlines() or [type(error).__name__]
    place = f"{error.where}: " if error.where else ""
    found = [line(Span("error: ", "bad"), place, first)]
    found.extend(line("  ", text) for text in rest)
    if isinstance(error, GatewayError) and error.action and error.action not in error.what:
        found.append(line("  needs: ", error.action))
    fixes = error.fix.splitlines()
    if fixes:
        found.append(line(Span("  do: ", "bold"), fixes[0]))
        found.extend(line("      ", text) for text in fixes[1:])
    return found


def _spaced(lines: list[Line]) -> list[Line]:
    return [*lines, ()] if lines else []


def _finding_lines(report: Report) -> list[Line]:
    found: list[Line] = []
    for finding in report.findings:
        found.append(
            line(_SEVERITIES[finding.severity], f" {finding.what}", Span(f"  [{finding.check}]", "dim"))
        )
        found.extend(remedy_lines(finding, Look(verbose=True)))
    return found


def _source_lines(data: Mapping[str, Json], look: Look) -> list[Line]:
    """What became of the files of a project, where functions were changed at the source."""
    if "source" not in data:
        return []
    changed = any(file["status"] == "changed" for file in data["source"]["files"])
    undo = Span("  (to give the files back: ddsetup iac --undo)", "dim")
    head = line(Span("At the source", "heading"), *((undo,) if changed else ()))
    return [head, *iac_lines(data["source"], look)]


def _status_lines(data: Mapping[str, Json], look: Look) -> list[Line]:
    """The account at a glance: integration and Forwarders, then a row for every function."""
    if "integrations" not in data:
        return []
    found = [_fact(f"Account {each['account']}", _integration_text(each)) for each in data["integrations"]]
    for each in data["forwarders"]:
        version = f", version {each['version']}" if each.get("version") else ""
        stack = f", stack {each['stack']}" if each.get("stack") else ""
        found.append(_fact("Forwarder", f"{each['name']} ({each['region']}){version}{stack}"))
    if not data["forwarders"]:
        found.append(_fact("Forwarder", "none"))
    found.extend(
        line(Span("? ", "bad"), f"{each['what']} cannot be read: {each['reason']} ({each['action']})")
        for each in data["unreadable"]
    )
    functions = data["functions"]
    found.append(_fact("Functions", _counts(functions)))
    if functions:
        found.append(())
        found.extend(_function_table(functions, look))
    return [*found, *source_lines(data, look)]


def _fact(label: str, text: str) -> Line:
    return line(Span(f"{label:<22} ", "bold"), text)


def _integration_text(integration: Mapping[str, Json]) -> str:
    match integration["state"]:
        case "missing":
            return "not integrated with Datadog"
        case "unreadable":
            return f"cannot be read: {integration['reason']}"
    metrics = "collects Lambda metrics" if integration["metrics"] else "does not collect Lambda metrics"
    role = f"role {integration['role']} ({integration['role_state']})"
    sources = f"; logs of {names(integration['log_sources'], 5)}" if integration["log_sources"] else ""
    return f"integrated through {role}; {metrics}{sources}"


def _counts(functions: Sequence[Mapping[str, Json]]) -> str:
    """`12: 8 none, 4 forwarder`."""
    ways: dict[str, int] = {}
    for row in functions:
        ways[row["datadog"]] = ways.get(row["datadog"], 0) + 1
    said = ", ".join(f"{n:,} {_WAYS.get(way, way)}" for way, n in sorted(ways.items()))
    return f"{len(functions):,}" + (f" ({said})" if said else "")


_WAYS = {
    "none": "without Datadog",
    "forwarder": "with Datadog by Forwarder",
    "extension": "with Datadog by Extension",
    "broken": "with Datadog half set up",
}


def _function_table(functions: Sequence[Mapping[str, Json]], look: Look) -> list[Line]:
    shown = functions if look.verbose or look.width == 0 else functions[:_ROWS]
    rows = [
        [
            Span(row["function"]),
            Span(row["region"]),
            Span(row["runtime"]),
            Span(row["datadog"] if row["datadog"] != "none" else "-", _HOW.get(row["datadog"], "")),
            Span("; ".join(part for part in (row["note"], _owned(row)) if part), "dim"),
        ]
        for row in shown
    ]
    found = table(["Function", "Region", "Runtime", "Datadog", "Remarks"], rows, look)
    if len(functions) > len(shown):
        found.append(line(Span(f"  … and {len(functions) - len(shown):,} more (-v shows all)", "dim")))
    return found


_HOW: Mapping[str, Style] = {"forwarder": "good", "extension": "good", "broken": "bad"}
_ROWS = 200


def _owned(row: Mapping[str, Json]) -> str:
    if not row["owner"]:
        return ""
    lost = (
        ", whose next deploy takes Datadog out"
        if row.get("by") in _BESIDE and row["datadog"] != "none"
        else ""
    )
    return f"managed by {row['owner']}{lost}"


_BESIDE = ("ddsetup", "datadog-ci")
"""Those who change functions beside the tool that deploys them."""


def _run_lines(data: Mapping[str, Json], look: Look) -> list[Line]:
    """The runs that a journal is kept of, newest last."""
    if "runs" not in data:
        return []
    runs = data["runs"]
    if not runs:
        return [line("There are no runs.")]
    rows = [
        [
            Span(run["run"]),
            Span(run["command"]),
            Span(run["account"]),
            Span(names(run["regions"], 3)),
            Span(counted(run["changes"], "change")),
            Span(run["state"]),
        ]
        for run in runs
    ]
    return table(["Run", "Command", "Account", "Regions", "Changes", "State"], rows, look)


def _policy_lines(data: Mapping[str, Json], _look: Look) -> list[Line]:
    """The policy as it is pasted, and nothing else."""
    if "policy" not in data:
        return []
    return [line(Span(text, "code")) for text in json.dumps(data["policy"], indent=2).splitlines()]


def _terraform_lines(data: Mapping[str, Json], _look: Look) -> list[Line]:
    """The file as it is saved, and nothing else."""
    return [line(text) for text in data.get("terraform", "").splitlines()]


def _scenario_lines(data: Mapping[str, Json], _look: Look) -> list[Line]:
    scenarios: Mapping[str, str] = data.get("scenarios", {})
    width = max((len(name) for name in scenarios), default=0)
    return [line(Span(f"{name:<{width}}", "bold"), f"  {text}") for name, text in scenarios.items()]


def _sandbox_lines(data: Mapping[str, Json], _look: Look) -> list[Line]:
    """One sandbox (`up`) or several (`status`, `down`)."""
    several = data.get("sandboxes", [data] if "aws" in data else [])
    if not several:
        return [line("none")] if "sandboxes" in data else []
    found: list[Line] = []
    for sandbox in several:
        regions, scenarios = ", ".join(sandbox["regions"]), ", ".join(sandbox["scenarios"])
        found.append(_fact("AWS", f"{sandbox['aws']}  (account {sandbox['account']}, {regions})"))
        found.append(_fact("Datadog", sandbox["datadog"]))
        found.append(_fact("Scenarios", scenarios))
    return found


def _env_lines(data: Mapping[str, Json], _look: Look) -> list[Line]:
    """Variables as a shell reads them."""
    variables: Mapping[str, str] = data.get("env", {})
    return [line(Span(f"export {name}={shlex.quote(value)}", "code")) for name, value in variables.items()]


def _traffic_lines(data: Mapping[str, Json], _look: Look) -> list[Line]:
    done: Sequence[Mapping[str, Json]] = data.get("invocations", ())
    found = [line(f"{counted(len(done), 'invocation')}")]
    failures = [row for row in done if row["error"]]
    found.extend(line("  ", f"{row['function']} ({row['region']}): {row['error']}") for row in failures)
    return found


_SPECIAL: Mapping[str, Callable[[Mapping[str, Json], Look], list[Line]]] = {
    "status": _status_lines,
    "undo": _run_lines,
    "policy": _policy_lines,
    "sandbox scenarios": _scenario_lines,
    "sandbox up": _sandbox_lines,
    "sandbox status": _sandbox_lines,
    "sandbox down": _sandbox_lines,
    "sandbox env": _env_lines,
    "sandbox traffic": _traffic_lines,
    "iac": iac_lines,
    "setup": _source_lines,
    "code check": code_lines,
    "explore cold-starts": cold_start_lines,
    "explore errors": error_pattern_lines,
    "explore traces": trace_lines,
    "explore metrics": metric_lines,
    "monitors plan": _terraform_lines,
    "metrics list": metric_list_lines,
    "metrics verify": metric_proof_lines,
}
