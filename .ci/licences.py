#!/usr/bin/env python3
"""Lists what ddsetup brings with it, and under which licence: docs/reference/third-party.md.

    .venv/bin/python .ci/licences.py

Made from the metadata of what is installed: everything that ddsetup needs to run, directly or not.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "third-party.md"
HEAD = """# Third-party packages

What `pip install` brings with ddsetup, and the licence that each states in its own metadata. ddsetup contains
no code of any of them. Versions are not fixed by the package; the bill of materials of a release (CycloneDX)
names those it was made with, and `.ci/requirements-linux-x86_64-cp311.txt` those it is tested with. Written
by `.ci/licences.py`.

The extras `sandbox` (ministack, datadog-lambda and what they need) and `keyring` are not in the list.

| Package | Licence | Needed by |
|---|---|---|
"""
_KNOWN = ("Apache", "MIT", "BSD", "MPL", "ISC", "PSF", "Python Software Foundation")


def needed(name: str) -> list[str]:
    """What a package needs on this machine, extras left out."""
    found = []
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(re.sub(r"[-_.]+", "-", requirement.name).lower())
    return found


def licence(name: str) -> str:
    """The licence as the package states it: an expression (PEP 639), a classifier, or a short text."""
    about = metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return expression
    classifiers = [
        c.rpartition(" :: ")[2] for c in about.get_all("Classifier", ()) if c.startswith("License ::")
    ]
    stated = [c for c in classifiers if c != "OSI Approved"]
    short = (about.get("License") or "").splitlines()[:1]
    return " / ".join(stated or short) or "not stated"


def closure() -> dict[str, set[str]]:
    """Every package that is needed, with those that need it."""
    found: dict[str, set[str]] = {}
    queue = [(name, "ddsetup") for name in needed("ddsetup")]
    while queue:
        name, by = queue.pop()
        known = name in found
        found.setdefault(name, set()).add(by)
        if not known:
            queue += [(each, name) for each in needed(name)]
    return found


def page() -> str:
    """The page as it is now. Raises SystemExit for a licence that nobody has looked at yet."""
    rows = {name: (licence(name), ", ".join(sorted(by))) for name, by in sorted(closure().items())}
    odd = [f"{name}: {stated}" for name, (stated, _) in rows.items() if not any(k in stated for k in _KNOWN)]
    if odd:
        raise SystemExit(f"look at these licences first: {odd}")
    return HEAD + "".join(f"| {name} | {stated} | {by} |\n" for name, (stated, by) in rows.items())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
