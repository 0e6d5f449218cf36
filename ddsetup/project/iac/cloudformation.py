"""SAM and CloudFormation templates: Datadog's macro in `Transform`.

The macro (`DatadogServerless`, of the stack `datadog-serverless-macro`) changes the functions while a stack
is deployed. Its parameters and rules are those of DataDog/datadog-cloudformation-macro.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.model.answers import Via
from ddsetup.project.iac import in_package, plugin, yamlchange, yamldoc
from ddsetup.project.iac.described import texts
from ddsetup.project.iac.guard import edited
from ddsetup.project.iac.limits import Judged, judge
from ddsetup.project.iac.macro_stack import MACRO
from ddsetup.project.iac.model import AnswerMissing, CannotEdit, Edit, Proposal, Snippet, Wish
from ddsetup.project.iac.settings_block import Block, Brought, bring_mapping, settings_at
from ddsetup.project.iac.source import Source, Splice, place
from ddsetup.project.iac.template import Template, functions, read, remarks, state_machines, unsubscribable
from ddsetup.project.iac.template_versions import Versions
from ddsetup.project.iac.variables import left_out
from ddsetup.project.iac.yamldoc import Document, Node
from ddsetup.project.iac.yamltext import Plain, Ref, Value, as_json, block_entries, block_items, flow

_NAME = re.compile(r"(\d{12}::)?(?i:[\w-]*datadog[\w-]*)")
_MAPPINGS = ("Mappings", "Datadog", "Parameters")
_TOUCHED = frozenset({("Transform",), _MAPPINGS})
_FIRST_DEPLOYMENT = (
    "the macro stops the first deployment of functions without a written FunctionName, and of those whose "
    "log group the template declares"
)
_AUTOMATIC = "Datadog's automatic subscription covers them (`ddsetup setup`) and cannot stop a deployment"
_REFUSED_LOGS = (
    "as it takes only a role and a log group of this template by `!GetAtt`; `ddsetup setup "
    "--state-machine` does it without the template"
)


def propose(source: Source, wanted: Wish) -> Proposal:
    """What has to change in one template.

    Raises BrokenFile for a file that is not a template, AnswerMissing for what is not said.
    """
    document = yamldoc.parse(source, template=True)
    plan = _plan(document, wanted)
    warnings = plan.warnings
    if plan.nothing:
        settled = (source.path,) if any(each.redirected for each in plan.judged.out) else ()
        return Proposal(warnings=_named(source, warnings), settled=settled)
    try:
        brought = _planned(document, plan)
        every = _named(source, (*brought.warnings, *warnings))
        if not brought.splices:
            return Proposal(warnings=every, settled=(source.path,), needs_macro=True)
        after = edited(document, list(brought.splices), _TOUCHED)
        others = [[name for name in _transforms(each) if not is_macro(name)] for each in (document, after)]
        if others[0] != others[1] or _planned(after, _plan(after, wanted)).splices:
            raise CannotEdit("`Transform` is written in a way that cannot be changed safely")
    except CannotEdit as reason:
        text = "\n".join(["Transform:", *block_items(_new_list(document, plan), 2, 2)]) + "\n"
        snippet = Snippet(source.path, str(reason), text, "yaml")
        return Proposal(snippets=(snippet,), warnings=_named(source, warnings), needs_macro=True)
    edit = Edit(source.path, source.raw, after.source.raw, brought.why)
    return Proposal(edits=(edit,), warnings=every, needs_macro=True)


def _named(source: Source, warnings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{source.path.name}: {warning}" for warning in warnings)


def _takes_in_more(template: Template) -> bool:
    """Whether other files bring resources into the template when it is deployed."""
    included = any("AWS::Include" in text for text in texts(template.root.get("Transform")))
    return included or "Fn::Transform" in template.root or "Fn::Transform" in _resources(template)


def _resources(template: Template) -> Mapping[str, object]:
    found = template.root.get("Resources")
    return found if isinstance(found, dict) else {}


def is_macro(name: str) -> bool:
    """Whether a transform is Datadog's macro, also under another name or of another account."""
    return _NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of a template before its text is looked at. `now`: the macro's settings today."""

    now: Mapping[str, Plain | None]
    via: Via
    template: Template
    judged: Judged
    block: Block
    warnings: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether the macro would do nothing for any of the functions, and is not there either. Where only
        functions of Lambda@Edge are, it is for those that come later."""
        judged = (*self.judged.covered, *self.judged.out)
        unseen = not judged and _takes_in_more(self.template)
        edge = any(each.edge for each in judged)
        return not (self.judged.doing or edge or unseen) and self.now == {}


def _plan(document: Document, wanted: Wish) -> _Plan:
    settings = _settings(document)
    now = {}
    if settings is not None:
        now = {str(k.value): yamldoc.literal(v) for k, v in settings.value if not yamldoc.is_null(v)}
    via = _via(now, wanted)
    template = read(document)
    folder = document.source.path.parent
    found = tuple(in_package.looked_up(each, folder, wanted) for each in functions(template))
    chosen = Versions(document, now, via, wanted, found)
    judged = judge(found, "macro", via, chosen.has_layer, own_layers=now.get("addLayers") is False)
    listed = any(is_macro(name) for name in _transforms(document))
    if listed and not now:
        now = {"Name": MACRO}
    block, said = _block(document, template, judged, chosen)
    told = _remarks(document, template, judged, chosen)
    kept = in_package.kept_layers(judged.covered, said=now.get("addLayers") is True)
    return _Plan(now, via, template, judged, block, (*judged.warnings, *kept, *said, *told))


def _planned(document: Document, plan: _Plan) -> Brought:
    _check_mode(plan)
    found = yamldoc.entry(document.root, "Transform")
    if found is None:
        if any(is_macro(text) for text in texts(plan.template.root.get("Fn::Transform"))):
            raise CannotEdit("the macro is called by `Fn::Transform`")
        return _new_transform(document, plan)
    key, value = found
    if yamldoc.is_alias(key, value) or "Fn::Transform" in str(value.value):
        raise CannotEdit("`Transform` comes from somewhere else")
    listed = [each for each in _items(value) if is_macro(_name_of(each))]
    if len(listed) > 1:
        raise CannotEdit("the macro is listed twice, so that it would redirect its own handlers; leave one")
    if listed and listed[0].id == "mapping":
        return _in_entry(document, listed[0], plan)
    if listed:
        return _in_mappings(document, plan) or _with_settings(document, key, value, listed[0], plan)
    why = (f"Transform: {MACRO}",)
    entry: dict[str, Value] = {"Name": MACRO, "Parameters": plan.block.all}
    if yamldoc.is_sequence(value) and value.value:
        return Brought((yamlchange.add_item(document, value, entry),), why)
    if value.id != "scalar" or yamldoc.is_null(value):
        raise CannotEdit("`Transform` is neither a name nor a list of names")
    return Brought(_scalar_to_list(document, key, value, entry), why)


def _check_mode(plan: _Plan) -> None:
    """Raise CannotEdit where the macro has what the wanted mode excludes."""
    if plan.via == "extension" and "forwarderArn" in plan.now:
        raise CannotEdit("`forwarderArn` has to go: the macro takes either the Extension or a Forwarder")
    if plan.via == "forwarder" and "extensionLayerVersion" in plan.now:
        raise CannotEdit("`extensionLayerVersion` has to go: with it, the macro adds the Extension")


def _in_entry(document: Document, entry: Node, plan: _Plan) -> Brought:
    """The macro is there with parameters of its own, or without any."""
    parameters = yamldoc.entry(entry, "Parameters")
    if parameters is None:
        in_mappings = _in_mappings(document, plan)
        if in_mappings is not None:
            return in_mappings
        added = {"Parameters": plan.block.all}
        return Brought((yamlchange.add_entries(document, entry, added),), ("parameters of the macro",))
    if not yamldoc.is_mapping(parameters[1]) or not parameters[1].value:
        raise CannotEdit("the parameters of the macro are not written in this file")
    return bring_mapping(document, parameters[1], plan.block)


def _in_mappings(document: Document, plan: _Plan) -> Brought | None:
    """The settings of a macro that is listed by its name stand in `Mappings`, where nothing is computed."""
    mapping = settings_at(document, _MAPPINGS)
    if mapping is None:
        return None
    plain: dict[str, Plain] = {n: v for n, v in plan.block.may.items() if not isinstance(v, Ref)}
    return bring_mapping(document, mapping, Block(plan.block.must, plain, plan.block.lists))


def _with_settings(document: Document, key: Node, value: Node, name: Node, plan: _Plan) -> Brought:
    """The bare name of the macro becomes an entry with its parameters."""
    why = ("parameters of the macro",)
    entry: dict[str, Value] = {"Name": str(name.value), "Parameters": plan.block.all}
    if document.json or yamldoc.is_flow(value):
        wide = as_json(entry, None) if document.json else flow(entry)
        return Brought((Splice(yamldoc.start(name), yamldoc.end(name), wide),), why)
    indent = yamldoc.column(document, yamldoc.start(key))
    if value is name:
        lines = block_items([entry], indent + yamldoc.dash_step(document), yamldoc.step(document))
        gone = len(document.text[: yamldoc.start(name)].rstrip(" "))
        below = yamlchange.lines_below(document, yamldoc.end(name), lines)
        return Brought((Splice(gone, yamldoc.end(name), ""), below), why)
    at = yamldoc.column(document, yamldoc.start(name))
    lines = block_entries(entry, at, yamldoc.step(document), dash=yamldoc.dash_step(document))
    text = document.source.newline.join(lines).lstrip(" ")
    return Brought((Splice(yamldoc.start(name), yamldoc.end(name), text),), why)


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
        written = yamlchange.as_indented(document, listed.replace("\n", newline))
        return (Splice(yamldoc.start(value), yamldoc.end(value), written),)
    if "\n" in written or written[:1] in "&!|>":
        raise CannotEdit("`Transform` is not written on one line")
    pad = " " * (indent + yamldoc.dash_step(document))
    lines = block_items([entry], len(pad), yamldoc.step(document), dash=yamldoc.dash_step(document))
    added = yamlchange.lines_below(document, yamldoc.end(value), lines)
    before = len(text[: yamldoc.start(value)].rstrip(" "))
    return (Splice(before, yamldoc.start(value), f"{newline}{pad}- "), added)


def _new_transform(document: Document, plan: _Plan) -> Brought:
    """A template without any transform: it gets the macro alone, after its version."""
    items = _new_list(document, plan)
    why = (f"Transform: {MACRO}",)
    return Brought((yamlchange.add_entries(document, document.root, {"Transform": items}, gap=True),), why)


def _new_list(document: Document, plan: _Plan) -> list[Value]:
    names = _transforms(document)
    own = next((name for name in names if is_macro(name)), MACRO)
    entry: dict[str, Value] = {"Name": own, "Parameters": plan.block.all}
    others: list[Value] = [name for name in names if not is_macro(name)]
    return [*others, entry]


def _settings(document: Document) -> Node | None:
    """The mapping that holds the macro's settings: its own parameters, else those in `Mappings`."""
    value = yamldoc.value_of(document.root, "Transform")
    for each in _items(value):
        if is_macro(_name_of(each)):
            own = yamldoc.value_of(each, "Parameters") if each.id == "mapping" else None
            return own if own is not None and own.id == "mapping" else _below(document.root, *_MAPPINGS)
    return None


