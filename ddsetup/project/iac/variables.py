"""The environment variables of a function whose deployment tool sets them one by one."""

from __future__ import annotations

from ddsetup.facts.variables import FileTool, carried, remainder
from ddsetup.project.iac.model import AnswerMissing, Via, Wanted

_KEY_VARIABLES = {
    "apiKeySecretArn": "DD_API_KEY_SECRET_ARN",
    "apiKeySsmArn": "DD_API_KEY_SSM_ARN",
    "apiKMSKey": "DD_KMS_API_KEY",
}


def variables(via: Via, wanted: Wanted) -> dict[str, str]:
    """What was said and is not a default, by the name of its variable."""
    found = {
        "DD_SITE": wanted.site,
        **carried(wanted.asked, via, "variables"),
        "DD_FLUSH_TO_LOG": "true" if via == "forwarder" else "",
    }
    if via == "extension" and wanted.key_source is not None:
        found[_KEY_VARIABLES[wanted.key_source[0]]] = wanted.key_source[1]
    return {name: value for name, value in found.items() if value}


def left_out(wanted: Wanted, via: Via, tool: FileTool) -> tuple[str, ...]:
    """What was asked for and a tool cannot carry, in words."""
    found = remainder(wanted.asked, via, tool)
    return tuple(f"{name}={wanted.asked[name]} {reason}" for name, reason in found.items())


def check_said(via: Via, wanted: Wanted, where: str, *, key: bool = True) -> None:
    """Raise AnswerMissing when the site is not said or, where `key` is needed, where the API key is."""
    if not wanted.site:
        raise AnswerMissing("the Datadog site is not known", setting="site", fix="--site SITE", where=where)
    if key and via == "extension" and wanted.key_source is None:
        raise AnswerMissing(
            "the Extension needs the API key, and nobody said where it is",
            setting="api_key_secret",
            fix="--api-key-secret ARN of a secret that holds it (or --api-key-ssm, --api-key-kms)",
            where=where,
        )
