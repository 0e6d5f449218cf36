"""A proposal as data of a report, and that data as text. Values that may be secret are masked in both."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence

from ddsetup.facts.disclose import MASK
from ddsetup.facts.disclose import text as disclosed_text
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, Code
from ddsetup.model.lines import Line, Look, Span, Style, counted, line
from ddsetup.project.iac.model import Edit, Install, Project, Proposal, Snippet

_CONTEXT = 2
"""Lines around a change; in Terraform one, as what is changed ends at the end of its block."""
_SECRET_NAME = re.compile(
    r"(?i)^(?P<head>.*?[\w-]*(?:key|secret|token|passw\w*|pwd|credential)[\w-]*[\"']?\s*[:=]\s*)(?P<value>\S.*)$"
)
_HARMLESS = re.compile(r"[\"']?(\$\{|!|arn:|true\b|false\b|\{|\[|null|~|#|\|)")
_HEX_KEY = re.compile(r"\b([0-9a-f]{32}|[0-9a-f]{40})\b")


def diff(project: Project, edit: Edit) -> str:
    """What an edit does to a file, as a unified diff in which nothing secret is shown."""
    name = project.name(edit.path)
    before, after = (content.decode("utf-8-sig").splitlines() for content in (edit.before, edit.after))
    around = 1 if edit.path.suffix in (".tf", ".tofu") else _CONTEXT
    found = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=around, lineterm="")
    return "\n".join(masked(text) for text in found) + "\n"


def masked(text: str) -> str:
    """A line with its value masked if the name says that it is secret, or if it looks like a key."""
    found = _SECRET_NAME.match(text)
    if found is not None and not _HARMLESS.match(found["value"]):
        return f"{found['head']}{MASK}"
    return disclosed_text(_HEX_KEY.sub(MASK, text))


def as_data(project: Project, proposal: Proposal, *, status: str = "would change") -> dict[str, Json]:
    """What a proposal says, as JSON types. `status` is that of the files that it edits."""
    edited = [
        {
            "path": project.name(e.path),
            "status": status,
            "why": [masked(why) for why in e.why],
            "diff": diff(project, e),
        }
        for e in proposal.edits
    ]
    as_wanted: dict[str, Json] = {"status": "as wanted", "why": [], "diff": ""}
    settled = [{"path": project.name(path), **as_wanted} for path in proposal.settled]
    return {
        "project": str(project.root),
        "tools": list(project.tools),
        "files": [*edited, *settled],
        "snippets": [_snippet(project, snippet) for snippet in proposal.snippets],
        "installs": [_install(project, each, "not run") for each in proposal.installs],
        "warnings": list(proposal.warnings),
    }


def _snippet(project: Project, snippet: Snippet) -> Json:
    return {
        "path": project.name(snippet.path),
        "reason": snippet.reason,
        "language": snippet.language,
        "text": snippet.text,
    }


def _install(project: Project, install: Install, status: str) -> Json:
    return {
        "directory": project.name(install.directory),
        "command": shlex.join(install.command),
        "why": install.why,
        "status": status,
        "reason": "",
    }


def iac_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """The data of `ddsetup iac` as text."""
    found: list[Block] = []
    if "given_back" in data:
        rows = data["given_back"]
        return [line(each["path"], ": ", each["reason"] or Span("as it was", "good")) for each in rows]
    for file in data.get("files", ()):
        found += file_blocks(file)
    for snippet in data.get("snippets", ()):
        found += _snippet_blocks(snippet)
    for install in data.get("installs", ()):
        found += _install_lines(install)
    for warning in data.get("warnings", ()):
        found.append(line(Span("! ", "warn"), warning))
    macro = data.get("macro")
    if macro:
        found += _macro_lines(macro)
    return found


def file_blocks(file: Mapping[str, Json]) -> list[Block]:
    """One file: what becomes of it, why, and the diff."""
    status: Mapping[str, Style] = {"changed": "good", "as wanted": "dim"}
    found: list[Block] = [
        line(Span(file["path"], "bold"), ": ", Span(file["status"], status.get(file["status"], "")))
    ]
    if file["status"] != "as wanted":
        found += [line("  ", why) for why in file["why"]]
    if file["status"] == "would change":
        found += [Code(file["diff"], "diff"), ()]
    return found


def _snippet_blocks(snippet: Mapping[str, Json]) -> list[Block]:
    head = line(Span(snippet["path"], "bold"), ": to be put in by hand; ", snippet["reason"])
    return [head, Code(snippet["text"], snippet["language"]), ()]


def _install_lines(install: Mapping[str, Json]) -> list[Line]:
    words = {"done": "done", "failed": "failed", "not run": "still to be run"}
    where = "" if install["directory"] == "." else f" (in {install['directory']})"
    found = [line(Span(install["command"], "bold"), where, f": {words[install['status']]}; {install['why']}")]
    if install["reason"]:
        found.append(line("    ", install["reason"]))
    return found


def _macro_lines(macro: Mapping[str, Json]) -> list[Line]:
    where = f" in {macro['region']}" if macro["region"] else ""
    if macro["state"] in ("installed", "deployed"):
        undo = f"; to give it back: ddsetup undo {macro['run']}" if macro["run"] else ""
        return [line("Datadog's macro is ", macro["state"], where, undo)]
    if macro["state"] == "failed":
        return [line(Span("! ", "warn"), f"Datadog's macro cannot be used{where}: {macro['reason']}")]
    said = "is not installed" if macro["state"] == "missing" else "has to be installed (not checked)"
    text = f"Datadog's macro {said}{where}; once for each region:"
    return [line(Span("! ", "warn"), text), line("    ", macro["command"])]


def code_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """The data of `ddsetup code check` as text; what is wrong stands in the findings."""
    if "handlers" not in data:
        return []
    found: list[Block] = [
        line(f"{counted(data['python_files'], 'Python file')}, {counted(len(data['handlers']), 'handler')}")
    ]
    for row in data["handlers"]:
        how = "wrapped" if row["wrapped"] else "redirected" if data["redirected"] else "not wrapped"
        place = f"{row['path']}:{row['line']}"
        found.append(line("  ", Span(row["handler"], "bold"), f"  {place}  {how}"))
    for row in data["metrics"]:
        place = f"  {row['path']}:{row['line']}"
        found.append(line("  metric ", Span(row["metric"] or "(computed)", "bold"), place))
    if any(file["status"] == "would change" for file in data["files"]):
        found += [(), line("To wrap the handlers in the code instead of redirecting them (--write does it):")]
    for file in data["files"]:
        found += file_blocks(file)
    return found


def finished(data: Mapping[str, Json], results: Sequence[tuple[Install, str]]) -> dict[str, Json]:
    """The data with what came of the installations: an empty text stands for success."""
    reasons = {shlex.join(install.command): reason for install, reason in results}
    installs = []
    for each in data["installs"]:
        reason = reasons.get(each["command"])
        status = each["status"] if reason is None else "failed" if reason else "done"
        installs.append({**each, "status": status, "reason": reason or ""})
    return {**data, "installs": installs}
