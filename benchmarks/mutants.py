"""How much of what could go wrong the tests see: small faults put into the code, one at a time.

    python -m benchmarks.mutants --sample 300 --seed 1 --tally mutants.jsonl

Draws mutants evenly from the areas below and runs, for each, the tests of `TESTS` that reach its line;
sandboxes and generated pages are no witnesses. A mutant is killed by the first test that fails, or by taking
far longer than those tests need. Those that cannot be told from the code as it is are listed in
`equivalent.txt` beside this file, each with its reason; they are drawn, and not counted.

Every mutant has a process of its own, forked from one that has collected all tests (`benchmarks.hot`); what
is outside of functions, or runs while modules are imported, is tried by one that has loaded all but ddsetup.
`--tally` is written after each and read at the start: what it holds is not run again. Linux only.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias

from benchmarks.hot import Hot, Seen
from benchmarks.mutation import Mutant, mutants_of, mutated
from benchmarks.reach import up_to_date

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")

AREAS: dict[str, tuple[str, ...]] = {
    "organisation, keep": (
        *("flow/organisation/*.py", "flow/keeping.py", "settings/accounts.py", "model/organisation.py"),
        *("plan/rollout.py", "plan/accounts_at_a_glance.py", "plan/drift.py", "plan/keep_*.py"),
        *("plan/policy_keep.py", "plan/policy_organisation.py", "model/keeper.py"),
        *("gateways/aws/members.py", "gateways/aws/organizations.py", "gateways/aws/stack_sets.py"),
    ),
    "steps": ("plan/steps/**/*.py",),
    "core": (
        *("model/*.py", "facts/*.py", "plan/*.py", "apply/*.py", "journal/*.py", "verify/*.py"),
        *("settings/settle.py", "settings/validate.py", "show/jsonreport.py"),
    ),
    "writers": ("apply/writers/**/*.py",),
    "Datadog gateway": ("gateways/datadog/**/*.py",),
    "AWS gateway": ("gateways/aws/**/*.py",),
    "checks": ("doctor/checks/**/*.py", "doctor/diagnose.py", "doctor/chain.py", "doctor/what_to_read.py"),
    "iac": ("project/iac/**/*.py", "project/code_check/**/*.py"),
}
TESTS = ("tests/in_full", "tests/unit", "tests/gateways")
NO_WITNESSES = (
    *("tests/unit/repository", "tests/unit/doctor/test_checks_reference.py"),
    "tests/gateways/test_writers_sandbox.py",
)
MOST_SECONDS = 12.0
"""What the tests of one fault may take; what none of them sees counts as unseen."""
Trial: TypeAlias = Callable[[Mutant, Sequence[str], float], Seen | None]
Verdict: TypeAlias = Literal["killed", "timeout", "survived", "unreached", "equivalent"]


@dataclass(frozen=True)
class Reached:
    """What `benchmarks.reach` found."""

    lines: dict[str, dict[str, list[str]]]
    early: dict[str, list[int]]
    seconds: dict[str, float]
    modules: list[str]

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that reach it (of what runs on import: its file, then tests and files that import
        it): first those that reach most of the file in the least time, `MOST_SECONDS` in all."""
        name = str(mutant.path.relative_to(ROOT))
        on_it = self._on(name, map(str, mutant.lines))
        on_import = not on_it and self.is_early(mutant)
        chosen, left = [], MOST_SECONDS
        for file in (name, *_importers(mutant.path)) if on_import else (name,):
            own = [test for test in self.seconds if test.startswith(f"{file}::")]
            reach = Counter(test for tests in self.lines.get(file, {}).values() for test in tests) or Counter(
                own
            )
            for test in sorted(reach, key=lambda test: (-reach[test] / (0.3 + self.takes(test)), test)):
                wanted = test not in chosen if on_import else test in on_it
                if wanted and self.takes(test) <= left:
                    chosen.append(test)
                    left -= self.takes(test)
        return chosen

    def takes(self, test: str) -> float:
        return self.seconds.get(test, 0.0)

    def is_early(self, mutant: Mutant) -> bool:
        """Whether something of it may run while modules are imported."""
        early = self.early.get(str(mutant.path.relative_to(ROOT)), ())
        return not mutant.lines or not set(mutant.lines).isdisjoint(early)

    def _on(self, file: str, lines: Iterable[str]) -> set[str]:
        held = self.lines.get(file, {})
        return {test for line in lines for test in held.get(line, ())}


