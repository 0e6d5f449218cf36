"""Looking at everything that a run depends on, as fast as the slowest quota allows.

Reads that do not depend on each other overlap, across regions too; the gateways' token buckets keep the pace.
What cannot be read becomes an `Unreadable` in the snapshot; only missing credentials end an observation.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from ddsetup.facts.edge import EDGE_SERVICE
from ddsetup.facts.edge import REGION as EDGE_REGION
from ddsetup.facts.forwarders import Tags, find_forwarders
from ddsetup.facts.kinds import CHOSEN
from ddsetup.facts.ownership import INSTRUMENTATION_RULE
from ddsetup.gateways.aws import functions, logs, metrics, roles, rules, secrets, stacks, tags
from ddsetup.gateways.aws.metric_streams import datadogs_streams
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog import catalogues
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import read_integration
from ddsetup.gateways.overlap import Jobs, Key, side_by_side
from ddsetup.model.account import Identity, Integration, Lane, Role, Secret, Unreadable
from ddsetup.model.snapshot import AccountSnapshot, DatadogSnapshot, LaneSnapshot, Snapshot
from ddsetup.model.states import SecretState
from ddsetup.observe.found import with_found
from ddsetup.observe.probe import Probe
from ddsetup.observe.services_read import source_reads
from ddsetup.plan.steps.api_key import SECRET_NAME, own_secrets_named, secret_name
from ddsetup.plan.steps.integration_role import STANDARD_POLICY
from ddsetup.plan.steps.namespaces import SERVICES

KnownTags: TypeAlias = Callable[[Lane], Tags | None]
"""The tags of functions by ARN, None where they have to be read. Called from worker threads."""
Progress: TypeAlias = Callable[[Lane, str], None]
"""Called from worker threads when a kind of resource of a lane has been read, with the field's name."""

_NOT_ASKED = Unreadable("aws_configuration_read", "Datadog was not asked", denied=False)
GLANCE = frozenset({"functions", "tags", "stacks", *(row.field for row in CHOSEN.values())})
"""The fields of a lane that tell how things are, without those that only a plan needs."""
STACKS_OF_FUNCTIONS = "stacks_of_functions"
"""In place of "stacks": where a lane has no functions, its stacks need not be known."""
AT_A_GLANCE = GLANCE - {"stacks"} | {STACKS_OF_FUNCTIONS}
METRIC_STREAMS = "metric_streams"
"""Those to Datadog, which are read in bulk only where they are named."""
_POLICIES = "account_filter_policies"
WAYS = frozenset({METRIC_STREAMS, _POLICIES})
"""The fields of a lane that tell of further ways to Datadog, whoever made them; where there are no functions
they are not read, as the stacks of functions are not."""
ROLE_BY_ITS_POLICY = "role_by_its_policy"
"""Of the integration's role only the policy that ddsetup gives it, as no more is needed where it has that."""
FOR_DRIFT = frozenset({"functions", "tags", "stacks", ROLE_BY_ITS_POLICY})
"""The fields of a lane that tell whether anything has moved away from what was set up."""
ABOUT_DRIFT = frozenset({"secrets", "datadog_rule", "edge_roles"})
"""Those that matter only where something has: without them, and without the role's other policies, no less is
told to have moved, but more."""


def observe(  # noqa: PLR0913 - where to look, and for what
    aws: Aws,
    dd: Callable[[], Datadog | None],
    identities: Sequence[Identity],
    lanes: Iterable[Lane],
    *,
    role_name: str,
    on_progress: Progress | None = None,
    fields: Container[str] | None = None,
    known_tags: KnownTags | None = None,
) -> Snapshot:
    """Everything that bulk calls show of these lanes, of their accounts, and of Datadog.

    `role_name` is the role to look for where Datadog names none. `dd` is asked for in the jobs that need it,
    as who signs in meanwhile has it late; where it gives None the integration is unreadable.
    `fields` of lanes besides which nothing is wanted (see `GLANCE`): the others stay empty. `known_tags` has
    the tags of a lane that need not be read.
    """
    wanted = tuple(lanes)
    jobs: Jobs = {("datadog", None, ""): lambda: _observe_datadog(dd())}
    policy = STANDARD_POLICY if fields is not None and ROLE_BY_ITS_POLICY in fields else ""
    for each in identities:
        jobs["account", None, each.account] = partial(_observe_account, aws, dd, each, role_name, policy)
    for lane in wanted:
        jobs |= _lane_jobs(aws, lane, on_progress, fields, known_tags)
    found = side_by_side(aws, jobs)
    accounts: dict[str, AccountSnapshot] = {e.account: found["account", None, e.account] for e in identities}
    snapshot = Snapshot(
        accounts=accounts,
        lanes={lane: _lane_snapshot(lane, found, accounts[lane.account].integration) for lane in wanted},
        datadog=found["datadog", None, ""],
        at=aws.clock.now(),
    )
    return observe_secrets(aws, snapshot) if fields is None or "secrets" in fields else snapshot


