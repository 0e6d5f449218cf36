"""The house: what stands at its root, what names a module by a string, and that nothing in it is dead."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from vulture import Vulture

from ddsetup.cli.table.groups import GROUPS
from ddsetup.cli.table.main import COMMANDS
from ddsetup.facts.variables import BY_NAME
from ddsetup.model.services import TRACE_TAG

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "ddsetup"
NOT_MODULES = {"ddsetup.toml", "ddsetup.sandbox.delivery"}
"""The settings file, and the names of logs."""
CALLED_BY_OTHERS = {
    *("_repr_pretty_", "render", "get_renderables"),
    *("__getattr__", "list_available_services", "load_file"),
}
"""What IPython and rich, Python and botocore call by these names."""
REGISTERED = ["@*.add", "@check"]
"""Key bindings, and the checks, which the registry finds by their kind."""
CODE = ("function", "class", "method", "property")


def strings_that_name_modules() -> dict[str, str]:
    found = {}
    folders = (PACKAGE, ROOT / "tests", ROOT / "benchmarks")
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        text = path.read_text("utf-8")
        # Most files need not be parsed to see that they have none.
        for node in ast.walk(ast.parse(text)) if re.search(r"""["']ddsetup\.""", text) else ():
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and re.fullmatch(r"ddsetup(\.[a-z_0-9]+)+", value):
                found[value] = str(path.relative_to(ROOT))
    return {name: where for name, where in found.items() if name not in NOT_MODULES}


def test_every_string_that_names_a_module_names_one() -> None:
    names = strings_that_name_modules()
    assert len(names) > 30
    assert {name: where for name, where in names.items() if find_spec(name) is None} == {}


def test_the_path_of_a_commands_file_is_its_words() -> None:
    modules = {command.module: command.name for command in COMMANDS}
    for group in GROUPS:
        modules |= {command.module: f"{group.name} {command.name}" for command in group.commands}
    assert len(modules) > 25
    wrong = {m: w for m, w in modules.items() if m != f"ddsetup.cli.{w.replace(' ', '.').replace('-', '_')}"}
    assert wrong == {}
    assert all(callable(import_module(module).run) for module in modules)


def test_at_the_root_stand_rooms_and_nothing_else() -> None:
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "_version.py", "py.typed"}
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert len(rooms) <= 20
    told = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert {room for room in rooms if f"`{room}/`" not in told} == set()


def test_nothing_is_there_that_only_tests_use() -> None:
    vulture = Vulture(ignore_names=[*CALLED_BY_OTHERS], ignore_decorators=REGISTERED)
    vulture.scavenge([str(PACKAGE)])
    dead = [item for item in vulture.get_unused_code(60) if item.typ in CODE]
    found = [f"{i.filename}:{i.first_lineno} {i.name}" for i in dead if "sandbox" not in i.filename.parts]
    assert found == []


def test_variables_of_functions_are_named_in_their_table_only() -> None:
    """A state machine has a tag of the same name as one of them (`TRACE_TAG`)."""
    elsewhere = [room for room in PACKAGE.iterdir() if room.name not in ("facts", "sandbox", "settings")]
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for room in elsewhere
        for path in room.rglob("*.py")
        for name in re.findall(r'"([A-Z_]+)"', path.read_text("utf-8"))
        if name in BY_NAME
    ]
    assert found == [f"ddsetup/model/services.py: {TRACE_TAG}"]
