"""The documentation says what is so: generated parts are fresh, links lead somewhere, nothing is left out."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from ddsetup.cli.reading import HELP, read
from ddsetup.cli.table.groups import GROUPS
from ddsetup.settings.table import TABLE

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"```(?:sh|console)\n(.*?)```", re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py."""
    return _load(DOCS / "generate.py")


def _pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def _anchors(text: str) -> set[str]:
    """What can be linked to within a page, as hosts of Markdown name headings."""
    found = set(re.findall(r'<a id="([^"]+)"', text))
    for heading in _HEADING.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        plain = re.sub(r"[^\w\s-]", "", heading.lower())
        found.add(re.sub(r"\s", "-", plain.strip()))
    return found


def test_generated_parts_are_fresh(generate: ModuleType) -> None:
    assert sorted(p.name for p in generate.stale()) == [], "run `make docs`"


def test_every_generated_part_is_somewhere(generate: ModuleType) -> None:
    text = "".join(page.read_text("utf-8") for page in generate.pages())
    assert [name for name in generate.GENERATED if f"<!-- generated {name} -->" not in text] == []
    recorded = {path.stem for path in (DOCS / "recorded").glob("*.txt")}
    assert {name for name in recorded if f"<!-- recorded {name}" not in text} == set()


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target.read_text("utf-8"))):
            dead.append(link)
    assert dead == []


def test_the_changelog_has_no_line_twice_and_no_half_an_entry() -> None:
    """As merges that keep the lines of both sides leave them."""
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line]
    assert [line for line in lines if lines.count(line) > 1] == []
    pairs = list(pairwise(lines))
    assert [after for before, after in pairs if before.endswith(".") and re.match(r" +[a-z]", after)] == []
    entries = [before for before, after in pairs if after.startswith(("- ", "#")) and before[0] != "#"]
    assert [last for last in entries if not last.endswith(".")] == []


def test_every_picture_is_shown_and_tells_nothing_of_the_machine_it_was_made_on() -> None:
    shown = {
        (page.parent / link).resolve() for page in _pages() for link in _LINK.findall(page.read_text("utf-8"))
    }
    pictures = sorted((DOCS / "pictures").iterdir())
    assert [path.name for path in pictures if path.resolve() not in shown] == []
    for path in pictures:
        text = path.read_text("utf-8")
        assert not re.search(r"/(tmp|home|root|work|var)/|127\.0\.0\.1:(?!4566)", text), path.name


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in _LINK.findall(index)}
    assert [p.name for p in DOCS.rglob("*.md") if p.name != "index.md" and p.resolve() not in linked] == []


def _flags() -> dict[tuple[str, ...], set[str]]:
    """Every command by its words, with the options that it takes."""
    words: list[tuple[str, ...]] = [(each.name,) for each in read(()).names if not hasattr(each, "commands")]
    words += [(group.name, command.name) for group in GROUPS for command in group.commands]
    return {each: set(read(each).by_flag()) for each in words}


def test_every_command_and_option_is_documented() -> None:
    commands = (DOCS / "reference/commands.md").read_text("utf-8")
    settings = (DOCS / "reference/settings.md").read_text("utf-8")
    assert [s.flag for s in TABLE if f"`{s.flag}`" not in settings or f"`{s.env}`" not in settings] == []
    for words in _flags():
        title = f"\n## ddsetup {' '.join(words)}\n"
        assert title in commands
        section = commands.partition(title)[2].partition("\n## ")[0]
        flags = [each.flags[0] for each in read(words).parameters if each.flags and each not in HELP]
        assert [flag for flag in flags if f"`{flag}" not in section] == [], words


_CALL = re.compile(r"(?:^|[$ (]|bin/)(?<!name )ddsetup +([^|;&>)\s][^|;&>)]*)")


def _examples() -> Iterator[tuple[str, list[str]]]:
    """Every line of a block that calls ddsetup, as (page, words)."""
    for page in _pages():
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                found = _CALL.search(line.split("#")[0])
                if found and not re.match(r"\[sandbox\]|  ", line) and "pip install" not in line:
                    yield f"{page.name}: {line.strip()}", shlex.split(found[1].replace("...", ""))


def test_examples_use_commands_and_options_that_exist() -> None:
    known = _flags()
    groups = {(group.name,) for group in GROUPS}
    checked = 0
    for where, arguments in _examples():
        words: tuple[str, ...] = ()
        while (
            arguments[len(words) : len(words) + 1]
            and (*words, arguments[len(words)]) in known.keys() | groups
        ):
            words = (*words, arguments[len(words)])
        used = [a.partition("=")[0] for a in arguments[len(words) :] if re.match(r"--?[a-z]", a)]
        assert words in known, where
        assert [flag for flag in used if flag not in known[words]] == [], where
        checked += 1
    assert checked > 40


OTHERS = {
    *(
        "--forwarder",
        "--functions-regex",
        "--extra-tags",
        "--tracing",
        "--logging",
        "--flush-metrics-to-logs",
    ),
    *("--merge-xray-traces", "--capture-lambda-payload", "--lambda-fips", "--source-code-integration"),
    *("--upload-git-metadata", "--hypothesis-profile", "--dev", "--help"),
    *("--serve", "--offline", "--rm", "--durations", "--spent", "--slower"),
    *(
        "--beside",
        "--rounds",
        "--organisation",
        "--seed",
        "--tally",
        "--writes",
        "--whole",
        "--emulator",
        "--modes",
    ),
}
"""Options of datadog-ci, pytest, yarn, docker, dev.py and the benchmarks."""


def test_prose_names_options_that_exist() -> None:
    known = {flag for flags in (*_flags().values(), read(()).by_flag()) for flag in flags}
    named: dict[str, str] = {}
    for page in _pages():
        for code in re.findall(
            r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        ):
            named |= dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][a-z-]+", code), f"{page.name}: {code}")
    assert len(named) > 80
    assert {flag: where for flag, where in named.items() if flag not in known | OTHERS} == {}


def test_the_readme_names_commands_of_dev_py() -> None:
    readme, dev = (ROOT / "README.md").read_text("utf-8"), _load(ROOT / "dev.py")
    named = re.findall(r"python3 dev\.py (\w+)", readme)
    assert set(named) == {"sandbox", "test"}
    assert set(named) <= set(dev.TASKS)
