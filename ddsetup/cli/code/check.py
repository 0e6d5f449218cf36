"""`ddsetup code check`: what Datadog's calls in the code do, and the wrapper put in if that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ddsetup.flow.call import Call
from ddsetup.flow.results import of_data
from ddsetup.model.account import Json
from ddsetup.model.change import ResourceId
from ddsetup.model.report import Finding, Report
from ddsetup.project.changing_files import check_committed, write_all
from ddsetup.project.code_check.model import Problem
from ddsetup.project.code_check.project import Checked, check_project
from ddsetup.project.iac.model import Project, Proposal
from ddsetup.project.iac.show import code_blocks, diff


def run(call: Call) -> Report:
    """Check the code; with --write, wrap the handlers. Ends with 1 if something is wrong."""
    root = (call.directory / Path(call.value("path") or ".").expanduser()).resolve()
    checked = check_project(root)
    data = _data(checked)
    if call.value("write") and checked.edits and not call.given.on("dry_run"):
        _write(call, checked)
        data["files"] = [{**file, "status": "changed"} for file in data["files"]]
    elif checked.redirected and not call.value("write"):
        data["files"] = []
    failed = any(problem.severity == "error" for problem in checked.problems)
    following = (f"ddsetup iac {root} --undo",) if _changed(data) else ()
    return Report(
        command="code check",
        exit_code=1 if failed else 0,
        findings=tuple(_finding(checked.project, problem) for problem in checked.problems),
        data=data,
        next=following,
    )


def _changed(data: dict[str, Json]) -> bool:
    return any(file["status"] == "changed" for file in data["files"])


def _write(call: Call, checked: Checked) -> None:
    from ddsetup.flow import verbs
    from ddsetup.project.iac.show import file_blocks

    host = call.host()
    proposal = Proposal(edits=checked.edits)
    for file in _data(checked)["files"]:
        call.console.blocks(file_blocks(file))
    check_committed(call, host, checked.project, proposal)
    verbs.confirm(host, "Change these files?", yes=call.given.on("yes"))
    write_all(call.state_dir(), checked.project.root, checked.edits, datetime.now(UTC))


def _finding(project: Project, problem: Problem) -> Finding:
    place = f"{project.name(problem.place.path)}:{problem.place.line}:{problem.place.column}"
    return Finding(
        check=problem.check,
        severity=problem.severity,
        resource=ResourceId(kind="file", id=place),
        what=f"{place}: {problem.what}",
        fix=problem.fix,
    )


def _data(checked: Checked) -> dict[str, Json]:
    name = checked.project.name
    return {
        "project": str(checked.project.root),
        "python_files": checked.files,
        "redirected": checked.redirected,
        "handlers": [
            {
                "handler": handler.name,
                "path": name(handler.place.path),
                "line": handler.place.line,
                "named": handler.named,
                "wrapped": handler.wraps > 0,
            }
            for handler in checked.handlers
        ],
        "metrics": [
            {"metric": metric.name, "path": name(metric.place.path), "line": metric.place.line}
            for metric in checked.metrics
        ],
        "files": [
            {
                "path": name(edit.path),
                "status": "would change",
                "why": list(edit.why),
                "diff": diff(checked.project, edit),
            }
            for edit in checked.edits
        ],
    }


blocks = of_data(code_blocks)
"""What was looked at, and what would be changed, as text."""
