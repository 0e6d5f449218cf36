"""botocore's parsers of JSON, with what they ask of each shape asked once.

They go through every member that a thing could have, for each of a thousand functions anew: as long as the
call itself takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

Table: TypeAlias = Mapping[str, tuple[str, Any]]

_AS_IT_IS = frozenset({"string", "integer", "long", "float", "double", "boolean"})


@cache
def parser_for(protocol: str) -> Any:
    """What reads answers of a protocol: botocore's parser, or the same in less time."""
    from botocore.parsers import PROTOCOL_PARSERS, create_parser

    if protocol not in ("json", "rest-json"):
        return create_parser(protocol)

    usual: Any = PROTOCOL_PARSERS[protocol]

    class Quick(usual):  # type: ignore[misc]
        def _handle_structure(self, shape: Any, value: Any) -> Any:
            if not isinstance(value, dict) or shape.is_document_type or shape.is_tagged_union:
                return super()._handle_structure(shape, value)
            members, made = _members(shape), {}
            for wire, item in value.items():
                if item is not None and wire in members:
                    name, member = members[wire]
                    made[name] = item if member is None else self._parse_shape(member, item)
            return made

        def _handle_list(self, shape: Any, node: Any) -> Any:
            plain = isinstance(node, list) and _is_plain(shape.member)
            return node if plain else super()._handle_list(shape, node)

        def _handle_map(self, shape: Any, value: Any) -> Any:
            plain = isinstance(value, dict) and _is_plain(shape.key) and _is_plain(shape.value)
            return value if plain else super()._handle_map(shape, value)

    return Quick()


@cache
def _members(shape: Any) -> Table:
    """The members of a structure by their names in an answer: the name that they have for callers, and the
    shape, None for what is taken as it is."""
    return {
        member.serialization.get("name", name): (name, None if _is_plain(member) else member)
        for name, member in shape.members.items()
    }


@cache
def _is_plain(shape: Any) -> bool:
    return shape.type_name in _AS_IT_IS and "location" not in shape.serialization
