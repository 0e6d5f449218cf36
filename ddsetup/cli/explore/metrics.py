"""`ddsetup explore metrics`: any metric over time."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.explore.metrics import check_metric, metric_blocks, metrics
from ddsetup.facts.links import metric_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import look
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Series of the metrics named, of chosen functions or of whoever sent them."""
    names = tuple(dict.fromkeys(check_metric(name) for name in call.value("names")))
    looking = look(call)
    whose = looking.whose if looking.chosen or looking.whose.regions else None
    how, by = call.value("aggregate") or "avg", call.value("by") or ""
    data = metrics(looking.dd, looking.window, names, whose, how, by)
    shown = {name: metric_link(looking.dd.site, name) for name in names}
    return replace(base_report("explore metrics", looking.session), data=data, links=shown)


blocks = of_data(metric_blocks)
"""The series as text."""
