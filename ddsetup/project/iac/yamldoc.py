"""A YAML or JSON document whose nodes know where they stand, and the smallest text changes to it.

The text is never written anew: nodes are located by a parser, and only the lines that have to change are
replaced. So comments, order, quoting, anchors, tags, indentation and line ends stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ddsetup.model.account import Json
from ddsetup.project.iac.model import BrokenFile
from ddsetup.project.iac.source import Source, place
from ddsetup.project.iac.yamltext import Plain

Node: TypeAlias = Any
"""A node of ruamel.yaml, which is loaded late and whose classes tell a type checker little."""

_DEFAULT_STEP = 2
MAP = "tag:yaml.org,2002:map"
_SEQ, _NULL = "tag:yaml.org,2002:seq", "tag:yaml.org,2002:null"
_DEEPEST = 100
"""How deep a file may nest; CloudFormation and JSON tools stop in the same order of magnitude."""
_NESTING = re.compile(r"[\[\]{}]|(?:-[ \t]+){20,}")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `json`: it is JSON, so what is added has to be, too. `twice`: the keys that stand in one
    mapping twice, where that is let pass; None where nothing is."""

    source: Source
    root: Node
    json: bool = False
    twice: tuple[Node, ...] | None = None

    @property
    def text(self) -> str:
        return self.source.text

    def where(self, node: Node) -> str:
        """File, line and column of a node."""
        line, column = place(self.text, start(node))
        return f"{self.source.path}:{line}:{column}"


def parse(source: Source, *, template: bool = False) -> Document:
    """Parse one document whose root is a mapping. Within a resource of a `template` a key may stand twice, as
    SAM and CloudFormation take the last one.

    Raises BrokenFile, with line and column, for what is not YAML, has a key twice or has several documents.
    """
    check_depth(source)
    try:
        root = _composed(source)
    except (RecursionError, ValueError) as error:
        raise BrokenFile("this is not YAML that can be read", where=str(source.path)) from error
    if root is None or not is_mapping(root) or not root.value:
        raise BrokenFile("expected settings (`key: value`) at the top of the file", where=str(source.path))
    document = Document(source, root, json=source.path.suffix == ".json" or source.text.lstrip()[:1] == "{")
    passing = []
    for key, path in _duplicates(root):
        if not template or path[:1] != ("Resources",) or len(path) == 1:
            said = f"the key {key.value!r} stands here twice"
            raise BrokenFile(said, where=document.where(key), fix="join the two")
        passing.append(key)
    return replace(document, twice=tuple(passing)) if template else document


def check_depth(source: Source) -> None:
    """Raise BrokenFile for brackets or dashes within each other so deep that parsers give up, or worse."""
    depth = 0
    for match in _NESTING.finditer(source.text):
        found = match[0]
        depth = max(depth + 1, 0) if found in "[{" else max(depth - 1, 0) if found in "]}" else depth
        if depth > _DEEPEST or found.count("-") > _DEEPEST:
            line, column = place(source.text, match.start())
            raise BrokenFile(
                f"nested more than {_DEEPEST} deep, so not a file to edit",
                where=f"{source.path}:{line}:{column}",
            )


def _composed(source: Source) -> Node:
    """The root of a text. What one parser refuses, another may read, and so may the tools: SAM and
    CloudFormation's command line use PyYAML. Raises BrokenFile with the words of the first."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        return YAML(typ="safe", pure=True).compose(source.text)
    except ReaderError as error:
        line, column = place(source.text, int(error.position or 0))
        raise BrokenFile(
            "a character that YAML does not allow", where=f"{source.path}:{line}:{column}"
        ) from error
    except MarkedYAMLError as error:
        root = _by_pyyaml(source.text)
        if root is not None:
            return root
        mark = error.problem_mark or error.context_mark
        at = f"{source.path}:{mark.line + 1}:{mark.column + 1}" if mark else str(source.path)
        raise BrokenFile(_problem(source.text, error, mark), where=at) from error
    except (YAMLError, LookupError, ValueError, TypeError, AttributeError) as error:
        # ruamel.yaml trips over some texts: a `%YAML` of a version to come ends in a KeyError.
        raise BrokenFile("this is not YAML that can be read", where=str(source.path)) from error


def _by_pyyaml(text: str) -> Node | None:
    """The root as PyYAML reads it, None where it does not either."""
    import yaml

    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError):
        return None


def _problem(text: str, error: Any, mark: Any) -> str:
    """The parser's words, and ours where they would puzzle."""
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "a tab is used for indentation; YAML allows only spaces"
    if "single document" in str(error.context):
        return "the file holds several documents (`---`), and its tool reads one document only"
    said = "; ".join(str(part) for part in (error.context, error.problem) if part)
    return f"not valid YAML: {said}" if said else "not valid YAML"