def _items(value: Node | None) -> list[Node]:
    if value is None:
        return []
    return list(value.value) if value.id == "sequence" else [value]


def _name_of(item: Node) -> str:
    named = yamldoc.value_of(item, "Name") if item.id == "mapping" else item
    return str(named.value) if named is not None and named.id == "scalar" else ""


def _transforms(document: Document) -> list[str]:
    items = _items(yamldoc.value_of(document.root, "Transform"))
    return [name for name in map(_name_of, items) if name]


def _block(
    document: Document, template: Template, judged: Judged, chosen: Versions
) -> tuple[Block, tuple[str, ...]]:
    """The macro's parameters, and why one is left out. A Forwarder and the Extension exclude each other."""
    where, now, wanted = str(document.source.path), chosen.now, chosen.wanted
    must: dict[str, Plain] = {}
    may: dict[str, Plain] = {}
    said: tuple[str, ...] = ()
    if not wanted.library:
        must["addLayers"] = False
    elif in_package.without_layers(judged.covered):
        may["addLayers"] = False
    if wanted.answers.site:
        must["site"] = wanted.answers.site
    elif "site" not in now:
        raise AnswerMissing("the Datadog site is not known", setting="site", fix="--site SITE", where=where)
    must["addExtension"] = chosen.via == "extension"
    if chosen.via == "extension":
        must |= plugin.key_settings(now, wanted, where)
    else:
        arn, said = _forwarder(template, judged, chosen, where)
        must |= {"forwarderArn": arn} if arn else {}
    must |= plugin.said(wanted, chosen.via, "macro")
    if chosen.via == "forwarder" and "forwarderArn" in {*must, *now}:
        may["stackName"] = Ref("AWS::StackName")
    machines = state_machines(template)
    refused = [name for name, loggable in machines.items() if not loggable]
    arn = plugin.forwarder_for(wanted.answers.forwarder_arns, wanted.region, where) if machines else ""
    if arn and not refused:
        may |= {"stepFunctionForwarderArn": arn}
    elif arn:
        said = (*said, f"the macro cannot subscribe the logs of {', '.join(refused)}, {_REFUSED_LOGS}")
    pinned, open_to_change = chosen.parameters(judged.covered)
    lists = {"exclude": tuple(each.name for each in judged.out if "${" not in each.name)}
    return Block(must | pinned, may | open_to_change, lists), said


