"""What the doctor says, as text: the cause first, what follows from it under it, then all the rest. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.doctor.findings import resource_name
from ddsetup.model.account import Json
from ddsetup.model.lines import Line, Look, Span, counted, line, names
from ddsetup.model.report import Finding, Report, Severity
from ddsetup.show.ending_lines import remedy_lines

_MARKS: Mapping[Severity, Span] = {
    "error": Span("✗ ", "bad"),
    "warning": Span("! ", "warn"),
    "info": Span("i ", "dim"),
}
_LINKS: Mapping[str, Span] = {
    "ok": Span("✓ ", "good"),
    "broken": Span("✗ ", "bad"),
    "doubtful": Span("! ", "warn"),
    "unknown": Span("? ", "dim"),
}
_NAMED = 5

_Group = tuple[Finding, list[str]]


def doctor_lines(report: Report, look: Look) -> list[Line]:
    """The whole report: findings, chains, what could not be looked at, what mending came to, the sum."""
    data = report.data
    found: list[Line] = []
    for each in data.get("checks", ()):
        found.extend(_check_lines(each))
    if "checks" in data:
        return found
    for chain in data.get("chains", ()):
        found.extend([*_chain_lines(chain), ()])
    found.extend(_fixed_lines(data.get("fix") or {}, look))
    found.extend(_finding_lines(report, look))
    found.extend(_probe_lines(data.get("probe") or {}))
    found.extend(_blind_lines(data.get("unreadable", ())))
    found.extend(_unseen_lines(data.get("unseen", ())))
    if look.verbose:
        partly = {check for each in data.get("unseen", ()) for check in each["checks"]}
        found.extend(
            line(
                Span("✓ ", "good"),
                p["title"],
                Span(
                    f"  [{p['check']}]" + (" as far as was looked at" if p["check"] in partly else ""), "dim"
                ),
            )
            for p in data.get("passed", ())
        )
        found.extend(
            line(Span("- ", "dim"), f"{i['what']} (ignored: {i['reason']})", Span(f"  [{i['check']}]", "dim"))
            for i in data.get("ignored", ())
        )
    found.append(line(Span(summary(report), "bold")))
    return found


def summary(report: Report) -> str:
    """`1 error, 2 warnings; 88 checks passed, 3 could not look`."""
    count = {s: sum(f.severity == s for f in report.findings) for s in ("error", "warning", "info")}
    said = [
        counted(n, word) for word, n in zip(("error", "warning", "note"), count.values(), strict=True) if n
    ]
    data = report.data
    passed, blind = len(data.get("passed", ())), len({u["check"] for u in data.get("unreadable", ())})
    rest = [f"{counted(passed, 'check')} passed"]
    rest += [f"{blind} could not look"] if blind else []
    skipped = len(data.get("skipped", ()))
    rest += [f"{skipped} could not run"] if skipped else []
    ignored = len(data.get("ignored", ()))
    rest += [f"{ignored} ignored"] if ignored else []
    return f"{', '.join(said) or 'all is well'}; {', '.join(rest)}"


def place(finding: Finding) -> str:
    """The resource by the name that people use, with its region."""
    return resource_name(finding.resource)


def _finding_lines(report: Report, look: Look) -> list[Line]:
    folded: Mapping[str, list[Json]] = _by_cause(report.data.get("folded", ()))
    new = {(each["check"], each["what"]) for each in (report.data.get("fix") or {}).get("new", ())}
    groups = _grouped([f for f in report.findings if look.verbose or f.severity != "info"])
    found: list[Line] = []
    for number, (first, places) in enumerate(groups):
        who = names(places, 0 if look.verbose else _NAMED)
        do = "do first: " if number == 0 and len(groups) > 1 else "do: "
        fresh = Span("new: ", "warn") if (first.check, first.what) in new else Span("")
        found.append(
            line(_MARKS[first.severity], fresh, Span(f"{who}: ", "bold"), first.what, _id(first.check))
        )
        follows = [f for name in places for f in folded.get(f"{first.check} {name}", ())]
        if follows:
            found.append(line("    ", Span(f"also causes: {_consequences(follows)}", "dim")))
        found.extend(remedy_lines(first, look, do))
        if look.verbose:
            found.extend(
                line(Span(f"      · {f['resource']}: {f['what']}  [{f['check']}]", "dim")) for f in follows
            )
    hidden = sum(f.severity == "info" for f in report.findings)
    if hidden and not look.verbose:
        found.append(line(Span(f"i {counted(hidden, 'more note')} (-v shows them)", "dim")))
    return [*found, ()] if found else []


def _id(check: str) -> Span:
    return Span(f"  [{check}]", "dim")


def _grouped(findings: Sequence[Finding]) -> list[_Group]:
    """Findings that say the same of different resources, together, in the order of the first."""
    groups: dict[tuple[str, str, str], _Group] = {}
    for finding in findings:
        key = (finding.check, finding.severity, finding.what)
        groups.setdefault(key, (finding, []))[1].append(place(finding))
    return list(groups.values())


def _by_cause(folded: Sequence[Json]) -> Mapping[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for each in folded:
        found.setdefault(each["because_of"], []).append(each)
    return found


def _consequences(follows: Sequence[Json]) -> str:
    checks: dict[str, int] = {}
    for each in follows:
        checks[each["check"]] = checks.get(each["check"], 0) + 1
    listed = [f"{check} ({n})" if n > 1 else check for check, n in checks.items()]
    return ", ".join(listed)


def _chain_lines(chain: Json) -> list[Line]:
    links = chain["links"]
    width = max((len(link["title"]) for link in links), default=0)
    breaks = next((link["title"] for link in links if link["mark"] == "broken"), None)
    found = [line(Span(f"{chain['function']} ({chain['region']})", "heading"), f"  by the {chain['way']}")]
    for link in links:
        here = Span("  ← it breaks here", "bad") if link["title"] == breaks else Span("")
        check = Span(f"  [{link['check']}]", "dim") if link["check"] else Span("")
        found.append(
            line("  ", _LINKS[link["mark"]], f"{link['title']:<{width}}  {link['detail']}", here, check)
        )
    return found


def _fixed_lines(fix: Mapping[str, Json], look: Look) -> list[Line]:
    """What is no longer found; what is left stands among the findings, each once."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in fix.get("gone", ()):
        groups.setdefault((each["check"], each["what"]), []).append(each["resource"])
    found = [
        line(Span("✓ fixed: ", "good"), f"{names(places, 0 if look.verbose else _NAMED)}: {what}", _id(check))
        for (check, what), places in groups.items()
    ]
    return [*found, ()] if found else []


