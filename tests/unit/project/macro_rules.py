"""What Datadog's macro does to a template when it is deployed, as far as it can stop the deployment.

Written from the source of DataDog/datadog-cloudformation-macro (serverless/src), for a stack that is new: no
log group exists yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PYTHON = tuple(f"python{v}" for v in ("2.7", *(f"3.{n}" for n in range(6, 15))))
NODE = tuple(f"nodejs{n}.x" for n in (12, 14, 16, 18, 20, 22, 24))
RUBY = ("ruby3.2", "ruby3.3", "ruby3.4", "ruby4.0")
JAVA = ("java8", "java8.al2", "java11", "java17", "java21", "java25")
DOTNET = ("dotnet6", "dotnet8", "dotnet10")
LANGUAGES = {
    "python": PYTHON,
    "node": NODE,
    "ruby": RUBY,
    "java": JAVA,
    "dotnet": DOTNET,
}
SITES = (
    *("datadoghq.com", "datadoghq.eu", "us3.datadoghq.com", "us5.datadoghq.com", "ap1.datadoghq.com"),
    *("ap2.datadoghq.com", "uk1.datadoghq.com", "ddog-gov.com", "us2.ddog-gov.com"),
)
KEYS = ("apiKey", "apiKeySecretArn", "apiKeySsmArn", "apiKMSKey")


class Stops(Exception):
    """The deployment ends here, with the macro's or Lambda's words."""


def deploy(template: Mapping[str, Any], published: Mapping[str, set[int]]) -> None:
    """Raises Stops where a deployment of the template with the macro would."""
    macro = next(t for t in _transforms(template) if t["Name"] == "DatadogServerless")
    config = {"addLayers": True, "addExtension": False, "flushMetricsToLogs": True, **macro["Parameters"]}
    _validate(config)
    functions = {
        name: resource["Properties"]
        for name, resource in _after_sam(template).items()
        if resource["Type"] == "AWS::Lambda::Function"
        and resource["Properties"].get("PackageType") != "Image"
        and name not in config.get("exclude", [])
    }
    for name, own in functions.items():
        _variables(name, own)
        _layers(name, own, config, template, published)
        if not isinstance(own.get("Tags", []), list):
            raise Stops(f"{name}: tags.push is not a function")
        handler = own.get("Handler", "")
        if handler == "datadog_lambda.handler.handler":
            raise Stops(f"{name}: the macro's own handler would call itself")
    if "forwarderArn" in config:
        _subscribe(functions, template, config)


def _transforms(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = template["Transform"]
    return [
        t if isinstance(t, dict) else {"Name": t} for t in (found if isinstance(found, list) else [found])
    ]


def _after_sam(template: Mapping[str, Any]) -> dict[str, Any]:
    """SAM's functions as those of CloudFormation, with what `Globals` says of all."""
    shared = template.get("Globals", {}).get("Function", {})
    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            own = {**shared, **resource["Properties"]}
            if isinstance(shared.get("Layers"), list) and "Layers" in resource["Properties"]:
                own["Layers"] = [*shared["Layers"], *resource["Properties"]["Layers"]]
            found[name] = {"Type": "AWS::Lambda::Function", "Properties": own}
        else:
            found[name] = resource
    return found


def _validate(config: Mapping[str, Any]) -> None:
    if config.get("site", "datadoghq.com").lower() not in SITES:
        raise Stops("Invalid site URL")
    if len([key for key in KEYS if key in config]) > 1:
        raise Stops("should not be set at the same time")
    if config["addExtension"] is True and "extensionLayerVersion" not in config:
        raise Stops("Please add the `extensionLayerVersion` parameter")
    if "extensionLayerVersion" in config:
        if "forwarderArn" in config:
            raise Stops("cannot be set at the same time")
        if not any(key in config for key in KEYS):
            raise Stops("must also be set")


def _variables(name: str, own: Mapping[str, Any]) -> None:
    environment = own.get("Environment", {})
    if "Fn::If" in environment or "Fn::If" in environment.get("Variables", {}):
        raise Stops(f"{name}: Template format error beside Fn::If")


def _layers(
    name: str,
    own: Mapping[str, Any],
    config: Mapping[str, Any],
    template: Mapping[str, Any],
    published: Mapping[str, set[int]],
) -> None:
    runtime = _value(own.get("Runtime"), template)
    language = next((k for k, runtimes in LANGUAGES.items() if runtime in runtimes), "")
    added = []
    architectures = own.get("Architectures")
    architecture = _value(architectures[0], template) if isinstance(architectures, list) else "x86_64"
    if language and config["addLayers"]:
        version = config.get(f"{language}LayerVersion")
        if version is None:
            raise Stops(f"{name}: no {language}LayerVersion")
        if architecture not in ("x86_64", "arm64"):
            raise Stops(f"{name}: Cannot read properties of undefined")
        layer = layer_of(language, str(runtime), str(architecture))
        if version not in published.get(layer, set()):
            raise Stops(f"{name}: {layer}:{version} does not exist")
        added.append(f"{layer}:{version}")
    if config["addExtension"] or "extensionLayerVersion" in config:
        suffix = "-ARM" if architecture == "arm64" else ""
        added.append(f"Datadog-Extension{suffix}:{config['extensionLayerVersion']}")
    current = own.get("Layers", [])
    if not isinstance(current, list):
        raise Stops(f"{name}: the handler is redirected, and the layer is not there")
    names = [str(layer).rsplit(":", 2)[-2] for layer in current if isinstance(layer, str)]
    if any(layer.split(":")[0] in names for layer in added):
        raise Stops(f"{name}: two versions of one layer")
    if len(current) + len(added) > 5:
        raise Stops(f"{name}: more than five layers")


def layer_of(language: str, runtime: str, architecture: str) -> str:
    arm = "-ARM" if architecture == "arm64" else ""
    version = runtime.lstrip("abcdefghijklmnopqrstuvwxyz")
    return {
        "python": f"Datadog-Python{version.replace('.', '')}{arm}",
        "node": f"Datadog-Node{version.replace('.', '-')}",
        "ruby": f"Datadog-Ruby{version.replace('.', '-')}{arm}",
        "java": "dd-trace-java",
        "dotnet": f"dd-trace-dotnet{arm}",
    }[language]


def _value(value: Any, template: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return template.get("Parameters", {}).get(value.get("Ref"), {}).get("Default", "[object Object]")
    return value


def _subscribe(functions: Mapping[str, Any], template: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    groups = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Logs::LogGroup"]
    for name, own in functions.items():
        function_name = own.get("FunctionName")
        if function_name is None and "stackName" not in config:
            raise Stops("the stack name was not provided")
        if function_name is not None and not isinstance(function_name, str):
            raise Stops("'logGroupNamePrefix' failed to satisfy constraint")
        for group in groups:
            if "LogGroupName" not in group:
                raise Stops("Cannot read properties of undefined")
            said = group["LogGroupName"]
            of_sub = isinstance(said, dict) and f"${{{name}}}" in said.get("Fn::Sub", "")
            if of_sub or (isinstance(said, str) and function_name and function_name in said):
                raise Stops("Found a declared log group, but no subscription filter declared")
        if function_name is None:
            raise Stops("'FunctionName' property is undefined")
