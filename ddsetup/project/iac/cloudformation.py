"""SAM and CloudFormation templates: Datadog's macro in `Transform`.

The macro (`DatadogServerless`, of the stack `datadog-serverless-macro`) changes the functions while a stack
is deployed. Its parameters and rules are those of DataDog/datadog-cloudformation-macro.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ddsetup.facts import catalog
from ddsetup.model.account import Lane
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import StackState
from ddsetup.plan.steps.api_key import OWN_TAGS
from ddsetup.project.iac import plugin, versions, yamlchange, yamldoc
from ddsetup.project.iac.guard import edited
from ddsetup.project.iac.model import AnswerMissing, CannotEdit, Edit, Proposal, Snippet, Via, Wanted
from ddsetup.project.iac.settings_block import Block, Brought, bring_mapping
from ddsetup.project.iac.source import Source, Splice
from ddsetup.project.iac.yamldoc import Document, Node
from ddsetup.project.iac.yamltext import Plain, Ref, Value, as_json, block_items

MACRO = "DatadogServerless"
MACRO_STACK = "datadog-serverless-macro"
MACRO_TEMPLATE = "https://datadog-cloudformation-template.s3.amazonaws.com/aws/serverless-macro/latest.yml"
_FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
_STATE_MACHINE = re.compile(r"AWS::(Serverless|StepFunctions)::StateMachine\b")
_TOUCHED = frozenset({("Transform",)})
_VERSION_PARAMETERS = {
    "python": "pythonLayerVersion",
    "node": "nodeLayerVersion",
    "java": "javaLayerVersion",
    "dotnet": "dotnetLayerVersion",
}


def install_command(region: str) -> str:
    """How the macro is installed, which is needed once for each region."""
    where = f" --region {region}" if region else ""
    return (
        f"aws cloudformation create-stack --stack-name {MACRO_STACK}{where} --template-url {MACRO_TEMPLATE} "
        "--capabilities CAPABILITY_AUTO_EXPAND CAPABILITY_IAM"
    )


def macro_change(lane: Lane, template_url: str = "") -> Change:
    """The macro's stack in a region that has none. `template_url`: another address of its template."""
    return Change(
        step="macro",
        resource=ResourceId("stack", MACRO_STACK, lane.region, lane.account),
        before=None,
        after=StackState(name=MACRO_STACK, template_url=template_url or MACRO_TEMPLATE, tags=OWN_TAGS),
        why=f"templates with the transform {MACRO} cannot be deployed without it",
    )


def propose(source: Source, wanted: Wanted) -> Proposal:
    """What has to change in one template.

    Raises BrokenFile for a file that is not a template, AnswerMissing for what is not said.
    """
    document = yamldoc.parse(source)
    warnings = _remarks(document, source, wanted)
    try:
        brought = _planned(document, wanted)
        every = tuple(f"{source.path.name}: {warning}" for warning in brought.warnings) + warnings
        if not brought.splices:
            return Proposal(warnings=every, settled=(source.path,), needs_macro=True)
        after = edited(document, list(brought.splices), _TOUCHED)
        others = [[name for name in _transforms(each) if name != MACRO] for each in (document, after)]
        if others[0] != others[1] or _planned(after, wanted).splices:
            raise CannotEdit("`Transform` is written in a way that cannot be changed safely")
    except CannotEdit as reason:
        text = "\n".join(["Transform:", *block_items(_new_list(document, wanted), 2, 2)]) + "\n"
        snippet = Snippet(source.path, str(reason), text, "yaml")
        return Proposal(snippets=(snippet,), warnings=warnings, needs_macro=True)
    edit = Edit(source.path, source.raw, after.source.raw, brought.why)
    return Proposal(edits=(edit,), warnings=every, needs_macro=True)


