"""Monitors, objectives and dashboards as Terraform, for the provider DataDog/datadog. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ddsetup.gateways.datadog.slos import EVENTS
from ddsetup.model.account import Json
from ddsetup.model.foreign import is_plain
from ddsetup.model.states import DashboardState, MonitorState, SloState
from ddsetup.monitors.edits import unstamped
from ddsetup.monitors.wording import plain

_HEAD = """\
terraform {
  required_providers {
    datadog = {
      source = "DataDog/datadog"
    }
  }
}
"""


def terraform(monitors: Sequence[MonitorState], slos: Sequence[SloState] = ()) -> str:
    """The text of a `.tf` file: resources `datadog_monitor` and `datadog_service_level_objective`."""
    return "\n".join((_HEAD, *map(_monitor, monitors), *map(_slo, slos)))


def _monitor(state: MonitorState) -> str:
    options = state.options
    lines = [
        f"name    = {quoted(state.name)}",
        f"type    = {quoted(state.type)}",
        f"query   = {quoted(state.query)}",
        f"message = {quoted(state.message)}",
        "",
        "monitor_thresholds {",
        f"  critical = {quoted(plain(options['thresholds']['critical']))}",
        "}",
        "",
        *(f"{name:<19} = {_literal(value)}" for name, value in options.items() if name != "thresholds"),
    ]
    lines += ["", _tags(state.tags)]
    return _resource("datadog_monitor", identifier(state), lines)


def _slo(state: SloState) -> str:
    lines = [
        f"name        = {quoted(state.name)}",
        f"type        = {quoted(state.type)}",
        f"description = {quoted(state.description)}",
        "",
        *(_events(state.measure) if state.type == EVENTS else _time(state.measure)),
        "",
        "thresholds {",
        f"  timeframe = {quoted(state.timeframe)}",
        f"  target    = {plain(state.target)}",
        "}",
        "",
        _tags(state.tags),
    ]
    return _resource("datadog_service_level_objective", identifier(state), lines)


def _events(measure: Mapping[str, Json]) -> list[str]:
    return [
        "query {",
        f"  numerator   = {quoted(measure['good'])}",
        f"  denominator = {quoted(measure['total'])}",
        "}",
    ]


def _time(measure: Mapping[str, Json]) -> list[str]:
    return [
        "sli_specification {",
        "  time_slice {",
        "    query {",
        "      formula {",
        '        formula_expression = "query1"',
        "      }",
        "      query {",
        "        metric_query {",
        '          name  = "query1"',
        f"          query = {quoted(measure['query'])}",
        "        }",
        "      }",
        "    }",
        f"    comparator = {quoted(measure['comparator'])}",
        f"    threshold  = {plain(measure['threshold'])}",
        "  }",
        "}",
    ]


def _tags(tags: Sequence[str]) -> str:
    return f"tags = [{', '.join(quoted(tag) for tag in tags)}]"


def _resource(kind: str, name: str, lines: Sequence[str]) -> str:
    body = "\n".join(f"  {line}" if line else "" for line in lines)
    return f'resource "{kind}" "{name}" {{\n{body}\n}}\n'


def dashboard_terraform(state: DashboardState) -> str:
    """The text of a `.tf` file with the dashboard: a resource `datadog_dashboard_json`."""
    shown = {
        "title": state.title,
        "description": unstamped(state.description),
        "layout_type": state.layout_type,
        "template_variables": state.template_variables or [],
        "widgets": state.widgets or [],
    }
    # JSON in ASCII is an HCL expression but for what begins a template.
    document = json.dumps(shown, indent=2).replace("${", "$${").replace("%{", "%%{")
    lines = ["dashboard = <<-JSON", *(f"  {line}" for line in document.splitlines()), "JSON"]
    name = f"ddsetup_{re.sub(r'[^A-Za-z0-9_]+', '_', state.title)}".lower()
    return "\n".join((_HEAD, _resource("datadog_dashboard_json", name, lines)))


def identifier(state: MonitorState | SloState) -> str:
    """A name that Terraform accepts, and that stays the same from run to run."""
    text = state.key if state.scope == "all" else f"{state.key}_{state.scope}"
    return "ddsetup_" + re.sub(r"[^A-Za-z0-9_]+", "_", text)


def quoted(text: str) -> str:
    """A string as HCL writes it: `${` and `%{` would begin a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    escaped = "".join(c if is_plain(c) else _escape(ord(c)) for c in escaped)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def _escape(number: int) -> str:
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _literal(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
