"""Terraform and OpenTofu: for each function the arguments that it has to have, put in where that is certain.

Handler, layers and variables are changed inside the resource, which keeps its address in the state; replacing
it by Datadog's module would not. Arguments that are computed as a whole are left to a hand, with the lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddsetup.facts import catalog
from ddsetup.facts.variables import FIPS_MODE
from ddsetup.model.answers import Via
from ddsetup.model.errors import DdsetupError
from ddsetup.project.iac import hcl, in_package, terraform_edit, terraform_json, versions
from ddsetup.project.iac.described import Described, Library, runtime
from ddsetup.project.iac.limits import judge
from ddsetup.project.iac.model import CannotEdit, Edit, Proposal, Snippet, Wish
from ddsetup.project.iac.source import Source, read_source
from ddsetup.project.iac.terraform_read import Resource, is_json, resources_of
from ddsetup.project.iac.variables import check_said, left_out
from ddsetup.project.iac.variables import variables as variables_of

DATADOGS = re.compile(r"(?i:datadog/lambda-datadog/aws|datadog/terraform-aws-lambda-datadog)")
"""Datadog's own module, as registries and Git know it."""
FUNCTIONS = re.compile(
    r'"?aws_lambda_function"?\s*["{:]|\bresource\s+aws_lambda_function\s+\w|terraform-aws-modules/(?:lambda/aws|terraform-aws-lambda)|'
    + DATADOGS.pattern
)
"""What tells that a file has functions: the provider's resource, or a module around it."""
SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")
_MOST_FILES = 200
_SYNTHESISED = (
    "written by the CDK for Terraform, anew each time, and left alone; `ddsetup setup` does it after each "
    "deployment"
)
_PROVIDER = re.compile(r'\bprovider\s+"?aws"?\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}')
_PROVIDER_IN_JSON = re.compile(r'"aws"\s*:\s*\[?\s*\{([^{}]*)\}')
_REGION = re.compile(r'\bregion"?\s*[=:]\s*"([a-z0-9-]+)"')
_ALIAS = re.compile(r'\balias"?\s*[=:]')
_OVERRIDING = re.compile(r"(.+_)?override\.(tf|tofu)(\.json)?")
"""Files whose arguments replace those of the same resource in other files (Terraform, override files)."""
_EDGE = "edgelambda.amazonaws.com"


def propose(folder: Path, files: Sequence[Path], wanted: Wish) -> Proposal:
    """What the functions in some files of a directory need, which is one module. Raises AnswerMissing, and
    BrokenFile for a file that is not Terraform."""
    every = [read_source(path) for path in files]
    sources = [each for each in every if not (is_json(each) and terraform_json.generated(each))]
    written = tuple(f"{each.path.name}: {_SYNTHESISED}" for each in every if each not in sources)
    beside = "".join(_beside(folder))
    resources = [replace(each, runtime=_runtime(each, beside)) for each in _merged(sources)]
    via: Via = wanted.via or "forwarder"
    described = {
        id(each): in_package.looked_up(_described(each, beside), folder, wanted) for each in resources
    }
    judged = judge(described.values(), "terraform", via)
    todo = [each for each in resources if described[id(each)] in judged.covered and not _done(each, via)]
    doing = [each for each in todo if not described[id(each)].image and _anything(each, via)]
    said = left_out(wanted, via, "variables") if doing else ()
    found = Proposal(warnings=(*judged.warnings, *written, *said))
    if doing:
        check_said(via, wanted, str(sources[0].path))
    region = _Region.of(beside, wanted)
    if doing and wanted.region and region.text != wanted.region:
        where = f"the provider deploys to {region.text}, so layers of that region are named"
        found += Proposal(warnings=(f"{where}, not those of {wanted.region}",))
    for source in sources:
        theirs = [(each, described[id(each)].library) for each in doing if each.source is source]
        found += _in_file(source, theirs, via, wanted, region)
        region = region.used() if theirs and not is_json(source) else region
    return found


