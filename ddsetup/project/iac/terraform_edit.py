"""Handler, layers and variables put into a block of Terraform, as `terraform fmt` would write it.

Only where the block says itself what it has: a list in brackets, an object in braces, or nothing. What is
computed is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ddsetup.project.iac import hcl
from ddsetup.project.iac.hcl import Argument, Block
from ddsetup.project.iac.model import BrokenFile, CannotEdit
from ddsetup.project.iac.source import Source, Splice, spliced

_KEY = re.compile(r'"?([A-Za-z_][\w-]*)"?\s*(?:=|:)\s*')


@dataclass(frozen=True, slots=True)
class Wished:
    """What a function has to have; texts are expressions of Terraform. An empty handler stays."""

    handler: str = ""
    layers: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def edited(source: Source, block: Block, wished: Wished, *, module: bool) -> str:
    """The text with what a block has to have. Raises CannotEdit where that is not certain."""
    text = source.text
    splices = [*_handler(block, wished), *_layers(text, block, wished)]
    splices += _variables(text, block, wished, module=module)
    after = spliced(text, splices)
    _check(source, after, block, module=module)
    return after


def variables_of(text: str, block: Block, *, module: bool) -> dict[str, str] | None:
    """The variables that a block writes down, None where they are computed."""
    found = _object(block, module=module)
    if found is None:
        return {}
    value = text[found.value_start : found.value_end]
    if not value.startswith("{"):
        return None
    return {key: hcl.literal(expression) or "" for key, expression in _entries(value)}


def as_snippet(head: str, wished: Wished, present: Mapping[str, str], *, module: bool) -> str:
    """The same as lines for a hand."""
    lines = [f"{head} {{", "  # ... all else stays as it is"]
    if wished.handler:
        lines.append(f"  handler = {wished.handler}")
    if wished.layers:
        listed = "".join(f"    {layer},\n" for layer in wished.layers)
        lines += ["", f"  layers = concat({present.get('layers') or '[]'}, [\n{listed}  ])"]
    aligned = _aligned(wished.variables)
    if module:
        before = present.get("environment_variables") or "{}"
        lines += ["", f"  environment_variables = merge({before}, {{", *(f"    {a}" for a in aligned), "  })"]
    else:
        lines += ["", "  environment {", "    variables = {", "      # the variables that are there stay"]
        lines += [*(f"      {each}" for each in aligned), "    }", "  }"]
    return "\n".join(lines) + "\n}\n"


def _aligned(variables: Mapping[str, str]) -> list[str]:
    width = max((len(name) for name in variables), default=0)
    return [f"{name:<{width}} = {value}" for name, value in variables.items()]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _handler(block: Block, wished: Wished) -> list[Splice]:
    if not wished.handler:
        return []
    found = block.arguments.get("handler")
    if found is None:
        raise CannotEdit("it has no handler")
    return [Splice(found.value_start, found.value_end, wished.handler)]


def _layers(text: str, block: Block, wished: Wished) -> list[Splice]:
    if not wished.layers:
        return []
    newline, found = _newline(text), block.arguments.get("layers")
    if found is None:
        listed = "".join(f"    {layer},{newline}" for layer in wished.layers)
        return [_at_end(text, block, f"  layers = [{newline}{listed}  ]")]
    value = text[found.value_start : found.value_end]
    items = hcl.items(value)
    if items is None:
        raise CannotEdit("its list of layers is computed")
    close = found.value_end - 1
    if not items:
        return [Splice(found.value_start, found.value_end, f"[{', '.join(wished.layers)}]")]
    last = found.value_start + items[-1][1]
    between = text[last:close]
    if "\n" not in value:
        comma = "" if "," in between else ","
        blank = "" if not comma and between.endswith(" ") else " "
        return [Splice(close, close, f"{comma}{blank}{', '.join(wished.layers)}")]
    line = text.rfind("\n", 0, found.value_start + items[-1][0]) + 1
    pad = re.match(r"[ \t]*", text[line:])
    indent = pad[0] if pad else "    "
    splices = [] if "," in _code(between) else [Splice(last, last, ",")]
    at = text.rfind("\n", 0, close) + 1
    if text[at:close].strip():
        raise CannotEdit("its list of layers is written in an unusual way")
    listed = "".join(f"{indent}{layer},{newline}" for layer in wished.layers)
    return [*splices, Splice(at, at, listed)]


def _code(text: str) -> str:
    return re.sub(r"#[^\n]*|//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def _object(block: Block, *, module: bool) -> Argument | None:
    """Where the variables of a function are set, None where it has none yet."""
    if module:
        return block.arguments.get("environment_variables")
    if any("environment" in inner.labels for inner in block.of_type("dynamic")):
        return Argument("dynamic", 0, 0, 0)
    for environment in block.of_type("environment"):
        return environment.arguments.get("variables")
    return None


def _variables(text: str, block: Block, wished: Wished, *, module: bool) -> list[Splice]:
    newline = _newline(text)
    found = _object(block, module=module)
    pad = "    " if module else "      "
    if found is None:
        lines = newline.join(f"{pad}{each}" for each in _aligned(wished.variables))
        written = f"{pad[2:]}environment_variables = {{" if module else f"{pad[2:]}variables = {{"
        written = f"{written}{newline}{lines}{newline}{pad[2:]}}}"
        if module:
            return [_at_end(text, block, written)]
        for empty in block.of_type("environment"):
            if text[empty.body : empty.close].strip():
                raise CannotEdit("its block `environment` is written in an unusual way")
            filled = f"environment {{{newline}{written}{newline}  }}"
            return [Splice(empty.start, empty.close + 1, filled)]
        return [_at_end(text, block, f"  environment {{{newline}{written}{newline}  }}")]
    value = text[found.value_start : found.value_end]
    if not value.startswith("{") or re.match(r"\{\s*for\b", value):
        raise CannotEdit("its variables are computed")
    present = dict(_entries(value))
    missing = {name: said for name, said in wished.variables.items() if name not in present}
    return _into_object(text, found, missing)


def _into_object(text: str, found: Argument, missing: Mapping[str, str]) -> list[Splice]:
    """New keys at the end of an object, in a group of their own, so that nothing else has to be aligned."""
    if not missing:
        return []
    newline, value = _newline(text), text[found.value_start : found.value_end]
    line = text.rfind("\n", 0, found.start) + 1
    base = re.match(r"[ \t]*", text[line : found.start])
    pad = (base[0] if base else "") + "  "
    lines = newline.join(f"{pad}{each}" for each in _aligned(missing))
    close = found.value_end - 1
    inside = value[1:-1].strip()
    if text[line : found.start].strip():
        raise CannotEdit("its variables are written on one line with what is around them")
    if "\n" in value:
        at = text.rfind("\n", 0, close) + 1
        if text[at:close].strip():
            raise CannotEdit("its variables are written in an unusual way")
        gap = newline if inside else ""
        return [Splice(at, at, f"{gap}{lines}{newline}")]
    kept = f"{pad}{inside}{newline}{newline}" if inside else ""
    return [Splice(found.value_start, found.value_end, f"{{{newline}{kept}{lines}{newline}{pad[:-2]}}}")]


def _entries(value: str) -> list[tuple[str, str]]:
    """The keys and expressions of an object that is written down; none of those that are computed."""
    inner, found = value[1:-1], []
    for at in _tops(inner):
        key = _KEY.match(inner, at)
        if key is not None:
            found.append((key[1], inner[key.end() : hcl.end_of(inner, key.end())].strip()))
    return found


def _tops(text: str) -> list[int]:
    """Where the entries of an object begin."""
    found: list[int] = []
    at = 0
    while True:
        at = hcl.skip(text, at)
        if at >= len(text):
            return found
        if text[at] == ",":
            at += 1
            continue
        found.append(at)
        at = max(hcl.end_of(text, at), at + 1)


def _at_end(text: str, block: Block, written: str) -> Splice:
    """A group of its own before the block's closing brace."""
    newline = _newline(text)
    at = text.rfind("\n", 0, block.close) + 1
    if at <= block.body or text[at : block.close].strip():
        raise CannotEdit("it is written on one line")
    return Splice(at, at, f"{newline}{written}{newline}")


