"""The kinds of resources that ddsetup makes and changes, one row each.

What a resource of a kind is made of is its state (`model/states`); who writes it is in `apply/writers`. The
action names are those of the AWS Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the options are made of these rows, and must be there at once
    from ddsetup.model.answers import Answers
    from ddsetup.model.change import Action, Outcome


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement of `ddsetup policy`, named `sid`: `actions`, or else what writing the kind takes.

    `on` are ARNs from the service on, in which `{place}` stands for region and account, and `{name}` for each
    that was chosen.
    """

    sid: str
    on: tuple[str, ...]
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `one` and `many` are what people call it; `step` has it in permissions.

    `create`, `update` and `delete` are the IAM actions that takes; none for what is Datadog's. `foundation`:
    without it no data arrives, so that leaving one out is not the same as skipping a function. `shared`:
    later runs rely on it.

    `looks` are statements by which it is looked at, `grants` those by which it is written, if that `field` of
    the answers is set (empty: always). None where more has to be known (`plan/policy`).
    """

    one: str
    many: str = ""
    step: str = ""
    create: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    foundation: bool = False
    shared: bool = False
    looks: tuple[Grant, ...] = ()
    grants: tuple[Grant, ...] = ()
    field: str = ""

    def of(self, action: Action) -> tuple[str, ...]:
        """What an action takes."""
        return {"create": self.create, "update": self.update, "delete": self.delete}[action]

    @property
    def writes(self) -> bool:
        """Whether it is written to AWS."""
        return bool(self.create or self.update or self.delete)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Kind):
    """A kind of another service, of which people choose what is there (`model/services`).

    The option has the kind's name and a `metavar`; what is given is an `example`, of the `form` (a pattern)
    or, where it begins with `arn:`, an ARN of that service, resource and example. `question` and `why` are
    asked, `title` is over the answer; it matters if one of `signals` is wanted. `existing` are names for one
    and many in sentences. `sources` are the log sources of Datadog that are collected then, and older names
    of it; `service` is its name among those with metrics; `bills` is what AWS charges.
    """

    metavar: str
    help: str
    example: str
    question: str
    why: str
    title: str
    existing: tuple[str, str]
    sources: tuple[str, ...]
    service: str
    bills: str
    signals: tuple[str, ...] = ("logs",)
    form: str = ""
    arn: tuple[str, str, str] | None = None


PUT_FILTER = ("logs:PutSubscriptionFilter",)
PUT_POLICY = ("logs:PutAccountPolicy", *PUT_FILTER)
"""CloudWatch Logs API reference, `PutAccountPolicy`: a policy of subscription filters takes both."""
TAG = ("tag:TagResources", "lambda:TagResource", "lambda:ListTags")
UNTAG = ("tag:UntagResources", "lambda:UntagResource", "lambda:ListTags")
DELIVER_LOGS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""What the role of a state machine needs to log (AWS Step Functions developer guide, "Logging using
CloudWatch Logs"), and what whoever sets the access logs of an HTTP API needs (API Gateway developer guide,
"Configure logging for HTTP APIs")."""
_API_PATHS = ("account", "apis", "apis/*/stages*", "restapis", "restapis/*/stages*")
_TAG_STATES = ("states:ListTagsForResource", "states:TagResource", "states:UntagResource")

