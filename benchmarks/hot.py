"""Tries faults where everything is loaded: a process that has collected all tests and forks for each fault.

The code of the functions is exchanged in the fork, so that nothing is imported again. A fault outside of
functions cannot be put there in this way; and what was computed while modules were imported stays as it was,
so that only a fault that was seen is settled here.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import shutil
import signal
import socket
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeAlias

from benchmarks.mutation import Mutant, mutated

Exchange: TypeAlias = list[tuple[CodeType, CodeType]]
Wait: TypeAlias = Callable[[int, float], bool | None]
"""Waits for a process with that many seconds of work: did it find nothing? None: it took too long."""


@dataclass(frozen=True)
class Seen:
    """What came of a try: whether something `failed`, and which test; `late`: it had to be stopped."""

    failed: bool = False
    test: str = ""
    late: bool = False


def exchange(path: Path, number: int) -> Exchange | None:
    """The code of functions as it is and with the fault in it; None if the fault is not within functions."""
    was = compile(ast.parse(path.read_text("utf-8")), str(path), "exec")
    now = compile(mutated(path, number), str(path), "exec")
    pairs = [*_differing(was, now)]
    return pairs if pairs and all(one.co_flags & CO_OPTIMIZED for one, _ in pairs) else None


def _differing(was: CodeType, now: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    if was == now:
        return
    mine, theirs = _inner(was), _inner(now)
    same = len(mine) == len(theirs)
    if was.co_flags & CO_OPTIMIZED or not same or _own(was) != _own(now):
        yield was, now
    if same:
        for one, other in zip(mine, theirs, strict=True):
            yield from _differing(one, other)


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _own(code: CodeType) -> tuple[Any, ...]:
    consts = tuple(None if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, consts


class Hot:
    """The process that has everything loaded; `try_out` asks it."""

    def __init__(self, tests: Sequence[str], wait: Wait) -> None:
        here, there = socket.socketpair()
        self.process = os.fork()
        if not self.process:
            here.close()
            _serve(there, tests, wait)
        there.close()
        self._talk = here.makefile("rw", encoding="utf-8")

    def try_out(self, mutant: Mutant | None, tests: Sequence[str], seconds: float) -> Seen | None:
        """Run the tests with the fault in place, or without any; None if it cannot be put there."""
        where = [str(mutant.path), mutant.number] if mutant else None
        self._talk.write(json.dumps([where, list(tests), seconds]) + "\n")
        self._talk.flush()
        answer = json.loads(self._talk.readline())
        return Seen(*answer) if answer is not None else None

    def close(self) -> None:
        self._talk.close()
        os.waitpid(self.process, 0)


def _serve(talk: socket.socket, tests: Sequence[str], wait: Wait) -> None:
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        import pytest

        quiet = ["-q", "-p", "no:cacheprovider", "-n", "0", "-o", "addopts=-m 'not slow'"]
        pytest.main([*tests, *quiet], plugins=[_Bench(talk, wait)])
    finally:
        os._exit(0)


class _Bench:
    """A plugin for pytest: instead of running what was collected, it does what it is asked to."""

    def __init__(self, talk: socket.socket, wait: Wait) -> None:
        self._talk, self._wait = talk.makefile("rw", encoding="utf-8"), wait
        self._failed: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_runtestloop(self, session: Any) -> bool:
        items: dict[str, list[Any]] = defaultdict(list)
        for item in session.items:
            items[item.nodeid.split("[")[0]].append(item)
        functions = every_function()
        gc.collect()
        gc.freeze()
        for line in self._talk:
            where, tests, seconds = json.loads(line)
            pairs = exchange(Path(where[0]), where[1]) if where else []
            answer: list[Any] | None = None
            if pairs is not None and all(code in functions for code, _ in _outermost(pairs)):
                chosen = [item for test in tests for item in items.get(test, ())]
                answer = self._tried(functions, pairs, chosen, seconds)
            self._talk.write(json.dumps(answer) + "\n")
            self._talk.flush()
        return True

    def _tried(
        self,
        functions: Mapping[CodeType, list[FunctionType]],
        pairs: Exchange,
        items: Sequence[Any],
        seconds: float,
    ) -> list[Any] | None:
        out, into = os.pipe()
        child = os.fork()
        if not child:
            os.close(out)
            self._in_child(functions, pairs, items, into)
        os.close(into)
        fine = self._wait(child, seconds)
        with os.fdopen(out) as said:
            home, _, failed = said.read().partition("\n")
        if home.rpartition("/")[2].startswith("home-"):
            shutil.rmtree(home, ignore_errors=True)
        if failed == "impossible":
            return None
        return [fine is not True, failed.split("[")[0], fine is None]

    def _in_child(
        self,
        functions: Mapping[CodeType, list[FunctionType]],
        pairs: Exchange,
        items: Sequence[Any],
        into: int,
    ) -> None:
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            from tests import environment

            os.write(into, f"{environment.own()}\n".encode())
            try:
                _put(functions, pairs)
            except ValueError:
                os.write(into, b"impossible")
                os._exit(1)
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    os.write(into, self._failed[0].encode())
                    os._exit(1)
            os._exit(0)
        finally:
            os._exit(1)


def _outermost(pairs: Exchange) -> Exchange:
    inner = {id(each) for code, _ in pairs for each in _inner(code)}
    return [pair for pair in pairs if id(pair[0]) not in inner]


def every_function() -> dict[CodeType, list[FunctionType]]:
    """Every function of ddsetup that there is, by its code."""
    found: dict[CodeType, list[FunctionType]] = defaultdict(list)
    gc.unfreeze()  # or what the tests' own `conftest.py` has frozen would not be told
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and f"{os.sep}ddsetup{os.sep}" in each.__code__.co_filename:
            found[each.__code__].append(each)
    return found


def _put(functions: Mapping[CodeType, Iterable[FunctionType]], pairs: Exchange) -> None:
    """Raises ValueError if the fault changes which variables a function takes from around it."""
    for was, now in pairs:
        for function in functions.get(was, ()):
            function.__code__ = now
