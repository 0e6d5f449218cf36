"""The functions of Terraform's files, in its own language and in JSON: what their arguments say.

An argument is given as an expression of Terraform's language in either case, so that all else reads one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ddsetup.project.iac import hcl, terraform_edit, terraform_json
from ddsetup.project.iac.hcl import Block
from ddsetup.project.iac.source import Source
from ddsetup.project.iac.terraform_edit import Wished
from ddsetup.project.iac.yamldoc import Node

_IGNORED = re.compile(r"\b(all|handler|layers|environment)\b(?!\[0\]\.variables\s*[\[.]|\.0\.variables\.)")
_COMMUNITY = re.compile(r"terraform-aws-modules/(lambda/aws|terraform-aws-lambda(\.git)?)(?!.*//)")


@dataclass(frozen=True, slots=True)
class Resource:
    """A function. `module`: terraform-aws-modules/lambda/aws makes it, whose arguments have other names.

    `block` is where it stands in Terraform's own language, `node` in JSON. `runtime` is what the files say of
    it as far as that is certain; `overridden`: why another file has the say.
    """

    source: Source
    name: str
    module: bool = False
    block: Block | None = None
    node: Node | None = None
    runtime: str = ""
    overridden: str = ""

    @property
    def address(self) -> str:
        return f"module.{self.name}" if self.module else f"aws_lambda_function.{self.name}"

    @property
    def path(self) -> tuple[str, ...]:
        """The block's type and labels."""
        return ("module", self.name) if self.module else ("resource", "aws_lambda_function", self.name)

    def argument(self, name: str) -> str:
        """An argument as it is written, empty if it is not there."""
        if self.block is None:
            return terraform_json.argument(self.node, name)
        found = self.block.arguments.get(name)
        return "" if found is None else self.source.text[found.value_start : found.value_end]

    def text(self, name: str) -> str:
        """An argument that is a text without anything computed."""
        return hcl.literal(self.argument(name)) or ""

    def variables(self) -> dict[str, str] | None:
        """The variables that it writes down, None where they are computed."""
        if self.block is None:
            return terraform_json.variables_of(self.node, module=self.module)
        return terraform_edit.variables_of(self.source.text, self.block, module=self.module)

    @property
    def ignored(self) -> tuple[str, ...]:
        """What Datadog needs and Terraform is told not to change: arguments as a whole, not single keys."""
        if self.block is None:
            said = terraform_json.argument(self.node, "lifecycle")
        else:
            found = [each.arguments.get("ignore_changes") for each in self.block.of_type("lifecycle")]
            said = " ".join(self.source.text[each.value_start : each.value_end] for each in found if each)
        return tuple(dict.fromkeys(_IGNORED.findall(said)))

    @property
    def overrides(self) -> tuple[str, ...]:
        """What it says of all that Datadog has to do with."""
        names = ("runtime", "handler", "layers", "architectures", "package_type", "environment_variables")
        said = [name for name in names if self.argument(name)]
        variables = {} if self.module else self.variables()
        return tuple(said) if variables == {} else (*said, "environment")

    def edited(self, text: str, wished: Wished) -> str:
        """The file's text with what it has to have. Raises CannotEdit where that is not certain."""
        source = Source(self.source.path, b"", text)
        if self.block is None:
            return terraform_json.edited(source, self.path, wished, module=self.module)
        return terraform_edit.edited(source, self.block, wished, module=self.module)

    def as_snippet(self, wished: Wished) -> str:
        """The same as lines for a hand."""
        if self.block is None:
            return terraform_json.as_snippet(self.path, wished, module=self.module)
        present = {name: self.argument(name) for name in ("layers", "environment_variables")}
        kind, *labels = self.path
        head = " ".join((kind, *(f'"{label}"' for label in labels)))
        return terraform_edit.as_snippet(head, wished, present, module=self.module)

    @property
    def whole(self) -> bool:
        """Whether it is a function: no alias, no layer, nothing switched off, nor Datadog's module."""
        if not self.module:
            return True
        made = self.argument("create_function") != "false" and self.argument("create") != "false"
        layer = self.argument("create_layer") == "true" and not self.argument("handler")
        return bool(_COMMUNITY.search(self.text("source"))) and made and not layer


def is_json(source: Source) -> bool:
    """Whether a file is in Terraform's JSON."""
    return source.path.name.endswith(".json")


def resources_of(source: Source) -> list[Resource]:
    """The functions of a file, without aliases, layers, and those that Datadog's module makes."""
    return [each for each in (_in_json(source) if is_json(source) else _in_blocks(source)) if each.whole]


def _in_blocks(source: Source) -> list[Resource]:
    return [
        Resource(source, block.labels[-1], block.type == "module", block)
        for block in hcl.parse(source).blocks
        if block.labels
        and (
            block.type == "module" or (block.type == "resource" and block.labels[0] == "aws_lambda_function")
        )
    ]


def _in_json(source: Source) -> list[Resource]:
    return [
        Resource(source, path[-1], path[0] == "module", None, node)
        for path, node in terraform_json.blocks(source)
    ]


def function_names(source: Source) -> frozenset[str]:
    """The names of the functions in a file; an empty one stands for those that are computed."""
    return frozenset(resource.text("function_name") for resource in resources_of(source))
