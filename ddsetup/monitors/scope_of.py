"""What monitors and dashboards are about, from the options: env, service, functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.facts.searches import datadog_names
from ddsetup.flow.call import Call
from ddsetup.flow.looking import chosen_functions
from ddsetup.monitors.scope import MonitorScope
from ddsetup.settings.fields import selection_of

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def scope_of(call: Call, session: Session) -> MonitorScope:
    """The scope that the options give.

    Names and globs are kept as they are, so that later functions are found as well; what is chosen by tag,
    runtime or stack becomes a list of names. Raises UsageError when nothing fits the choice.
    """
    functions = chosen_functions(call, session)
    patterns = _patterns(call)
    names = patterns if functions and patterns else datadog_names(f.name for f in functions)
    env, service = call.given.text("env"), call.given.text("service")
    priced = not functions or not all(function.managed_instances for function in functions)
    return MonitorScope(env=env, service=service, functions=names, priced=priced)


def _patterns(call: Call) -> tuple[str, ...]:
    """The names and globs that were given, if these are the whole choice and Datadog understands them."""
    values = {key: value for key in call.given.values if (value := call.given.value(key)) is not None}
    selection = selection_of(values)
    others = selection.tags or selection.runtimes or selection.stacks or selection.exclude or selection.all
    plain = all(not name.startswith("arn:") and not set(name) & set("?[]") for name in selection.names)
    if others or selection.state != "any" or not plain:
        return ()
    return datadog_names(selection.names)
