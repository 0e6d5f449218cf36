"""The least IAM policy for what is about to be done, limited to resources wherever AWS allows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.facts import permissions, stack_access
from ddsetup.facts.firehose import STACK as LOG_STREAM
from ddsetup.facts.iam_documents import MANAGED_LIMIT, size
from ddsetup.facts.kinds import KINDS, sources_of
from ddsetup.facts.metric_streams import STACK as METRIC_STREAM
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.model.answers import Answers
from ddsetup.model.change import Action
from ddsetup.model.errors import UsageError
from ddsetup.plan.policy_delivery import Made, delivery_statements, durable_statements
from ddsetup.plan.policy_forwarder import stack_statements
from ddsetup.plan.policy_keep import install_statements
from ddsetup.plan.policy_scope import Scope, s3_object
from ddsetup.plan.steps.api_key import keeps_secret, needs_secret
from ddsetup.plan.steps.durable import TEMPLATE

COMMANDS = (
    "setup",
    "plan",
    "apply",
    "verify",
    "invoke",
    "status",
    "doctor",
    "undo",
    "uninstrument",
    "teardown",
    "keep",
)
"""What a policy can be made for. "invoke" is what `verify --invoke` needs besides "verify"; "keep" is for
`keep apply`, and for `keep check` with it."""


INSTALL = "keep-install"
"""For `keep install`, `keep status` and `keep uninstall`: a policy of its own, with rights that few have."""
_KEY_STORES = {"secret": "secretsmanager.*.amazonaws.com", "ssm": "ssm.*.amazonaws.com"}
_SETTING_UP = frozenset({"setup", "apply"})
_LOOKING = frozenset((*COMMANDS, INSTALL)) - {"invoke"}
_INVERSE: Mapping[Action, Action] = {"create": "delete", "update": "update", "delete": "create"}


def least_policy(
    answers: Answers,
    partition: str,
    accounts: Sequence[str],
    regions: Sequence[str],
    commands: Iterable[str] = ("setup", "undo"),
    execution_roles: Sequence[str] = (),
) -> Json:
    """The policy document, for an IAM user or role in each of `accounts`.

    Regions are named as long as that fits into a managed policy. `execution_roles` are the ARNs of the roles
    of the functions meant, where they are known: with them the right to let functions read the API key
    (Extension mode) is limited to these. Raises UsageError for a command that is none of `COMMANDS`, nor
    `INSTALL`.
    """
    wanted = frozenset(commands)
    for command in sorted(wanted - {*COMMANDS, INSTALL}):
        raise UsageError(f"no policy for {command!r}", fix=f"one of: {', '.join((*COMMANDS, INSTALL))}")
    if "teardown" in wanted:
        # It takes away what setup makes, and takes Datadog out of functions.
        wanted |= {"undo", "uninstrument"}
    if "keep" in wanted:
        wanted |= {"setup", "uninstrument"} if answers.prune else {"setup"}
    number = accounts[0] if len(accounts) == 1 else "*"
    document = _document(Scope(answers, partition, number, tuple(regions)), wanted, execution_roles)
    if size(document) > MANAGED_LIMIT:
        document = _document(Scope(answers, partition, number, ()), wanted, execution_roles)
    return document if size(document) <= MANAGED_LIMIT else _folded(document)


def _folded(document: Json) -> Json:
    """The same in fewer bytes: the plain statements on all resources are one, under all their names."""
    every = [s for s in document["Statement"] if s["Resource"] == "*" and "Condition" not in s]
    rest = [s for s in document["Statement"] if s not in every]
    actions = {action for each in every for action in each["Action"]}
    one = statement("".join(each["Sid"] for each in every), tuple(actions), ("*",))
    return {**document, "Statement": [one, *rest] if every else rest}


def _document(scope: Scope, wanted: frozenset[str], execution_roles: Sequence[str]) -> Json:
    partition = scope.partition
    roles = tuple(sorted(set(execution_roles))) or (f"arn:{partition}:iam::{scope.account}:role/*",)
    statements = (
        *_looking(scope, wanted),
        *_integration(scope, wanted),
        *_forwarder(scope, wanted),
        *_durable(scope, wanted),
        *_own_streams(scope, wanted),
        *_secret(scope, wanted),
        *_customer_keys(scope, wanted),
        *_functions(scope, wanted),
        *_key_access(scope, wanted, roles),
        *_subscriptions(scope, wanted),
        *_by_rows(scope, wanted),
        *_groups_of_services(scope, wanted),
        *_doctor(scope, wanted, roles),
        *(install_statements(scope) if INSTALL in wanted else ()),
    )
    return {"Version": "2012-10-17", "Statement": [s for s in statements if s["Action"]]}


def state_statements(bucket: str, prefix: str, partition: str, *, making: bool = False) -> Json:
    """What a shared state takes: its bucket, and objects under its prefix. `making`: the bucket, too."""
    arn = f"arn:{partition}:s3:::{bucket}"
    made = ("s3:CreateBucket", "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning") if making else ()
    objects = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
    return [
        statement("State", ("s3:ListBucket", *made), (arn,)),
        statement("StateObjects", objects, (f"{arn}/{prefix}*",)),
    ]


def required_actions(answers: Answers) -> tuple[str, ...]:
    """Every IAM action that a setup with these answers may need, sorted."""
    document = least_policy(answers, "aws", ("*",), answers.regions, ("setup",))
    return tuple(sorted({action for s in document["Statement"] for action in s["Action"]}))


def _looking(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    if wanted & _LOOKING:
        yield statement("Look", permissions.LOOK, ("*",))
        yield statement("MetricStreams", permissions.LOOK_AT_STREAM, scope.metric_streams())
    if "invoke" in wanted:
        yield statement("Invoke", ("lambda:InvokeFunction",), scope.functions())


def _actions(kind: str, wanted: frozenset[str], setting_up: Iterable[Action]) -> tuple[str, ...]:
    """What these commands need for one kind of resource, if setting up does `setting_up` to it."""
    writes, done = permissions.WRITES[kind], tuple(setting_up)
    actions = [a for each in done for a in writes.of(each)] if wanted & _SETTING_UP else []
    actions += [a for each in done for a in writes.of(_INVERSE[each])] if "undo" in wanted else []
    return tuple(actions)


def _integration(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    if not wanted & _LOOKING:
        return
    writes = _actions("iam_role", wanted, ("create", "update"))
    if scope.answers.resource_collection and writes:
        writes += permissions.ATTACH
    yield statement("Integration", (*permissions.LOOK_AT_ROLE, *writes), scope.role())
    if scope.answers.resource_collection:
        made = permissions.MAKE_POLICY if wanted & _SETTING_UP else ()
        gone = permissions.DELETE_POLICY if writes else ()
        actions = (*permissions.LOOK_AT_POLICY, *made, *gone)
        yield statement("ResourceCollection", actions, scope.collection_policies())


def _deploys(answers: Answers) -> bool:
    """Whether a Forwarder may have to be deployed or changed."""
    covered = {arn.split(":")[3] for arn in answers.forwarder_arns if arn.count(":") >= 6}
    if answers.via == "extension" or set(answers.regions) <= covered:
        return answers.forwarder_upgrade and bool(answers.forwarder_arns)
    return True


def _forwarder(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    setting_up, undoing = bool(wanted & _SETTING_UP), "undo" in wanted
    if not _deploys(scope.answers) or not (setting_up or undoing):
        return
    done: tuple[Action, ...] = ("create", "update")
    # The remains of a failed creation are deleted before the next one.
    actions = (*_actions("stack", wanted, done), *permissions.WRITES["stack"].delete)
    actions += permissions.LOOK_AT_EVENTS + permissions.TAG_STACK
    yield statement("Forwarder", actions, scope.stack())
    changing = scope.answers.forwarder_upgrade or undoing
    yield from stack_statements(scope, making=setting_up, changing=changing)
    template = scope.template()
    if template and setting_up:
        yield statement("ForwarderTemplate", ("s3:GetObject",), template)


def _durable(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    answers = scope.answers
    if not answers.durable_events or answers.via != "extension" or not wanted & (_SETTING_UP | {"undo"}):
        return
    making = bool(wanted & _SETTING_UP)
    yield from durable_statements(scope, making=making)
    if making:
        # CloudFormation puts the key into the delivery stream in the caller's name.
        key = scope.secret() if keeps_secret(answers) else (answers.key_source.value,)
        action = "ssm:GetParameters" if answers.key_source.kind == "ssm" else "secretsmanager:GetSecretValue"
        yield statement("DurableKey", (action,) if key[0].startswith("arn:") else (), key)
        yield statement("DurableTemplate", ("s3:GetObject",), s3_object(_template(answers), scope.partition))


def _own_streams(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    """The stacks with delivery streams of ddsetup's own; CloudFormation reads the key in the caller's name,
    too."""
    answers, making = scope.answers, bool(wanted & _SETTING_UP)
    if not making and "undo" not in wanted:
        return
    for made, meant in (
        (Made("LogStream", LOG_STREAM, stack_access.LOG_STREAM_TEMPLATE), answers.streams_logs),
        (
            Made("MetricStream", METRIC_STREAM, stack_access.METRIC_STREAM_TEMPLATE),
            answers.metrics == "stream",
        ),
    ):
        if meant:
            yield from delivery_statements(made, scope, making=making)
            if making and answers.key_source.kind in ("secret", "wif"):
                key = scope.secret() if keeps_secret(answers) else (answers.key_source.value,)
                yield statement(f"{made.sid}Key", ("secretsmanager:GetSecretValue",), key)


def _template(answers: Answers) -> str:
    return answers.durable_template_url or TEMPLATE


def _secret(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    if not wanted & _LOOKING:
        return
    source = scope.answers.key_source
    if needs_secret(scope.answers):
        writes = _actions("secret", wanted, ("create", "delete") if scope.answers.prune else ("create",))
        yield statement("ApiKeySecret", (*permissions.LOOK_AT_SECRET, *writes), scope.secret())
    elif source.kind == "secret" and source.value.startswith("arn:"):
        reads = (*permissions.LOOK_AT_SECRET, "secretsmanager:GetSecretValue")
        # The ARN may have been given without the six characters that Secrets Manager adds.
        yield statement("ApiKeySecret", reads, (f"{source.value}*",))
    elif source.kind == "ssm" and source.value.startswith("arn:"):
        yield statement("ApiKeyParameter", ("ssm:GetParameter",), (source.value,))


def _customer_keys(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    """The KMS key of the customer's own with which an API key of theirs may be encrypted.

    AWS's own keys need no right. Which key it is is not known here, so this is limited to what the service
    that keeps the API key asks in one's name (KMS developer guide, "kms:ViaService").
    """
    source = scope.answers.key_source
    if wanted & _LOOKING and source.value and source.kind in _KEY_STORES:
        condition = {"StringLike": {"kms:ViaService": _KEY_STORES[source.kind]}}
        yield statement("ApiKeyDecrypt", permissions.DECRYPT, scope.keys(), condition)


def _functions(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    if not wanted & _LOOKING:
        return
    changing = wanted | {"setup"} if "uninstrument" in wanted else wanted
    tags: tuple[Action, ...] = ("create", "update", "delete")
    tagging = _actions("function_tags", changing, tags)
    on_function = [a for a in tagging if a.startswith("lambda:")]
    writes = _actions("function", changing, ("update",))
    if scope.answers.publish:
        writes += (*_actions("alias", changing, ("update",)), *permissions.LOOK_AT_PROVISIONED)
    yield statement("Functions", (*permissions.LOOK_AT_FUNCTION, *writes, *on_function), scope.functions())
    yield statement("FunctionTags", tuple(a for a in tagging if a not in on_function), ("*",))
    yield statement("Layers", permissions.LOOK_AT_LAYER, scope.layers())


def _by_rows(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    """What the table of kinds says of looking at them, and of changing those that are wanted."""
    for row in KINDS.values():
        for each in row.looks if wanted & _LOOKING else ():
            yield statement(each.sid, each.actions, scope.granted(each.on))
    for kind, row in KINDS.items():
        meant = getattr(scope.answers, row.field) if row.field else True
        names = tuple("*" if name == "all" else name for name in meant) if isinstance(meant, tuple) else ()
        writes = _actions(kind, wanted, ("create", "update")) if row.grants and meant else ()
        for each in row.grants if writes else ():
            yield statement(each.sid, each.actions or writes, scope.granted(each.on, names))


def _groups_of_services(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    """The log groups of state machines and stages, unless the rights on the functions' log groups do."""
    answers = scope.answers
    ours = answers.forwards and answers.create_log_groups
    if sources_of(answers) and not ours:
        groups = _log_groups(answers, wanted)
        if answers.via == "extension" or answers.subscribe == "direct":
            groups += _actions("subscription_filter", wanted, ("create",))
        yield statement("SourceLogGroups", groups, scope.log_groups())


