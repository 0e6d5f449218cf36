"""`ddsetup metrics list`: the distributions that functions sent."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.explore.custom_metrics import listed, metric_list_blocks
from ddsetup.flow.call import Call
from ddsetup.flow.looking import look
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """The distributions of chosen functions, or of all of the account."""
    looking = look(call)
    data = listed(looking.dd, looking.window, looking.whose, enhanced=bool(call.value("enhanced")))
    return replace(base_report("metrics list", looking.session), data=data)


blocks = of_data(metric_list_blocks)
"""The metrics as text."""