def _planned(document: Document, wanted: Wanted) -> Brought:
    found = yamldoc.entry(document.root, "Transform")
    if found is None:
        return _new_transform(document, wanted)
    key, value = found
    if yamldoc.is_alias(key, value) or "Fn::Transform" in str(value.value):
        raise CannotEdit("`Transform` comes from somewhere else")
    existing = _macro_entry(value)
    if existing is not None:
        parameters = yamldoc.entry(existing, "Parameters")
        if parameters is None:
            added = {"Parameters": _block(document, {}, wanted).all}
            return Brought((yamlchange.add_entries(document, existing, added),), ("parameters of the macro",))
        if not yamldoc.is_mapping(parameters[1]) or not parameters[1].value:
            raise CannotEdit("the parameters of the macro are not written in this file")
        now = {str(k.value): yamldoc.literal(v) for k, v in parameters[1].value if not yamldoc.is_null(v)}
        return bring_mapping(document, parameters[1], _block(document, now, wanted))
    why = (f"Transform: {MACRO}",)
    entry: dict[str, Value] = {"Name": MACRO, "Parameters": _block(document, {}, wanted).all}
    if yamldoc.is_sequence(value) and value.value:
        return Brought((yamlchange.add_item(document, value, entry),), why)
    if value.id != "scalar" or yamldoc.is_null(value):
        raise CannotEdit("`Transform` is neither a name nor a list of names")
    return Brought(_scalar_to_list(document, key, value, entry), why)


def _scalar_to_list(
    document: Document, key: Node, value: Node, entry: Mapping[str, Value]
) -> tuple[Splice, ...]:
    """One transform becomes the first of two."""
    text = document.text
    written = text[yamldoc.start(value) : yamldoc.end(value)]
    indent = yamldoc.column(document, yamldoc.start(key))
    newline = document.source.newline
    if document.json:
        listed = as_json([str(value.value), dict(entry)], yamldoc.step(document), indent)
        return (Splice(yamldoc.start(value), yamldoc.end(value), listed.replace("\n", newline)),)
    if "\n" in written or written[:1] in "&!|>":
        raise CannotEdit("`Transform` is not written on one line")
    pad = " " * (indent + yamldoc.dash_step(document))
    lines = block_items([entry], len(pad), yamldoc.step(document), dash=yamldoc.dash_step(document))
    added = yamlchange.lines_below(document, yamldoc.end(value), lines)
    before = len(text[: yamldoc.start(value)].rstrip(" "))
    return (Splice(before, yamldoc.start(value), f"{newline}{pad}- "), added)


def _new_transform(document: Document, wanted: Wanted) -> Brought:
    """A template without any transform: it gets the macro alone, after its version."""
    items = _new_list(document, wanted)
    why = (f"Transform: {MACRO}",)
    return Brought((yamlchange.add_entries(document, document.root, {"Transform": items}, gap=True),), why)


def _new_list(document: Document, wanted: Wanted) -> list[Value]:
    entry: dict[str, Value] = {"Name": MACRO, "Parameters": _block(document, {}, wanted).all}
    others: list[Value] = [name for name in _transforms(document) if name != MACRO]
    return [*others, entry]


def _macro_entry(value: Node) -> Node | None:
    items = value.value if yamldoc.is_sequence(value) else [value]
    for item in items:
        if item.id == "mapping" and yamldoc.literal(yamldoc.value_of(item, "Name")) == MACRO:
            return item
    return None


def _transforms(document: Document) -> list[str]:
    value = yamldoc.value_of(document.root, "Transform")
    items = value.value if value is not None and value.id == "sequence" else [value]
    named = [yamldoc.value_of(i, "Name") if i is not None and i.id == "mapping" else i for i in items]
    return [str(node.value) for node in named if node is not None and node.id == "scalar"]