def _duplicates(root: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Keys that stand in their mapping already, with the path of that: one of the two is lost, and tools
    differ in which."""
    stack: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    seen = set()
    while stack:
        node, path = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "sequence":
            stack += [(each, path) for each in node.value]
        elif node.id == "mapping":
            names: set[str] = set()
            for key, value in node.value:
                if key.id == "scalar" and key.value != "<<" and key.value in names:
                    yield key, path
                names.add(str(key.value))
                stack.append((value, (*path[:2], str(key.value))))


# Looking at nodes


def start(node: Node) -> int:
    """Where a node begins, its anchor and tag included."""
    return int(node.start_mark.index)


def end(node: Node) -> int:
    """Where a node ends. Block collections and block scalars end where the next token begins."""
    return int(node.end_mark.index)


def is_mapping(node: Node | None) -> bool:
    """Whether it is an ordinary mapping, one without a tag of its own."""
    return node is not None and node.id == "mapping" and str(node.tag) == MAP


def is_sequence(node: Node | None) -> bool:
    """Whether it is an ordinary sequence."""
    return node is not None and node.id == "sequence" and str(node.tag) == _SEQ


def is_null(node: Node) -> bool:
    """Whether nothing is there: empty, `~` or `null`."""
    return node.id == "scalar" and str(node.tag) == _NULL


def is_flow(node: Node) -> bool:
    """Whether it is written with brackets."""
    return node.id != "scalar" and bool(node.flow_style)


def entry(mapping: Node, key: str) -> tuple[Node, Node] | None:
    """The key's and the value's node, as the mapping itself has them."""
    return next(((k, v) for k, v in mapping.value if k.id == "scalar" and k.value == key), None)


def value_of(mapping: Node, key: str) -> Node | None:
    """The value of a key, also if it comes in by `<<`."""
    own = entry(mapping, key)
    if own is not None:
        return own[1]
    for merged in _merged(mapping, {id(mapping)}):
        found = entry(merged, key)
        if found is not None:
            return found[1]
    return None


def _merged(mapping: Node, seen: set[int]) -> Iterator[Node]:
    """The mappings that come in by `<<`, nearest first, each once however often it is named."""
    for key, value in mapping.value:
        if key.id != "scalar" or key.value != "<<":
            continue
        for each in value.value if value.id == "sequence" else [value]:
            if each.id == "mapping" and id(each) not in seen:
                seen.add(id(each))
                yield each
                yield from _merged(each, seen)


def as_plain(node: Node | None, known: dict[int, Json] | None = None) -> Json:
    """A node as JSON types. CloudFormation's short tags become its long form, `!Ref X` is `{"Ref": X}`; what
    stands at several places by an alias is one value. None for nothing, and for what holds itself."""
    known = {} if known is None else known
    if node is None or is_null(node):
        return None
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = None
    tag = str(node.tag)
    found: Json
    if node.id == "scalar":
        found = str(node.value) if tag.startswith("!") else literal(node)
    elif node.id == "sequence":
        found = [as_plain(item, known) for item in node.value]
    else:
        found = {}
        for merged in reversed(list(_merged(node, {id(node)}))):
            found |= {str(k.value): as_plain(v, known) for k, v in merged.value if k.value != "<<"}
        found |= {str(k.value): as_plain(v, known) for k, v in node.value if k.value != "<<"}
    known[id(node)] = _long_form(tag, found)
    return known[id(node)]


def _long_form(tag: str, value: Json) -> Json:
    if not tag.startswith("!") or tag == "!":
        return value
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


def is_alias(key: Node, value: Node) -> bool:
    """Whether the value is `*somewhere`: it stands before its own key."""
    return start(value) < start(key)


def literal(node: Node | None) -> Plain | None:
    """The value of a scalar; None for everything else."""
    if node is None or node.id != "scalar" or is_null(node):
        return None
    tag = str(node.tag).rsplit(":", 1)[-1]
    text = str(node.value)
    if tag == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    if tag == "int":
        try:
            return int(text.replace("_", ""), 0)
        except ValueError:
            return text
    return text


def is_variable(node: Node | None) -> bool:
    """Whether the value is computed when the tool runs: `${…}`, a reference, an intrinsic function."""
    if node is None or is_null(node):
        return False
    if node.id != "scalar":
        return True
    return "${" in str(node.value) or not str(node.tag).startswith("tag:yaml.org,2002:")


# Layout


def column(document: Document, index: int) -> int:
    """How many characters stand before this one on its line."""
    return index - (document.text.rfind("\n", 0, index) + 1)


def step(document: Document) -> int:
    """By how much the file moves in a nested mapping."""
    for _key, value in document.root.value:
        if value.id == "mapping" and value.value and not is_flow(value):
            return max(column(document, start(value.value[0][0])), 1)
    return _DEFAULT_STEP


def dash_step(document: Document) -> int:
    """By how much the file moves in the dashes of a list."""
    stack = [document.root]
    while stack:
        mapping = stack.pop()
        for key, value in mapping.value:
            if is_alias(key, value):
                continue
            if value.id == "sequence" and value.value and not is_flow(value):
                return max(column(document, first_dash(document, value)) - column(document, start(key)), 0)
            if value.id == "mapping" and not is_flow(value):
                stack.insert(0, value)
    return _DEFAULT_STEP


def first_dash(document: Document, sequence: Node) -> int:
    """Where the dash of the first item stands."""
    return document.text.rindex("-", 0, start(sequence.value[0]) + 1) if sequence.value else start(sequence)
