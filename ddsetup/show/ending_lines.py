"""How a report ends: pages in Datadog, and what is worth doing next."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.errors import Interrupted
from ddsetup.model.lines import Line, Look, Span, Style, counted, line
from ddsetup.model.report import Finding, Report

_ESSENTIAL = ("serverless", "dashboard enhanced metrics", "logs", "traces")
"""The pages that everybody wants first; the others are told with -v."""


def link_lines(links: Mapping[str, str], look: Look) -> list[Line]:
    """Pages by title; each address on a line of its own where there is little room."""
    shown = {title: url for title, url in links.items() if look.verbose or title in _ESSENTIAL} or links
    if not shown:
        return []
    width = max(len(title) for title in shown)
    narrow = look.width and width + 4 + max(len(url) for url in shown.values()) > look.width
    found = [line(Span("In Datadog", "heading"))]
    for title, url in shown.items():
        if narrow:
            found.extend([line("  ", title), line("    ", Span(url, "code"))])
        else:
            found.append(line("  ", f"{title:<{width}}  ", Span(url, "code")))
    if len(shown) < len(links):
        more = counted(len(links) - len(shown), "more page")
        found.append(line("  ", Span(f"and {more} (-v shows all)", "dim")))
    return found


_WHY: Mapping[str, str] = {
    "ddsetup verify": "looks for the data that is still on its way",
    "serverless deploy": "brings the changed files to AWS",
    "sam deploy": "brings the changed files to AWS",
    "ddsetup doctor": "checks everything, and names the fix of what it finds",
    "ddsetup explore": "shows in the terminal what has arrived",
    "ddsetup monitors apply --only none": "tells you when such logs come again",
    "ddsetup monitors": "the alerts that serverless functions should have",
    "ddsetup undo": "gives back exactly what this run changed",
    "ddsetup policy": "the permissions that you need for the real thing",
    "ddsetup setup --dry-run": "what it would change in your own account",
    "ddsetup setup": "the same for real, step by step",
    "ddsetup apply": "carries this plan out",
}
"""What the next commands are good for, by how they begin; the first that fits counts."""

_SCREEN = 20
"""How many lines of a command leave what stands before it in sight."""


def next_lines(report: Report, look: Look) -> list[Line]:
    """What is worth doing next, then the same run without questions."""
    repeat = report.data.get("ci", "")
    onward = [command for command in report.next if command != repeat]
    width = max((len(command) for command in onward if "\n" not in command), default=0)
    found = [line(Span("Next", "heading"))] if onward else []
    for command in onward:
        first, *rest = command.split("\n")
        why = "" if rest else next((text for start, text in _WHY.items() if command.startswith(start)), "")
        if report.command == "sandbox up" and command == "ddsetup setup":
            why = "the whole setup, step by step"
        if report.exit_code == Interrupted.exit_code and command == onward[0]:
            why = "goes on with the rest"
        if look.width and why and width + len(why) + 5 > look.width:
            found.extend([line("  ", Span(first, "code")), line("      ", Span(why, "dim"))])
            continue
        remark = f"  {why}" if why else ""
        found.append(line("  ", Span(f"{first:<{width}}" if remark else first, "code"), Span(remark, "dim")))
        found.extend(line("  ", Span(each, "code")) for each in rest)
    return [*found, *_repeat_lines(repeat, report.data.get("config", ""))] if repeat else found


def _repeat_lines(repeat: str, config: str) -> list[Line]:
    """The same run as a command line; with the file of answers where hundreds were picked by name."""
    rows = repeat.split("\n")
    whole = len(rows) <= _SCREEN or not config
    found = [line(Span("The same without questions, for CI", "heading"))]
    if whole:
        found.extend(line("  ", Span(each, "code")) for each in rows)
    if config:
        found.append(line("  or " if whole else "  ", Span("ddsetup setup --yes", "code"), f" with {config}"))
    return found


def remedy_lines(finding: Finding, look: Look, do: str = "do: ") -> list[Line]:
    """What to do about it, what can be typed for it, and where it is explained."""
    said: tuple[tuple[str, str, Style], ...] = (
        (do, finding.fix, ""),
        ("run: ", finding.command, "code"),
        ("see: ", finding.link if look.verbose else "", "code"),
    )
    return [line("    ", Span(label, "bold"), Span(text, style)) for label, text, style in said if text]
