"""The tables of the documentation, made from the code: each is a part of a page, named in `GENERATED`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from ddsetup.cli.command import Command
from ddsetup.cli.options import parameter_of_extra
from ddsetup.cli.reading import TOP
from ddsetup.cli.table.groups import GROUPS
from ddsetup.facts import catalog, permissions, stack_access
from ddsetup.facts.kinds import KINDS, kind_name
from ddsetup.facts.variables import VARIABLES, FileTool
from ddsetup.model.answers import Answers
from ddsetup.plan.evidence import UNTAGGED
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps.subscriptions.evidence import TABLE as TABLE_OF_EVIDENCE
from ddsetup.project.iac.described import Tool
from ddsetup.project.iac.limits import LIMITS, TITLES
from ddsetup.sandbox.scenarios import MESSY, SCENARIOS, Scenario
from ddsetup.settings.setting import PANELS, Setting
from ddsetup.settings.table import TABLE
from ddsetup.show.schemas import SCHEMAS

HERE = Path(__file__).parent
_CARRYING: tuple[FileTool, ...] = ("plugin", "macro", "cdk")
_TOOLS: tuple[Tool, ...] = ("plugin", "macro", "terraform", "cdk", "image")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# --- commands and settings


def commands() -> Iterator[tuple[str, Command]]:
    """Every command with its full name ("sandbox up"), in the order of the help."""
    yield from ((command.name, command) for command in TOP)
    yield from ((f"{group.name} {each.name}", each) for group in GROUPS for each in group.commands)


def commands_part() -> str:
    """An overview, then each command: what it does, its own options, which of the shared ones it takes."""
    found = list(commands())
    overview = [(f"[`ddsetup {n}`](#ddsetup-{n.replace(' ', '-')})", c.summary) for n, c in found]
    return "\n".join((table(("Command", "What it does"), overview), *(_command(n, c) for n, c in found)))


def _command(name: str, command: Command) -> str:
    own = [parameter_of_extra(extra) for extra in command.extras]
    arguments = [p.value for p in own if not p.flags]
    lines = [f"## ddsetup {name}\n", f"{command.help or command.summary}\n"]
    lines.append(f"```\nddsetup {' '.join([name, '[OPTIONS]', *arguments])}\n```\n")
    if command.examples:
        examples = "\n".join(command.examples)
        lines.append(f"Examples:\n\n```sh\n{examples}\n```\n")
    if own:
        lines.append(table(("Its own", "Meaning"), [(f"`{p.typed}`", p.help) for p in own]))
    for panel in PANELS:
        flags = [f"[`{s.flag}`](settings.md#{_anchor(s)})" for s in _of(panel) if s.key in command.keys]
        if flags:
            lines.append(f"- *{panel}:* {', '.join(flags)}")
    return "\n".join(lines) + "\n"


def _of(panel: str) -> list[Setting]:
    return [setting for setting in TABLE if setting.panel == panel]


def _anchor(setting: Setting) -> str:
    return setting.key.replace("_", "-")


def settings_part() -> str:
    """Every setting by panel, with flag, variable and key."""
    head = ("Flag", "Variable", "`ddsetup.toml`", "Meaning")
    return "\n".join(f"## {p}\n\n{table(head, [_setting_row(s) for s in _of(p)])}" for p in PANELS)


def _setting_row(setting: Setting) -> tuple[str, str, str, str]:
    flags = [setting.flag, *([setting.no_flag] if setting.kind == "switch" and setting.negatable else [])]
    shown = ", ".join(f"`{flag}`" for flag in [*flags, *([setting.short] if setting.short else [])])
    variables = ", ".join(f"`{name}`" for name in (setting.env, *setting.also_env))
    meaning = setting.meaning
    if setting.choices:
        meaning += f" One of: {', '.join(f'`{c}`' for c in setting.choices)}."
    in_file = f"`{setting.key} = {_example(setting)}`" if setting.in_file else "–"
    return f'<a id="{_anchor(setting)}"></a>{shown}', variables, in_file, meaning


def _example(setting: Setting) -> str:
    match setting.kind:
        case "switch":
            return "true"
        case "seconds" | "minutes":
            return '"10m"'
        case "number":
            return "600"
        case "words" | "items":
            return f'["{setting.metavar}"]'
        case "choice":
            return f'"{setting.choices[0]}"'
    return f'"{setting.metavar}"'


# --- JSON


def report_part() -> str:
    """The document's fields, then each record in it."""
    schema = _schema("report")
    parts = [_fields(schema)]
    for name, record in schema["$defs"].items():
        description = f"{record['description']}\n\n" if "description" in record else ""
        parts.append(f"### {name}\n\n{description}{_fields(record)}")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def event_part() -> str:
    """The fields of a line of ndjson."""
    return _fields(_schema("event"))


