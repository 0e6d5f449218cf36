"""Fill the generated parts of the documentation: `python docs/generate.py`; `--check` only looks.

A part stands between `<!-- generated NAME -->` (tables made from the code, `docs/tables.py`) or
`<!-- recorded NAME -->` (a session that `docs/record.py` recorded) and `<!-- end -->`. All else in the pages
is written by hand.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from ddsetup.doctor import checks
from ddsetup.doctor.checks.check import GROUPS as CHECK_GROUPS
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.monitors.recommended import BY_KEY
from ddsetup.sandbox.scenarios import SCENARIOS
from ddsetup.show.schemas import SCHEMAS

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from man import manual  # noqa: E402 - found by the line above
from tables import GENERATED  # noqa: E402
from toml_schema import schema  # noqa: E402

_PART = re.compile(r"(<!-- (generated|recorded) (\w+)( json)? -->\n).*?(<!-- end -->)", re.DOTALL)


def schema_files() -> dict[Path, str]:
    """The JSON schemas that are shipped, as they are now."""
    data = HERE.parent / "ddsetup/data"
    return {
        data / f"{name}.schema.json": f"{json.dumps(made(), indent=1, ensure_ascii=False)}\n"
        for name, made in SCHEMAS.items()
    }


def recorded(name: str, *, as_json: bool = False) -> str:
    """What a recorded session printed, as a block."""
    text = (HERE / "recorded" / f"{name}.txt").read_text("utf-8").rstrip("\n")
    if not as_json:
        return f"```console\n{text}\n```\n"
    command, _, output = text.partition("\n")
    return f"```console\n{command}\n```\n\n```json\n{output}\n```\n"


def filled(text: str) -> str:
    """A page with all its parts as they are now."""

    def part(found: re.Match[str]) -> str:
        _, kind, name, as_json, _ = found.groups()
        made = GENERATED[name]() if kind == "generated" else recorded(name, as_json=bool(as_json))
        return found[1] + made + found[5]

    return _PART.sub(part, text)


def completion_names() -> str:
    """What completion offers of tables that take long to load: names, and what each is."""
    of_checks = {check.id: check.title for check in CHECKS}
    found = {
        "checks": {group.replace(" ", "-"): "all of that group" for group in CHECK_GROUPS} | of_checks,
        "scenarios": {name: scenario.description for name, scenario in SCENARIOS.items()},
        "monitors": {each.key: each.title for each in BY_KEY.values()},
    }
    return f"{json.dumps(found, indent=1, ensure_ascii=False)}\n"


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [HERE.parent / "README.md", *sorted(HERE.rglob("*.md"))]


def stale() -> dict[Path, str]:
    """The pages, and files made of the same tables, that would be written differently, and how."""
    whole = {
        **schema_files(),
        HERE / "reference/checks.md": checks.document(),
        HERE / "man/ddsetup.1": manual(),
        HERE.parent / "ddsetup/data/toml.schema.json": schema(),
        HERE.parent / "ddsetup/data/completion/names.json": completion_names(),
    }
    old = {page: page.read_text("utf-8") for page in {*pages(), *whole} if page.exists()}
    new = {page: filled(old[page]) for page in pages()} | whole
    return {page: text for page, text in new.items() if old.get(page) != text}


if __name__ == "__main__":
    changed = stale()
    if "--check" in sys.argv[1:]:
        sys.exit(f"stale, run `make docs`: {', '.join(p.name for p in changed)}" if changed else 0)
    for path, content in changed.items():
        path.write_text(content, encoding="utf-8")
    print(f"{len(changed)} of {len(pages())} pages changed")
