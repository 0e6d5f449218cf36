"""What a StackSet is to bring into which accounts: pure.

Accounts that have a Forwarder are left out of what could collide with it. The template of the Forwarder knows
nothing of Datadog's integration, so that no rollback can take one away.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ddsetup.model.account import Json
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.organisation import Instance, Member, Targets
from ddsetup.plan.steps.api_key import SECRET_PARAMETER
from ddsetup.plan.steps.forwarder_stack import (
    SSM_PARAMETER,
    check_params,
    names_key,
    parameters_anywhere,
    template_url,
)

What: TypeAlias = Literal["forwarder", "role"]
API_KEY = "DdApiKey"
"""The parameter of the template with the key itself."""
NAMES: Mapping[What, str] = {"forwarder": "ddsetup-forwarder", "role": "ddsetup-role"}
"""The names of the StackSets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`units` are the ids of the units that the set is for. `due` are the accounts that lack it, the `canary`
    among them first; `left_out` are the others with the reason. `narrowed`: only some accounts of the units
    are meant, and later ones are not for this run to say. `imports` are the ids of stacks to take over."""

    units: tuple[str, ...]
    regions: tuple[str, ...]
    due: tuple[str, ...]
    canary: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    narrowed: bool = False
    imports: tuple[str, ...] = ()

    def batches(self) -> tuple[tuple[str, Targets], ...]:
        """What is done one after the other: the canary, then the rest."""
        rest = tuple(account for account in self.due if account not in self.canary)
        found: list[tuple[str, Targets]] = []
        if self.canary:
            found.append(("canary", self._only(self.canary)))
        if rest and self.narrowed:
            found.append(("rest", self._only(rest)))
        elif rest:
            targets = Targets(
                units=self.units,
                regions=self.regions,
                accounts=self.excluded,
                filter="DIFFERENCE" if self.excluded else "NONE",
            )
            found.append(("rest", targets))
        return tuple(found)

    def _only(self, accounts: tuple[str, ...]) -> Targets:
        return Targets(units=self.units, regions=self.regions, accounts=accounts, filter="INTERSECTION")


def is_there(account: str, regions: Collection[str], instances: Sequence[Instance]) -> bool:
    """Whether the set has a stack in each of the regions of an account."""
    return set(regions) <= {each.region for each in instances if each.account == account and each.there}


def reason_to_leave_out(member: Member, held: Sequence[str]) -> str:
    """Why an account gets no stack of the set; empty if it does. `held` says which Forwarders it has."""
    if member.management:
        return "StackSets do not reach the management account; `ddsetup org apply` does"
    return member.passive or (f"it has a Forwarder already: {', '.join(held)}" if held else "")


def forwarder_parameters(answers: Answers, api_key: str) -> Mapping[str, str]:
    """The parameters of the Forwarder's template. Its function has a fixed name, so that its ARN is known in
    every account beforehand. The key goes the way that the template has for it: each stack keeps it in a
    secret of its own. CloudFormation shows it to nobody (NoEcho). It is not sent where the user names another
    way. Raises UsageError for a `--forwarder-param` that cannot be.
    """
    check_params(answers, ())
    source = answers.key_source
    key = {API_KEY: api_key}
    if names_key(answers):
        key = {}
    elif source.kind == "secret" and source.value:
        key = {SECRET_PARAMETER: source.value}
    elif source.kind == "ssm":
        key = {SSM_PARAMETER: source.value}
    return {**parameters_anywhere(answers), **key, **answers.stack_params}


def forwarder_template(answers: Answers, partition: str) -> Mapping[str, str]:
    """Where the Forwarder's template is. Raises UsageError where Datadog publishes none."""
    url = template_url(answers, partition)
    if not url:
        raise UsageError(f"Datadog publishes no Forwarder for the partition {partition}")
    return {"TemplateURL": url}


def role_template(document: Json) -> Mapping[str, str]:
    """A template that is handed over whole: 51,200 bytes at most (CloudFormation quotas page)."""
    return {"TemplateBody": json.dumps(document, separators=(",", ":"))}