def observe_secrets(aws: Aws, snapshot: Snapshot) -> Snapshot:
    """Add the secrets of further sites, where something tells of any: functions, stacks, or the record."""
    recorded = {(r.account, r.region, r.id) for r in snapshot.applied or {} if r.kind == SecretState.KIND}
    jobs: Jobs = {}
    for lane, seen in snapshot.lanes.items():
        if isinstance(seen.secrets, Unreadable):
            continue
        names = {secret_name(seen, snapshot.datadog.site), *own_secrets_named(seen)}
        names |= {name for *at, name in recorded if at == [lane.account, lane.region]}
        jobs |= {
            ("secret", lane, name): partial(secrets.read_secret, aws, lane, name)
            for name in names - {SECRET_NAME, *seen.secrets}
        }
    found = side_by_side(aws, jobs) if jobs else {}
    lanes = dict(snapshot.lanes)
    for (_, at, name), secret in found.items():
        assert at is not None
        held = lanes[at].secrets
        if isinstance(secret, Unreadable):
            lanes[at] = replace(lanes[at], secrets=secret)
        elif secret is not None and not isinstance(held, Unreadable):
            lanes[at] = replace(lanes[at], secrets={**held, name: secret})
    return replace(snapshot, lanes=lanes) if found else snapshot


def with_roles(aws: Aws, snapshot: Snapshot) -> Snapshot:
    """The snapshot with all policies of the roles that are there."""
    jobs: Jobs = {
        ("role", None, number): partial(roles.read_role, aws, number, account.role.name)
        for number, account in snapshot.accounts.items()
        if isinstance(account.role, Role)
    }
    found = side_by_side(aws, jobs)
    accounts = {
        n: replace(a, role=found.get(("role", None, n), a.role)) for n, a in snapshot.accounts.items()
    }
    return replace(snapshot, accounts=accounts)


