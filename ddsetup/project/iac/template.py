"""What a SAM or CloudFormation template says of its functions and state machines.

Parameters, `Fn::ForEach`, `Globals` and intrinsic functions are followed as far as a text can be: what the
tools compute only when they deploy stays unknown, and is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ddsetup.model.account import Json
from ddsetup.project.iac import yamldoc
from ddsetup.project.iac.described import Described, runtime, texts
from ddsetup.project.iac.yamldoc import Document

_SAM, _PLAIN = "AWS::Serverless::Function", "AWS::Lambda::Function"
_STATE_MACHINES = ("AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine")
_EDGE_PRINCIPAL = "edgelambda.amazonaws.com"
_MOST_COPIES = 200
_IN_SUB = re.compile(r"\$\{([\w:.]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template as JSON types, its loops rolled out where they can be."""

    root: Mapping[str, Json]
    resources: Mapping[str, Mapping[str, Json]]

    def of_type(self, *types: str) -> dict[str, Mapping[str, Json]]:
        """The properties of the resources of some types."""
        return {n: _mapping(r.get("Properties")) for n, r in self.resources.items() if r.get("Type") in types}


def read(document: Document) -> Template:
    """The template in a document."""
    root = _mapping(yamldoc.as_plain(document.root))
    return Template(root, dict(_rolled_out(_mapping(root.get("Resources")), root)))


