"""Graphs of a dashboard, and groups of them, as Datadog's API takes them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ddsetup.model.account import Json

_NAMES = "abcdef"


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph: its title, its queries by name (a, b, ...), formulas of them, and how it is drawn."""

    title: str
    queries: tuple[str, ...]
    formulas: tuple[str, ...] = ("a",)
    drawn: str = "line"


def bars(title: str, query: str) -> Graph:
    """A graph of counts."""
    return Graph(title, (query,), drawn="bars")


def line(title: str, query: str) -> Graph:
    """A graph of one query."""
    return Graph(title, (query,))


def lines(title: str, *queries: str) -> Graph:
    """A graph of several queries."""
    return Graph(title, queries, tuple(_NAMES[: len(queries)]))


def group(title: str, graphs: Sequence[Graph]) -> Json:
    """A group of graphs under a title."""
    return {
        "definition": {
            "type": "group",
            "title": title,
            "layout_type": "ordered",
            "widgets": [_widget(graph) for graph in graphs],
        }
    }


def _widget(graph: Graph) -> Json:
    queries = [
        {"data_source": "metrics", "name": name, "query": query}
        for name, query in zip(_NAMES, graph.queries, strict=False)
    ]
    request = {
        "response_format": "timeseries",
        "queries": queries,
        "formulas": [{"formula": formula} for formula in graph.formulas],
        "display_type": graph.drawn,
    }
    return {"definition": {"type": "timeseries", "title": graph.title, "requests": [request]}}