def _schema(name: str) -> Any:
    return SCHEMAS[name]()


def _fields(schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`", _type(field), "yes" if name in required else "", field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("Field", "Type", "Always", "Meaning"), rows) if rows else ""


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name})"
    if "enum" in field:
        return " ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = field.get("type", "")
    if kind == "array":
        return f"list of {_type(field.get('items', {})) or 'anything'}"
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "object" and "properties" in field:
        return "object: " + ", ".join(f"`{n}` ({_type(f)})" for n, f in field["properties"].items())
    return str(kind)


# --- sandbox, permissions, layers


def scenarios_part() -> str:
    """The sandbox's scenarios."""
    rest = {name: s for name, s in SCENARIOS.items() if name not in MESSY}
    return f"{_scenarios(rest)}\nThe parts of `messy`, each usable alone:\n\n{_scenarios(MESSY)}"


def _scenarios(found: Mapping[str, Scenario]) -> str:
    rows = [(f"`{n}`", s.description[:1].upper() + s.description[1:]) for n, s in found.items()]
    return table(("Name", "What is there"), rows)


def looking_part() -> str:
    """The actions that only look."""
    optional = " (a run works without it, and has less to say)"
    everywhere = "".join(
        f"- `{a}`{optional if a in permissions.OPTIONAL else ''}\n" for a in permissions.LOOK
    )
    limited = {
        "the integration's role": permissions.LOOK_AT_ROLE,
        "functions": permissions.LOOK_AT_FUNCTION,
        "Datadog's layers": permissions.LOOK_AT_LAYER,
        "the API key's secret": permissions.LOOK_AT_SECRET,
        "subscription filters": permissions.LOOK_AT_FILTERS,
        **{kind_name(kind, 2): grant.actions for kind, row in KINDS.items() for grant in row.looks},
        "the Forwarder's stack": permissions.LOOK_AT_EVENTS,
        "execution roles (Extension)": permissions.LOOK_AT_KEY_ACCESS,
        "functions, for the doctor": permissions.LOOK_AT_HEALTH,
        "log groups, for the doctor": permissions.LOOK_AT_LOGS,
        "delivery streams, for the doctor": permissions.LOOK_AT_DELIVERIES,
        "the API key's secret, for the doctor": permissions.LOOK_AT_KEY,
    }
    rows = [(what, _actions(actions)) for what, actions in limited.items()]
    return f"{everywhere}\nLimited to the resources in question:\n\n{table(('What', 'Actions'), rows)}"


def writing_part() -> str:
    """The actions that change, by kind of resource."""
    rows = [
        (f"`{kind}`", w.step, _actions(w.create), _actions(w.update), _actions(w.delete))
        for kind, w in permissions.WRITES.items()
    ]
    return table(("Resource", "Step", "Create", "Update", "Delete"), rows)


def forwarder_part() -> str:
    """What CloudFormation does in the caller's name."""
    rows = [
        (f"`{kind}`", _actions(d.create), _actions(d.update), _actions((*d.delete, *d.inside)))
        for kind, d in stack_access.TYPES.items()
    ]
    return table(("In the stack", "Create", "Update", "Delete"), rows)


def policy_part() -> str:
    """A small policy, as an example."""
    answers = Answers(site="datadoghq.com", regions=("us-east-1",))
    document = least_policy(answers, "aws", ("123456789012",), ("us-east-1",), ("status",))
    return f"```json\n{json.dumps(document, indent=2)}\n```\n"


def _actions(actions: Iterable[str]) -> str:
    return ", ".join(f"`{action}`" for action in actions) or "–"


def runtimes_part() -> str:
    """What can be instrumented how, and with which layer."""
    rows = []
    for runtime in sorted(filter(catalog.is_supported, _runtimes()), key=_natural):
        family = catalog.family_of(runtime)
        assert family is not None
        names = dict.fromkeys(catalog.library_layer(runtime, a) for a in ("x86_64", "arm64"))
        layers = " / ".join(_layer(name) if name else "in your own code" for name in names)
        forwarder = "logs, metrics, traces" if family.forwarder else "logs; metrics of CloudWatch"
        rows.append((f"`{runtime}`", layers, forwarder, catalog.FROZEN_RUNTIMES.get(runtime, "")))
    rows.append(("any", " / ".join(_layer(catalog.extension_layer(a)) for a in ("x86_64", "arm64")), "–", ""))
    return table(("Runtime", "Layer (x86_64 / arm64)", "Through the Forwarder", ""), rows)


def _layer(name: str) -> str:
    version = catalog.baseline_version(name, "us-east-1")
    return f"`{name}` {version}" if version else f"`{name}`"


def _runtimes() -> set[str]:
    layers = json.loads(resources.files("ddsetup.data").joinpath("layers_baseline.json").read_text("utf-8"))
    named = {runtime for layer in layers["layers"]["aws"].values() for runtime in layer["runtimes"]}
    # The table's source writes arm64 as a runtime of its own for some layers.
    return {name for name in named if not name.endswith("-arm")} | catalog.SUPPORTED_WITHOUT_TABLE


def _natural(name: str) -> tuple[str, list[int], str]:
    return re.sub(r"[\d.]+.*", "", name), [int(n) for n in re.findall(r"\d+", name)], name


def layers_part() -> str:
    """Where the layers come from."""
    rows = [(p, f"`{a}`") for p, a in catalog.LAYER_ACCOUNTS.items()]
    return f"{catalog.layers_source()}\n\n{table(('Partition', 'Account'), rows)}"


def sites_part() -> str:
    """Datadog's sites."""
    rows = [
        (s.name, f"`{s.site}`", s.app_url, ", ".join(f"{a} ({p})" for p, a in s.trust_accounts.items()))
        for s in catalog.sites()
    ]
    return table(("Name", "`--site`", "Pages", "AWS account that assumes the role (partition)"), rows)


# --- deployment tools


_STARTED = (
    "whose handler is executed, names no function in a module, or belongs to a start-up script of its own"
)


def limits_part() -> str:
    """What each deployment tool does not do, from the table that plans are made with."""
    head = ("What is found", *(TITLES[tool] for tool in _TOOLS))
    rows = []
    for limit in LIMITS:
        text = limit.text.replace("{started}", f"… {_STARTED}")
        said = re.sub(r"\{tool\}", "the tool", re.sub(r"\{(them|vendor|runtime|ignored)\}", "…", text))
        marks = ["–" if t not in limit.tools else "left out" if limit.out else "told" for t in _TOOLS]
        rows.append((said, *marks))
    return table(head, rows)


def carried_part() -> str:
    """What each setting is called where a tool carries it, from the table of variables."""
    head = ("Setting", "Variable", *(TITLES[tool] for tool in _CARRYING))
    rows = []
    for row in VARIABLES:
        if not row.setting:
            continue
        named = (row.named_by(tool) for tool in _CARRYING)
        only = f" (only `--via {row.only}`)" if row.only else ""
        rows.append(
            (f"`{row.setting}`", f"`{row.name}`{only}", *(f"`{name}`" if name else "–" for name in named))
        )
    return table(head, rows)


# --- the architecture


def evidence_part() -> str:
    """What tells that something need not be read."""
    rows = ([row.seen, row.conclusion, row.wrong, row.notices] for row in (*TABLE_OF_EVIDENCE, UNTAGGED))
    return "\n" + table(("Seen", "Conclusion", "What could make it wrong", "What notices it later"), rows)


def rooms_part() -> str:
    """The rooms from the top down, as the contract in pyproject.toml orders them, each with its own words."""
    contract = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = next(c["layers"] for c in contract["contracts"] if c["type"] == "layers")
    drawn = []
    for layer in layers:
        names = [name.strip() for name in layer.split("|")]
        for name in names:
            said = (import_module(f"ddsetup.{name}").__doc__ or "").strip().splitlines()[0]
            drawn.append(f"{'┆' if len(names) > 1 else '│'} {name + '/':<10}  {said}")
    return (
        "```text\n"
        + "\n".join(drawn)
        + "\n▼ imports go down only; rooms beside ┆ do not import each other\n```\n"
    )


GENERATED: Mapping[str, Callable[[], str]] = {
    "rooms": rooms_part,
    "evidence": evidence_part,
    "commands": commands_part,
    "settings": settings_part,
    "report": report_part,
    "event": event_part,
    "scenarios": scenarios_part,
    "looking": looking_part,
    "writing": writing_part,
    "forwarder": forwarder_part,
    "policy": policy_part,
    "runtimes": runtimes_part,
    "layers": layers_part,
    "sites": sites_part,
    "limits": limits_part,
    "carried": carried_part,
}