def _log_groups(answers: Answers, wanted: frozenset[str]) -> tuple[str, ...]:
    """What making log groups takes, with the tags that were asked for."""
    tags = permissions.TAG_LOG_GROUP if answers.resource_tags and wanted & _SETTING_UP else ()
    return (*_actions("log_group", wanted, ("create",)), *tags)


def _doctor(scope: Scope, wanted: frozenset[str], roles: tuple[str, ...]) -> Iterable[Json]:
    """What the doctor reads besides: how the Forwarder does, telling logs, roles of silent functions."""
    if "doctor" not in wanted:
        return
    yield statement("DoctorFunctions", permissions.LOOK_AT_HEALTH, scope.functions() + scope.forwarder())
    yield statement("DoctorLogs", permissions.LOOK_AT_LOGS, scope.log_groups())
    if not (wanted & _SETTING_UP and scope.answers.resource_collection):
        # A policy of everything has no room for it; the doctor then says that it may not look.
        streams = scope.named("firehose", "deliverystream/*")
        yield statement("DoctorDeliveries", permissions.LOOK_AT_DELIVERIES, streams)
    if not _key_writes(scope, wanted):
        yield statement("DoctorRoles", permissions.LOOK_AT_ROLE, roles)
    if needs_secret(scope.answers):
        yield statement("DoctorKey", permissions.LOOK_AT_KEY, scope.secret())


