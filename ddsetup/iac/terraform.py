"""Terraform: for each `aws_lambda_function` the arguments that it has to have, with versions filled in.

The files are not changed: what a function's arguments are made of is often computed. Redirecting the handler
inside the resource keeps its address in the state, which replacing it by a module would not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ddsetup import catalog
from ddsetup.iac import versions
from ddsetup.iac.model import Proposal, Snippet, Via, Wanted
from ddsetup.iac.source import Source
from ddsetup.iac.variables import check_said
from ddsetup.iac.variables import variables as variables_of

_RESOURCE = re.compile(r'(?m)^[ \t]*resource[ \t]+"aws_lambda_function"[ \t]+"([^"]+)"[ \t]*\{')
_ARGUMENT = r"(?m)^[ \t]*{name}[ \t]*=[ \t]*(.+?)[ \t]*(?:#.*|//.*)?\r?$"
_MARKS = ("datadog_lambda.handler", "datadog-lambda-js", "DataDog/lambda-datadog/aws", "datadog_wrapper")


@dataclass(frozen=True, slots=True)
class _Resource:
    name: str
    body: str
    line: int

    def argument(self, name: str) -> str:
        """An argument as it is written, empty if it is not there."""
        found = re.search(_ARGUMENT.format(name=re.escape(name)), self.body)
        return found[1] if found else ""

    def text(self, name: str) -> str:
        """An argument that is a text without anything computed."""
        found = re.fullmatch(r'"([^"$%]*)"', self.argument(name))
        return found[1] if found else ""


def propose(source: Source, wanted: Wanted) -> Proposal:
    """A snippet with every function of a file that is not monitored yet. Raises AnswerMissing."""
    resources = [r for r in _resources(source.text) if not any(mark in r.body for mark in _MARKS)]
    if not resources:
        return Proposal(settled=(source.path,))
    via: Via = wanted.via or "forwarder"
    check_said(via, wanted, str(source.path))
    text = 'data "aws_region" "datadog" {}\n\n' + "\n".join(_block(each, via, wanted) for each in resources)
    reason = "Terraform's arguments may be computed; set these in the resources that are there"
    return Proposal(snippets=(Snippet(source.path, reason, text, "hcl"),))


def function_names(source: Source) -> frozenset[str]:
    """The names of the functions in a file; an empty one stands for those that are computed."""
    return frozenset(resource.text("function_name") for resource in _resources(source.text))


def _resources(text: str) -> list[_Resource]:
    found = []
    for match in _RESOURCE.finditer(text):
        end = _closing(text, match.end())
        found.append(_Resource(match[1], text[match.end() : end], text.count("\n", 0, match.start()) + 1))
    return found


def _closing(text: str, index: int) -> int:
    """Where the brace that is open at `index` closes; braces in texts and comments do not count."""
    depth, at = 1, index
    token = re.compile(r'"(?:\\.|[^"\\])*"|#[^\n]*|//[^\n]*|/\*.*?\*/|[{}]', re.DOTALL)
    while depth:
        found = token.search(text, at)
        if found is None:
            return len(text)
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        at = found.end()
    return at - 1


def _block(resource: _Resource, via: Via, wanted: Wanted) -> str:
    if resource.text("package_type") == "Image":
        return (
            f"# aws_lambda_function.{resource.name} is a container image: its lines go into the Dockerfile.\n"
        )
    runtime = resource.text("runtime")
    family = catalog.family_of(runtime)
    if family is None:
        return _unknown(resource)
    if via == "forwarder" and not family.forwarder:
        return f"# aws_lambda_function.{resource.name} ({runtime}) sends traces only with --via extension.\n"
    architecture = "arm64" if "arm64" in resource.argument("architectures") else "x86_64"
    lines = [f'resource "aws_lambda_function" "{resource.name}" {{', "  # ... all else stays as it is"]
    variables = {name: json.dumps(value) for name, value in variables_of(via, wanted).items()}
    if family.handler is not None:
        lines.append(f'  handler = "{family.handler}"')
        variables = {
            catalog.HANDLER_VARIABLE: resource.argument("handler") or '"MODULE.FUNCTION"',
            **variables,
        }
    if family.wrapped:
        variables[catalog.WRAPPER_VARIABLE] = f'"{catalog.DATADOG_WRAPPER}"'
    layers = _layers(runtime, architecture, via, wanted)
    before = resource.argument("layers")
    kept = before if re.fullmatch(r"\[.*\]|\w[\w.\[\]*]*", before) else ""
    listed = "".join(f"    {layer},\n" for layer in layers)
    lines.append(f"  layers = concat({kept or '[]'}, [\n{listed}  ])")
    if before and not kept:
        lines.append("  # the layers that are there stand first in this list")
    width = max(len(name) for name in variables)
    body = "".join(f"      {name:<{width}} = {value}\n" for name, value in variables.items())
    lines.append("  environment {\n    variables = {\n      # the variables that are there stay")
    lines.append(f"{body}    }}\n  }}")
    return "\n".join(lines) + "\n}\n"


def _unknown(resource: _Resource) -> str:
    runtime = resource.argument("runtime") or "no runtime"
    return (
        f"# aws_lambda_function.{resource.name}: which layer it needs depends on its runtime ({runtime}).\n"
    )


def _layers(runtime: str, architecture: str, via: Via, wanted: Wanted) -> list[str]:
    found = []
    library = versions.layer_version_for(runtime, architecture, wanted)
    if library is not None:
        found.append(_arn(*library))
    number = versions.extension_version(wanted)
    if via == "extension" and number:
        found.append(_arn(catalog.extension_layer(architecture), number))
    return found


def _arn(name: str, number: int) -> str:
    account = catalog.LAYER_ACCOUNTS["aws"]
    return f'"arn:aws:lambda:${{data.aws_region.datadog.name}}:{account}:layer:{name}:{number}"'