def _forwarder(
    template: Template, judged: Judged, chosen: Versions, where: str
) -> tuple[str, tuple[str, ...]]:
    """The Forwarder to subscribe, where that cannot stop a deployment; else why it is left out."""
    arn = plugin.forwarder_for(chosen.wanted.answers.forwarder_arns, chosen.wanted.region, where)
    named = arn or "forwarderArn" in chosen.now
    refused = unsubscribable(template, judged.doing) if named else ()
    if not refused:
        return arn, ()
    if "forwarderArn" in chosen.now:
        return "", (f"`forwarderArn`: {_FIRST_DEPLOYMENT} ({', '.join(refused)}); {_AUTOMATIC}",)
    return "", (f"`forwarderArn` is left out: {_FIRST_DEPLOYMENT} ({', '.join(refused)}); {_AUTOMATIC}",)


def _via(now: Mapping[str, Plain | None], wanted: Wish) -> Via:
    if wanted.via is not None:
        return wanted.via
    return "extension" if "extensionLayerVersion" in now or now.get("addExtension") is True else "forwarder"


def function_ids(document: Document) -> frozenset[str]:
    """The logical ids of a template's functions."""
    return frozenset(each.name for each in functions(read(document)))


def _below(node: Node | None, *names: str) -> Node | None:
    for name in names:
        node = yamldoc.value_of(node, name) if node is not None and node.id == "mapping" else None
    return node if node is not None and node.id == "mapping" else None


