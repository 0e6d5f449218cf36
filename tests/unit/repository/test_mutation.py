"""The faults that benchmarks put into code: what they are, and what is left as it is."""

from __future__ import annotations

import ast
import gc
from pathlib import Path

from benchmarks.hot import every_function
from benchmarks.mutation import mutants_of, mutated
from ddsetup.model.foreign import harmless

SOURCE = '''
"""A module."""
NAME = "name"
NOTE = "some words"

def judge(a: int, *, quick: bool = True) -> bool:
    """Never changed."""
    assert a
    if a > 3 and quick:
        raise ValueError(f"{a} is too much")
    return a != 2
'''


def faults(tmp_path: Path) -> dict[str, ast.Module]:
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    return {mutant.name: mutated(path, mutant.number) for mutant in mutants_of(path)}


def test_each_fault_is_one_that_matters(tmp_path: Path) -> None:
    assert set(faults(tmp_path)) == {
        "module: 'name' -> 'namex'",
        "judge: True -> False",
        "judge: if a > 3 and quick: ... -> if not (a > 3 and quick): ...",
        "judge: a > 3 and quick -> a > 3 or quick",
        "judge: a > 3 and quick -> quick",
        "judge: a > 3 and quick -> a > 3",
        "judge: a > 3 -> a >= 3",
        "judge: 3 -> 4",
        "judge: raise ValueError(f'{a} is too much') -> pass",
        "judge: return a != 2 -> return None",
        "judge: a != 2 -> a == 2",
        "judge: 2 -> 3",
    }


def test_a_fault_is_in_the_code_that_runs(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(compile(faults(tmp_path)["judge: a != 2 -> a == 2"], "module.py", "exec"), names)
    judge = names["judge"]
    assert callable(judge)
    assert (judge(2), judge(1)) == (True, False)


def test_a_fault_is_put_where_everything_is_loaded_whatever_was_frozen_there() -> None:
    gc.freeze()
    assert harmless in every_function()[harmless.__code__]