def _in_file(
    source: Source, resources: Sequence[tuple[Resource, Library]], via: Via, wanted: Wish, region: _Region
) -> Proposal:
    """One file: edited as far as that is certain, and the lines for the rest."""
    if not resources:
        return Proposal(settled=(source.path,))
    text, why, by_hand = source.text, [], []
    shared = "" if is_json(source) else region.data
    for each, library in reversed(resources):
        before = text
        try:
            lines = wished(each, library, via, wanted, region)
            if each.overridden:
                raise CannotEdit(each.overridden)
            text = each.edited(text, lines)
            if text != before:
                why.append(f"{each.address}: handler, layers and variables of Datadog")
        except CannotEdit as reason:
            by_hand.append((each, library, str(reason)))
    found = Proposal()
    if why and shared and shared not in text:
        newline = source.newline
        text = f"{text.rstrip()}{newline}{newline}{shared}{newline}"
    if text != source.text:
        found += Proposal(edits=(Edit(source.path, source.raw, source.encoded(text), tuple(reversed(why))),))
    if by_hand:
        lead = f"{shared}\n\n" if shared and shared not in text else ""
        by_hand.reverse()
        body = "\n".join(snippet(each, library, via, wanted, region) for each, library, _reason in by_hand)
        reasons = "; ".join(dict.fromkeys(f"{each.address}: {reason}" for each, _library, reason in by_hand))
        found += Proposal(
            snippets=(Snippet(source.path, reasons, lead + body, "json" if is_json(source) else "hcl"),)
        )
    return found if why or by_hand else Proposal(settled=(source.path,))


def _merged(sources: Sequence[Source]) -> list[Resource]:
    """The functions of a module's files. What an override file says of one is none of its own."""
    own: list[Resource] = []
    over: dict[tuple[str, ...], str] = {}
    for source in sources:
        overriding = _OVERRIDING.fullmatch(source.path.name)
        for each in resources_of(source):
            if not overriding:
                own.append(each)
            elif said := each.overrides:
                over[each.path] = (
                    f"{source.path.name} overrides its {', '.join(said)}: the lines belong there"
                )
    return [replace(each, overridden=over.get(each.path, "")) for each in own]


def _runtime(resource: Resource, beside: str) -> str:
    """The runtime that is written, also as a local value; empty where it is computed."""
    said = resource.argument("runtime")
    name = re.fullmatch(r"local\.([\w-]+)", said)
    if name is None:
        return hcl.literal(said) or ""
    blocks = re.findall(r"^locals\s*\{.*?^\}", beside, re.DOTALL | re.MULTILINE)
    pattern = rf'^\s*{re.escape(name[1])}\s*=\s*"([^"$%]*)"[ \t]*(?:#.*|//.*)?\r?$'
    found = [match for block in blocks for match in re.findall(pattern, block, re.MULTILINE)]
    return found[0] if len(found) == 1 else ""


def _beside(folder: Path) -> list[str]:
    """The texts of all files of a module, comments left in."""
    found = []
    for path in sorted({path for suffix in SUFFIXES for path in folder.glob(f"*{suffix}")})[:_MOST_FILES]:
        try:
            found.append(read_source(path).text)
        except DdsetupError:
            continue
    return found


def _described(resource: Resource, beside: str) -> Described:
    said, layers = resource.argument("runtime"), resource.argument("layers")
    listed = hcl.items(layers) if layers else []
    variables = resource.variables()
    code, installs = _code(resource)
    return Described(
        code=code,
        installs=installs,
        name=resource.address,
        runtimes=runtime(resource.runtime or _default(said, beside)),
        computed_runtime=bool(said) and not resource.runtime and not _default(said, beside),
        handler=resource.text("handler"),
        image=resource.text("package_type") == "Image" or bool(resource.argument("image_uri")),
        edge=_at_edge(resource, beside),
        layers=tuple(layers[a:b] for a, b in listed) if listed is not None else (layers,),
        variables=variables or {},
        ignored=resource.ignored,
    )


def _code(resource: Resource) -> tuple[str, bool]:
    """The folder of a function's code, and whether what it lists is installed: the community's module does,
    an archive takes it as it is. Without either, the folder of the module."""
    if resource.module:
        place = re.search(r'"([^"]*)"', resource.argument("source_path"))
        return (_place(place[1]), True) if place is not None else ("", False)
    archive = re.fullmatch(r"data\.archive_file\.([\w-]+)\.output_path", resource.argument("filename"))
    if archive is None:
        return (".", False) if resource.argument("filename") else ("", False)
    inside = r"(?:[^{}]|\$\{[^}]*\})*?"
    block = rf'data\s+"archive_file"\s+"{re.escape(archive[1])}"\s*\{{{inside}\bsource_dir\s*=\s*"([^"]*)"'
    found = re.search(block, resource.source.text)
    return (_place(found[1]), False) if found is not None else (".", False)


