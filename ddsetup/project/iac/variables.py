"""The environment variables of a function whose deployment tool sets them one by one."""

from __future__ import annotations

from ddsetup.facts.variables import (
    FLUSH_TO_LOG,
    KEY_VARIABLE,
    SITE,
    FileTool,
    carried,
    key_setting,
    remainder,
)
from ddsetup.model.answers import Via
from ddsetup.project.iac.model import AnswerMissing, Wish


def variables(via: Via, wanted: Wish) -> dict[str, str]:
    """What was said and is not a default, by the name of its variable."""
    found = {
        SITE: wanted.answers.site,
        **carried(wanted.asked, via, "variables"),
        FLUSH_TO_LOG: "true" if via == "forwarder" else "",
    }
    if via == "extension" and wanted.key_source is not None:
        found[KEY_VARIABLE[wanted.key_source.kind]] = wanted.key_source.value
    return {name: value for name, value in found.items() if value}


def left_out(wanted: Wish, via: Via, tool: FileTool) -> tuple[str, ...]:
    """What was asked for and a tool cannot carry, in words."""
    asked = wanted.asked
    found = remainder(asked, via, tool)
    return tuple(f"{name}={asked[name]} {reason}" for name, reason in found.items())


def check_said(via: Via, wanted: Wish, where: str, tool: FileTool = "variables", *, key: bool = True) -> None:
    """Raise AnswerMissing when the site is not said or, where `key` is needed, where the API key is or which
    organisation does without; UsageError when the tool has no setting for that."""
    if not wanted.answers.site:
        raise AnswerMissing("the Datadog site is not known", setting="site", fix="--site SITE", where=where)
    if not key or via != "extension":
        return
    if wanted.key_source is None:
        raise AnswerMissing(
            "the Extension needs the API key, and nobody said where it is",
            setting="api_key_secret",
            fix="--api-key-secret ARN of a secret that holds it (or --api-key-ssm, --api-key-kms)",
            where=where,
        )
    key_setting(wanted.key_source, tool, where)
    if not wanted.key_source.value:
        raise AnswerMissing(
            "without an API key the Extension needs the organisation, and nobody said which it is",
            setting="org_uuid",
            fix="--org-uuid UUID of the Datadog organisation",
            where=where,
        )