def _key_writes(scope: Scope, wanted: frozenset[str]) -> tuple[str, ...]:
    """What is done to the policies by which functions read the key."""
    answers = scope.answers
    granting = answers.via == "extension" and answers.grant_key_access and answers.key_source.kind != "kms"
    writes = _actions("role_policy", wanted, ("create", "update")) if granting else ()
    if "uninstrument" in wanted:
        # Whichever way the functions report that Datadog is taken out of.
        writes += permissions.WRITES["role_policy"].delete
        writes += permissions.WRITES["role_policy"].create if "undo" in wanted else ()
    return writes


def _key_access(scope: Scope, wanted: frozenset[str], roles: tuple[str, ...]) -> Iterable[Json]:
    writes = _key_writes(scope, wanted)
    if writes:
        looks = permissions.LOOK_AT_ROLE if "doctor" in wanted else permissions.LOOK_AT_KEY_ACCESS
        yield statement("KeyAccess", (*looks, *writes), roles)


def _account_policy(scope: Scope, wanted: frozenset[str]) -> tuple[str, ...]:
    """The policy for all log groups, where one is wanted: it takes a right that is about everything, and one
    that is about each log group."""
    answers = scope.answers
    putting = answers.subscribe == "account" and (answers.forwards or answers.streams_logs)
    done: tuple[Action, ...] = ("create", "update") if putting else ()
    writes = _actions("account_policy", wanted, done)
    if putting and ("uninstrument" in wanted or answers.on_conflict == "replace"):
        writes += permissions.WRITES["account_policy"].delete
    return writes