def with_tags(aws: Aws, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the tags of functions as they are now, and with the Forwarders that these show."""
    return with_found(with_fields(aws, snapshot, ("tags",)), {})


def with_fields(aws: Aws, snapshot: Snapshot, fields: Container[str]) -> Snapshot:
    """The snapshot with further `fields` of its lanes."""
    lanes = dict(snapshot.lanes)
    jobs = {key: job for lane in lanes for key, job in _lane_jobs(aws, lane, None, fields).items()}
    for (field, lane, _), read in side_by_side(aws, jobs).items():
        assert lane is not None
        lanes[lane] = replace(lanes[lane], **{field: read})
    snapshot = replace(snapshot, lanes=lanes)
    return observe_secrets(aws, snapshot) if "secrets" in fields else snapshot


def bulk_fields(aws: Aws, lane: Lane) -> tuple[str, ...]:
    """The fields of a lane that are read in bulk, by the names that `Progress` is called with."""
    return tuple(field for field, _, _ in _lane_jobs(aws, lane, None))


def _observe_account(
    aws: Aws, signing: Callable[[], Datadog | None], identity: Identity, role_name: str, policy: str
) -> AccountSnapshot:
    """The integration, the role that it names (or `role_name`; `policy` as `read_role` takes it), and what
    Datadog wants of that role."""
    dd = signing()
    integration = read_integration(dd, identity.account) if dd is not None else _NOT_ASKED
    named = integration.role_name if isinstance(integration, Integration) else None
    permissions, source = catalogues.permissions(dd) if dd is not None else ((), "bundled")
    return AccountSnapshot(
        identity=identity,
        integration=integration,
        role=roles.read_role(aws, identity.account, named or role_name, policy),
        permissions=permissions,
        permissions_source=source,
    )


def _lane_jobs(
    aws: Aws,
    lane: Lane,
    on_progress: Progress | None,
    fields: Container[str] | None = None,
    known_tags: KnownTags | None = None,
) -> Jobs:
    """One job for each of these fields of a LaneSnapshot, or for all, that is read in bulk."""

    def told(field: str, read: Callable[[], Any]) -> Callable[[], Any]:
        def job() -> Any:
            result = read()
            if on_progress is not None:
                on_progress(lane, field)
            return result

        return job

    reads = _reads(aws, lane, fields, known_tags)
    found = {field: told(field, read) for field, read in reads.items() if fields is None or field in fields}
    if fields is not None and STACKS_OF_FUNCTIONS in fields:
        found["stacks"] = told("stacks", reads[STACKS_OF_FUNCTIONS])
    return {(field, lane, ""): job for field, job in found.items() if field != STACKS_OF_FUNCTIONS}


def _reads(
    aws: Aws, lane: Lane, fields: Container[str] | None, known_tags: KnownTags | None
) -> Mapping[str, Callable[[], Any]]:
    """How each field is read. What is about functions only needs no client where there are none."""
    listing = fields is None or "functions" in fields
    probe = Probe()

    def about_functions(read: Callable[[], Any], nothing: Any) -> Callable[[], Any]:
        return lambda: read() if not listing or probe.any() else nothing

    reads: Mapping[str, Callable[[], Any]] = {
        "functions": partial(probe.listed, aws, lane),
        "tags": about_functions(lambda: _tags(aws, lane, known_tags), {}),
        "stacks": lambda: stacks.list_stacks(aws, lane),
        STACKS_OF_FUNCTIONS: about_functions(lambda: stacks.list_stacks(aws, lane), ()),
        "log_groups": lambda: logs.list_log_groups(aws, lane),
        "secrets": lambda: _secrets(aws, lane),
        _POLICIES: lambda: logs.account_filter_policies(aws, lane),
        "unreserved_concurrency": lambda: functions.concurrency_headroom(aws, lane),
        "datadog_rule": about_functions(lambda: rules.rule_enabled(aws, lane, INSTRUMENTATION_RULE), False),
        "resources": lambda: metrics.namespaces_in_use(aws, lane, SERVICES.values()),
        **source_reads(aws, lane),
    }
    if fields is not None and METRIC_STREAMS in fields:
        ways = {METRIC_STREAMS: lambda: datadogs_streams(aws, lane), _POLICIES: reads[_POLICIES]}
        reads = {**reads, **{field: about_functions(read, ()) for field, read in ways.items()}}
    if lane.region != EDGE_REGION:
        return reads
    return {**reads, "edge_roles": lambda: roles.roles_trusting(aws, lane.account, EDGE_SERVICE)}


def _lane_snapshot(
    lane: Lane, found: Mapping[Key, Any], integration: Integration | Unreadable | None
) -> LaneSnapshot:
    read = {field: result for (field, at, _), result in found.items() if at == lane}
    if isinstance(read.get("resources"), Unreadable):
        # It only preselects an answer; who may not list metrics chooses by hand.
        read["resources"] = {}
    forwarders = find_forwarders(read["functions"], read["tags"], read["stacks"], integration, lane=lane)
    services = {kind: read.pop(row.field) for kind, row in CHOSEN.items() if row.field in read}
    return LaneSnapshot(lane=lane, forwarders=forwarders, services=services, **read)


def _tags(aws: Aws, lane: Lane, known_tags: KnownTags | None) -> Tags | Unreadable:
    known = known_tags(lane) if known_tags is not None else None
    return tags.function_tags(aws, lane) if known is None else known


def _secrets(aws: Aws, lane: Lane) -> Mapping[str, Secret] | Unreadable:
    secret = secrets.read_secret(aws, lane, SECRET_NAME)
    found = {SECRET_NAME: secret} if isinstance(secret, Secret) else {}
    return secret if isinstance(secret, Unreadable) else found


def _observe_datadog(dd: Datadog | None) -> DatadogSnapshot:
    if dd is None:
        return DatadogSnapshot(site="")
    services, services_from = catalogues.log_services(dd)
    namespaces, namespaces_from = catalogues.namespaces(dd)
    origins = {"log_services": services_from, "namespaces": namespaces_from}
    return DatadogSnapshot(
        site=dd.site,
        log_services=services,
        namespaces=namespaces,
        fallbacks=tuple(name for name, origin in origins.items() if origin == "bundled"),
    )