def _place(text: str) -> str:
    place = text.replace("${path.module}", ".").replace("${path.root}", ".")
    return "" if "${" in place else place


def _default(said: str, beside: str) -> str:
    """The default of a variable that an argument is, empty if there is none."""
    name = re.fullmatch(r"var\.([\w-]+)", said)
    if name is None:
        return ""
    pattern = rf'variable\s+"{re.escape(name[1])}"\s*\{{[^{{}}]*?\bdefault\s*=\s*"([^"$]*)"'
    found = re.search(pattern, beside)
    return found[1] if found else ""


def _at_edge(resource: Resource, beside: str) -> bool:
    """Whether CloudFront calls it: by an association, by the module's switch, or by its own role."""
    if resource.argument("lambda_at_edge") == "true":
        return True
    named = rf"\b{re.escape(resource.address)}\.\w*(qualified_)?arn"
    for found in re.finditer(r"\blambda_function_association\s*[{=]?[^}]*\}", beside):
        if re.search(named, found[0]):
            return True
    role = re.fullmatch(r"aws_iam_role\.([\w-]+)\.arn", resource.argument("role"))
    if role is None or _EDGE not in beside:
        return False
    if is_json(resource.source):
        return _EDGE in terraform_json.said_of(resource.source, ("resource", "aws_iam_role", role[1]))
    own = _block_of(beside, "resource", "aws_iam_role", role[1])
    documents = re.findall(r"\bdata\.aws_iam_policy_document\.([\w-]+)\.json\b", own)
    trusts = [own, *(_block_of(beside, "data", "aws_iam_policy_document", name) for name in documents)]
    return any(_EDGE in trust for trust in trusts)


def _block_of(beside: str, kind: str, of: str, name: str) -> str:
    """A block of the module as it is written, empty if it is not there."""
    found = re.search(
        rf'^{kind}\s+"{of}"\s+"{re.escape(name)}"\s*\{{.*?^\}}', beside, re.DOTALL | re.MULTILINE
    )
    return found[0] if found else ""


def _done(resource: Resource, via: Via) -> bool:
    """Whether a function whose handler stays has its layer already; the others are told by the handler."""
    family = catalog.family_of(resource.runtime)
    if family is None or family.handler is not None or family.wrapped:
        return False
    mark = "Datadog-Extension" if via == "extension" else "Datadog-"
    return mark in resource.argument("layers")


def _anything(resource: Resource, via: Via) -> bool:
    """Whether a mode does anything for a function besides its logs."""
    family = catalog.family_of(resource.runtime)
    return family is None or via == "extension" or family.forwarder


# What is wanted of a function


@dataclass(frozen=True, slots=True)
class _Region:
    """How a layer's ARN names the region. `data` is what has to be declared once for it; `beside` are the
    texts of all files of the module."""

    text: str
    data: str = ""
    beside: str = ""

    @classmethod
    def of(cls, beside: str, wanted: Wish) -> _Region:
        """The region of the provider, where functions are deployed to, or the one that was given; every
        release of the provider knows `id`."""
        if own := _region_of_provider(beside) or wanted.region:
            return cls(own, "", beside)
        declared = re.search(r'data\s+"aws_region"\s+"(\w+)"\s*\{\s*\}', beside)
        if declared is not None:
            return cls(f"${{data.aws_region.{declared[1]}.id}}", "", beside)
        return cls("${data.aws_region.datadog.id}", 'data "aws_region" "datadog" {}', beside)

    def used(self) -> _Region:
        """The same once another file of the module has declared it."""
        return _Region(self.text, "", self.beside)


def _region_of_provider(beside: str) -> str:
    """The region that is written for the provider without an alias, empty if there is none or several."""
    own = [body for body in _PROVIDER.findall(beside) if not _ALIAS.search(body)]
    own += [body for body in _PROVIDER_IN_JSON.findall(beside) if _REGION.search(body)]
    found = _REGION.search(own[0]) if len(own) == 1 and not _ALIAS.search(own[0]) else None
    return found[1] if found else ""


