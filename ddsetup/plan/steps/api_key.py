"""Where functions and the Forwarder find the Datadog API key: a Secrets Manager secret in each region.

The key itself never passes through a plan: a plan says that the secret is made, the writer fills it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Skipped, Step
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import REF_SECRET, SecretState
from ddsetup.plan.steps.wording import cannot_see, denied_action

SECRET_NAME = "ddsetup/datadog-api-key"
CREATED_BY = "created_by"
CREATED_BY_DDSETUP = "ddsetup"
OWN_TAGS = {CREATED_BY: CREATED_BY_DDSETUP}
"""The tag that every resource made by ddsetup carries; only what carries it is ever deleted."""


def made_by_us(tags: Mapping[str, str]) -> bool:
    """Whether a resource with these tags was made by ddsetup."""
    return all(tags.get(key) == value for key, value in OWN_TAGS.items())


def secret_id(lane: Lane) -> ResourceId:
    """The secret that ddsetup makes in a region, as a resource."""
    return ResourceId("secret", SECRET_NAME, lane.region, lane.account)


def is_own_secret(value: str) -> bool:
    """Whether it is the ARN of the secret that ddsetup makes in a region."""
    return f":secret:{SECRET_NAME}-" in value


def makes_secret(answers: Answers) -> bool:
    """Whether the key lives in ddsetup's own secret, rather than where the user keeps it."""
    return answers.key_source.kind == "secret" and not answers.key_source.value


def secret_reference(lane: LaneSnapshot, answers: Answers) -> str | None:
    """The ARN of the secret with the API key, or a reference to the one about to be made.

    None if the key is not in Secrets Manager (SSM, KMS), if it is unknown whether the secret exists, or if
    it is somebody else's and scheduled for deletion.
    """
    if answers.key_source.kind != "secret":
        return None
    if answers.key_source.value:
        return answers.key_source.value
    if isinstance(lane.secrets, Unreadable):
        return None
    live = lane.secrets.get(SECRET_NAME)
    if live and live.deleted and not made_by_us(live.tags):
        return None
    return live.arn if live and not live.deleted else f"{REF_SECRET}{SECRET_NAME}"


def secret_changes(lanes: Iterable[Lane], snapshot: Snapshot, answers: Answers, step: Step) -> Plan:
    """The secrets to make, one in each lane that has none; nothing if the user keeps the key elsewhere."""
    plan = Plan()
    if makes_secret(answers):
        for lane in lanes:
            plan += _secret_of(snapshot.lanes[lane], step, answers.tags_of_ours(OWN_TAGS))
    return plan


def _secret_of(lane: LaneSnapshot, step: Step, tags: Mapping[str, str]) -> Plan:
    resource = secret_id(lane.lane)
    if isinstance(lane.secrets, Unreadable):
        return step.skip(
            resource,
            cannot_see("whether the secret exists", lane.secrets),
            "grant the permission, or name a secret that holds the key: --api-key-secret ARN",
            permission=denied_action(lane.secrets),
        )
    live = lane.secrets.get(SECRET_NAME)
    if live and not live.deleted:
        return _existing(resource, step, ours=made_by_us(live.tags))
    if live and not made_by_us(live.tags):
        return _given_up(resource, step)
    return step.change(
        resource,
        None,
        SecretState(name=SECRET_NAME, description="Datadog API key, kept by ddsetup", tags=tags),
        "the API key is passed by ARN, so that it is in no function's environment and no stack",
        note="it is scheduled for deletion: it is restored, with the current key" if live else "",
    )


def _existing(resource: ResourceId, step: Step, *, ours: bool) -> Plan:
    reason = "exists; the key in it is used as it is"
    skipped = Skipped(resource=resource, status="unchanged", reason=reason, step=step)
    if ours:
        return Plan(skipped=(skipped,))
    warning = (
        f"secret {resource.id} in {resource.region} was not made by ddsetup; the key in it is used as it is"
    )
    return Plan(skipped=(skipped,), warnings=(warning,))


def _given_up(resource: ResourceId, step: Step) -> Plan:
    return step.skip(
        resource,
        "a secret of this name, not made by ddsetup, is scheduled for deletion",
        f"aws secretsmanager restore-secret --secret-id {resource.id} --region {resource.region}; "
        "or name a secret that holds the key: --api-key-secret ARN",
    )