def _block(document: Document, now: Mapping[str, Plain | None], wanted: Wanted) -> Block:
    """The macro's parameters. A Forwarder and the Extension exclude each other there."""
    where = str(document.source.path)
    via = _via(now, wanted)
    must: dict[str, Plain] = {}
    if wanted.site:
        must["site"] = wanted.site
    elif "site" not in now:
        raise AnswerMissing("the Datadog site is not known", setting="site", fix="--site SITE", where=where)
    must["addExtension"] = via == "extension"
    if via == "extension":
        if "forwarderArn" in now:
            raise CannotEdit("`forwarderArn` has to go: the macro takes either the Extension or a Forwarder")
        must |= plugin.key_settings(now, wanted, where)
    else:
        if "extensionLayerVersion" in now:
            raise CannotEdit("`extensionLayerVersion` has to go: with it, the macro adds the Extension")
        arn = plugin.forwarder_for(wanted.forwarders, wanted.region, where)
        must |= {"forwarderArn": arn} if arn else {}
    must |= plugin.said(wanted)
    may: dict[str, Plain] = {}
    if "forwarderArn" in {*must, *now}:
        may["stackName"] = Ref("AWS::StackName")
    if _STATE_MACHINE.search(document.text):
        arn = plugin.forwarder_for(wanted.forwarders, wanted.region, where)
        may |= {"stepFunctionForwarderArn": arn} if arn else {}
    pinned, open_to_change = _versions(document, via, wanted)
    return Block(must | pinned, may | open_to_change)


def _versions(document: Document, via: Via, wanted: Wanted) -> tuple[dict[str, Plain], dict[str, Plain]]:
    """The layers' versions: those that were asked for, and those that only fill a gap."""
    pinned: dict[str, Plain] = {}
    filling: dict[str, Plain] = {}
    for family in runtimes(document):
        name, number = _VERSION_PARAMETERS.get(family), versions.library_version(family, wanted)
        if name and number and (via == "extension" or family in ("python", "node")):
            (pinned if wanted.layer_version else filling)[name] = number
    number = versions.extension_version(wanted)
    if via == "forwarder":
        filling["flushMetricsToLogs"] = True
    elif number:
        (pinned if wanted.extension_version else filling)["extensionLayerVersion"] = number
    return pinned, filling


def _via(now: Mapping[str, Plain | None], wanted: Wanted) -> Via:
    if wanted.via is not None:
        return wanted.via
    return "extension" if "extensionLayerVersion" in now or now.get("addExtension") is True else "forwarder"


def functions(document: Document) -> dict[str, str]:
    """The functions of a template with their runtimes (empty where it is computed, or an image)."""
    resources = yamldoc.value_of(document.root, "Resources")
    if resources is None or resources.id != "mapping":
        return {}
    default = _runtime(_below(document.root, "Globals", "Function"))
    found: dict[str, str] = {}
    for key, value in resources.value:
        if value.id == "mapping" and yamldoc.literal(yamldoc.value_of(value, "Type")) in _FUNCTIONS:
            found[str(key.value)] = _runtime(yamldoc.value_of(value, "Properties")) or default
    return found


def runtimes(document: Document) -> tuple[str, ...]:
    """The languages of a template's functions; Python if none of them says."""
    families = [catalog.family_of(runtime) for runtime in functions(document).values() if runtime]
    names = sorted({str(family.name) for family in families if family is not None})
    return tuple(names) or ("python",)


def _below(node: Node | None, *names: str) -> Node | None:
    for name in names:
        node = yamldoc.value_of(node, name) if node is not None and node.id == "mapping" else None
    return node


def _runtime(properties: Node | None) -> str:
    found = yamldoc.literal(_below(properties, "Runtime"))
    return found if isinstance(found, str) and re.fullmatch(r"[a-z]+[0-9a-z.]*", found) else ""


def _remarks(document: Document, source: Source, wanted: Wanted) -> tuple[str, ...]:
    """What a template may hold that the macro does not cover."""
    text = source.text
    found: list[str] = []
    if re.search(r"PackageType[\"']?\s*:\s*[\"']?Image", text):
        found.append("functions that are container images get their lines in the Dockerfile")
    if re.search(r"CodeSigningConfigArn", text):
        found.append("code signing: Datadog's layers carry no signature of yours; the policy must only warn")
    if re.search(r"EventType[\"']?\s*:\s*[\"']?(viewer|origin)-(request|response)", text):
        found.append("Lambda@Edge takes neither layers nor environment variables: leave those functions out")
    if _STATE_MACHINE.search(text) and "stepFunctionForwarderArn" not in text and not wanted.forwarders:
        found.append("the logs and traces of its Step Functions need a Forwarder: --forwarder-arn, --region")
    if not functions(document):
        found.append("the template has no functions")
    return tuple(f"{source.path.name}: {text}" for text in found)
