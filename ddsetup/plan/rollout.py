"""What a StackSet is to bring into which accounts: pure.

Accounts that have a Forwarder are left out of what could collide with it. The template of the Forwarder knows
nothing of Datadog's integration, so that no rollback can take one away.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ddsetup.model.account import Json, Stack, Unreadable
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
    """`units` are the ids of the units that the set is for. `due` are the accounts that lack it, `there`
    those that have it; `left_out` are the others with the reason. `narrowed`: only some accounts of the units
    are meant, and later ones are not for this run to say. `imports` are the ids of stacks to take over.
    `renewed`: the set gets another template. `automated`: from now on accounts that come into the units get
    their stack by themselves, as they did not while single accounts were meant."""

    units: tuple[str, ...]
    regions: tuple[str, ...]
    due: tuple[str, ...]
    canary: tuple[str, ...]
    there: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    narrowed: bool = False
    imports: tuple[str, ...] = ()
    renewed: bool = False
    automated: bool = False

    @property
    def changing(self) -> int:
        """In how many accounts something is to change."""
        return len(self.due) + (len(self.there) if self.renewed else 0)

    def without(self, accounts: Collection[str]) -> Rollout:
        """The same, but for accounts that nothing more is to be done in."""
        return replace(
            self,
            due=tuple(account for account in self.due if account not in accounts),
            excluded=tuple(sorted({*self.excluded, *accounts})),
        )

    def batches(self) -> tuple[tuple[str, Targets], ...]:
        """What is done one after the other: the canary, then the rest."""
        first = tuple(account for account in self.canary if account in self.due)
        rest = tuple(account for account in self.due if account not in first)
        found: list[tuple[str, Targets]] = []
        if first:
            found.append(("canary", self._only(first)))
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


def reason_to_leave_out(member: Member, held: Sequence[str], untold: Sequence[str] = ()) -> str:
    """Why an account gets no stack of the set; empty if it does. `held` says which Forwarders it has,
    `untold` where that cannot be seen."""
    if member.management:
        return "StackSets do not reach the management account; `ddsetup org apply` does"
    if member.passive or held:
        return member.passive or f"it has a Forwarder already: {', '.join(held)}"
    return f"whether it has a Forwarder cannot be seen in {', '.join(untold)}" if untold else ""


def refused_access(access: str, *, delegated: bool) -> tuple[str, str] | None:
    """Why trusted access (`OrganizationStatus`) cannot be had by these credentials and what to do; None where
    it is there, or can be."""
    if access == "DISABLED_PERMANENTLY":
        return (
            "StackSets have lost their access to this organisation for good (DISABLED_PERMANENTLY)",
            "ask AWS Support about it; `ddsetup org apply` takes no StackSets",
        )
    if access != "ENABLED" and delegated:
        return (
            "StackSets may not work in this organisation, and only its management account can allow it",
            "there: aws cloudformation activate-organizations-access",
        )
    return None


def not_importable(stack: Stack, function: str, hidden: Sequence[str] | Unreadable) -> str:
    """Why a Forwarder's stack cannot be taken into the set; empty if it can. `hidden` are the NoEcho
    parameters of its template: no stack with any can be imported (CloudFormation user guide, "Import stacks
    into CloudFormation StackSets")."""
    if stack.parameters.get("FunctionName") != function:
        return f"its function is not {function}, as in the other accounts"
    if isinstance(hidden, Unreadable):
        return f"its template could not be read: {hidden.reason}"
    if hidden:
        return f"AWS imports no stack whose template has NoEcho parameters ({', '.join(hidden)})"
    return ""


def stays(instance: Instance, name: str) -> bool:
    """Whether what a set has in an account is only struck off: a stack that was there before it, and what
    never came to be, where there is nothing to delete, and no way in perhaps. Stacks that a set makes are
    called `StackSet-NAME-…` (StackSets user guide)."""
    return f":stack/StackSet-{name}-" not in instance.stack


def was_before(instance: Instance, name: str) -> bool:
    """Whether a set has a stack in an account that was there before it."""
    return bool(instance.stack) and stays(instance, name)


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


def check_hidden(hidden: Sequence[str] | Unreadable, *, own_template: bool) -> None:
    """Raises UsageError unless CloudFormation keeps the API key to itself: `hidden` are the NoEcho parameters
    of the template, which Datadog's own is known to have."""
    if API_KEY in (hidden if not isinstance(hidden, Unreadable) else () if own_template else (API_KEY,)):
        return
    raise UsageError(
        f"CloudFormation would show the API key: {API_KEY} is no NoEcho parameter of the template",
        fix=f"say where the key is in each account: --forwarder-param {SSM_PARAMETER}=NAME",
    )


def is_same_template(there: str, template: Mapping[str, str]) -> bool:
    """Whether a template that is handed over whole is the one that a set has."""
    try:
        return bool(json.loads(there) == json.loads(template["TemplateBody"]))
    except ValueError:
        return False


def role_template(document: Json) -> Mapping[str, str]:
    """A template that is handed over whole: 51,200 bytes at most (CloudFormation quotas page)."""
    return {"TemplateBody": json.dumps(document, separators=(",", ":"))}
