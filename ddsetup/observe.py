"""Looking at everything that a run depends on, as fast as the slowest quota allows.

Reads that do not depend on each other overlap, across regions too; the gateways' token buckets keep the pace.
What cannot be read becomes an `Unreadable` in the snapshot; only missing credentials end an observation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from ddsetup import catalog
from ddsetup.answers import Answers
from ddsetup.forwarders import find_forwarders
from ddsetup.gateways.aws import functions, logs, metrics, roles, secrets, stacks, tags
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog import catalogues
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import read_integration
from ddsetup.model import (
    AccountSnapshot,
    DatadogSnapshot,
    Function,
    Identity,
    Integration,
    Lane,
    LaneSnapshot,
    Secret,
    Snapshot,
    SubscriptionFilter,
    Unreadable,
)
from ddsetup.observe_sources import look_at_sources, source_reads
from ddsetup.preflight import questions
from ddsetup.steps.api_key import SECRET_NAME
from ddsetup.steps.forwarder_choice import choose
from ddsetup.steps.forwarder_stack import layer_arn, template_url
from ddsetup.steps.namespaces import SERVICES
from ddsetup.steps.subscriptions import groups_to_read

__all__ = [
    "add_filters",
    "aliased",
    "bulk_fields",
    "find_forwarders",
    "look_closer",
    "observe",
    "observe_account",
    "observe_aliases",
    "observe_filters",
    "observe_lane",
    "observe_layers",
    "observe_permissions",
    "observe_template",
]

T = TypeVar("T")

Progress: TypeAlias = Callable[[Lane, str], None]
"""Called from worker threads when a kind of resource of a lane has been read, with the field's name."""

Questions: TypeAlias = Mapping[str, tuple[str, ...]]
"""IAM actions, each with the ARNs on which it must be allowed."""

_Key: TypeAlias = tuple[str, Lane | None, str]
"""What a job reads: the kind, the lane (None: the account), and which one of its kind."""
_Jobs: TypeAlias = dict[_Key, Callable[[], Any]]

_NOT_ASKED = Unreadable("aws_configuration_read", "Datadog was not asked", denied=False)
GLANCE = frozenset({"functions", "tags", "stacks", "state_machines", "api_stages"})
"""The fields of a lane that tell how things are, without those that only a plan needs."""
_FEW = 20
"""So many functions are asked about one by one: it takes a second or two."""
_MOST_ALIASED = 100
_THREADS = 8
"""Per kind and lane; at 15 calls a second (AWS's rate for most of Lambda) that hides half a second each."""


def observe(  # noqa: PLR0913 - where to look, and for what
    aws: Aws,
    dd: Datadog | None,
    identity: Identity,
    lanes: Iterable[Lane],
    *,
    role_name: str,
    on_progress: Progress | None = None,
    fields: Container[str] | None = None,
) -> Snapshot:
    """Everything that bulk calls show of these lanes, of their account, and of Datadog.

    `role_name` is the role to look for where Datadog names none. Without `dd` the integration is unreadable.
    `fields` of lanes besides which nothing is wanted (see `GLANCE`): the others stay empty.
    """
    wanted = tuple(lanes)
    jobs: _Jobs = {
        ("account", None, ""): lambda: observe_account(aws, dd, identity, role_name),
        ("datadog", None, ""): lambda: _observe_datadog(dd),
    }
    for lane in wanted:
        reads = _lane_jobs(aws, lane, on_progress)
        jobs |= {key: job for key, job in reads.items() if fields is None or key[0] in fields}
    found = _all(aws, jobs)
    account: AccountSnapshot = found["account", None, ""]
    return Snapshot(
        accounts={identity.account: account},
        lanes={lane: _lane_snapshot(lane, found, account.integration) for lane in wanted},
        datadog=found["datadog", None, ""],
        at=aws.clock.now(),
    )


def bulk_fields(aws: Aws, lane: Lane) -> tuple[str, ...]:
    """The fields of a lane that are read in bulk, by the names that `Progress` is called with."""
    return tuple(field for field, _, _ in _lane_jobs(aws, lane, None))


