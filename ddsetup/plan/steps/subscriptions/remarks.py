"""What is said of log groups whose lines arrive twice, or might."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts.account_policies import FilterPolicy
from ddsetup.facts.filters import AUTOMATIC_PREFIX, OWN_PREFIX, classify
from ddsetup.model.account import SubscriptionFilter, Unreadable
from ddsetup.model.change import Plan
from ddsetup.plan.steps.subscriptions.groups import Group, Region
from ddsetup.plan.steps.wording import cannot_see, listed


def folded(warnings: Iterable[str]) -> tuple[str, ...]:
    """One warning for all log groups (or regions) of which the same is to be said, each named once."""
    places: dict[str, dict[str, None]] = {}
    for warning in warnings:
        place, text = warning.split(": ", 1)
        places.setdefault(text, {})[place] = None
    return tuple(f"{listed(names)}: {text}" for text, names in places.items())


def goes_by_itself(found: SubscriptionFilter, region: Region) -> bool:
    """Whether Datadog takes the filter out, as its Forwarder leaves log collection."""
    return found.name.startswith(AUTOMATIC_PREFIX) and found.destination_arn in region.leaving


def double_delivery(group: Group, region: Region) -> Plan:
    """Warns where the Extension and a filter both deliver the logs of a function."""
    filters = region.lane.filters.get(group.name)
    if not group.through_extension or not filters or isinstance(filters, Unreadable):
        return Plan()
    if region.answers.via == "extension" and not region.answers.logs:
        return Plan()
    return Plan(
        warnings=tuple(
            f"{group.name}: its logs reach Datadog twice, through the Extension and by a filter to "
            f"{f.destination_arn}"
            for f in filters
            if classify(f, region.forwarders) != "foreign"
            and not goes_by_itself(f, region)
            and not f.name.startswith(OWN_PREFIX)
        )
    )


def region_warnings(region: Region) -> tuple[str, ...]:
    """What is to be said of all log groups of a region."""
    place, answers = region.at.region, region.answers
    warnings = []
    theirs = _theirs(region)
    doubles = any(each.destination_arn != region.choice.arn or region.triggered for each in theirs)
    if doubles and answers.forwards:
        warnings.append(
            f"{place}: an account-level subscription policy sends all log groups to Datadog; "
            "together with the Forwarder's filters every line may arrive twice"
        )
    if answers.via == "extension" and answers.logs and _of_shipped(region):
        warnings.append(
            f"{place}: an account-level subscription policy sends all log groups to Datadog; with the logs "
            "that the Extension sends every line arrives twice: --no-logs keeps one way"
        )
    if region.unreadable and answers.forwards and not answers.datadog_subscribes:
        unknown = cannot_see("whether Datadog subscribes log groups by itself", region.unreadable)
        warnings.append(f"{place}: {unknown}; if it does, every line arrives twice")
    return tuple(warnings)


def _of_shipped(region: Region) -> bool:
    """Whether such a policy takes in a log group whose lines the Extension sends, as far as that is known."""
    return any(
        policy.excluded is None or not region.shipped or any(map(policy.delivers, region.shipped))
        for policy in _theirs(region)
    )


def _theirs(region: Region) -> list[FilterPolicy]:
    """Account-level policies that seem to lead to Datadog; without those of ddsetup's, which go when another
    way is chosen."""
    return [
        policy
        for policy in region.policies
        if not policy.own and "datadog" in f"{policy.state.name}{policy.state.document}".lower()
    ]
