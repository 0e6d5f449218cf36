"""A set's template: where it comes from, what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets.records import NO_ECHO


def body(data: Mapping[str, Any]) -> str:
    """The template itself. Raises Refusal if there is none, or if it is none that StackSets takes."""
    from ministack.services.cloudformation import engine, helpers

    asked = {key: [data[key]] for key in ("TemplateBody", "TemplateURL") if key in data}
    text, error = helpers._resolve_template(asked)
    if error or not text:
        raise Refusal("ValidationError", "Template is not found or cannot be read")
    try:
        template = engine._parse_template(text)
    except Exception as failed:
        raise Refusal("ValidationError", f"Template format error: {failed}") from failed
    if "Transform" in template:
        raise Refusal("ValidationError", "Transforms are not supported with SERVICE_MANAGED permissions")
    return str(text)


def parameters(
    text: str, given: Sequence[Mapping[str, Any]], before: Mapping[str, str]
) -> tuple[dict[str, str], frozenset[str]]:
    """All values of the template's parameters, and the names of those that are NoEcho. Raises Refusal for
    one that has no value, or one that it does not allow."""
    from ministack.services.cloudformation import engine, handlers

    template = engine._parse_template(text)
    provided = [{"Key": each["ParameterKey"], "Value": _value(each, before)} for each in given]
    try:
        resolved = handlers._resolve_parameters(template, provided)
    except ValueError as failed:
        raise Refusal("ValidationError", str(failed)) from failed
    hidden = frozenset(name for name, each in resolved.items() if each["NoEcho"])
    return {name: str(each["Value"]) for name, each in resolved.items()}, hidden


def _value(given: Mapping[str, Any], before: Mapping[str, str]) -> str:
    if given.get("UsePreviousValue"):
        return before.get(given["ParameterKey"], "")
    value = str(given.get("ParameterValue", ""))
    # What was read back is what is shown, not what it stands for.
    return before.get(given["ParameterKey"], value) if value == NO_ECHO else value


def check_capabilities(text: str, capabilities: Sequence[str]) -> None:
    """Raise Refusal unless what the template makes is acknowledged."""
    from ministack.services.cloudformation import engine, handlers

    needed, _ = handlers._required_capabilities(engine._parse_template(text), strict=True)
    missing = handlers._missing_capabilities(capabilities, needed)
    if missing:
        raise Refusal("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")
