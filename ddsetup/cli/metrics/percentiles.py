"""`ddsetup metrics percentiles`: percentiles of a distribution, on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.explore.custom_metrics import plan_percentiles, plan_without_percentiles
from ddsetup.explore.metrics import check_metric
from ddsetup.facts.links import metric_link
from ddsetup.flow.call import Call
from ddsetup.flow.in_datadog import carried_out
from ddsetup.flow.looking import LIKE
from ddsetup.gateways.datadog.metric_tags import TAGS_OF_DAYS, read_configuration, tag_keys
from ddsetup.model.change import Plan
from ddsetup.model.errors import NotFound, UsageError
from ddsetup.model.report import Report

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def run(call: Call) -> Report:
    """Plan, show what can no longer be queried, confirm, carry out."""
    from ddsetup.flow import verbs

    names = tuple(dict.fromkeys(check_metric(name) for name in call.value("names")))
    session = verbs.connect(call.given, call.host(), command=LIKE)
    plan = sum((_plan(call, session, name) for name in names), Plan())
    pages = {name: metric_link(session.datadog.site, name) for name in names}
    question = "Change which tags of these metrics can be queried?"
    return carried_out(call, session, plan, question, pages)


def _plan(call: Call, session: Session, metric: str) -> Plan:
    dd, account = session.datadog, session.identity.account
    live = read_configuration(dd, metric)
    if call.value("off"):
        return plan_without_percentiles(metric, live, account)
    if live is not None and live.metric_type != "distribution":
        fix = "send it as a distribution (lambda_metric) to have percentiles of it"
        raise UsageError(f"{metric} is a {live.metric_type}: only distributions have percentiles", fix=fix)
    try:
        keys = tag_keys(dd, metric)
    except NotFound:
        fix = "ddsetup metrics list shows the distributions that functions sent"
        raise UsageError(f"there is no metric {metric}", fix=fix) from None
    chosen = tuple(call.value("tag_key") or ())
    if not keys and not chosen and live is None:
        fix = "repeat it once the metric has arrived, or name the keys that shall stay: --tag-key KEY"
        said = f"{metric} came with no tag in the last {TAGS_OF_DAYS} days: none could be queried any more"
        raise UsageError(said, fix=fix)
    if keys and (unknown := sorted(set(chosen) - set(keys))):
        fix = f"one of: {', '.join(keys)}"
        raise UsageError(f"{metric} came with no tag {', '.join(unknown)}", fix=fix)
    return plan_percentiles(metric, live, keys, chosen, account)