def _check(source: Source, after: str, block: Block, *, module: bool) -> None:
    """Raise CannotEdit unless the text is still read, and says the same everywhere else."""
    try:
        trees = hcl.parse(source), hcl.parse(Source(source.path, b"", after))
    except BrokenFile as error:
        raise CannotEdit("it is written in a way that cannot be changed safely") from error
    touched = {"handler", "layers", "environment_variables" if module else "variables"}
    before, now = (_said(tree, text) for tree, text in zip(trees, (source.text, after), strict=True))
    name = (block.type, *block.labels)
    for key in {*before, *now}:
        own = key[: len(name)] == name and (key[-1] in touched or key[len(name) :] in ((), ("environment",)))
        if before.get(key) != now.get(key) and not own:
            raise CannotEdit("it is written in a way that cannot be changed safely")


def _said(tree: Block, text: str, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Every argument of a file with its text, by where it stands."""
    found = {(*path, a.name): text[a.value_start : a.value_end] for a in tree.arguments.values()}
    for number, block in enumerate(tree.blocks):
        # An environment may be new, and must not move the numbers of those beside it.
        inner = (*path, block.type, *block.labels, *([str(number)] if path and block.labels == () else []))
        inner = (*path, "environment") if block.type == "environment" else inner
        found[inner] = ""
        found |= _said(block, text, inner)
    return found
