"""Log groups and their subscription filters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddsetup.facts.account_policies import wanted_policy
from ddsetup.model.states import AccountPolicyState, FilterState, LogGroupState, State
from tests.in_full.written.case import DENIED, GONE, Case, Refusal

GROUP = LogGroupState(name="/g")


def a_group(before: State | None, after: State | None, **answers: Any) -> Case:
    return Case("log_group", "/g", before, after, answers)


def listed(*filters: Mapping[str, Any]) -> list[Any]:
    return [{"subscriptionFilters": [{"logGroupName": "/g", **each} for each in filters]}]


def as_listed(state: FilterState, **over: Any) -> dict[str, Any]:
    pairs = {"filterName": state.name, "destinationArn": state.destination_arn, **over}
    return {"filterPattern": state.pattern, **pairs}


AUTOMATIC = "DD_LOG_SUBSCRIPTION_FILTER_/g"
GROUPS = {
    "made": a_group(None, GROUP),
    "made, there": a_group(None, GROUP, CreateLogGroup=[("ResourceAlreadyExistsException", "x", 400)]),
    "deleted": a_group(GROUP, None),
    "deleted, gone": a_group(GROUP, None, DeleteLogGroup=[GONE]),
    "deleted, gone before": a_group(GROUP, None, DescribeLogStreams=[GONE]),
    "deleted, with logs": a_group(GROUP, None, DescribeLogStreams=[{"logStreams": [{"logStreamName": "s"}]}]),
    "deleted, not to be seen": a_group(GROUP, None, DescribeLogStreams=[DENIED]),
    "deleted, with a filter": a_group(GROUP, None, DescribeSubscriptionFilters=listed({"filterName": "x"})),
    "deleted, with datadog's": a_group(
        GROUP, None, DescribeSubscriptionFilters=listed({"filterName": AUTOMATIC})
    ),
    "deleted, filters not to be seen": a_group(GROUP, None, DescribeSubscriptionFilters=[DENIED]),
    "nothing": a_group(None, None),
}
OWN = FilterState(log_group="/g", name="ddsetup-fwd", destination_arn="arn:f")
THEIRS = FilterState(log_group="/g", name="audit", destination_arn="arn:k", pattern="ERROR", role_arn="arn:r")
WHOLE = replace(
    THEIRS,
    distribution="Random",
    apply_on_transformed_logs=True,
    emit_system_fields=("@a", "@b"),
    field_selection_criteria="c",
)
REFUSED_TARGET: Refusal = ("InvalidParameterException", "Could not execute the lambda function", 400)


def a_filter(before: State | None, after: State | None, live: list[Any], **answers: Any) -> Case:
    answers = {"DescribeSubscriptionFilters": live, **answers}
    return Case("subscription_filter", f"/g:{(after or before or OWN).name}", before, after, answers)  # type: ignore[union-attr]


FILTERS = {
    "put": a_filter(None, OWN, listed()),
    "put, as it is": a_filter(None, OWN, listed(as_listed(OWN, distribution="ByLogStream"))),
    "put, another of that name": a_filter(None, OWN, listed(as_listed(OWN, destinationArn="arn:x"))),
    "put, not to be seen": a_filter(None, OWN, [DENIED]),
    "put, not to be invoked yet": a_filter(None, OWN, listed(), PutSubscriptionFilter=[REFUSED_TARGET, {}]),
    "put, never to be invoked": a_filter(None, OWN, listed(), PutSubscriptionFilter=[REFUSED_TARGET]),
    "put back": a_filter(None, WHOLE, listed()),
    "put back into a full group": a_filter(
        None, THEIRS, listed({"filterName": "x"}, {"filterName": AUTOMATIC})
    ),
    "put back, datadog's gone meanwhile": a_filter(
        None, THEIRS, listed({"filterName": "x"}, {"filterName": AUTOMATIC}), DeleteSubscriptionFilter=[GONE]
    ),
    "put back into a group full of others": a_filter(
        None, THEIRS, listed({"filterName": "x"}, {"filterName": "y"})
    ),
    "put back beside datadog's": a_filter(None, THEIRS, listed({"filterName": AUTOMATIC})),
    "changed": a_filter(THEIRS, WHOLE, listed(as_listed(THEIRS, roleArn="arn:r"))),
    "changed, gone": a_filter(THEIRS, WHOLE, listed()),
    "changed, in every field": a_filter(
        WHOLE, THEIRS, listed({"filterName": "audit", "destinationArn": "arn:z", "filterPattern": "x"})
    ),
    "deleted": a_filter(OWN, None, listed(as_listed(OWN))),
    "deleted, gone": a_filter(OWN, None, listed(as_listed(THEIRS))),
    "deleted, changed": a_filter(OWN, None, listed(as_listed(OWN, roleArn="arn:r"))),
    "nothing": a_filter(None, None, listed()),
}


WHOLE_ACCOUNT = wanted_policy("arn:aws:lambda:eu-west-1:1:function:f", ("/own",))
FEWER = wanted_policy("arn:aws:lambda:eu-west-1:1:function:f", ("/own", "/other"))
BOTH = "DescribeAccountPolicies"


def policies(*states: AccountPolicyState) -> list[Any]:
    """As CloudWatch Logs tells them, the JSON written in another way."""
    listed = [
        {
            "policyName": state.name,
            "policyDocument": json.dumps(json.loads(state.document), indent=1, sort_keys=True),
            "selectionCriteria": state.selection.replace(" IN ", "  IN  "),
        }
        for state in states
    ]
    return [{"accountPolicies": listed}]


def a_policy(before: State | None, after: State | None, live: list[Any], **answers: Any) -> Case:
    return Case("account_policy", WHOLE_ACCOUNT.name, before, after, {BOTH: live, **answers})


ELSE = replace(WHOLE_ACCOUNT, name="splunk")
ACCOUNT_POLICIES = {
    "put": a_policy(None, WHOLE_ACCOUNT, policies()),
    "put beside another": a_policy(
        None, WHOLE_ACCOUNT, policies(ELSE), PutAccountPolicy=[("LimitExceededException", "one", 400)]
    ),
    "put, as it is": a_policy(None, WHOLE_ACCOUNT, policies(ELSE, WHOLE_ACCOUNT)),
    "put, another of that name": a_policy(None, WHOLE_ACCOUNT, policies(FEWER)),
    "put, not to be seen": a_policy(None, WHOLE_ACCOUNT, [DENIED]),
    "put, not to be invoked yet": a_policy(
        None, WHOLE_ACCOUNT, policies(), PutAccountPolicy=[REFUSED_TARGET, {}]
    ),
    "changed": a_policy(WHOLE_ACCOUNT, FEWER, policies(WHOLE_ACCOUNT)),
    "changed already": a_policy(WHOLE_ACCOUNT, FEWER, policies(FEWER)),
    "changed, gone": a_policy(WHOLE_ACCOUNT, FEWER, policies(ELSE)),
    "changed, differs": a_policy(WHOLE_ACCOUNT, FEWER, policies(replace(WHOLE_ACCOUNT, selection=""))),
    "deleted": a_policy(WHOLE_ACCOUNT, None, policies(WHOLE_ACCOUNT)),
    "deleted, gone": a_policy(WHOLE_ACCOUNT, None, policies()),
    "deleted, gone meanwhile": a_policy(
        WHOLE_ACCOUNT, None, policies(WHOLE_ACCOUNT), DeleteAccountPolicy=[GONE]
    ),
    "deleted, differs": a_policy(WHOLE_ACCOUNT, None, policies(FEWER)),
    "no policy": a_policy(GROUP, None, policies()),
}