def _own_region(resource: Resource, region: _Region) -> _Region:
    """The region of a function that is not its module's: its own argument (since release 6 of the provider),
    or that of the provider which it names. Raises CannotEdit where that is not known."""
    said = resource.argument("region")
    if said:
        return _Region(hcl.literal(said) or f"${{{said}}}")
    alias = resource.argument("provider").rpartition(".")[2]
    if not alias:
        return region
    for found in re.finditer(r'^provider\s+"aws"\s*\{.*?^\}', region.beside, re.DOTALL | re.MULTILINE):
        named = re.search(r'\balias\s*=\s*"([^"]*)"', found[0])
        where = re.search(r"\bregion\s*=\s*([^\n#]+)", found[0])
        if named and where and named[1] == alias:
            written = where[1].strip()
            return _Region(hcl.literal(written) or f"${{{written}}}")
    raise CannotEdit(f"the region of its provider (aws.{alias}) is not written in this module")


def wished(
    resource: Resource, library: Library, via: Via, wanted: Wish, region: _Region
) -> terraform_edit.Wished:
    """Handler, layers and variables that a function has to have; no layer of a library that its package
    brings, or that is unwanted. Raises CannotEdit where they depend on what is computed."""
    region = _own_region(resource, region)
    name = resource.runtime
    family = catalog.family_of(name)
    if family is None:
        said = resource.argument("runtime") or "no runtime"
        raise CannotEdit(f"which layer it needs depends on its runtime ({said})")
    architectures = resource.argument("architectures")
    if architectures and "arm64" not in architectures and "x86_64" not in architectures:
        raise CannotEdit("which layer it needs depends on its architecture, which is computed")
    variables = {key: json.dumps(value) for key, value in variables_of(via, wanted).items()}
    handler = family.handler if library != "unwanted" else None
    if handler is not None:
        own = resource.argument("handler")
        if not own:
            raise CannotEdit("it has no handler")
        variables = {catalog.HANDLER_VARIABLE: own, **variables}
    if family.wrapped and via == "extension" and library != "unwanted":
        variables[catalog.WRAPPER_VARIABLE] = f'"{catalog.DATADOG_WRAPPER}"'
    architecture = "arm64" if "arm64" in architectures else "x86_64"
    layers = _layers(name, architecture, via, wanted, region)
    if library in in_package.WITHOUT_LAYER:
        layers = [arn for arn in layers if _layer_name(arn).startswith("Datadog-Extension")]
    if library == "packaged" and family.name == "node":
        handler = catalog.NODE_BUNDLED_HANDLER
    present = resource.argument("layers")
    return terraform_edit.Wished(
        handler=f'"{handler}"' if handler else "",
        layers=tuple(arn for arn in layers if f":{_layer_name(arn)}:" not in present),
        variables=variables,
    )


def _layer_name(arn: str) -> str:
    return arn.rsplit(":", 2)[-2]


def _layers(runtime_name: str, architecture: str, via: Via, wanted: Wish, region: _Region) -> list[str]:
    found = []
    library = versions.layer_version_for(runtime_name, architecture, wanted)
    if library is not None:
        found.append(_arn(*library, region))
    if via == "extension" and (number := versions.extension_version(wanted)):
        fips = wanted.asked.get(FIPS_MODE) == "true"
        found.append(_arn(catalog.extension_layer(architecture, fips=fips), number, region))
    return found


def _arn(name: str, number: int, region: _Region) -> str:
    partition = "aws" if "$" in region.text else catalog.partition_of(region.text)
    account = catalog.LAYER_ACCOUNTS.get(partition, catalog.LAYER_ACCOUNTS["aws"])
    return f'"arn:{partition}:lambda:{region.text}:{account}:layer:{name}:{number}"'


def snippet(resource: Resource, library: Library, via: Via, wanted: Wish, region: _Region) -> str:
    """The lines for a hand, as far as they can be told."""
    try:
        lines = wished(resource, library, via, wanted, region)
    except CannotEdit as reason:
        return f"# {resource.address}: {reason}.\n"
    return resource.as_snippet(lines)
