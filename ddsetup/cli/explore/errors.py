"""`ddsetup explore errors`: what goes wrong most often."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.explore.deploys import LATELY, deployed_at, new_errors
from ddsetup.explore.errors import error_blocks, errors, to_watch
from ddsetup.explore.masking import masked
from ddsetup.facts.links import error_patterns_link, logs_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import look
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Error logs by pattern."""
    from ddsetup.flow import verbs

    if call.value("since_deploy"):
        looking = look(call, LATELY)
        functions = looking.functions or verbs.look(looking.session).functions()
        data = new_errors(looking.dd, looking.window, looking.whose, deployed_at(functions))
    else:
        looking = look(call)
        data = errors(looking.dd, looking.window, looking.whose)
    query = looking.whose.page_of_logs("source:lambda", "status:error")
    start, end = looking.window.milliseconds()
    site = looking.dd.site
    shown = {
        "error patterns": error_patterns_link(site, query, (start, end)),
        "error logs": logs_link(site, query, (start, end)),
    }
    return replace(
        base_report("explore errors", looking.session),
        data=masked(data, raw=bool(call.value("raw"))),
        links=shown,
        next=to_watch(masked(data)),
    )


blocks = of_data(error_blocks)
"""The patterns as a chart, and an example of each."""
