"""A closer look at what is chosen: what has no bulk call, as few calls as answer the question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from ddsetup.facts import catalog
from ddsetup.facts.edge import may_be_on_edge, on_edge
from ddsetup.facts.metric_streams import STACK
from ddsetup.gateways.aws import functions, logs, metrics, roles, secrets, stacks
from ddsetup.gateways.aws.metric_streams import datadogs_streams
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog import catalogues
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.workload_identity import read_workload_identity
from ddsetup.gateways.overlap import Jobs, job, side_by_side
from ddsetup.model.account import Function, Lane, Stack, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.observe.found import with_found
from ddsetup.observe.services_read import look_at_sources
from ddsetup.plan.preflight import questions
from ddsetup.plan.steps.delivery_stack import own_stack
from ddsetup.plan.steps.forwarder_choice import choose
from ddsetup.plan.steps.forwarder_stack import layer_arn, template_url
from ddsetup.plan.steps.instrument.key_access import POLICY_NAME, roles_to_read
from ddsetup.plan.steps.subscriptions import groups_to_read
from ddsetup.plan.steps.subscriptions.evidence import IN_USE
from ddsetup.plan.steps.subscriptions.groups import filters_put

Questions: TypeAlias = Mapping[str, tuple[str, ...]]
"""IAM actions, each with the ARNs on which it must be allowed."""

FEW = 20
"""So many functions are asked about one by one: it takes a second or two."""
_MOST_ALIASED = 100


def look_closer(
    aws: Aws,
    snapshot: Snapshot,
    answers: Answers,
    selected: tuple[Function, ...],
    groups: Mapping[Lane, Iterable[str]],
) -> Snapshot:
    """Add what no bulk call tells of what is selected: aliases, newest layers, the template's parameters,
    what this identity may do, other sources, and the filters of these log `groups`, which take by far the
    longest."""
    snapshot = look_at_sources(aws, _with_key_secret(aws, snapshot, answers), answers)
    if len(selected) > FEW:
        snapshot = with_found(snapshot, side_by_side(aws, _qualifier_jobs(aws, snapshot, selected)))
    asked = {number: questions(account, snapshot, answers) for number, account in snapshot.accounts.items()}
    lanes = dict.fromkeys(function.lane for function in selected)
    urls = {lane: template_url(answers, catalog.partition_of(lane.region)) for lane in lanes}
    found = side_by_side(
        aws,
        {
            **_filter_jobs(aws, snapshot, groups),
            **_alias_jobs(aws, snapshot, aliased(snapshot, selected)),
            **_qualifier_jobs(aws, snapshot, selected),
            **_edge_jobs(aws, snapshot, selected),
            **_state_jobs(aws, selected),
            **_layer_jobs(aws, _layers_wanted(answers, selected)),
            **_template_jobs(aws, urls if answers.via == "forwarder" else {}, answers),
            **_forwarder_layer_jobs(aws, snapshot, answers, lanes),
            **_key_policy_jobs(aws, roles_to_read(selected, answers)),
            **_stream_jobs(aws, snapshot, lanes if answers.metrics == "stream" else ()),
            **_permission_jobs(aws, snapshot, asked),
        },
    )
    snapshot = _observe_versions(aws, with_found(snapshot, found), selected)
    return observe_provisioned(aws, snapshot, selected) if answers.publish else snapshot


def _stream_jobs(aws: Aws, snapshot: Snapshot, lanes: Iterable[Lane]) -> Jobs:
    """The metric streams to Datadog, and what ddsetup's own stack of one streams."""
    jobs: Jobs = {}
    for lane in lanes:
        jobs["metric_streams", lane, ""] = job(datadogs_streams, aws, lane)
        if isinstance(own_stack(snapshot.lanes[lane], STACK), Stack):
            jobs["metric_stream_template", lane, ""] = job(stacks.read_template, aws, lane, STACK)
    return jobs


