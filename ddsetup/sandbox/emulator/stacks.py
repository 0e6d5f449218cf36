"""Where the emulator's CloudFormation is not like AWS's.

It takes a parameter that the template does not have, a stack name that a rolled-back stack still holds, and a
function or log group whose name is taken by something outside the stack; its secrets are referred to by
name; it knows no macros; it invents the same names in every region; it deletes a bucket with all that is in
it; and it makes what the caller may not make. Here all of it is as on AWS, but that macros do nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from ddsetup.sandbox.emulator import stack_rights


def install() -> None:
    """Change it."""
    from ministack.services import cloudwatch_logs, lambda_svc
    from ministack.services.cloudformation import handlers, provisioners

    resolve = handlers._resolve_parameters

    def resolve_known(template: dict[str, Any], provided: list[dict[str, Any]], *previous: Any) -> Any:
        unknown = [each["Key"] for each in provided if each.get("Key") not in template.get("Parameters", {})]
        if unknown:
            raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        return resolve(template, provided, *previous)

    handlers._resolve_parameters = resolve_known
    _name_by_region(provisioners)
    _keep_names_of_rolled_back_stacks(handlers)
    makers = provisioners._RESOURCE_HANDLERS
    _refer_to_secrets_by_arn(makers["AWS::SecretsManager::Secret"])
    makers["AWS::CloudFormation::Macro"] = {"create": _create_macro, "delete": _delete_macro}
    function = makers["AWS::Lambda::Function"]
    function["create"] = _creating(
        function["create"],
        "FunctionName",
        lambda name: name in lambda_svc._functions,
        "Function already exist: {}",
    )
    group = makers["AWS::Logs::LogGroup"]
    group["create"] = _creating(
        group["create"],
        "LogGroupName",
        lambda name: name in cloudwatch_logs._log_groups,
        "Resource of type 'AWS::Logs::LogGroup' with identifier '{{\"/properties/LogGroupName\":\"{}\"}}' "
        "already exists.",
    )
    _keep_full_buckets(makers["AWS::S3::Bucket"])
    stack_rights.install()


def _keep_full_buckets(bucket: dict[str, Any]) -> None:
    """S3 deletes no bucket that holds objects or versions of objects, and CloudFormation empties none."""
    create, update, delete = bucket["create"], bucket["update"], bucket["delete"]

    def create_tagged(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        name, attributes = create(logical_id, properties, stack_name)
        _tag_bucket(name, properties)
        return name, attributes

    def update_tagged(name: str, before: Any, after: dict[str, Any], *rest: Any, **named: Any) -> Any:
        _tag_bucket(name, after)
        return update(name, before, after, *rest, **named)

    def delete_empty(name: str, properties: dict[str, Any]) -> Any:
        from ministack.services import s3

        held = s3._buckets.get(name) or {}
        if held.get("objects") or s3._bucket_has_versions(name):
            raise ValueError(
                'Resource handler returned message: "The bucket you tried to delete is not empty (Service: '
                f'S3, Status Code: 409, Request ID: {uuid.uuid4()})" (RequestToken: {uuid.uuid4()}, '
                "HandlerErrorCode: GeneralServiceException)"
            )
        return delete(name, properties)

    bucket.update(create=create_tagged, update=update_tagged, delete=delete_empty)


def _tag_bucket(name: str, properties: dict[str, Any]) -> None:
    from ministack.services import s3

    s3._bucket_tags[name] = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or ()}


def _create_macro(_logical_id: str, properties: dict[str, Any], _stack_name: str) -> Any:
    """A macro is known by its name; templates that use it are not transformed here."""
    return properties["Name"], {}


def _delete_macro(_physical_id: str, _properties: dict[str, Any]) -> None:
    return None


def _name_by_region(provisioners: Any) -> None:
    """Stacks of one name in two regions have roles of their own: what is invented is invented by region."""
    invent = provisioners._physical_name
    seed = provisioners._NAME_SEED

    def physical_name(*arguments: Any, **named: Any) -> Any:
        token = seed.set(f"{seed.get()}{provisioners.get_region()}")
        try:
            return invent(*arguments, **named)
        finally:
            seed.reset(token)

    provisioners._physical_name = physical_name


def _keep_names_of_rolled_back_stacks(handlers: Any) -> None:
    from ministack.services import cloudformation
    from ministack.services.cloudformation import helpers

    create = handlers._ACTION_HANDLERS["CreateStack"]

    def create_unless_taken(parameters: dict[str, Any]) -> Any:
        name = helpers._p(parameters, "StackName")
        stack = cloudformation._stacks.get(name)
        if stack and stack.get("StackStatus") == "ROLLBACK_COMPLETE":
            return helpers._error("AlreadyExistsException", f"Stack [{name}] already exists")
        return create(parameters)

    handlers._ACTION_HANDLERS["CreateStack"] = create_unless_taken


def _refer_to_secrets_by_arn(secret: dict[str, Any]) -> None:
    create, update, delete = secret["create"], secret["update"], secret["delete"]

    def create_secret(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        _, attributes = create(logical_id, properties, stack_name)
        return attributes["Arn"], attributes

    def update_secret(physical_id: str, *arguments: Any, **named: Any) -> Any:
        _, attributes = update(_secret_name(physical_id), *arguments, **named)
        return attributes.get("Arn", physical_id), attributes

    def delete_secret(physical_id: str, properties: dict[str, Any]) -> Any:
        return delete(_secret_name(physical_id), properties)

    secret.update(create=create_secret, update=update_secret, delete=delete_secret)


def _secret_name(arn: str) -> str:
    """A secret's ARN ends with its name and six characters that Secrets Manager chose."""
    return arn.partition(":secret:")[2].rpartition("-")[0] or arn


def _creating(make: Any, name_property: str, taken: Callable[[str], bool], text: str) -> Any:
    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        name = properties.get(name_property)
        if name and taken(name):
            raise ValueError(_as_handler_message(text.format(name)))
        try:
            return make(logical_id, properties, stack_name)
        except ValueError as error:
            raise ValueError(_service_message(str(error))) from error

    return create


def _service_message(text: str) -> str:
    """The emulator quotes a service's whole answer; CloudFormation shows its message."""
    match = re.search(r"b'(\{.*\})'", text)
    if match is None:
        return text
    return _as_handler_message(json.loads(match[1])["message"])


def _as_handler_message(text: str) -> str:
    return f'Resource handler returned message: "{text}"'