KINDS: Mapping[str, Kind] = {
    "iam_role": Kind(
        one="IAM role",
        step="integration",
        create=("iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy"),
        update=("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:UpdateAssumeRolePolicy"),
        delete=("iam:DeleteRole", "iam:DeleteRolePolicy"),
        foundation=True,
        shared=True,
    ),
    "integration": Kind(
        one="integration of account", many="integrations of accounts", foundation=True, shared=True
    ),
    "log_collection": Kind(
        one="log collection of account", many="log collections of accounts", foundation=True
    ),
    "secret": Kind(
        one="secret",
        step="forwarder",
        create=(
            "secretsmanager:CreateSecret",
            "secretsmanager:TagResource",
            "secretsmanager:RestoreSecret",
            "secretsmanager:PutSecretValue",
        ),
        delete=("secretsmanager:DeleteSecret",),
        foundation=True,
        shared=True,
    ),
    "stack": Kind(
        one="stack",
        step="forwarder",
        create=("cloudformation:CreateStack",),
        update=("cloudformation:UpdateStack",),
        delete=("cloudformation:DeleteStack", "cloudformation:ListStackResources"),
        foundation=True,
        shared=True,
    ),
    "function": Kind(one="function", step="instrument", update=("lambda:UpdateFunctionConfiguration",)),
    "alias": Kind(
        one="alias",
        many="aliases",
        step="instrument",
        update=("lambda:GetAlias", "lambda:PublishVersion", "lambda:UpdateAlias"),
    ),
    "function_tags": Kind(
        one="tags of function",
        many="tag sets of functions",
        step="instrument",
        create=TAG,
        update=(*TAG, *UNTAG),
        delete=UNTAG,
    ),
    "role_policy": Kind(
        one="policy on role",
        many="policies on roles",
        step="instrument",
        create=("iam:PutRolePolicy",),
        update=("iam:PutRolePolicy",),
        delete=("iam:DeleteRolePolicy",),
    ),
    "intake_mapping": Kind(one="intake mapping of role", many="intake mappings of roles", shared=True),
    "log_group": Kind(
        one="log group",
        step="subscriptions",
        create=("logs:CreateLogGroup",),
        delete=("logs:DeleteLogGroup", "logs:DescribeLogStreams"),
    ),
    "subscription_filter": Kind(
        one="subscription filter",
        step="subscriptions",
        create=PUT_FILTER,
        update=(*PUT_FILTER, "logs:DeleteSubscriptionFilter"),
        delete=("logs:DeleteSubscriptionFilter",),
    ),
    "account_policy": Kind(
        one="account policy",
        many="account policies",
        step="subscriptions",
        create=PUT_POLICY,
        update=PUT_POLICY,
        delete=("logs:DeleteAccountPolicy", "logs:DeleteSubscriptionFilter"),
        foundation=True,
        shared=True,
    ),
    "state_machine": Chosen(
        one="state machine",
        step="sources",
        update=("states:UpdateStateMachine", *_TAG_STATES),
        looks=(Grant("StateMachines", ("states:{place}:stateMachine:*",), ("states:DescribeStateMachine",)),),
        grants=(Grant("StateMachinesChosen", ("states:{place}:stateMachine:{name}",)),),
        field="state_machines",
        metavar="NAME",
        help="Step Functions: log everything of this state machine and trace it; a name, ARN or glob, "
        "or all; repeatable.",
        example="checkout",
        arn=("states", "stateMachine:", "arn:aws:states:eu-west-1:123456789012:stateMachine:checkout"),
        question="Which state machines should log everything, for logs and traces in Datadog?",
        why="Their log then holds the inputs and outputs of executions; AWS and Datadog bill what is logged.",
        title="State machines that log",
        existing=("state machine", "state machines"),
        sources=("states", "stepfunctions"),
        service="stepfunctions",
        bills="what state machines log, as vended logs",
        signals=("logs", "traces"),
    ),
    "api_stage": Chosen(
        one="API stage",
        step="sources",
        update=("apigateway:PATCH", "apigateway:DELETE"),
        # API Gateway's ARNs name neither an account nor an API (AWS Service Authorization Reference). Keys of
        # APIs, which GET shows too, are left out; regions are to keep within the length of a policy.
        looks=(Grant("Apis", tuple(f"apigateway:*::/{path}" for path in _API_PATHS), ("apigateway:GET",)),),
        grants=(
            Grant("ApiStages", ("apigateway:*::/apis/*/stages/*", "apigateway:*::/restapis/*/stages/*")),
            Grant("ApiLogDelivery", ("*",), DELIVER_LOGS),
        ),
        field="api_stages",
        metavar="API/STAGE",
        help="API Gateway: access logs of this stage; the API by name or id, globs, or all; repeatable.",
        example="shop/prod",
        form="[^/]+/[^/]+",
        question="Which stages of APIs should write access logs?",
        why="One line a request, in Datadog's format; stages that have access logs keep them as they are.",
        title="API stages that log",
        existing=("stage of an API", "stages of APIs"),
        sources=("apigw-access-logs",),
        service="apigateway",
        bills="access logs of APIs",
    ),
    "metric_tags": Kind(one="tags of metric", many="tag sets of metrics"),
    "monitor": Kind(one="monitor"),
    "slo": Kind(one="service level objective"),
    "dashboard": Kind(one="dashboard"),
}

CHOSEN: Mapping[str, Chosen] = {kind: row for kind, row in KINDS.items() if isinstance(row, Chosen)}


def chosen_of(answers: Answers, kind: str) -> tuple[str, ...]:
    """What chooses those of a kind of another service."""
    patterns: tuple[str, ...] = getattr(answers, CHOSEN[kind].field)
    return patterns


def sources_of(answers: Answers) -> tuple[str, ...]:
    """The log sources, and older names of them, that what is chosen brings along."""
    return tuple(source for kind in CHOSEN if chosen_of(answers, kind) for source in CHOSEN[kind].sources)


def kind_name(kind: str, number: int = 1) -> str:
    """What people call so many resources of a kind."""
    row = KINDS.get(kind) or Kind(one=kind.replace("_", " "))
    return row.one if number == 1 else row.many or f"{row.one}s"


def is_foundation(kind: str) -> bool:
    """Whether no data arrives without resources of this kind."""
    return kind in KINDS and KINDS[kind].foundation


def exit_code_of(outcomes: tuple[Outcome, ...]) -> int:
    """0 if nothing failed, 1 if nothing of what was tried could be done, 5 if some could.

    A function that is skipped has not failed; a foundation that had to be left out has.
    """
    failed = [
        o
        for o in outcomes
        if o.status in ("failed", "changed_since")
        or (o.status == "skipped" and is_foundation(o.resource.kind))
    ]
    if not failed:
        return 0
    return 5 if any(o.status == "applied" for o in outcomes) else 1