def _subscriptions(scope: Scope, wanted: frozenset[str]) -> Iterable[Json]:
    if not wanted & _LOOKING:
        return
    answers = scope.answers
    filters: list[Action] = ["create"] if answers.forwards and answers.subscribe == "direct" else []
    replaces = bool({"replace", "ask"} & {answers.on_conflict, *answers.conflicts.values()})
    filters += ["delete"] if replaces else []
    writes = _actions("subscription_filter", wanted, filters)
    if answers.datadog_subscribes and "undo" in wanted:
        # Filters that Datadog made for a Forwarder outlive its registration.
        writes += permissions.WRITES["subscription_filter"].delete
    if "uninstrument" in wanted:
        writes += permissions.WRITES["subscription_filter"].delete
        writes += permissions.WRITES["subscription_filter"].create if "undo" in wanted else ()
    if answers.create_log_groups and answers.forwards:
        writes += _log_groups(answers, wanted)
    everywhere = _account_policy(scope, wanted)
    writes += tuple(action for action in everywhere if action.endswith("SubscriptionFilter"))
    yield statement("Subscriptions", (*permissions.LOOK_AT_FILTERS, *writes), scope.log_groups())
    yield statement("AccountPolicy", tuple(a for a in everywhere if a not in writes), ("*",))
    logs_only = {"StringEquals": {"iam:PassedToService": "logs.amazonaws.com"}}
    if answers.streams_logs and "logs:PutAccountPolicy" in everywhere:
        role = f"arn:{scope.partition}:iam::{scope.account}:role{answers.role_path}{LOG_STREAM}-*"
        yield statement("LogStreamToLogs", ("iam:PassRole",), (role,), logs_only)
    if replaces and "logs:PutSubscriptionFilter" in writes:
        # Putting back a filter to Kinesis or Firehose hands its role to CloudWatch Logs.
        roles = (f"arn:{scope.partition}:iam::{scope.account}:role/*",)
        yield statement("SubscriptionRoles", ("iam:PassRole",), roles, logs_only)
