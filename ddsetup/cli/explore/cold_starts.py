"""`ddsetup explore cold-starts`: which functions start cold, and how often."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.explore.cold_starts import cold_start_blocks, cold_starts
from ddsetup.facts.links import links
from ddsetup.flow.call import Call
from ddsetup.flow.looking import look
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Cold starts by function, and their share over time."""
    looking = look(call)
    data = cold_starts(looking.dd, looking.window, looking.whose)
    pages = links(looking.dd.site, looking.functions)
    shown = {
        name: url
        for name, url in pages.items()
        if name.startswith("function ") or name in ("dashboard enhanced metrics", "serverless")
    }
    return replace(base_report("explore cold-starts", looking.session), data=data, links=shown)


blocks = of_data(cold_start_blocks)
"""The cold starts as text."""
