"""Terraform: for each `aws_lambda_function` the arguments that it has to have, with versions filled in.

The files are not changed: what a function's arguments are made of is often computed. Redirecting the handler
inside the resource keeps its address in the state, which replacing it by a module would not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.facts import catalog
from ddsetup.project.iac import versions
from ddsetup.project.iac.model import Proposal, Snippet, Via, Wanted
from ddsetup.project.iac.source import Source
from ddsetup.project.iac.variables import check_said
from ddsetup.project.iac.variables import variables as variables_of

_BLOCK = re.compile(
    r'(?m)^[ \t]*(?:resource[ \t]+"aws_lambda_function"|module)[ \t]+"(?P<name>[^"]+)"[ \t]*\{'
)
FUNCTIONS = re.compile(
    r'resource[ \t]+"aws_lambda_function"[ \t]|terraform-aws-modules/(?:lambda/aws|terraform-aws-lambda)'
)
"""What tells that a file has functions: the provider's resource, or the community's module around it."""
_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|(?P<comment>#[^\n]*|//[^\n]*|/\*.*?\*/)|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<end>\n)'
    r"|(?P<name>[A-Za-z_][\w-]*)[ \t]*=(?![=>])[ \t]*",
    re.DOTALL,
)
_REGION = 'data "aws_region" "datadog" {}'
_MARKS = ("datadog_lambda.handler", "datadog-lambda-js", "DataDog/lambda-datadog/aws", "datadog_wrapper")


@dataclass(frozen=True, slots=True)
class _Resource:
    """A function. `module`: terraform-aws-modules/lambda/aws makes it, whose arguments have other names."""

    name: str
    body: str
    arguments: Mapping[str, str]
    module: bool = False

    @property
    def address(self) -> str:
        return f"module.{self.name}" if self.module else f"aws_lambda_function.{self.name}"

    def argument(self, name: str) -> str:
        """An argument as it is written, empty if it is not there."""
        return self.arguments.get(name, "")

    def text(self, name: str) -> str:
        """An argument that is a text without anything computed."""
        found = re.fullmatch(r'"([^"$%]*)"', self.argument(name))
        return found[1] if found else ""


def propose(source: Source, wanted: Wanted, *, first: bool = True) -> Proposal:
    """A snippet with every function of a file that is not monitored yet. `first`: no other file of the
    directory says yet what all share. Raises AnswerMissing."""
    resources = [r for r in _resources(source.text) if not any(mark in r.body for mark in _MARKS)]
    if not resources:
        return Proposal(settled=(source.path,))
    via: Via = wanted.via or "forwarder"
    check_said(via, wanted, str(source.path))
    shared = f"{_REGION}\n\n" if first and _REGION not in source.text else ""
    text = shared + "\n".join(_block(each, via, wanted) for each in resources)
    reason = "Terraform's arguments may be computed; set these in the resources that are there"
    return Proposal(snippets=(Snippet(source.path, reason, text, "hcl"),))


def function_names(source: Source) -> frozenset[str]:
    """The names of the functions in a file; an empty one stands for those that are computed."""
    return frozenset(resource.text("function_name") for resource in _resources(source.text))


def _resources(text: str) -> list[_Resource]:
    found = []
    for match in _BLOCK.finditer(text):
        body = text[match.end() : _closing(text, match.end())]
        arguments = _arguments(body)
        module = match[0].lstrip().startswith("module")
        if not module or FUNCTIONS.search(arguments.get("source", "")):
            found.append(_Resource(match["name"], body, arguments, module))
    return found


def _closing(text: str, index: int) -> int:
    """Where the brace that is open at `index` closes; braces in texts and comments do not count."""
    depth, at = 1, index
    while depth:
        found = _TOKEN.search(text, at)
        if found is None:
            return len(text)
        depth += bool(found["open"]) - bool(found["close"])
        at = found.end()
    return at - 1


def _arguments(body: str) -> dict[str, str]:
    """The arguments of a block itself, not of blocks in it, each as it is written, on one line or more."""
    found: dict[str, str] = {}
    depth, name, start, stop = 0, "", 0, 0
    for token in _TOKEN.finditer(f"{body}\n"):
        depth += bool(token["open"]) - bool(token["close"])
        if depth or (token["end"] and not name):
            continue
        if token["name"] and not name:
            name, start, stop = token["name"], token.end(), 0
        elif token["comment"]:
            stop = stop or token.start()
        elif token["end"]:
            found[name] = body[start : stop or token.start()].strip()
            name = ""
    return found


def _block(resource: _Resource, via: Via, wanted: Wanted) -> str:
    if resource.text("package_type") == "Image":
        return f"# {resource.address} is a container image: its lines go into the Dockerfile.\n"
    runtime = resource.text("runtime")
    family = catalog.family_of(runtime)
    if family is None:
        said = resource.argument("runtime") or "no runtime"
        return f"# {resource.address}: which layer it needs depends on its runtime ({said}).\n"
    if via == "forwarder" and not family.forwarder:
        return f"# {resource.address} ({runtime}) sends traces only with --via extension.\n"
    head = (
        f'module "{resource.name}"'
        if resource.module
        else f'resource "aws_lambda_function" "{resource.name}"'
    )
    lines = [f"{head} {{", "  # ... all else stays as it is"]
    variables = {name: json.dumps(value) for name, value in variables_of(via, wanted).items()}
    if family.handler is not None:
        lines.append(f'  handler = "{family.handler}"')
        own = resource.argument("handler") or '"MODULE.FUNCTION"'
        variables = {catalog.HANDLER_VARIABLE: own, **variables}
    if family.wrapped:
        variables[catalog.WRAPPER_VARIABLE] = f'"{catalog.DATADOG_WRAPPER}"'
    architecture = "arm64" if "arm64" in resource.argument("architectures") else "x86_64"
    listed = "".join(f"    {layer},\n" for layer in _layers(runtime, architecture, via, wanted))
    lines.append(f"  layers = concat({resource.argument('layers') or '[]'}, [\n{listed}  ])")
    return "\n".join([*lines, *_environment(resource, variables)]) + "\n}\n"


def _environment(resource: _Resource, variables: Mapping[str, str]) -> list[str]:
    width = max(len(name) for name in variables)
    aligned = [f"{name:<{width}} = {value}" for name, value in variables.items()]
    if resource.module:
        before = resource.argument("environment_variables") or "{}"
        head = f"  environment_variables = merge({before}, {{"
        return [head, *(f"    {each}" for each in aligned), "  })"]
    head = "  environment {\n    variables = {\n      # the variables that are there stay"
    return [head, *(f"      {each}" for each in aligned), "    }\n  }"]


def _layers(runtime: str, architecture: str, via: Via, wanted: Wanted) -> list[str]:
    found = []
    library = versions.layer_version_for(runtime, architecture, wanted)
    if library is not None:
        found.append(_arn(*library, wanted))
    number = versions.extension_version(wanted)
    if via == "extension" and number:
        found.append(_arn(catalog.extension_layer(architecture), number, wanted))
    return found


def _arn(name: str, number: int, wanted: Wanted) -> str:
    partition = catalog.partition_of(wanted.region) if wanted.region else "aws"
    account = catalog.LAYER_ACCOUNTS.get(partition, catalog.LAYER_ACCOUNTS["aws"])
    return f'"arn:{partition}:lambda:${{data.aws_region.datadog.name}}:{account}:layer:{name}:{number}"'
