"""How a function starts: through a handler that can be redirected to Datadog's library, or in another way.

Python's and Node's runtimes import a handler named FILE.FUNCTION (Lambda developer guide, handlers), and
Datadog's library stands in for it. A start-up script in `AWS_LAMBDA_EXEC_WRAPPER` may do anything with the
handler: the AWS Lambda Web Adapter *executes* it as a file. Such a handler must stay what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ddsetup.facts import catalog
from ddsetup.model.account import Function

WEB_ADAPTER = "the AWS Lambda Web Adapter"
_ADAPTER_SCRIPT = "/opt/bootstrap"
_ADAPTER_LAYER = re.compile(r"(?i)lambda-?adapter(layer)?\w*")
_ADAPTER_VARIABLES = "AWS_LWA_"

_FILE_ENDINGS = frozenset(
    {
        "sh",
        "bash",
        "zsh",
        "py",
        "pyc",
        "js",
        "mjs",
        "cjs",
        "ts",
        "mts",
        "rb",
        "php",
        "pl",
        "jar",
        "exe",
        "bat",
        "cmd",
        "ps1",
    }
)
"""What stands behind the last dot of a file's name, and is no name of a function."""
_PYTHON = re.compile(r"[^\s:]*[^\s:./]\.[^\W\d]\w*")
_NODE = re.compile(r"(?:[^\s:]*/)?[^\s:./]+(?:\.[^\s:./]+)+")


def is_module_function(handler: str, language: str) -> bool:
    """Whether a handler names a function in a module, as the runtime of the language imports it.

    Only Python and Node redirect handlers; of other languages nothing is known, and False returned.
    """
    pattern = {"python": _PYTHON, "node": _NODE}.get(language)
    if pattern is None or pattern.fullmatch(handler) is None:
        return False
    return handler.rsplit(".", 1)[1].lower() not in _FILE_ENDINGS


def foreign_script(env: Mapping[str, str]) -> str:
    """The start-up script in `AWS_LAMBDA_EXEC_WRAPPER` if it is not Datadog's; empty if there is none."""
    script = env.get(catalog.WRAPPER_VARIABLE, "")
    return "" if script == catalog.DATADOG_WRAPPER else script


def starts_otherwise(
    handler: str | None, runtime: str | None, layers: Iterable[str], env: Mapping[str, str]
) -> str:
    """Why the handler must not be redirected; empty if it can be, or where nobody redirects handlers.

    `handler` is the user's own, `layers` are ARNs or names. Also for deployment files, with what they tell.
    """
    family = catalog.family_of(runtime)
    if family is None or family.handler is None or not handler:
        return ""
    script = foreign_script(env)
    if script and _is_adapter(script, layers, env):
        return f"its handler {handler} is executed by {WEB_ADAPTER} ({catalog.WRAPPER_VARIABLE}={script})"
    if not is_module_function(handler, family.name):
        by = f", which {script} starts" if script else ""
        return f"its handler {handler} does not name a function in a module{by}"
    if script:
        how = "and what that makes of its handler is unknown"
        return f"it starts through {script} ({catalog.WRAPPER_VARIABLE}), {how}"
    return ""


def starts_in_its_own_way(function: Function, own_handler: str | None, *, redirected: bool) -> str:
    """Why this function's handler must stay (or be given back); empty if it can be redirected.

    A handler that was redirected beside a script that nobody knows is no longer in doubt: it is how the
    function runs.
    """
    env = function.env or {}
    layers = tuple(layer.arn for layer in function.layers)
    reason = starts_otherwise(own_handler, function.runtime, layers, env)
    family = catalog.family_of(function.runtime)
    sound = family is not None and own_handler is not None and is_module_function(own_handler, family.name)
    if redirected and sound and not _is_adapter(foreign_script(env), layers, env):
        return ""
    return reason


def has_web_adapter(layers: Iterable[str], env: Mapping[str, str]) -> bool:
    """Whether a layer or a variable of awslabs/aws-lambda-web-adapter is there. `layers`: ARNs or names."""
    names = (layer.rpartition(":layer:")[2].split(":", 1)[0] for layer in layers)
    return any(_ADAPTER_LAYER.fullmatch(name) for name in names) or any(
        name.startswith(_ADAPTER_VARIABLES) for name in env
    )


def _is_adapter(script: str, layers: Iterable[str], env: Mapping[str, str]) -> bool:
    """The adapter's script is known by its name alone, too."""
    return bool(script) and (script == _ADAPTER_SCRIPT or has_web_adapter(layers, env))