def _importers(path: Path) -> list[str]:
    dotted = module_of(path)
    package, _, last = dotted.rpartition(".")
    wanted = (f"from {dotted} import", f"import {dotted}\n")
    found = []
    for file in sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "ddsetup").rglob("*.py")]):
        text = file.read_text("utf-8")
        named = any(
            last in line.partition(" import ")[2].replace(",", " ").split()
            for line in text.splitlines()
            if line.startswith(f"from {package} import ")
        )
        if named or any(each in text for each in wanted):
            found.append(str(file.relative_to(ROOT)))
    return found


def module_of(path: Path) -> str:
    """The dotted name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_of(area: str) -> list[Path]:
    """The files of an area, without those of the areas that stand before it."""
    before = [*AREAS][: [*AREAS].index(area)]
    taken = {path for each in before for path in _globbed(each)}
    return sorted(_globbed(area) - taken)


def _globbed(area: str) -> set[Path]:
    return {path for pattern in AREAS[area] for path in (ROOT / "ddsetup").glob(pattern)}


def drawn(sample: int, seed: int, areas: Sequence[str]) -> list[tuple[str, str, Mutant]]:
    """Mutants with their areas and keys, as many of one area as of any other and one of each in turn, so that
    a run that is cut short has a sample of them all. For a seed they stay the same as long as their own code
    does, whatever happens beside it."""
    share, more = divmod(sample, len(areas))
    found = []
    for at, area in enumerate(areas):
        every = sorted(keyed(files_of(area)), key=lambda pair: sha256(f"{seed} {pair[0]}".encode()).digest())
        found.append([(area, *pair) for pair in every[: share + (at < more)]])
    return [each for row in zip_longest(*found) for each in row if each is not None]


def keyed(paths: Iterable[Path]) -> Iterator[tuple[str, Mutant]]:
    """The mutants of files, each under a name that stays where lines move."""
    for path in paths:
        seen: Counter[str] = Counter()
        for mutant in mutants_of(path):
            seen[mutant.name] += 1
            yield f"{path.relative_to(ROOT)} {mutant.name} #{seen[mutant.name]}", mutant


def equivalents() -> dict[str, str]:
    """The keys of mutants that no test could tell, each with its reason."""
    lines = [line for line in EQUIVALENT.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return {name.strip(): reason.strip() for name, _, reason in (line.partition("  # ") for line in lines)}


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with a fault in it."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._path = module_of(mutant.path), mutant.path
        self._tree: ast.Module = mutated(mutant.path, mutant.number)

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        places = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self._path, loader=self, submodule_search_locations=places
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)


def trial(mutant: Mutant | None, tests: Sequence[str], seconds: float, log: Path) -> Seen:
    """Run the tests in a forked process that imports ddsetup with the fault in place."""
    child = os.fork()
    if not child:
        _in_child(mutant, tests, log)
    fine = finished(child, seconds)
    found = re.search(
        r"^(?:FAILED|ERROR) ([^ \n\[]+::[^ \n\[]+)", log.read_text("utf-8", "replace"), re.MULTILINE
    )
    return Seen(fine is not True, found[1] if found and fine is False else "", fine is None)


def finished(child: int, seconds: float) -> bool | None:
    """Whether the process found nothing; None if it took far longer than its tests do, and was stopped."""
    # Beside other work all takes longer, and a test that waits for its turn has seen nothing.
    until = time.monotonic() + (20 + 12 * seconds) * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    limit = 15 + 4 * seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if time.monotonic() > until or _cpu_seconds(child) > limit:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.02)


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _in_child(mutant: Mutant | None, tests: Sequence[str], log: Path) -> None:
    os.setpgid(0, 0)
    # In the background of a shell it would be ignored, and some tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        with log.open("wb") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Loader(mutant))
        import pytest

        quiet = ["-x", "-q", "-p", "no:cacheprovider", "-n", "0", "-o", "addopts=-m 'not slow'"]
        code = int(pytest.main([*tests, *quiet]))
        sys.stdout.flush()
    finally:
        os._exit(code)


def warm(modules: Iterable[str]) -> None:
    """Load what ddsetup and its tests need of others, once for all mutants."""
    for name in modules:
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def reached(place: Path) -> Reached:
    """What the tests reach, from a file, and from running them where it says nothing of them as they are."""
    held = up_to_date(place, TESTS, [f"--ignore={name}" for name in NO_WITNESSES])
    if held["failed"]:
        print(f"not counted, as they fail as it is: {', '.join(held['failed'])}", file=sys.stderr)
    return Reached(held["lines"], held["early"], held["seconds"], held["modules"])


@dataclass(slots=True)
class Court:
    """Judges mutants: where everything is loaded, and by a fresh import what may be seen there only.

    Only a test that passes by itself without any fault is a witness. Those that saw much come first.
    """

    reach: Reached
    hot: Hot
    log: Path
    fit: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)

    def judged(self, mutant: Mutant) -> Verdict:
        """What became of one mutant."""
        how: Trial = self.hot.try_out
        while tests := self._tests(mutant):
            what = how(mutant, tests, sum(map(self.reach.takes, tests)))
            if what is None or not what.failed:
                if how == self._cold or (what is not None and not self.reach.is_early(mutant)):
                    return "survived"
                how = self._cold
            elif what.late:
                return "timeout"
            elif self._is_fit(what.test):
                self.seen[what.test] += 1
                return "killed"
        return "unreached"

    def _tests(self, mutant: Mutant) -> list[str]:
        tests = [test for test in self.reach.tests(mutant) if test not in self.unfit]
        return sorted(tests, key=lambda test: -self.seen[test] / (0.3 + self.reach.takes(test)))

    def _cold(self, mutant: Mutant, tests: Sequence[str], seconds: float) -> Seen:
        return trial(mutant, tests, seconds, self.log)

    def _is_fit(self, test: str) -> bool:
        """Whether it passes without any fault; what kept the tests from starting is seen by all of them."""
        if test and test not in self.fit | self.unfit:
            alone = self.hot.try_out(None, [test], 60)
            (self.unfit if alone is None or alone.failed else self.fit).add(test)
        return test not in self.unfit


def table(verdicts: Sequence[tuple[str, str]]) -> str:
    """Per area: how many were killed of those that can be."""
    lines = ["| Area | Mutants | Equivalent | Killed | Of what is not equivalent |", "|---|--:|--:|--:|--:|"]
    areas = [area for area in AREAS if any(area == found for found, _ in verdicts)]
    for area in (*areas, "all"):
        held = Counter(verdict for found, verdict in verdicts if area in (found, "all"))
        real, killed = held.total() - held["equivalent"], held["killed"] + held["timeout"]
        part = f"{100 * killed / real:.0f} %" if real else "-"
        lines.append(f"| {area} | {held.total()} | {held['equivalent']} | {killed} | {part} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--area", action="append", choices=[*AREAS], help="only this one; repeatable")
    parser.add_argument("--tally", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--reach", type=Path, default=Path("reach.json"), help="made if it is not there")
    parser.add_argument("--part", type=_part, default=(1, 1), metavar="N/OF", help="every OF-th only")
    parser.add_argument("--again", action="store_true", help="those of the tally that survived, once more")
    return parser.parse_args()


def _part(text: str) -> tuple[int, int]:
    number, _, of = text.partition("/")
    return int(number), int(of)


def known_verdicts(tally: Path, again: bool) -> dict[str, Verdict]:
    """What is on file; the last word counts. `again`: without what went unseen."""
    lines = tally.read_text("utf-8").splitlines() if tally.is_file() else []
    held: dict[str, Verdict] = dict(map(json.loads, lines))
    return {key: held[key] for key in held if not (again and held[key] in ("survived", "unreached"))}


def main() -> int:
    given = arguments()
    reach, same = reached(given.reach.resolve()), equivalents()
    warm(reach.modules)
    known = known_verdicts(given.tally, given.again)
    verdicts = []
    sample = drawn(given.sample, given.seed, given.area or [*AREAS])
    hot = Hot([*TESTS, *(f"--ignore={name}" for name in NO_WITNESSES)], finished)
    court = Court(reach, hot, given.tally.with_suffix(f".{given.part[0]}.out").resolve())
    for area, key, mutant in sample[given.part[0] - 1 :: given.part[1]]:
        verdict = "equivalent" if key in same else known.get(key) or court.judged(mutant)
        if known.get(key) != verdict:
            with given.tally.open("a", encoding="utf-8") as tally:
                tally.write(json.dumps([key, verdict]) + "\n")
        verdicts.append((area, verdict))
        if verdict in ("survived", "unreached"):
            print(f"{area}: {verdict}: {mutant.line}: {key}", flush=True)
    hot.close()
    print(f"\nseed {given.seed}, {len(verdicts)} mutants\n\n{table(verdicts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
