"""Functions without an API key: their roles are mapped to the organisation, one mapping for each role.

The Extension proves the function's role to Datadog, which gives it a key of its own (workload identity
federation, a public beta). No secret, no parameter, and no right on the role.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ddsetup.facts import catalog
from ddsetup.facts.variables import ORG_UUID
from ddsetup.model.account import Function, Integration, WorkloadIdentity
from ddsetup.model.answers import Answers, KeySource
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import IntakeMappingState
from ddsetup.plan.steps.instrument.key_access import role_name
from ddsetup.plan.steps.instrument.subject import STEP, Refusal, function_resource
from ddsetup.plan.steps.integration import integration_id

_WAYS = "take the key from a secret instead (--key-source secret)"


def pattern_of(function: Function) -> str:
    """The ARN under which the function's role runs, in any session. Its path is no part of it (STS API
    reference, GetCallerIdentity)."""
    return f"arn:aws:sts::{function.account}:assumed-role/{role_name(function)}/*"


def mapping_resource(function: Function) -> ResourceId:
    """The mapping of the function's role, as a resource."""
    return ResourceId("intake_mapping", role_name(function), "", function.account)


def with_organisation(answers: Answers, snapshot: Snapshot) -> Answers:
    """The answers with the UUID of the organisation that functions are to send to without a key.

    Raises UsageError where that cannot be: through the Forwarder, on a government site, outside the
    commercial regions of AWS, and with an Extension that is too old for it.
    """
    if answers.key_source.kind != "wif":
        return answers
    _refuse(answers, snapshot)
    seen = snapshot.datadog.workload_identity
    uuid = seen.org_uuid if isinstance(seen, WorkloadIdentity) else answers.key_source.value
    return replace(answers, key_source=KeySource(kind="wif", value=uuid))


def _refuse(answers: Answers, snapshot: Snapshot) -> None:
    if answers.via != "extension":
        raise UsageError(
            "only the Extension can do without an API key (--key-source wif)",
            fix="add --via extension, or leave --key-source away",
        )
    if answers.site.endswith("ddog-gov.com"):
        raise UsageError(f"{answers.site} takes no data without an API key (--key-source wif)", fix=_WAYS)
    for lane in snapshot.lanes:
        if catalog.partition_of(lane.region) != "aws":
            raise UsageError(f"--key-source wif is not possible in {lane.region}", fix=_WAYS)
    pinned = answers.extension_version
    if pinned.isdigit() and int(pinned) < catalog.ORG_EXTENSION_SINCE:
        raise UsageError(
            f"version {pinned} of the Extension cannot do without an API key (--key-source wif)",
            fix=f"--extension-version {catalog.ORG_EXTENSION_SINCE} or newer",
        )


def unseen(snapshot: Snapshot, answers: Answers) -> Refusal | None:
    """Why functions cannot be set up without a key: who may send is not known."""
    seen = snapshot.datadog.workload_identity
    if answers.key_source.kind != "wif" or isinstance(seen, WorkloadIdentity):
        return None
    reason = "the keys were not used" if seen is None else f"{seen.reason} (needs {seen.action})"
    return Refusal(f"cannot see from which roles Datadog takes data without a key: {reason}", _WAYS)


def covered(function: Function, seen: WorkloadIdentity) -> bool:
    """Whether Datadog takes data from the function's role; a pattern of single sessions may do as well."""
    return any(pattern.startswith(pattern_of(function)[:-1]) for pattern in seen.patterns)


def mappings(functions: Iterable[Function], snapshot: Snapshot) -> Plan:
    """The mappings that these functions' roles need, once for each; none where they cannot be seen."""
    seen = snapshot.datadog.workload_identity
    if not isinstance(seen, WorkloadIdentity):
        return Plan()
    result = Plan()
    roles = {mapping_resource(function): pattern_of(function) for function in functions if function.role}
    for resource, pattern in sorted(roles.items()):
        if pattern in seen.patterns:
            result += STEP.keep(resource, "Datadog takes data from this role already")
            continue
        live = snapshot.accounts[resource.account].integration
        result += STEP.change(
            resource,
            None,
            IntakeMappingState(arn_pattern=pattern),
            "Datadog gives the Extension a key for what runs under this role",
            needs=() if isinstance(live, Integration) else (integration_id(resource.account),),
            note="it takes some minutes until it works",
        )
    return result


def mappings_that_go(functions: Iterable[Function], snapshot: Snapshot, step: Step = STEP) -> Plan:
    """The mappings that ddsetup made and that no function needs once these do without; they go last."""
    leaving = [function for function in functions if _keyless(function)]
    arns = {function.arn for function in leaving}
    stay = {mapping_resource(f) for f in snapshot.functions() if f.arn not in arns and _keyless(f)}
    by_role: dict[ResourceId, list[Function]] = {}
    for function in leaving:
        by_role.setdefault(mapping_resource(function), []).append(function)
    result = Plan()
    for resource, held in by_role.items():
        if resource not in (snapshot.applied or {}) or resource in stay:
            continue
        result += step.change(
            resource,
            IntakeMappingState(arn_pattern=pattern_of(held[0])),
            None,
            "no function with this role sends without an API key any more",
            needs=tuple(function_resource(function) for function in held),
        )
    return result


def _keyless(function: Function) -> bool:
    return bool((function.env or {}).get(ORG_UUID))