def observe_lane(aws: Aws, lane: Lane, on_progress: Progress | None = None) -> LaneSnapshot:
    """Everything that bulk calls show of one lane. Forwarders are found without the integration's help."""
    return _lane_snapshot(lane, _all(aws, _lane_jobs(aws, lane, on_progress)), None)


def observe_account(aws: Aws, dd: Datadog | None, identity: Identity, role_name: str) -> AccountSnapshot:
    """The integration, the role that it names (or `role_name`), and what Datadog wants of that role."""
    integration = read_integration(dd, identity.account) if dd is not None else _NOT_ASKED
    named = integration.role_name if isinstance(integration, Integration) else None
    permissions, source = catalogues.permissions(dd) if dd is not None else ((), "bundled")
    return AccountSnapshot(
        identity=identity,
        integration=integration,
        role=roles.read_role(aws, named or role_name),
        permissions=permissions,
        permissions_source=source,
    )


def look_closer(
    aws: Aws, snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], *, filters: bool = True
) -> Snapshot:
    """Add what no bulk call tells of what is selected: aliases, newest layers, the template's parameters,
    what this identity may do, other sources, and `filters` of log groups, which take by far the longest."""
    snapshot = look_at_sources(aws, snapshot, answers)
    asked = {number: questions(account, snapshot, answers) for number, account in snapshot.accounts.items()}
    lanes = dict.fromkeys(function.lane for function in selected)
    urls = {lane: template_url(answers, catalog.partition_of(lane.region)) for lane in lanes}
    found = _all(
        aws,
        {
            **(_filter_jobs(aws, snapshot, groups_to_read(snapshot, answers, selected)) if filters else {}),
            **_alias_jobs(aws, snapshot, aliased(aws, selected)),
            **_layer_jobs(aws, _layers_wanted(answers, selected)),
            **_template_jobs(aws, urls if answers.via == "forwarder" else {}),
            **_forwarder_layer_jobs(aws, snapshot, answers, lanes),
            **_permission_jobs(aws, snapshot, asked),
        },
    )
    return _with(snapshot, found)


def observe_filters(aws: Aws, snapshot: Snapshot, groups: Mapping[Lane, Iterable[str]]) -> Snapshot:
    """Add the subscription filters of these log groups; those that are known already are not asked again.

    A group that is known not to exist, or whose class has no filters, has none.
    """
    return _with(snapshot, _all(aws, _filter_jobs(aws, snapshot, groups)))


def add_filters(
    snapshot: Snapshot, found: Mapping[tuple[Lane, str], tuple[SubscriptionFilter, ...] | Unreadable]
) -> Snapshot:
    """The snapshot with filters that were read elsewhere, by lane and log group, and what follows of them."""
    return _with(snapshot, {("filters", lane, group): filters for (lane, group), filters in found.items()})