def _remarks(document: Document, template: Template, judged: Judged, chosen: Versions) -> tuple[str, ...]:
    """What else a template may hold that the macro does not cover."""
    said = list(left_out(chosen.wanted, chosen.via, "macro"))
    named = bool(chosen.wanted.answers.forwarder_arns) or "forwarderArn" in chosen.now
    if document.twice:
        keys = ", ".join(
            f"{key.value} (line {place(document.text, yamldoc.start(key))[0]})" for key in document.twice
        )
        said.append(f"what stands twice counts as it stands last: {keys}")
    said += remarks(template, judged.doing, forwarder=chosen.via == "forwarder" and named)
    if re.search(r"CodeSigningConfigArn", document.text):
        said.append("code signing: Datadog's layers carry no signature of yours; the policy must only warn")
    subscribed = chosen.wanted.answers.forwarder_arns or "stepFunctionForwarderArn" in chosen.now
    if state_machines(template) and not subscribed:
        said.append("the logs and traces of its Step Functions need a Forwarder: --forwarder-arn, --region")
    settings = _settings(document)
    for key, value in settings.value if settings is not None else ():
        kind = next(iter(yamldoc.as_plain(value) or ()), "") if yamldoc.is_variable(value) else ""
        if kind in ("Fn::ImportValue", "Fn::GetAtt"):
            said.append(
                f"`{key.value}`: CloudFormation does not resolve {kind} in the parameters of a macro; "
                "write the value, or a parameter of the template (`!Ref`)"
            )
    names = _transforms(document)
    at = [number for number, name in enumerate(names) if is_macro(name)]
    if at and any(name.startswith("AWS::Serverless") for name in names[at[0] :]):
        said.append("the macro has to stand below AWS::Serverless-2016-10-31, or it sees no functions")
    if not chosen.found:
        said.append("the template has no functions")
    return tuple(said)
