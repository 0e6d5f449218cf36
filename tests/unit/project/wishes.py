"""What files shall say, made of a few words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ddsetup.model.answers import Answers, KeyKind, KeySource, Tracing
from ddsetup.project.iac.model import Wish

_KINDS: dict[str, KeyKind] = {"apiKeySecretArn": "secret", "apiKeySsmArn": "ssm", "apiKMSKey": "kms"}


def wish(
    *,
    site: str = "",
    region: str = "",
    forwarders: tuple[str, ...] = (),
    key_source: tuple[str, str] | None = None,
    subscribed: bool = False,
    tracing: Tracing | None = None,
    said: frozenset[str] = frozenset(),
    **answers: Any,
) -> Wish:
    """The wish of a person who said just this. `key_source` is the plugin's setting and its value."""
    values: dict[str, Any] = {
        name: str(value) if name.endswith("_version") else value for name, value in answers.items()
    }
    made = Answers(
        site=site,
        regions=(region,) if region else (),
        forwarder_arns=forwarders,
        tracing=tracing or Tracing(),
        **values,
    )
    if key_source is not None:
        made = replace(made, key_source=KeySource(kind=_KINDS[key_source[0]], value=key_source[1]))
    return Wish(answers=made, said=said | frozenset(answers), subscribed=subscribed)


def answering(before: Wish, **answers: Any) -> Wish:
    """The wish with other answers."""
    return replace(before, answers=replace(before.answers, **answers))