def observe_aliases(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Snapshot:
    """Add the aliases of these functions. A function whose aliases cannot be read stays absent: unknown."""
    return _with(snapshot, _all(aws, _alias_jobs(aws, snapshot, selected)))


def observe_layers(aws: Aws, snapshot: Snapshot, names: Mapping[Lane, Iterable[str]]) -> Snapshot:
    """Add the newest version of these layers; one that cannot be found stays absent."""
    return _with(snapshot, _all(aws, _layer_jobs(aws, names)))


def observe_template(aws: Aws, snapshot: Snapshot, urls: Mapping[Lane, str]) -> Snapshot:
    """Add the parameters of each lane's Forwarder template; an empty URL is not asked for."""
    return _with(snapshot, _all(aws, _template_jobs(aws, urls)))


def observe_permissions(aws: Aws, snapshot: Snapshot, asked: Mapping[str, Questions]) -> Snapshot:
    """Add to every account whether this identity is allowed the actions asked for it, as far as IAM tells."""
    return _with(snapshot, _all(aws, _permission_jobs(aws, snapshot, asked)))


def _filter_jobs(aws: Aws, snapshot: Snapshot, groups: Mapping[Lane, Iterable[str]]) -> _Jobs:
    return {
        ("filters", lane, group): _filter_job(aws, snapshot.lanes[lane], group)
        for lane, names in groups.items()
        for group in names
        if group not in snapshot.lanes[lane].filters
    }


def _filter_job(
    aws: Aws, lane: LaneSnapshot, group: str
) -> Callable[[], tuple[SubscriptionFilter, ...] | Unreadable]:
    known = lane.log_groups
    if not isinstance(known, Unreadable) and (group not in known or known[group].log_class != "STANDARD"):
        return tuple
    return _job(logs.list_filters, aws, lane.lane, group)


def _alias_jobs(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> _Jobs:
    return {
        ("aliases", function.lane, function.arn): _job(
            functions.list_aliases, aws, function.lane, function.name
        )
        for function in selected
        if function.arn not in snapshot.lanes[function.lane].aliases
    }


def aliased(aws: Aws, selected: tuple[Function, ...]) -> tuple[Function, ...]:
    """The functions whose aliases are worth a call: all if they are few, else those that are invoked by one.

    A call for each of a thousand functions would take a minute of the quota that updates need, so that is
    left for who may not list metrics.
    """
    if len(selected) <= _FEW:
        return selected
    by_lane: dict[Lane, list[Function]] = {}
    for function in selected:
        by_lane.setdefault(function.lane, []).append(function)
    found: list[Function] = []
    for lane, here in by_lane.items():
        qualified = metrics.invoked_by_qualifier(aws, lane)
        if isinstance(qualified, Unreadable):
            found.extend(here)
        else:
            found.extend([f for f in here if f.name in qualified][:_MOST_ALIASED])
    return tuple(found)


def _layer_jobs(aws: Aws, names: Mapping[Lane, Iterable[str]]) -> _Jobs:
    return {
        ("newest_layers", lane, name): _job(functions.newest_layer, aws, lane, name, owner, baseline)
        for lane, wanted in names.items()
        for name in wanted
        if (owner := catalog.LAYER_ACCOUNTS.get(catalog.partition_of(lane.region)))
        and (baseline := catalog.baseline_version(name, lane.region))
    }


def _template_jobs(aws: Aws, urls: Mapping[Lane, str]) -> _Jobs:
    return {
        ("template_parameters", lane, ""): _job(stacks.template_parameters, aws, lane, url)
        for lane, url in urls.items()
        if url
    }


def _forwarder_layer_jobs(aws: Aws, snapshot: Snapshot, answers: Answers, lanes: Iterable[Lane]) -> _Jobs:
    """Whether the layer can be used, where the official template is to be deployed."""
    return {
        ("forwarder_layer", lane, ""): _job(functions.layer_version_exists, aws, lane, arn)
        for lane in lanes
        if not answers.template_url
        and choose(lane, snapshot, answers).how == "deploy"
        and (arn := layer_arn(catalog.partition_of(lane.region), lane.region))
    }


def _permission_jobs(aws: Aws, snapshot: Snapshot, asked: Mapping[str, Questions]) -> _Jobs:
    return {
        ("simulated", None, number): _job(
            roles.simulate, aws, account.identity, tuple(asked[number]), asked[number]
        )
        for number, account in snapshot.accounts.items()
        if number in asked
    }


def _with(snapshot: Snapshot, found: Mapping[_Key, Any]) -> Snapshot:
    """The snapshot with the results of jobs in their places; an unreadable alias or layer stays out."""
    lanes = dict(snapshot.lanes)
    for lane, old in snapshot.lanes.items():
        by_kind: dict[str, dict[str, Any]] = {}
        for (kind, at, name), result in found.items():
            if at == lane:
                by_kind.setdefault(kind, {})[name] = result
        lanes[lane] = _lane_with(old, by_kind, snapshot)
    accounts = {
        number: replace(account, simulated=found.get(("simulated", None, number), account.simulated))
        for number, account in snapshot.accounts.items()
    }
    return replace(snapshot, lanes=lanes, accounts=accounts)


def _lane_with(old: LaneSnapshot, fresh: Mapping[str, dict[str, Any]], snapshot: Snapshot) -> LaneSnapshot:
    account = snapshot.accounts.get(old.lane.account)
    integration = account.integration if account else None
    filters = {**old.filters, **fresh.get("filters", {})}
    return replace(
        old,
        filters=filters,
        forwarders=find_forwarders(old.functions, old.tags, old.stacks, integration, filters, lane=old.lane),
        aliases={**old.aliases, **_readable(fresh.get("aliases", {}))},
        newest_layers={**old.newest_layers, **_readable(fresh.get("newest_layers", {}))},
        template_parameters=fresh.get("template_parameters", {}).get("", old.template_parameters),
        forwarder_layer=fresh.get("forwarder_layer", {}).get("", old.forwarder_layer),
    )


def _readable(results: Mapping[str, Any]) -> dict[str, Any]:
    return {name: result for name, result in results.items() if not isinstance(result, Unreadable)}


def _lane_jobs(aws: Aws, lane: Lane, on_progress: Progress | None) -> _Jobs:
    """One job for each field of a LaneSnapshot that is read in bulk."""
    reads: Mapping[str, Callable[[], Any]] = {
        "functions": lambda: functions.list_functions(aws, lane),
        "tags": lambda: tags.function_tags(aws, lane),
        "stacks": lambda: stacks.list_stacks(aws, lane),
        "log_groups": lambda: logs.list_log_groups(aws, lane),
        "secrets": lambda: _secrets(aws, lane),
        "account_filter_policies": lambda: logs.account_filter_policies(aws, lane),
        "unreserved_concurrency": lambda: functions.concurrency_headroom(aws, lane),
        "resources": lambda: metrics.namespaces_in_use(aws, lane, SERVICES.values()),
        **source_reads(aws, lane),
    }

    def told(field: str, read: Callable[[], Any]) -> Callable[[], Any]:
        def job() -> Any:
            result = read()
            if on_progress is not None:
                on_progress(lane, field)
            return result

        return job

    return {(field, lane, ""): told(field, read) for field, read in reads.items()}


def _lane_snapshot(
    lane: Lane, found: Mapping[_Key, Any], integration: Integration | Unreadable | None
) -> LaneSnapshot:
    read = {field: result for (field, at, _), result in found.items() if at == lane}
    if isinstance(read.get("resources"), Unreadable):
        # It only preselects an answer; who may not list metrics chooses by hand.
        read["resources"] = {}
    forwarders = find_forwarders(read["functions"], read["tags"], read["stacks"], integration, lane=lane)
    return LaneSnapshot(lane=lane, forwarders=forwarders, **read)


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


def _layers_wanted(answers: Answers, selected: Iterable[Function]) -> Mapping[Lane, tuple[str, ...]]:
    """The layers whose newest version matters: none unless a version is asked for as "latest"."""
    names: dict[Lane, dict[str, None]] = {}
    if "latest" in (answers.layer_version, answers.extension_version):
        for function in selected:
            names.setdefault(function.lane, {}).update(dict.fromkeys(catalog.layer_names_for(function)))
    return {lane: tuple(wanted) for lane, wanted in names.items()}


def _job(read: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    return lambda: read(*arguments)


def _all(aws: Aws, jobs: _Jobs) -> dict[_Key, Any]:
    """The results of all jobs, done side by side: threads of their own for each kind in each lane, as each
    has a quota of its own. The first exception, or Ctrl-C, drops what has not begun."""
    sizes = Counter(key[:2] for key in jobs)
    pools = {part: ThreadPoolExecutor(min(_THREADS, size)) for part, size in sizes.items()}
    try:
        futures = {key: pools[key[:2]].submit(job) for key, job in jobs.items()}
        done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        return {key: future.result() for key, future in futures.items()}
    except KeyboardInterrupt:
        aws.stop()
        raise
    finally:
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
