"""The operations of StackSets, in the words of their API."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ddsetup.sandbox.emulator import org_tree, stack_rights
from ddsetup.sandbox.emulator.org_tree import Organization
from ddsetup.sandbox.emulator.organizations import STACK_SETS
from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets import importing, joining, running, targets, templates
from ddsetup.sandbox.emulator.stack_sets.records import (
    Instance,
    Operation,
    StackSet,
    operation_described,
    operation_summary,
    result_summary,
)
from ddsetup.sandbox.emulator.stack_sets.running import Runner
from ddsetup.sandbox.emulator.stack_sets.wire import answer, page, refusal, request

Data = Mapping[str, Any]
Answer = Mapping[str, Any]

_sets: list[StackSet] = []
_runner = Runner()


def install(strike: running.Strike) -> None:
    """Add the operations; `strike` gives the reason why an instance is meant to fail, empty if it is not."""
    from ministack.services.cloudformation import handlers

    _runner.strike = strike
    for name, operation in _OPERATIONS.items():
        handlers._ACTION_HANDLERS[name] = _handler(name, operation)


def _handler(name: str, operation: Callable[[Data], Answer]) -> Callable[[Mapping[str, Any]], Any]:
    def handle(parameters: Mapping[str, Any]) -> Any:
        try:
            return answer(name, operation(request(name, parameters)))
        except Refusal as refused:
            return refusal(refused)

    return handle


def _organization(data: Data) -> Organization:
    """The organisation that the caller acts for. Raises Refusal if it may not act for any."""
    from ministack.core.responses import get_account_id

    caller = get_account_id()
    organization = org_tree.of_account(caller)
    if data.get("CallAs") == "DELEGATED_ADMIN":
        looks = stack_rights.refusal_of_caller("organizations:ListDelegatedAdministrators", "*")
        if organization is None or looks or not organization.administers(caller, STACK_SETS):
            raise Refusal("ValidationError", "Account used is not a delegated administrator")
        return organization
    if organization is None or caller != organization.management:
        text = (
            "You must be the management account or delegated admin account of an organization before "
            "operating a SERVICE_MANAGED stack set"
        )
        raise Refusal("ValidationError", text)
    return organization


def _trusted(data: Data) -> Organization:
    organization = _organization(data)
    if STACK_SETS not in organization.services:
        text = "You must enable organizations access to operate a service managed stack set"
        raise Refusal("ValidationError", text)
    return organization


def _find(data: Data) -> StackSet:
    """The set that is named, by its id also if it was deleted."""
    name = str(data["StackSetName"])
    for each in _here(data):
        if name in {each.id, each.arn} or (name == each.name and each.status == "ACTIVE"):
            return each
    raise Refusal("StackSetNotFoundException", f"StackSet {name} not found")


def _here(data: Data) -> list[StackSet]:
    """The sets of the region that the caller works on, also those that were deleted."""
    from ministack.core.responses import get_account_id, get_region

    delegated = data.get("CallAs") == "DELEGATED_ADMIN"
    place = (_organization(data).management if delegated else get_account_id(), get_region())
    return [each for each in _sets if (each.account, each.region) == place]


def _create_stack_set(data: Data) -> Answer:
    from ministack.core.responses import get_region

    if data.get("PermissionModel", "SELF_MANAGED") != "SERVICE_MANAGED":
        raise Refusal("ValidationError", "The sandbox has StackSets with SERVICE_MANAGED permissions only.")
    organization = _trusted(data)
    if "AutoDeployment" not in data:
        text = "AutoDeployment must be specified for StackSets with SERVICE_MANAGED permission model"
        raise Refusal("ValidationError", text)
    body = templates.body(data)
    values, hidden = templates.parameters(body, data.get("Parameters", []), {})
    templates.check_capabilities(body, data.get("Capabilities", []))
    made = StackSet(
        name=data["StackSetName"],
        region=get_region(),
        account=organization.management,
        template=body,
        parameters=values,
        hidden=hidden,
        capabilities=data.get("Capabilities", []),
        auto=data["AutoDeployment"],
        managed=data.get("ManagedExecution", {}).get("Active", False),
        description=data.get("Description", ""),
        tags=data.get("Tags", []),
        token=data.get("ClientRequestToken", ""),
    )
    held = _same_name(made)
    if held is None:
        joining.watch(organization, _sets, _runner)
        _sets.append(made)
    return {"StackSetId": (held or made).id}


def _same_name(made: StackSet) -> StackSet | None:
    """The set of that name, if it was made by the same request. Raises Refusal if by another one."""
    place = (made.account, made.region, made.name, "ACTIVE")
    for each in _sets:
        if (each.account, each.region, each.name, each.status) != place:
            continue
        if not made.token or made.token != each.token:
            raise Refusal("NameAlreadyExistsException", f"Name: {made.name} already exists.")
        if (each.template, each.parameters) != (made.template, made.parameters):
            raise Refusal("CreatedButModifiedException", f"StackSet {made.name} was created and modified.")
        return each
    return None


def _start(held: StackSet, data: Data, operation: Operation) -> Answer:
    """Let it run. Raises Refusal for an id that was used, and while another one runs."""
    if operation.id in held.operations:
        text = f"An operation with id {operation.id} already exists for StackSet {held.arn}"
        raise Refusal("OperationIdAlreadyExistsException", text)
    if held.under_way and not held.managed:
        text = f"Another Operation on StackSet {held.arn} is in progress: {held.under_way[0].id}"
        raise Refusal("OperationInProgressException", text)
    operation.preferences = data.get("OperationPreferences", {})
    operation.regions = running.order(operation.regions, operation.preferences)
    _runner.start(held, operation)
    return {"OperationId": operation.id}


def _operation_id(data: Data) -> str:
    return str(data.get("OperationId") or uuid.uuid4())


def _overrides(held: StackSet, data: Data) -> dict[str, str]:
    said = {each["ParameterKey"]: each for each in data.get("ParameterOverrides", [])}
    unknown = sorted(set(said) - set(held.parameters))
    if unknown:
        raise Refusal("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return {k: v.get("ParameterValue", "") for k, v in said.items() if not v.get("UsePreviousValue")}


def _create_instances(data: Data) -> Answer:
    held, organization = _find(data), _trusted(data)
    chosen = targets.checked(organization, data.get("DeploymentTargets", {}), "CREATE")
    regions, overrides = list(data["Regions"]), _overrides(held, data)
    choose = partial(targets.wanted, held, organization, chosen, regions)
    operation = Operation(_operation_id(data), "CREATE", choose, regions, targets=chosen, overrides=overrides)
    answered = _start(held, data, operation)
    for unit in chosen["OrganizationalUnitIds"]:
        held.targets[unit] = [*dict.fromkeys([*held.targets.get(unit, []), *regions])]
    return answered


def _update_instances(data: Data) -> Answer:
    held, organization = _find(data), _trusted(data)
    chosen = targets.checked(organization, data.get("DeploymentTargets", {}), "UPDATE")
    regions, overrides = list(data["Regions"]), _overrides(held, data)
    choose = partial(targets.present, held, organization, chosen, regions)
    if not choose():
        raise Refusal("StackInstanceNotFoundException", "The specified stack instances do not exist.")
    operation = Operation(_operation_id(data), "UPDATE", choose, regions, targets=chosen, overrides=overrides)
    return _start(held, data, operation)


def _delete_instances(data: Data) -> Answer:
    held, organization = _find(data), _trusted(data)
    chosen = targets.checked(organization, data.get("DeploymentTargets", {}), "DELETE")
    regions = list(data["Regions"])
    choose = partial(targets.present, held, organization, chosen, regions)
    operation = Operation(_operation_id(data), "DELETE", choose, regions, targets=chosen)
    operation.retain = bool(data["RetainStacks"])
    answered = _start(held, data, operation)
    if not chosen.get("Accounts"):
        for unit in chosen["OrganizationalUnitIds"]:
            left = [each for each in held.targets.pop(unit, []) if each not in regions]
            held.targets |= {unit: left} if left else {}
    return answered


def _update_stack_set(data: Data) -> Answer:
    held, organization = _find(data), _trusted(data)
    where = data.get("DeploymentTargets"), data.get("Regions")
    if "AutoDeployment" in data and any(where):
        text = "DeploymentTargets and Regions cannot be specified together with AutoDeployment"
        raise Refusal("ValidationError", text)
    if "ManagedExecution" in data and held.under_way:
        text = "ManagedExecution cannot be changed while operations are running or queued"
        raise Refusal("InvalidOperationException", text)
    body = held.template if data.get("UsePreviousTemplate") else templates.body(data)
    values, hidden = templates.parameters(body, data.get("Parameters", []), held.parameters)
    templates.check_capabilities(body, data.get("Capabilities", []))
    changed = (body, values) != (held.template, held.parameters)
    chosen = targets.checked(organization, where[0], "UPDATE") if where[0] else {}
    regions = list(where[1] or dict.fromkeys(each.region for each in held.instances.values()))

    def choose() -> list[Instance]:
        if chosen:
            return targets.present(held, organization, chosen, regions)
        return [each for each in held.instances.values() if each.region in regions]

    answered = _start(held, data, Operation(_operation_id(data), "UPDATE", choose, regions, targets=chosen))
    held.template, held.parameters, held.hidden = body, values, hidden
    _update_settings(held, data)
    for each in held.instances.values() if changed else ():
        each.status = "OUTDATED"
    return answered


def _update_settings(held: StackSet, data: Data) -> None:
    held.capabilities = data.get("Capabilities", [])
    held.auto = data.get("AutoDeployment", held.auto)
    held.tags = data.get("Tags", held.tags)
    held.description = data.get("Description", held.description)
    held.managed = data.get("ManagedExecution", {"Active": held.managed}).get("Active", False)


def _delete_stack_set(data: Data) -> Answer:
    try:
        held = _find(data)
    except Refusal as refused:
        if refused.code != "StackSetNotFoundException":
            raise
        return {}
    if held.under_way:
        raise Refusal("OperationInProgressException", f"An operation on StackSet {held.arn} is in progress")
    if held.instances:
        raise Refusal("StackSetNotEmptyException", "StackSet is not empty")
    held.status = "DELETED"
    return {}


def _list_stack_sets(data: Data) -> Answer:
    return page([each.summary() for each in _here(data) if data.get("Status") in {None, each.status}], data)


def _list_instances(data: Data) -> Answer:
    held = _find(data)
    fits = [
        each
        for each in held.instances.values()
        if data.get("StackInstanceAccount") in {None, each.account}
        and data.get("StackInstanceRegion") in {None, each.region}
        and all(_passes(each, wanted["Name"], wanted["Values"]) for wanted in data.get("Filters", []))
    ]
    return page([held.instance_summary(each) for each in fits], data)


def _passes(instance: Instance, name: str, value: str) -> bool:
    known = {"DETAILED_STATUS": instance.detail, "LAST_OPERATION_ID": instance.operation}
    return known.get(name, "NOT_CHECKED") == value


def _describe_instance(data: Data) -> Answer:
    held = _find(data)
    found = held.instances.get((data["StackInstanceAccount"], data["StackInstanceRegion"]))
    if found is None:
        text = f"Stack instance not found for StackSet {held.name}"
        raise Refusal("StackInstanceNotFoundException", text)
    return {"StackInstance": held.instance_described(found)}


def _operation(held: StackSet, data: Data) -> Operation:
    found = held.operations.get(data["OperationId"])
    if found is None:
        raise Refusal("OperationNotFoundException", f"Operation {data['OperationId']} not found")
    return found


def _describe_operation(data: Data) -> Answer:
    held = _find(data)
    return {"StackSetOperation": operation_described(held, _operation(held, data))}


def _list_operations(data: Data) -> Answer:
    """The newest first."""
    return page([operation_summary(each) for each in reversed(_find(data).operations.values())], data)


def _list_results(data: Data) -> Answer:
    wanted = {each["Values"] for each in data.get("Filters", [])}
    results = _operation(_find(data), data).results.values()
    return page([result_summary(each) for each in results if not wanted or each.status in wanted], data)


def _stop(data: Data) -> Answer:
    found = _operation(_find(data), data)
    if found.status not in {"RUNNING", "QUEUED"}:
        raise Refusal("InvalidOperationException", f"Operation {found.id} is not in a state to be stopped")
    _runner.stop(found)
    return {}


def _list_auto_targets(data: Data) -> Answer:
    held = _find(data)
    there = held.targets.items() if held.auto.get("Enabled") else ()
    return page([{"OrganizationalUnitId": unit, "Regions": regions} for unit, regions in there], data)


def _import(data: Data) -> Answer:
    held, organization = _find(data), _trusted(data)
    regions, choose = importing.prepared(held, organization, data, _sets)
    operation = Operation(_operation_id(data), "CREATE", choose, regions)
    operation.imports = True
    return _start(held, data, operation)


def _describe_access(data: Data) -> Answer:
    organization = _organization(data)
    return {"Status": "ENABLED" if STACK_SETS in organization.services else "DISABLED"}


def _activate_access(data: Data) -> Answer:
    """Trusted access takes all features (Organizations user guide, "Enable all features")."""
    organization = _organization(data)
    if organization.features != "ALL":
        raise Refusal("InvalidOperationException", "The organization does not have all features enabled")
    organization.services.setdefault(STACK_SETS, time.time())
    return {}


def _deactivate_access(data: Data) -> Answer:
    _organization(data).services.pop(STACK_SETS, None)
    return {}


_OPERATIONS: Mapping[str, Callable[[Data], Answer]] = {
    "CreateStackSet": _create_stack_set,
    "UpdateStackSet": _update_stack_set,
    "DeleteStackSet": _delete_stack_set,
    "DescribeStackSet": lambda data: {"StackSet": _find(data).described()},
    "ListStackSets": _list_stack_sets,
    "CreateStackInstances": _create_instances,
    "UpdateStackInstances": _update_instances,
    "DeleteStackInstances": _delete_instances,
    "ListStackInstances": _list_instances,
    "DescribeStackInstance": _describe_instance,
    "DescribeStackSetOperation": _describe_operation,
    "ListStackSetOperations": _list_operations,
    "ListStackSetOperationResults": _list_results,
    "StopStackSetOperation": _stop,
    "ListStackSetAutoDeploymentTargets": _list_auto_targets,
    "ImportStacksToStackSet": _import,
    "DescribeOrganizationsAccess": _describe_access,
    "ActivateOrganizationsAccess": _activate_access,
    "DeactivateOrganizationsAccess": _deactivate_access,
}
