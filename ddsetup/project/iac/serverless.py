"""`serverless.yml` and `serverless.json`: the plugin in its list, and its settings under `custom.datadog`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ddsetup.project.iac import in_package, plugin, yamlchange, yamldoc
from ddsetup.project.iac.guard import edited
from ddsetup.project.iac.limits import Judged, judge
from ddsetup.project.iac.model import CannotEdit, Edit, Proposal, Snippet, Wish
from ddsetup.project.iac.service import BUNDLERS, foreign, functions, plugin_major
from ddsetup.project.iac.service_variables import FILE
from ddsetup.project.iac.settings_block import Block, Brought, bring, settings_at
from ddsetup.project.iac.source import Source, Splice
from ddsetup.project.iac.variables import left_out
from ddsetup.project.iac.yamldoc import Document, Node
from ddsetup.project.iac.yamltext import Plain, Value, as_json, block_entries

_CUSTOM = ("custom", "datadog")
_TOUCHED = frozenset({_CUSTOM, ("plugins",)})
_NAME = re.compile(r'(?m)^( *)"(\w+)":')


def propose(source: Source, wanted: Wish) -> Proposal:
    """What has to change in one file of the Serverless Framework.

    Raises BrokenFile for a file that the Framework would not read either, AnswerMissing for what is not said.
    """
    document = yamldoc.parse(source)
    other = foreign(document)
    if other and plugin.NAME in _plugins(document) and not functions(document):
        return Proposal(settled=(source.path,))
    if other:
        return Proposal(warnings=_at(source, (f"left alone: {other}",)))
    try:
        now = existing(document)
    except CannotEdit as reason:
        return Proposal(snippets=(_snippet(document, wanted, str(reason)),))
    folder = source.path.parent
    judged = judge(
        (in_package.looked_up(each, folder, wanted) for each in functions(document)),
        "plugin",
        plugin.via_of(now, wanted, plugin_major(folder)),
        own_layers=now.get("addLayers") is False,
    )
    return _switched_off(document, now, judged) or _changed(document, wanted, now, judged)


def _changed(document: Document, wanted: Wish, now: Mapping[str, Plain | None], judged: Judged) -> Proposal:
    """The file with the plugin and its settings, or the lines for a hand."""
    source = document.source
    try:
        brought = _planned(document, wanted, judged)
        kept = in_package.kept_layers(judged.covered, said=now.get("addLayers") is True)
        warnings = _at(source, (*brought.warnings, *judged.warnings, *kept))
        if not brought.splices:
            return Proposal(warnings=warnings, settled=(source.path,))
        after = edited(document, list(brought.splices), _TOUCHED)
        if _plugins(document) and _others(document) != _others(after):
            raise CannotEdit("the list of plugins is written in a way that cannot be changed safely")
        if _planned(after, wanted, judged).splices:
            raise CannotEdit("the settings are written in a way that cannot be changed safely")
    except CannotEdit as reason:
        snippet = _snippet(document, wanted, str(reason))
        return Proposal(snippets=(snippet,), warnings=_at(source, judged.warnings))
    edit = Edit(source.path, source.raw, after.source.raw, brought.why)
    return Proposal(edits=(edit,), warnings=warnings)


def _switched_off(document: Document, now: Mapping[str, Plain | None], judged: Judged) -> Proposal | None:
    """Nothing but what is to be said, where the plugin is told to do nothing or has nothing to do."""
    source = document.source
    if now.get("enabled") is False:
        said = "`enabled: false` switches the plugin off, which was left so; take it out to have Datadog"
        return Proposal(warnings=_at(source, (said, *judged.warnings)), settled=(source.path,))
    named = plugin.NAME in _plugins(document) or bool(now)
    if not judged.out or judged.doing or named or any(each.edge for each in judged.out):
        return None
    settled = (source.path,) if any(each.redirected for each in judged.out) else ()
    return Proposal(warnings=_at(source, judged.warnings), settled=settled)


def _planned(document: Document, wanted: Wish, judged: Judged) -> Brought:
    listed = _list_plugin(document)
    moved = _migrate(document, wanted)
    settings = bring(document, _CUSTOM, _block(document, wanted, judged))
    # At the end of a file both may be added in one place: what is nested goes first.
    nested = yamldoc.entry(document.root, "custom") is not None
    both = (settings, listed) if nested else (listed, settings)
    return Brought(
        splices=(*moved.splices, *both[0].splices, *both[1].splices),
        why=(*listed.why, *moved.why, *settings.why),
        warnings=(*listed.warnings, *moved.warnings, *settings.warnings, *_remarks(document, wanted)),
    )


def existing(document: Document) -> dict[str, Plain | None]:
    """The settings that the file gives the plugin; None for a value that is not a plain one."""
    mapping = settings_at(document, _CUSTOM)
    if mapping is None:
        return {}
    names = {
        str(key.value) for key, value in mapping.value if key.value != "<<" and not yamldoc.is_null(value)
    }
    for key, value in mapping.value:
        if key.value == "<<" and value.id == "mapping":
            names |= {str(k.value) for k, v in value.value if not yamldoc.is_null(v)}
    return {name: yamldoc.literal(yamldoc.value_of(mapping, name)) for name in names}


def _block(document: Document, wanted: Wish, judged: Judged) -> Block:
    now = existing(document)
    path = document.source.path
    block = plugin.block(
        now, wanted, region=_region(document), where=str(path), major=plugin_major(path.parent)
    )
    may = block.may
    if in_package.without_layers(judged.covered):
        may = may | {"addLayers": False}
    if _has_step_functions(document) and {"forwarder", "forwarderArn"} & {*now, *block.must}:
        may = may | plugin.STEP_FUNCTIONS
    return Block(block.must, may, {"exclude": tuple(each.name for each in judged.out)})


def _has_step_functions(document: Document) -> bool:
    """Whether the service has state machines, as serverless-step-functions describes them."""
    return yamldoc.entry(document.root, "stepFunctions") is not None


def _region(document: Document) -> str:
    provider = yamldoc.value_of(document.root, "provider")
    region = yamldoc.value_of(provider, "region") if provider and yamldoc.is_mapping(provider) else None
    found = yamldoc.literal(region)
    return found if isinstance(found, str) and "$" not in found else ""


# The list of plugins


def _list_plugin(document: Document) -> Brought:
    found = yamldoc.entry(document.root, "plugins")
    if found is None:
        splice = yamlchange.add_entries(document, document.root, {"plugins": [plugin.NAME]}, gap=True)
        return Brought((splice,), (f"plugins: {plugin.NAME}",))
    key, value = found
    if yamldoc.is_mapping(value) and value.value:
        inner = yamldoc.entry(value, "modules")
        if inner is None:
            splice = yamlchange.add_entries(document, value, {"modules": [plugin.NAME]})
            return Brought((splice,), (f"plugins.modules: {plugin.NAME}",))
        key, value = inner
    if yamldoc.is_alias(key, value):
        raise CannotEdit("`plugins` is an alias of something else in the file")
    if yamldoc.is_null(value) or (value.id in ("sequence", "mapping") and not value.value):
        return _first_plugin(document, key, value)
    if not yamldoc.is_sequence(value):
        raise CannotEdit(f"`plugins` comes from a variable ({str(value.value).strip()})")
    return _among_others(document, value)


def _first_plugin(document: Document, key: Node, value: Node) -> Brought:
    """The list is there and empty: brackets stay on their line."""
    why = (f"plugins: {plugin.NAME}",)
    if yamldoc.start(value) == yamldoc.end(value):
        return Brought((yamlchange.first_item(document, key, plugin.NAME),), why)
    written = f'["{plugin.NAME}"]' if document.json else f"[{plugin.NAME}]"
    return Brought((Splice(yamldoc.start(value), yamldoc.end(value), written),), why)


def _among_others(document: Document, sequence: Node) -> Brought:
    names = [str(item.value) if item.id == "scalar" else "" for item in sequence.value]
    above = [names.index(n) for n in plugin.COMES_AFTER if n in names]
    below = [names.index(n) for n in plugin.COMES_BEFORE if n in names]
    if above and below and min(above) < max(below):
        order = f"{names[max(below)]} has to stand above {names[min(above)]}, and {plugin.NAME} between them"
        if plugin.NAME in names:
            return Brought(warnings=(order,))
        splice = yamlchange.add_item(document, sequence, plugin.NAME)
        return Brought((splice,), (f"plugins: {plugin.NAME}",), (order,))
    before = sequence.value[min(above)] if above else None
    if plugin.NAME not in names:
        splice = yamlchange.add_item(document, sequence, plugin.NAME, before=before)
        return Brought((splice,), (f"plugins: {plugin.NAME}",))
    at = names.index(plugin.NAME)
    too_low, too_high = bool(above) and at > min(above), bool(below) and at < max(below)
    if not too_low and not too_high:
        return Brought()
    after = None if too_high and not above else before
    moved = yamlchange.move_item(document, sequence, sequence.value[at], after)
    return Brought(tuple(moved), ("plugins: the order that the plugin needs",))


def _plugins(document: Document) -> list[str]:
    value = yamldoc.value_of(document.root, "plugins")
    if value and yamldoc.is_mapping(value):
        value = yamldoc.value_of(value, "modules")
    return [str(item.value) for item in value.value] if yamldoc.is_sequence(value) and value else []


def _others(document: Document) -> list[str]:
    return [name for name in _plugins(document) if name != plugin.NAME]


# Settings of former times


def _migrate(document: Document, wanted: Wish) -> Brought:
    """`forwarder` is the former name of `forwarderArn`; both at once is an error of the plugin."""
    mapping = settings_at(document, _CUSTOM)
    former = yamldoc.entry(mapping, "forwarder") if mapping is not None else None
    if mapping is None or former is None:
        return Brought()
    present = yamldoc.entry(mapping, "forwarderArn")
    if yamldoc.is_null(former[1]) or (
        present is not None and yamldoc.literal(present[1]) == yamldoc.literal(former[1])
    ):
        removed = yamlchange.remove_entry(document, *former)
        above = document.text[: removed.start].splitlines()[-1:]
        told = ("the comment above `forwarder` is left, and the setting is gone",)
        orphaned = bool(above) and above[0].lstrip().startswith("#")
        gone = ("forwarder: the former name of forwarderArn",)
        return Brought((removed,), gone, told if orphaned else ())
    if present is not None:
        raise CannotEdit("`forwarder` and `forwarderArn` name different Forwarders; one has to go")
    splices = [yamlchange.rename_key(document, former[0], "forwarderArn")]
    why = ["forwarder is forwarderArn today"]
    major = plugin_major(document.source.path.parent)
    if plugin.via_of(existing(document), wanted, major) == "forwarder":
        where, arns = str(document.source.path), wanted.answers.forwarder_arns
        arn = plugin.forwarder_for(arns, _region(document), where)
        if arn and arn != yamldoc.literal(former[1]) and not yamldoc.is_variable(former[1]):
            splices.append(yamlchange.set_scalar(document, former[1], arn))
            why.append("forwarderArn: the Forwarder that was given")
    return Brought(tuple(splices), tuple(why))


def _remarks(document: Document, wanted: Wish) -> tuple[str, ...]:
    """What the user should know of this file that is no reason not to change it."""
    now = existing(document)
    found = [
        f"`{name}` makes today's plugin stop; use `{successor}`"
        for name, successor in plugin.REFUSED.items()
        if name in now
    ]
    if isinstance(now.get("apiKey"), str) and "${" not in str(now["apiKey"]):
        found.append("the API key stands in the file in clear text; put it in a secret: apiKeySecretArn")
    via = plugin.via_of(now, wanted, plugin_major(document.source.path.parent))
    if via == "extension" and now and plugin.key_by_environment(now, wanted):
        found.append(
            "the block uses the Extension, with the API key from DATADOG_API_KEY at each deployment; both "
            "were left so"
        )
    if now.get("redirectHandlers") is False:
        found.append(
            "`redirectHandlers: false` leaves the handlers as they are, so each has to be wrapped in the "
            "code: `ddsetup code check --write`"
        )
    given, there = bool(wanted.answers.forwarder_arns), bool({"forwarderArn", "forwarder"} & set(now))
    if via == "extension" and there:
        found.append("with the Extension, the Forwarder gets no logs of functions any more")
    if via == "forwarder" and not (given or there or wanted.subscribed):
        found.append(
            "no Forwarder is named, so Datadog's automatic subscription has to cover the log groups "
            "(`ddsetup setup`); or give --forwarder-arn"
        )
    if _has_step_functions(document) and not (there or (given and via == "forwarder")):
        found.append("the logs and traces of its Step Functions need a Forwarder: --forwarder-arn")
    found += left_out(wanted, via, "plugin")
    bundlers = [name for name in _plugins(document) if name in BUNDLERS]
    build = yamldoc.value_of(document.root, "build")
    if yamldoc.is_mapping(build) and yamldoc.entry(build, "esbuild"):
        bundlers.append("build.esbuild")
    if bundlers:
        found.append(f"{bundlers[0]}: mark datadog-lambda-js and dd-trace as external")
    return tuple(found)


def _at(source: Source, warnings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{source.path.name}: {warning}" for warning in warnings)


# What cannot be edited


def _snippet(document: Document, wanted: Wish, reason: str) -> Snippet:
    """The lines to put in by hand, where the file itself does not hold what has to change."""
    try:
        now = existing(document)
    except CannotEdit:
        now = {}
    settings = plugin.block(now, wanted, region=_region(document), where=str(document.source.path)).all
    custom = yamldoc.value_of(document.root, "custom")
    block = yamldoc.value_of(custom, "datadog") if yamldoc.is_mapping(custom) else None
    written: dict[str, Value] = {"datadog": settings}
    file = _file_of(custom)
    if file is None and (file := _file_of(block)):
        written = dict(settings)
    listed: dict[str, Value] = {} if plugin.NAME in _plugins(document) else {"plugins": [plugin.NAME]}
    if file is None:
        lines = block_entries({**listed, "custom": {"datadog": settings}}, 0, 2, dash=2)
    else:
        where = f"{file[1]}, under {file[2]}" if file[2] else file[1]
        lines = [*block_entries(listed, 0, 2, dash=2), *([""] if listed else []), f"# into {where}:"]
        lines += block_entries(written, 0, 2, dash=2)
    return Snippet(document.source.path, reason, "\n".join(lines) + "\n", "yaml")


def _file_of(node: Node | None) -> re.Match[str] | None:
    """The file that a setting comes from as a whole."""
    return FILE.fullmatch(str(node.value).strip()) if node and node.id == "scalar" else None


def program_text(wanted: Wish, where: str) -> str:
    """The plugin and its settings as they stand in the object that a `serverless.ts` or `.js` exports."""
    settings = plugin.block({}, wanted, region=wanted.region, where=where).all
    entries: dict[str, Value] = {"plugins": [plugin.NAME], "custom": {"datadog": settings}}
    written = as_json(entries, 2)
    body = [line.removeprefix("  ") for line in written.splitlines()[1:-1]]
    return _NAME.sub(r"\1\2:", "\n".join(body)) + ",\n"
