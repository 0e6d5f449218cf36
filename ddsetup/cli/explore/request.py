"""`ddsetup explore request`: the cause of one failed request, across all functions that it went through."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ddsetup.explore.given_time import given_times
from ddsetup.explore.masking import masked
from ddsetup.explore.request import LATELY, checked, of_error, request
from ddsetup.explore.request_blocks import request_blocks
from ddsetup.facts.links import logs_link
from ddsetup.facts.searches import logs_of_request
from ddsetup.flow.call import Call
from ddsetup.flow.looking import MINUTES, look
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """The request, by its id, by its trace's, or as an example of an error."""
    given, number = call.value("id"), call.value("error")
    if bool(given) == (number is not None):
        raise UsageError("which request?", fix="name its id, or --error N of `ddsetup explore errors`")
    wanted = checked(given) if given else ""
    looking = look(call, LATELY if given else MINUTES)
    if not wanted:
        wanted = of_error(looking.dd, looking.window, looking.whose, number)
    session = looking.session
    account = session.identity.account
    limits = partial(given_times, session.aws, account)
    data = request(looking.dd, limits, account, looking.window, wanted)
    pages = {"logs": logs_link(looking.dd.site, logs_of_request(wanted), looking.window.milliseconds())}
    if data.get("link"):
        pages = {"trace": data["link"], **pages}
    return replace(
        base_report("explore request", session), data=masked(data, raw=bool(call.value("raw"))), links=pages
    )


blocks = of_data(request_blocks)
"""The request as text."""