def _mapping(value: Json) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rolled_out(
    resources: Mapping[str, Json], root: Mapping[str, Json]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources; those of `Fn::ForEach` once for each value if its list is written out."""
    for name, resource in resources.items():
        if name.startswith("Fn::ForEach::") and isinstance(resource, list) and len(resource) == 3:
            variable, values, body = resource
            listed = _collection(values, root)[:_MOST_COPIES] or [f"${{{variable}}}"]
            for each in listed:
                copies = {k: _filled(v, str(variable), each) for k, v in _mapping(body).items()}
                named = {_filled(k, str(variable), each): v for k, v in copies.items()}
                yield from _rolled_out(named, root)
        elif isinstance(resource, dict):
            yield name, resource


def _collection(values: Json, root: Mapping[str, Json]) -> list[str]:
    if isinstance(values, list):
        return [str(v) for v in values if isinstance(v, str | int)]
    default = _mapping(_mapping(root.get("Parameters")).get(_mapping(values).get("Ref", ""))).get("Default")
    return [part.strip() for part in default.split(",")] if isinstance(default, str) else []


def _filled(value: Any, variable: str, text: str) -> Any:
    """A value with a loop's variable replaced."""
    if isinstance(value, str):
        return value.replace(f"${{{variable}}}", text).replace(f"&{{{variable}}}", text)
    if isinstance(value, list):
        return [_filled(each, variable, text) for each in value]
    if isinstance(value, dict):
        if value.get("Ref") == variable and len(value) == 1:
            return text
        return {_filled(k, variable, text): _filled(v, variable, text) for k, v in value.items()}
    return value


# Functions


def functions(template: Template) -> tuple[Described, ...]:
    """The functions of a template, those that `Globals` complete included."""
    at_edge = _edge(template)
    return tuple(
        _function(name, own, template, edge=name in at_edge) for name, own in _completed(template).items()
    )


def _completed(template: Template) -> dict[str, Mapping[str, Json]]:
    """The properties of every function, with what `Globals` give to those of SAM."""
    shared = _mapping(_mapping(template.root.get("Globals")).get("Function"))
    of_sam = {name: {**shared, **own, **_joined(shared, own)} for name, own in template.of_type(_SAM).items()}
    return {name: of_sam.get(name, own) for name, own in template.of_type(_SAM, _PLAIN).items()}


def _joined(shared: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    """What SAM joins instead of replacing: layers and variables."""
    found: dict[str, Json] = {}
    if isinstance(shared.get("Layers"), list) and isinstance(own.get("Layers"), list):
        found["Layers"] = [*shared["Layers"], *own["Layers"]]
    both = [_mapping(each.get("Environment")).get("Variables") for each in (shared, own)]
    if isinstance(both[0], dict) and isinstance(both[1], dict):
        found["Environment"] = {"Variables": {**both[0], **both[1]}}
    return found


def _function(name: str, properties: Mapping[str, Json], template: Template, *, edge: bool) -> Described:
    said = properties.get("Runtime")
    handler, function_name = properties.get("Handler"), properties.get("FunctionName")
    image = properties.get("PackageType") == "Image" or "ImageUri" in {
        *properties,
        *_mapping(properties.get("Code")),
    }
    return Described(
        name=name,
        runtimes=() if image else _possible(said, template.root),
        computed_runtime=isinstance(said, dict)
        and not (_is_parameter(said, template.root) and _possible(said, template.root)),
        handler=handler if isinstance(handler, str) else "",
        image=image,
        edge=edge,
        layers=_layers(properties.get("Layers")),
        variables=_variables(properties.get("Environment")),
        architecture=_architecture(properties.get("Architectures"), template.root),
        **_code(properties, template.resources[name]),
        function_name=function_name if isinstance(function_name, str) else "",
        computed_tags=template.resources[name].get("Type") == _PLAIN
        and isinstance(properties.get("Tags"), dict),
    )


def _code(properties: Mapping[str, Json], resource: Mapping[str, Json]) -> dict[str, Any]:
    """The folder of the code, and whether `sam build` installs what it lists: not where it bundles, or is
    told another way."""
    place = properties.get("CodeUri") if resource.get("Type") == _SAM else properties.get("Code")
    if not isinstance(place, str) or "://" in place:
        return {}
    built = resource.get("Type") == _SAM and "BuildMethod" not in _mapping(resource.get("Metadata"))
    return {"code": place, "installs": built}


def _is_parameter(value: Mapping[str, Json], root: Mapping[str, Json]) -> bool:
    return value.get("Ref") in _mapping(root.get("Parameters"))


def _possible(value: Json, root: Mapping[str, Json]) -> tuple[str, ...]:
    """The runtimes that a value can come to."""
    if isinstance(value, str):
        return runtime(value)
    if not isinstance(value, dict) or len(value) != 1:
        return ()
    (kind, inner), found = next(iter(value.items())), []
    match kind, inner:
        case "Ref", str():
            found = _of_parameter(inner, root)
        case "Fn::If", [_, yes, no]:
            return tuple(dict.fromkeys((*_possible(yes, root), *_possible(no, root))))
        case "Fn::FindInMap", [str(name), *_]:
            found = list(texts(list(_leaves(_mapping(root.get("Mappings")).get(name)))))
        case "Fn::Sub", str():
            found = _substituted(inner, root)
    return tuple(dict.fromkeys(each for text in found for each in runtime(text)))


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    else:
        yield value


def _of_parameter(name: str, root: Mapping[str, Json]) -> list[str]:
    parameter = _mapping(_mapping(root.get("Parameters")).get(name))
    allowed = parameter.get("AllowedValues")
    return [str(v) for v in (parameter.get("Default"), *(allowed if isinstance(allowed, list) else ())) if v]


def _substituted(text: str, root: Mapping[str, Json]) -> list[str]:
    found = [text]
    for name in dict.fromkeys(_IN_SUB.findall(text)):
        values = _of_parameter(name, root)
        found = [each.replace(f"${{{name}}}", value) for each in found for value in values][:_MOST_COPIES]
    return found


def _layers(value: Json) -> tuple[str, ...] | None:
    """The layers, each as one text with what is computed left in; None for a list that is computed."""
    if value is None:
        return ()
    if isinstance(value, dict) and isinstance(value.get("Fn::If"), list):
        parts = [_layers(part) for part in value["Fn::If"][1:]]
        return None if None in parts else tuple(each for part in parts for each in part or ())
    if not isinstance(value, list):
        return None
    return tuple(" ".join(texts(each)) for each in value)


def _variables(environment: Json) -> dict[str, str] | None:
    if environment is None:
        return {}
    variables = environment.get("Variables", {}) if isinstance(environment, dict) else None
    if not isinstance(variables, dict) or any(name.startswith("Fn::") for name in variables):
        return None
    if isinstance(environment, dict) and any(name.startswith("Fn::") for name in environment):
        return None
    return {name: value if isinstance(value, str) else "" for name, value in variables.items()}


def _architecture(value: Json, root: Mapping[str, Json]) -> str | None:
    """x86_64 or arm64, None where it is computed in a way that Datadog's macro cannot follow."""
    if value is None:
        return "x86_64"
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, str):
        return first
    if isinstance(first, dict) and _is_parameter(first, root):
        return next(iter(_of_parameter(str(first["Ref"]), root)), "x86_64")
    return None


def _edge(template: Template) -> set[str]:
    """The functions that CloudFront calls, by its distributions or by their roles."""
    called = set()
    for properties in template.of_type("AWS::CloudFront::Distribution").values():
        called |= _words(list(_associations(properties)))
    for name, version in template.of_type("AWS::Lambda::Version").items():
        if name in called:
            called |= _words(version.get("FunctionName"))
    roles = {
        n
        for n, r in template.of_type("AWS::IAM::Role").items()
        if any(_EDGE_PRINCIPAL in t for t in texts(r))
    }
    found = set()
    for name, properties in template.of_type(_SAM, _PLAIN).items():
        own = properties.get("AssumeRolePolicyDocument")
        trusted = any(_EDGE_PRINCIPAL in text for text in texts(own))
        if name in called or trusted or roles & _words(properties.get("Role")):
            found.add(name)
    return found


def _associations(value: Json, depth: int = 12) -> Iterator[Json]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "LambdaFunctionAssociations":
                yield each
            elif depth:
                yield from _associations(each, depth - 1)
    elif isinstance(value, list) and depth:
        for each in value:
            yield from _associations(each, depth - 1)


def _words(value: Json) -> set[str]:
    """The names in a value: a reference `EdgeFunction.Version` names EdgeFunction."""
    return {word for text in texts(value) for word in re.findall(r"\w+", text)}


# State machines and logs


def state_machines(template: Template) -> dict[str, bool]:
    """The state machines, and whether Datadog's macro can subscribe a Forwarder to their logs.

    Its rules: a role that is none of this template's, or log groups that are not referenced by `Fn::GetAtt`,
    stop the deployment (src/step_function/log.ts of datadog-cloudformation-macro).
    """
    return {name: _loggable(own, template) for name, own in template.of_type(*_STATE_MACHINES).items()}


def _loggable(properties: Mapping[str, Json], template: Template) -> bool:
    logging = properties.get("Logging") or properties.get("LoggingConfiguration")
    destinations = _mapping(logging).get("Destinations")
    if destinations:
        first = destinations[0] if isinstance(destinations, list) else None
        arn = _mapping(_mapping(_mapping(first).get("CloudWatchLogsLogGroup")).get("LogGroupArn"))
        target = arn.get("Fn::GetAtt")
        return (
            isinstance(target, list)
            and target[1:] == ["Arn"]
            and bool(template.of_type("AWS::Logs::LogGroup").get(target[0]))
        )
    if logging is not None and not isinstance(logging, dict):
        return False
    role = properties.get("Role") or properties.get("RoleArn")
    if role is None:
        return True
    target = _mapping(role).get("Fn::GetAtt")
    by_sub = re.fullmatch(r"\$\{(\w+)\.Arn\}", str(_mapping(role).get("Fn::Sub")))
    named = target[0] if isinstance(target, list) and target else by_sub[1] if by_sub else ""
    return named in template.of_type("AWS::IAM::Role")


def unsubscribable(template: Template, covered: tuple[Described, ...]) -> tuple[str, ...]:
    """The functions for which the macro cannot subscribe a Forwarder when a stack is new.

    It makes the log group itself, for which it has to know the function's name, and refuses a log group that
    the template declares (src/lambda/forwarder.ts of datadog-cloudformation-macro).
    """
    groups = template.of_type("AWS::Logs::LogGroup").values()
    unnamed = any("LogGroupName" not in group for group in groups)
    found = []
    for each in covered:
        declared = any(
            (each.function_name and each.function_name in text) or each.name in re.findall(r"\w+", text)
            for group in groups
            for text in texts(group.get("LogGroupName"))
        )
        if not each.function_name or declared or unnamed:
            found.append(each.name)
    return tuple(found)


# What the macro does not do


def remarks(template: Template, doing: tuple[Described, ...], *, forwarder: bool) -> list[str]:
    """What to know of versions and log groups of the functions to which the macro does something.

    SAM makes a version when the code changes, or what it sees of the properties, and comes before the macro
    (SAM's reference of AutoPublishAlias and AutoPublishCodeSha256). The macro subscribes the log group that
    is named after a function (src/lambda/forwarder.ts of datadog-cloudformation-macro).
    """
    completed = _completed(template)
    own = {each.name: completed[each.name] for each in doing}
    published = [name for name, properties in own.items() if properties.get("AutoPublishAlias")]
    elsewhere = [n for n, p in own.items() if _mapping(p.get("LoggingConfig")).get("LogGroup")]
    found = []
    if published:
        found.append(
            "SAM publishes no version for what the macro adds, so the aliases of "
            f"{', '.join(published)} get Datadog with the next change of the code; or give "
            "AutoPublishCodeSha256 another value once"
        )
    if forwarder and elsewhere:
        found.append(
            f"the macro subscribes /aws/lambda/NAME only, and {', '.join(elsewhere)} log to a group of their "
            "own (LoggingConfig): `ddsetup setup` subscribes that one"
        )
    return found
