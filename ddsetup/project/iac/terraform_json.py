"""Terraform's JSON: the same arguments, where expressions stand in texts (`"${var.runtime}"`).

Source: HashiCorp's page on the JSON configuration syntax. A block is an object, or a list of objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ddsetup.model.account import Json
from ddsetup.project.iac import yamlchange, yamldoc
from ddsetup.project.iac.model import BrokenFile, CannotEdit
from ddsetup.project.iac.source import Source, Splice, read_json, spliced
from ddsetup.project.iac.terraform_edit import Wished
from ddsetup.project.iac.yamldoc import Document, Node

_WHOLE = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")
_UNUSUAL = "it is written in a way that cannot be changed safely"


@lru_cache(maxsize=8)
def parsed(source: Source) -> tuple[Document, Json]:
    """The file with its places, and as it is; kept, as what one function leaves is where the next begins.

    Raises BrokenFile.
    """
    yamldoc.check_depth(source)
    said = read_json(source)
    return yamldoc.parse(source), said


def generated(source: Source) -> bool:
    """Whether the CDK for Terraform wrote the file, which it does anew each time."""
    comment = yamldoc.value_of(parsed(source)[0].root, "//")
    return (
        comment is not None and yamldoc.is_mapping(comment) and yamldoc.entry(comment, "metadata") is not None
    )


def blocks(source: Source) -> list[tuple[tuple[str, ...], Node]]:
    """The functions and modules, with their places. Those in lists of objects are not told apart."""
    root = parsed(source)[0].root
    found = []
    for head in (("resource", "aws_lambda_function"), ("module",)):
        holder = _at(root, head)
        for key, node in holder.value if holder is not None else ():
            if yamldoc.is_mapping(node):
                found.append(((*head, str(key.value)), node))
    return found


def said_of(source: Source, path: Sequence[str]) -> str:
    """All that a block says, empty if there is none."""
    return json.dumps(yamldoc.as_plain(_at(parsed(source)[0].root, path)))


def argument(node: Node | None, name: str) -> str:
    """An argument as an expression of Terraform's own language, empty if it is not there."""
    found = yamldoc.value_of(node, name) if node is not None else None
    return "" if found is None or yamldoc.is_null(found) else _expression(yamldoc.as_plain(found))


def _expression(value: Json) -> str:
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value)
        return whole[1].strip() if whole else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(_expression(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_expression(each)}' for key, each in value.items())}}}"
    return json.dumps(value)


def variables_of(node: Node | None, *, module: bool) -> dict[str, str] | None:
    """The variables that are written, None where they are computed."""
    value = yamldoc.as_plain(node)
    said = value.get("environment_variables", {}) if module else _of_block(value.get("environment"))
    if not isinstance(said, dict):
        return None
    return {
        str(key): each if isinstance(each, str) and "${" not in each else "" for key, each in said.items()
    }


def _of_block(environment: Any) -> Json:
    """The variables of a block, which may be an object or a list of one."""
    if isinstance(environment, list):
        environment = environment[0] if len(environment) == 1 else "several"
    if environment is None:
        return {}
    return environment.get("variables", {}) if isinstance(environment, dict) else None


def edited(source: Source, path: Sequence[str], wished: Wished, *, module: bool) -> str:
    """The text with what a function has to have. Raises CannotEdit where that is not certain."""
    if any("data.aws_region.datadog" in layer for layer in wished.layers):
        raise CannotEdit("the region of its layers is not known; name it with --region")
    try:
        document, before = parsed(source)
        node = _at(document.root, path)
        if node is None or not node.value:
            raise CannotEdit(_UNUSUAL)
        after = spliced(source.text, _splices(document, node, wished, module=module))
        now = parsed(Source(source.path, b"", after))[1]
    except BrokenFile as error:
        raise CannotEdit(_UNUSUAL) from error
    if now != _expected(before, path, wished, module=module):
        raise CannotEdit(_UNUSUAL)
    return after


def _splices(document: Document, node: Node, wished: Wished, *, module: bool) -> list[Splice]:
    splices: list[Splice] = []
    new: dict[str, Json] = {}
    if wished.handler:
        splices.append(yamlchange.set_scalar(document, _there(node, "handler"), _text(wished.handler)))
    layers, listed = yamldoc.value_of(node, "layers"), [_text(each) for each in wished.layers]
    if layers is None and listed:
        new["layers"] = listed
    elif layers is not None and listed:
        if not yamldoc.is_sequence(layers) or not layers.value:
            raise CannotEdit(
                "its list of layers is computed" if layers.value else "its list of layers is empty"
            )
        splices += [yamlchange.add_item(document, layers, each) for each in listed]
    wanted = {name: _text(value) for name, value in wished.variables.items()}
    name, inside = ("environment_variables", wanted) if module else ("environment", {"variables": wanted})
    holder = yamldoc.value_of(node, name)
    if holder is None and wanted:
        new[name] = inside
    elif holder is not None:
        splices += _in_variables(document, holder, wanted, module=module)
    return [*splices, *([yamlchange.add_entries(document, node, new)] if new else [])]


def _in_variables(
    document: Document, holder: Node, wanted: Mapping[str, str], *, module: bool
) -> list[Splice]:
    if yamldoc.is_sequence(holder) and len(holder.value) == 1:
        holder = holder.value[0]
    found = holder if module or not yamldoc.is_mapping(holder) else yamldoc.value_of(holder, "variables")
    if found is None or not yamldoc.is_mapping(found) or not found.value:
        raise CannotEdit("its variables are computed, or there are none")
    missing = {name: value for name, value in wanted.items() if yamldoc.entry(found, name) is None}
    return [yamlchange.add_entries(document, found, missing)] if missing else []


def _expected(before: Json, path: Sequence[str], wished: Wished, *, module: bool) -> Json:
    """What the file has to say afterwards, made without looking at its text."""
    after = json.loads(json.dumps(before))
    at = after
    for name in path:
        at = at[name]
    if wished.handler:
        at["handler"] = _text(wished.handler)
    if wished.layers:
        at["layers"] = [*at.get("layers", ()), *(_text(each) for each in wished.layers)]
    wanted = {name: _text(value) for name, value in wished.variables.items()}
    if module:
        at["environment_variables"] = wanted | at.get("environment_variables", {})
        return after
    block = at.setdefault("environment", {})
    block = block[0] if isinstance(block, list) else block
    block["variables"] = wanted | block.get("variables", {})
    return after


def as_snippet(path: Sequence[str], wished: Wished, *, module: bool) -> str:
    """The same as lines for a hand."""
    variables = {name: _text(value) for name, value in wished.variables.items()}
    said: dict[str, Json] = {"handler": _text(wished.handler)} if wished.handler else {}
    said |= {"layers": ["(those that are there)", *map(_text, wished.layers)]} if wished.layers else {}
    said |= {"environment_variables": variables} if module else {"environment": {"variables": variables}}
    for name in reversed(path):
        said = {name: said}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def _text(expression: str) -> str:
    """An expression of Terraform's own language as a text of JSON."""
    return str(json.loads(expression)) if expression.startswith('"') else f"${{{expression}}}"


def _there(node: Node, name: str) -> Node:
    found = yamldoc.value_of(node, name)
    if found is None:
        raise CannotEdit(f"it has no {name}")
    return found


def _at(node: Node | None, path: Sequence[str]) -> Node | None:
    for name in path:
        node = yamldoc.value_of(node, name) if node is not None and yamldoc.is_mapping(node) else None
    return node if node is not None and yamldoc.is_mapping(node) else None
