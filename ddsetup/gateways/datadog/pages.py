"""Lists that Datadog gives page by page, read to their end.

An answer that ignores which page is asked for, as that of a cache may, ends a list as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ddsetup.model.account import Json

Items: TypeAlias = Sequence[Mapping[str, Json]]


def by_number(read: Callable[[int], Items], size: int) -> Iterator[Mapping[str, Json]]:
    """The items of pages that `read` gives by their number, from 0; a short one is the last."""
    seen: set[str] = set()
    number = 0
    while True:
        page = read(number)
        fresh = [item for item in page if str(item["id"]) not in seen]
        yield from fresh
        if len(page) < size or not fresh:
            return
        seen.update(str(item["id"]) for item in fresh)
        number += 1


def by_cursor(read: Callable[[str], tuple[Items, str]]) -> Iterator[Mapping[str, Json]]:
    """The items of pages, each of which tells the cursor of the next; the first has an empty one."""
    seen = {""}
    items, cursor = read("")
    yield from items
    while cursor not in seen:
        seen.add(cursor)
        items, cursor = read(cursor)
        yield from items
