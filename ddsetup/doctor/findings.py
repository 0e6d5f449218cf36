"""A diagnosis as the `data` of a report: what the contract's findings have no room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.doctor.chain import Link, breaks_at
from ddsetup.doctor.checks.case import Subject
from ddsetup.doctor.checks.check import Check
from ddsetup.doctor.diagnose import Diagnosis, Found
from ddsetup.model.account import Json
from ddsetup.model.change import ResourceId
from ddsetup.model.evidence import Unseen


def data_of(diagnosis: Diagnosis) -> dict[str, Json]:
    """`passed`, `unreadable`, `skipped`, `ignored`, and `folded`: findings that another one explains.

    `because_of` of a folded finding names the finding it is under: its check, and its resource as shown.
    """
    return {
        "passed": [{"check": c.id, "title": c.title} for c in diagnosis.passed],
        "unreadable": [
            {
                "check": check.id,
                "resource": blind.resource.id,
                "action": blind.unreadable.action,
                "reason": blind.unreadable.reason,
            }
            for check, blind in diagnosis.blind
        ],
        "skipped": [c.id for c in diagnosis.skipped],
        "ignored": [
            {"check": f.check.id, "what": f"{shown(f)}: {f.problem.what}", "reason": ignore.reason}
            for f, ignore in diagnosis.ignored
        ],
        "folded": [
            {**record(f), "because_of": f"{cause.found.check.id} {shown(cause.found)}"}
            for cause in diagnosis.causes
            for f in cause.consequences
        ],
    }


def unseen_records(unseen: Iterable[Unseen]) -> list[Json]:
    """What was left out of the look as JSON, the same of several regions together."""
    found: dict[tuple[str, str], dict[str, Json]] = {}
    for each in unseen:
        entry = {"what": each.what, "why": each.why, "count": 0, "items": [], "checks": list(each.checks)}
        held = found.setdefault((each.what, each.why), entry)
        held["items"] = [*held["items"], *each.items]
        held["count"] = len(held["items"])
    return list(found.values())


def as_records(found: Iterable[Found]) -> list[Json]:
    """Problems as JSON."""
    return [record(f) for f in found]


def record(found: Found) -> dict[str, Json]:
    """One problem as JSON."""
    return {
        "check": found.check.id,
        "severity": found.severity,
        "resource": shown(found),
        "what": found.problem.what,
    }


def shown(found: Found) -> str:
    """The resource by the name that people use, with its region."""
    return resource_name(found.problem.resource)


def resource_name(resource: ResourceId) -> str:
    """The resource by the name that people use, with its region."""
    name = f"AWS account {resource.name}" if resource.name == resource.account else resource.name
    elsewhere = resource.region and resource.region not in name
    return f"{name} ({resource.region})" if elsewhere else name


def chain_record(subject: Subject, links: Sequence[Link]) -> Json:
    """The path of one function's data as JSON; `breaks_at` is the first link that is broken."""
    broken = breaks_at(links)
    return {
        "function": subject.function.name,
        "region": subject.function.region,
        "way": "Extension" if subject.way == "extension" else "Forwarder",
        "links": [{"title": k.title, "mark": k.mark, "detail": k.detail, "check": k.check} for k in links],
        "breaks_at": broken.title if broken else "",
    }


def described(check: Check, *, doc: bool = True) -> Mapping[str, Json]:
    """A check as `--list` and `--explain` show it."""
    return {
        "id": check.id,
        "title": check.title,
        "group": check.group,
        "severity": check.severity,
        "fix": check.fix,
        "needs": list(check.needs),
        "because_of": list(check.because_of),
        "link": check.link,
        "doc": check.doc if doc else "",
    }
