"""Monitors as Terraform, for the provider DataDog/datadog: resources of type `datadog_monitor`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ddsetup.model.foreign import is_plain
from ddsetup.model.states import MonitorState

_HEAD = """\
terraform {
  required_providers {
    datadog = {
      source = "DataDog/datadog"
    }
  }
}
"""


def terraform(monitors: Sequence[MonitorState]) -> str:
    """The text of a `.tf` file."""
    return "\n".join((_HEAD, *(_resource(state) for state in monitors)))


def _resource(state: MonitorState) -> str:
    options = state.options
    lines = [
        f"name    = {quoted(state.name)}",
        f"type    = {quoted(state.type)}",
        f"query   = {quoted(state.query)}",
        f"message = {quoted(state.message)}",
        "",
        "monitor_thresholds {",
        f"  critical = {quoted(_number(options['thresholds']['critical']))}",
        "}",
        "",
        *(f"{name:<19} = {_literal(value)}" for name, value in options.items() if name != "thresholds"),
    ]
    lines += ["", f"tags = [{', '.join(quoted(tag) for tag in state.tags)}]"]
    body = "\n".join(f"  {line}" if line else "" for line in lines)
    return f'resource "datadog_monitor" "{identifier(state)}" {{\n{body}\n}}\n'


def identifier(state: MonitorState) -> str:
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


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
