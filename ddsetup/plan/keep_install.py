"""What putting the keeper into an account, and taking it away, changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ddsetup.facts.ownership import datadogs_own
from ddsetup.model.account import Json, Lane, Secret, Stack, Unreadable
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import SecretState, StackState
from ddsetup.plan.keep_template import STACK, Wish, template
from ddsetup.plan.steps.api_key import (
    APP_SECRET_NAME,
    SITE_TAG,
    description_of,
    made_by_us,
    secret_id,
    secret_made,
)
from ddsetup.plan.steps.delivery_stack import not_ours
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.forwarder_stack import is_remains, state_obstacle
from ddsetup.plan.steps.wording import cannot_see, denied_action, listed

STEP = Step("keep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in the region where the keeper is, or is to be.

    `template` is that of the stack that is there, None if it is not JSON. `secrets` are those of ddsetup's
    own with Datadog's keys, by name, None where there is none.
    """

    lane: Lane
    stack: Stack | None = None
    template: Json | Unreadable = None
    secrets: Mapping[str, Secret | Unreadable | None] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        return self.stack is not None and not is_remains(self.stack)


def leads_back(keeper: Stack, site: str) -> str:
    """What a keeper does that was installed for another site than this run's; empty where it was not."""
    kept = keeper.tags.get(SITE_TAG, "")
    if not kept or not site or kept == site:
        return ""
    return (
        f"keeps what was set up for {kept}, and leads it back there: install it again with the options of "
        "this run (ddsetup keep install)"
    )


def fights(snapshot: Snapshot) -> tuple[str, ...]:
    """Where and how Datadog itself instruments functions: it would take back what is kept, and the other way
    round, every hour."""
    return tuple(
        f"in {lane.region} {' and '.join(ways)}"
        for lane in sorted(snapshot.lanes)
        if (ways := datadogs_own(snapshot.lanes[lane]))
    )


def plan_install(found: Found, wish: Wish, tags: Mapping[str, str]) -> Plan:
    """The stack, and before it the secrets with the keys that it reads, where these are ddsetup's own; no
    stack where one of them cannot be had: every run of it would fail."""
    named = [name for name in (wish.api_key, wish.app_key) if not name.startswith("arn:")]
    secrets = Plan.joined(_secret(name, found, tags) for name in named)
    if missing := [skipped.resource.id for skipped in secrets.skipped if skipped.status == "skipped"]:
        reason = f"its runs would find no key in {listed(missing)}"
        return secrets + STEP.skip(stack_id(found.lane, STACK), reason, "see to that first, then again")
    return secrets + _stack(found, wish, tags, tuple(secret_id(found.lane, name) for name in named))


def plan_uninstall(found: Found) -> Plan:
    """The stack and the application key go; the API key's secret stays, as functions may read it."""
    result = Plan()
    resource = stack_id(found.lane, STACK)
    if found.stack is not None:
        if not made_by_us(found.stack.tags):
            return STEP.skip(resource, "ddsetup did not make it", "see whose it is in CloudFormation")
        result += STEP.change(
            resource, _live(found), None, "nothing is kept any more; what is set up stays as it is"
        )
    app = found.secrets.get(APP_SECRET_NAME)
    if isinstance(app, Secret) and not app.deleted and made_by_us(app.tags):
        before = SecretState(name=APP_SECRET_NAME, description=description_of(APP_SECRET_NAME), tags=app.tags)
        secret = secret_id(found.lane, APP_SECRET_NAME)
        result += STEP.change(secret, before, None, "nobody else needs it", needs=(resource,))
    return result


def _secret(name: str, found: Found, tags: Mapping[str, str]) -> Plan:
    resource, live = secret_id(found.lane, name), found.secrets.get(name)
    if isinstance(live, Unreadable):
        reason = cannot_see("whether the secret exists", live)
        return STEP.skip(resource, reason, "grant the permission", permission=denied_action(live))
    if live is not None and not live.deleted:
        site = live.tags.get(SITE_TAG, "")
        if site and site != tags.get(SITE_TAG, site):
            return STEP.skip(resource, f"holds the key of {site}", "name another one: --app-key-secret ARN")
    made = SecretState(name=name, description=description_of(name), tags=dict(tags))
    return secret_made(
        made, live, resource, STEP, "the runs read the key there: it is in no stack and no project"
    )


def _stack(found: Found, wish: Wish, tags: Mapping[str, str], needs: tuple[ResourceId, ...]) -> Plan:
    resource, stack = stack_id(found.lane, STACK), found.stack
    after = StackState(name=STACK, version=wish.version, tags=dict(tags), template=template(wish))
    if stack is None or is_remains(stack):
        precondition = stack.status if stack is not None else ""
        why = "runs ddsetup keep apply on a schedule and after deployments"
        return STEP.change(resource, None, after, why, needs=needs, precondition=precondition)
    if not made_by_us(stack.tags):
        return STEP.skip(resource, *not_ours(STACK))
    obstacle = state_obstacle(stack, found.lane.region)
    if obstacle is not None:
        return STEP.skip(resource, obstacle.reason, obstacle.fix)
    if isinstance(found.template, Unreadable):
        reason = cannot_see("what is kept now", found.template)
        return STEP.skip(resource, reason, "grant the permission", permission=denied_action(found.template))
    if found.template == after.template:
        return STEP.keep(resource, f"keeps the same, with ddsetup {wish.version}")
    return STEP.change(
        resource, _live(found), after, f"keeps another: {_differing(found, after)}", needs=needs
    )


def _differing(found: Found, after: StackState) -> str:
    """Which resources of the stack change."""
    held = found.template if isinstance(found.template, dict) else {}
    before, then = held.get("Resources", {}), after.template["Resources"]
    return listed(sorted(n for n in {*before, *then} if before.get(n) != then.get(n))) or "its outputs"


def _live(found: Found) -> StackState:
    assert found.stack is not None
    return StackState(
        name=STACK,
        version=found.stack.outputs.get("Version", ""),
        tags=found.stack.tags,
        template=None if isinstance(found.template, Unreadable) else found.template,
    )