def _probe_lines(probe: Mapping[str, Json]) -> list[Line]:
    found = [
        line(
            _LINKS["ok" if leg["ok"] else "broken"],
            f"{leg['leg']}: {leg['detail']}",
            Span(f"  {leg['seconds']:.1f} s", "dim"),
        )
        for leg in probe.get("legs", ())
    ]
    if not found:
        return []
    heading = line(Span(f"A log, a metric and a span through {probe['forwarder']}", "heading"))
    return [heading, *found, (), *_form_lines(probe.get("forms", ()))]


def _form_lines(forms: Sequence[Mapping[str, Json]]) -> list[Line]:
    """How Datadog found what the probe sent; what only the ways find that nothing rests on is no fault."""
    if not forms:
        return []
    found = [line(Span("How Datadog finds them", "heading"))]
    for form in forms:
        good = form["answer"] == "found"
        mark = _LINKS["ok" if good else "broken" if form["relied"] else "unknown"]
        said = "" if good else f"  {form['answer']}"
        found.append(line(mark, f"{form['signal']:<7} {form['query']}", Span(said, "dim")))
    if any(form["relied"] and form["answer"] != "found" for form in forms):
        found.append(
            line("  ddsetup relies on what finds nothing here: please tell us (docs/real-account.md)")
        )
    return [*found, ()]


def _blind_lines(unreadable: Sequence[Json]) -> list[Line]:
    """What could not be looked at, once for each missing permission."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in unreadable:
        reason = "" if each["action"] else each["reason"]
        groups.setdefault((each["action"], reason), []).append(each["check"])
    found = []
    for (action, reason), checks in groups.items():
        why = f"needs {action}" if action else reason
        found.append(line(Span("? ", "warn"), f"could not look ({why}): ", ", ".join(dict.fromkeys(checks))))
    return [*found, ()] if found else []


def _unseen_lines(unseen: Sequence[Json]) -> list[Line]:
    """What was not looked at, and how to."""
    found = [
        line(Span(f"- not looked at: {each['what']} ({each['count']:,}); {each['why']}", "dim"))
        for each in unseen
    ]
    if found:
        found.append(line(Span("  to look at everything: --deep", "dim")))
    return [*found, ()] if found else []


def _check_lines(each: Json) -> list[Line]:
    """A check as `--list` and `--explain` show it."""
    title = line(
        Span(f"{each['id']:<24}", "bold"),
        f"  {each['title']}",
        Span(f"  ({each['group']}, {each['severity']})", "dim"),
    )
    if not each.get("doc"):
        return [title]
    found = [title, (), *(line("  ", text) for text in each["doc"].splitlines())]
    facts = (
        ("fixed by", each["fix"]),
        ("needs", ", ".join(each["needs"])),
        ("caused by", ", ".join(each["because_of"])),
        ("see", each["link"]),
    )
    rows = [line("  ", Span(f"{label}: ", "bold"), text) for label, text in facts if text]
    return [*found, (), *rows, ()]