def _observe_versions(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Snapshot:
    """Add the published versions that aliases of these functions serve."""
    jobs: Jobs = {
        ("versions", f.lane, f"{f.arn}:{alias.version}"): job(
            functions.read_version, aws, f.lane, f.name, alias.version
        )
        for f in selected
        for alias in snapshot.lanes[f.lane].aliases.get(f.arn, ())
        if alias.version != "$LATEST"
    }
    return with_found(snapshot, side_by_side(aws, jobs)) if jobs else snapshot


def _with_key_secret(aws: Aws, snapshot: Snapshot, answers: Answers) -> Snapshot:
    """The snapshot with the user's own secret: functions that read it need its whole ARN, and its key."""
    source = answers.key_source
    parts = source.value.split(":")
    if answers.via != "extension" or source.kind != "secret" or len(parts) < 7:
        return snapshot
    return replace(snapshot, key_secret=secrets.read_secret(aws, Lane("", parts[3]), source.value))


def observe_in_datadog(dd: Datadog | None, snapshot: Snapshot, answers: Answers) -> Snapshot:
    """Add what of Datadog's matters only to what is wanted: what its role has to be allowed for the
    collection of resources, and from which roles it takes data without a key."""
    if dd is None:
        return snapshot
    if answers.key_source.kind == "wif":
        found = read_workload_identity(dd, answers.key_source.value)
        snapshot = replace(snapshot, datadog=replace(snapshot.datadog, workload_identity=found))
    if not answers.resource_collection:
        return snapshot
    wanted = catalogues.resource_collection(dd)
    accounts = {name: replace(each, collection=wanted) for name, each in snapshot.accounts.items()}
    return replace(snapshot, accounts=accounts)


def observe_deliveries(
    aws: Aws, snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Snapshot:
    """Add which filters CloudWatch saw at work, in regions with so many log groups that reading takes long,
    and which groups were written to where that tells something.

    Two or three questions for each region, in a few pages, instead of one for each log group.
    """
    if answers.thorough:
        return snapshot
    wanted: list[Lane] = []
    for lane, names in groups_to_read(snapshot, answers, selected).items():
        in_use = choose(lane, snapshot, answers).how in IN_USE
        if in_use and len(names) > FEW and snapshot.lanes[lane].delivered is None:
            wanted.append(lane)
    jobs = _delivery_jobs(aws, wanted)
    if answers.subscribe == "direct":
        idle = [lane for lane in wanted if filters_put(lane, snapshot)]
        jobs |= {("receiving", lane, ""): job(logs.groups_written_to, aws, lane) for lane in idle}
    return with_found(snapshot, side_by_side(aws, jobs)) if jobs else snapshot


def observe_at_work(aws: Aws, snapshot: Snapshot, lanes: Iterable[Lane]) -> Snapshot:
    """Add which filters CloudWatch saw at work within two weeks in these lanes."""
    jobs: Jobs = {("delivered", lane, ""): job(logs.filters_at_work, aws, lane) for lane in lanes}
    return with_found(snapshot, side_by_side(aws, jobs)) if jobs else snapshot


def observe_for_drift(
    aws: Aws, snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Snapshot:
    """Add what tells drift and is no bulk read of a region: newest layers where these are wanted, the
    parameters of the template where Forwarders are kept up to date, and which filters delivered."""
    lanes = dict.fromkeys(function.lane for function in selected)
    upgraded = lanes if answers.forwards and answers.forwarder_upgrade else ()
    urls = {lane: template_url(answers, catalog.partition_of(lane.region)) for lane in upgraded}
    return with_found(
        snapshot,
        side_by_side(
            aws,
            {
                **_layer_jobs(aws, _layers_wanted(answers, selected)),
                **_template_jobs(aws, urls, answers),
                **_delivery_jobs(aws, lanes if answers.forwards else ()),
            },
        ),
    )


def _delivery_jobs(aws: Aws, lanes: Iterable[Lane]) -> Jobs:
    jobs: Jobs = {}
    for lane in lanes:
        jobs["delivered", lane, ""] = job(logs.filters_at_work, aws, lane)
        jobs["delivering", lane, ""] = partial(logs.filters_at_work, aws, lane, lately=True)
    return jobs


def observe_filters(aws: Aws, snapshot: Snapshot, groups: Mapping[Lane, Iterable[str]]) -> Snapshot:
    """Add the subscription filters of these log groups; those that are known already are not asked again.

    A group that is known not to exist, or whose class has no filters, has none.
    """
    return with_found(snapshot, side_by_side(aws, _filter_jobs(aws, snapshot, groups)))


def add_filters(
    snapshot: Snapshot, found: Mapping[tuple[Lane, str], tuple[SubscriptionFilter, ...] | Unreadable]
) -> Snapshot:
    """The snapshot with filters that were read elsewhere, by lane and log group, and what follows of them."""
    return with_found(
        snapshot, {("filters", lane, group): filters for (lane, group), filters in found.items()}
    )


def observe_aliases(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Snapshot:
    """Add the aliases of these functions. A function whose aliases cannot be read stays absent: unknown."""
    return with_found(snapshot, side_by_side(aws, _alias_jobs(aws, snapshot, selected)))


def observe_key_policies(aws: Aws, snapshot: Snapshot, wanted: Iterable[str]) -> Snapshot:
    """Add the policies by which these roles (ARNs) read the API key, None where one has none."""
    return with_found(snapshot, side_by_side(aws, _key_policy_jobs(aws, wanted)))


def _key_policy_jobs(aws: Aws, wanted: Iterable[str]) -> Jobs:
    return {
        ("key_policy", None, role): job(
            roles.read_role_policy, aws, role.split(":")[4], role.rsplit("/", 1)[-1], POLICY_NAME
        )
        for role in wanted
    }


def observe_permissions(aws: Aws, snapshot: Snapshot, asked: Mapping[str, Questions]) -> Snapshot:
    """Add to every account whether this identity is allowed the actions asked for it, as far as IAM tells."""
    return with_found(snapshot, side_by_side(aws, _permission_jobs(aws, snapshot, asked)))


def _filter_jobs(aws: Aws, snapshot: Snapshot, groups: Mapping[Lane, Iterable[str]]) -> Jobs:
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
    return job(logs.list_filters, aws, lane.lane, group)


def _alias_jobs(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Jobs:
    return {
        ("aliases", function.lane, function.arn): job(
            functions.list_aliases, aws, function.lane, function.name
        )
        for function in selected
        if function.arn not in snapshot.lanes[function.lane].aliases
    }


def _state_jobs(aws: Aws, selected: tuple[Function, ...]) -> Jobs:
    """The states of functions that are about to be changed, while they are few: of many, AWS itself refuses
    those that cannot be changed."""
    return {
        ("states", function.lane, function.arn): job(
            functions.function_state, aws, function.lane, function.name
        )
        for function in (selected if len(selected) <= FEW else ())
    }


def _qualifier_jobs(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Jobs:
    """By which aliases and versions functions are called: one question for all of a region."""
    lanes = dict.fromkeys(f.lane for f in selected if snapshot.lanes[f.lane].qualifiers is None)
    return {("qualifiers", lane, ""): job(metrics.invoked_by_qualifier, aws, lane) for lane in lanes}


def observe_qualifiers(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Snapshot:
    """Add by which aliases and versions functions are called in the regions of these."""
    return with_found(snapshot, side_by_side(aws, _qualifier_jobs(aws, snapshot, selected)))


def observe_provisioned(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Snapshot:
    """Add how many environments are kept warm of those functions whose aliases serve a published version."""
    jobs: Jobs = {
        ("provisioned", f.lane, f.arn): job(functions.provisioned_concurrency, aws, f.lane, f.name)
        for f in selected
        if any(alias.version != "$LATEST" for alias in snapshot.lanes[f.lane].aliases.get(f.arn, ()))
    }
    return with_found(snapshot, side_by_side(aws, jobs)) if jobs else snapshot


def aliased(snapshot: Snapshot, selected: tuple[Function, ...]) -> tuple[Function, ...]:
    """The functions whose aliases are worth a call: all if they are few, else those that are invoked by one.

    A call for each of a thousand functions would take a minute of the quota that updates need, so that is
    left for who may not list metrics. Those of a region are known once its `qualifiers` are.
    """
    if len(selected) <= FEW:
        return selected
    found: list[Function] = []
    for lane in dict.fromkeys(function.lane for function in selected):
        here, qualified = [f for f in selected if f.lane == lane], snapshot.lanes[lane].qualifiers
        if isinstance(qualified, Unreadable | None):
            found.extend(here)
        else:
            found.extend([f for f in here if f.name in qualified][:_MOST_ALIASED])
    return tuple(found)


def _edge_jobs(aws: Aws, snapshot: Snapshot, selected: Iterable[Function]) -> Jobs:
    """The policies of the few functions that may run on Lambda@Edge, as far as their roles do not tell."""
    asked = [f for f in selected if may_be_on_edge(f) and not on_edge(f, snapshot.lanes[f.lane])]
    if len(asked) > FEW:
        return {}
    return {("replicated", f.lane, f.arn): job(functions.resource_policy, aws, f.lane, f.name) for f in asked}


def _layer_jobs(aws: Aws, names: Mapping[Lane, Iterable[str]]) -> Jobs:
    return {
        ("newest_layers", lane, name): job(functions.newest_layer, aws, lane, name, owner, baseline)
        for lane, wanted in names.items()
        for name in wanted
        if (owner := catalog.LAYER_ACCOUNTS.get(catalog.partition_of(lane.region)))
        and (baseline := catalog.baseline_version(name, lane.region))
    }


def _template_jobs(aws: Aws, urls: Mapping[Lane, str], answers: Answers) -> Jobs:
    """What the templates take; which version the latest is, where a Forwarder is to become that."""
    latest = answers.forwarder_upgrade and answers.forwarder_version == "latest"
    jobs: Jobs = {}
    for lane, url in urls.items():
        if url:
            jobs["template_parameters", lane, ""] = job(stacks.template_parameters, aws, lane, url)
        if url and latest:
            jobs["template_version", lane, ""] = partial(stacks.template_version, url)
    return jobs


def _forwarder_layer_jobs(aws: Aws, snapshot: Snapshot, answers: Answers, lanes: Iterable[Lane]) -> Jobs:
    """Whether the layer can be used, where the official template is to be deployed."""
    return {
        ("forwarder_layer", lane, ""): job(functions.layer_version_exists, aws, lane, arn)
        for lane in lanes
        if not answers.template_url
        and choose(lane, snapshot, answers).how == "deploy"
        and (arn := layer_arn(catalog.partition_of(lane.region), lane.region))
    }


def _permission_jobs(aws: Aws, snapshot: Snapshot, asked: Mapping[str, Questions]) -> Jobs:
    return {
        ("simulated", None, number): job(
            roles.simulate, aws, account.identity, tuple(asked[number]), asked[number]
        )
        for number, account in snapshot.accounts.items()
        if number in asked
    }


def refreshed(selected: tuple[Function, ...], snapshot: Snapshot) -> tuple[Function, ...]:
    """The selected functions as they stand in a snapshot that knows more of them."""
    held = {function.arn: function for function in snapshot.functions()}
    return tuple(held.get(function.arn, function) for function in selected)


def _layers_wanted(answers: Answers, selected: Iterable[Function]) -> Mapping[Lane, tuple[str, ...]]:
    """The layers whose newest version matters: none unless a version is asked for as "latest"."""
    names: dict[Lane, dict[str, None]] = {}
    if "latest" in (answers.layer_version, answers.extension_version):
        for function in selected:
            names.setdefault(function.lane, {}).update(dict.fromkeys(catalog.layer_names_for(function)))
    return {lane: tuple(wanted) for lane, wanted in names.items()}
