"""Where functions and the Forwarder find the Datadog API key: a Secrets Manager secret in each region.

A key is good on one Datadog site. A second site has a secret of its own beside the first, so that what still
reports to the first goes on until its own change. The key itself never passes through a plan: a plan says
that the secret is made, the writer fills it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ddsetup.facts.forwarders import ARN_OUTPUT
from ddsetup.facts.variables import KEY_SECRET_ARN, SITE
from ddsetup.model.account import Lane, Secret, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Skipped, Step
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import REF_SECRET, FunctionState, SecretState, StackState
from ddsetup.plan.steps.wording import cannot_see, denied_action

SECRET_NAME = "ddsetup/datadog-api-key"
SITE_TAG = "datadog_site"
"""The tag that says on which site the key in a secret of ours is good."""
_OWN_ARN = re.compile(rf":secretsmanager:[^:]*:[^:]*:secret:({re.escape(SECRET_NAME)}(?:/[\w.-]+)?)-\w{{6}}$")
"""The ARN of a secret of ddsetup's own; AWS ends it with six characters (Secrets Manager user guide)."""
APP_SECRET_NAME = "ddsetup/datadog-app-key"
"""The application key, which only ddsetup itself needs where it runs by itself."""
CREATED_BY = "created_by"
CREATED_BY_DDSETUP = "ddsetup"
SECRET_PARAMETER = "DdApiKeySecretArn"
"""The parameter of the Forwarder's stack, and of that for durable executions, that names the secret."""
SITE_PARAMETER = "DdSite"
"""The parameter of both that names the site to send to."""
OWN_TAGS = {CREATED_BY: CREATED_BY_DDSETUP}
"""The tag that every resource made by ddsetup carries; only what carries it is ever deleted."""


def made_by_us(tags: Mapping[str, str]) -> bool:
    """Whether a resource with these tags was made by ddsetup."""
    return all(tags.get(key) == value for key, value in OWN_TAGS.items())


def sends_elsewhere(stack: Stack, site: str) -> bool:
    """Whether a stack of ours sends to another site than this one, and so may be led to it."""
    return made_by_us(stack.tags) and stack.parameters.get(SITE_PARAMETER, "") not in ("", site)


def secret_id(lane: Lane, name: str = SECRET_NAME) -> ResourceId:
    """A secret that ddsetup makes in a region, as a resource."""
    return ResourceId("secret", name, lane.region, lane.account)


def own_secret(value: str) -> str:
    """Of which secret of ddsetup's own with an API key a text is the ARN, by name; empty if of none."""
    found = _OWN_ARN.search(value)
    return found[1] if found else ""


def secret_name(lane: LaneSnapshot, site: str) -> str:
    """The name of the secret with a site's key: the plain one, unless that holds the key of another site."""
    held = {} if isinstance(lane.secrets, Unreadable) else lane.secrets
    beside, plain = f"{SECRET_NAME}/{site}", held.get(SECRET_NAME)
    if beside in held and not held[beside].deleted:
        return beside
    taken = plain is not None and site_of_secret(plain, lane) not in ("", site)
    return beside if taken else SECRET_NAME


def wanted_secret(lane: LaneSnapshot, answers: Answers) -> ResourceId:
    """The secret of this run's site, as a resource."""
    return secret_id(lane.lane, secret_name(lane, answers.site))


def needed_secret(lane: LaneSnapshot, answers: Answers) -> tuple[ResourceId, ...]:
    """What comes before that which is told where the key is: nothing, where the user keeps it."""
    return (wanted_secret(lane, answers),) if keeps_secret(answers) else ()


def site_of_secret(secret: Secret, lane: LaneSnapshot) -> str:
    """The site on which the key in a secret is good: by its tag, else by all who read it; empty if neither
    tells."""
    if tagged := secret.tags.get(SITE_TAG):
        return tagged
    sites = {site for _, arn, site in _readers(lane) if _means(arn, secret) and site}
    return sites.pop() if len(sites) == 1 else ""


def own_secrets_named(lane: LaneSnapshot) -> frozenset[str]:
    """The names of secrets of ddsetup's own that functions and stacks of a region read."""
    return frozenset(filter(None, (own_secret(arn) for _, arn, _ in _readers(lane))))


def sites_of(lane: LaneSnapshot) -> frozenset[str]:
    """The sites that what is set up in a region tells of."""
    held = () if isinstance(lane.secrets, Unreadable) else lane.secrets.values()
    tagged = (secret.tags.get(SITE_TAG, "") for secret in held if not secret.deleted)
    return frozenset(filter(None, (*tagged, *(site for _, arn, site in _readers(lane) if own_secret(arn)))))


def reading(lane: LaneSnapshot, secret: Secret) -> frozenset[str]:
    """The functions (ARNs) and stacks (names) that read a secret."""
    return frozenset(reader for reader, arn, _ in _readers(lane) if _means(arn, secret))


def reads_it_no_more(change: Change) -> bool:
    """Whether a change has a function or a stack read another secret than before, or none."""
    before, after = change.before, change.after
    if isinstance(before, FunctionState) and isinstance(after, FunctionState):
        return KEY_SECRET_ARN in before.env and before.env[KEY_SECRET_ARN] != after.env.get(KEY_SECRET_ARN)
    if isinstance(before, StackState) and isinstance(after, StackState):
        was, now = before.parameters, after.parameters
        return SECRET_PARAMETER in was and was[SECRET_PARAMETER] != now.get(SECRET_PARAMETER)
    return False


def _means(arn: str, secret: Secret) -> bool:
    """Whether it is the ARN of the secret, perhaps without the six characters that AWS ends it with."""
    return bool(arn) and arn in (secret.arn, secret.arn[:-7])


def _readers(lane: LaneSnapshot) -> Iterator[tuple[str, str, str]]:
    """What reads secrets, which, and the site that it sends to. A Forwarder is told what its stack says."""
    stacks = () if isinstance(lane.stacks, Unreadable) else lane.stacks
    told = {stack.outputs.get(ARN_OUTPUT) for stack in stacks}
    for function in () if isinstance(lane.functions, Unreadable) else lane.functions:
        env = function.env or {}
        if function.arn not in told:
            yield function.arn, env.get(KEY_SECRET_ARN, ""), env.get(SITE, "")
    for stack in stacks:
        has = stack.parameters
        yield stack.name, has.get(SECRET_PARAMETER, ""), has.get(SITE_PARAMETER, "")


def makes_secret(answers: Answers) -> bool:
    """Whether the key lives in ddsetup's own secret, rather than where the user keeps it."""
    return answers.key_source.kind == "secret" and not answers.key_source.value


def keeps_secret(answers: Answers) -> bool:
    """Whether what cannot do without a key finds it in ddsetup's own secret. With `--key-source wif`
    functions do without one; a delivery stream sends with a key.
    """
    return makes_secret(answers) or answers.key_source.kind == "wif"


def needs_secret(answers: Answers) -> bool:
    """Whether something of what is wanted finds the key in ddsetup's own secret."""
    others = answers.metrics == "stream" or answers.streams_logs or answers.durable_events
    return makes_secret(answers) or (answers.key_source.kind == "wif" and others)


def secret_reference(lane: LaneSnapshot, answers: Answers, name: str = "") -> str | None:
    """The ARN of the secret with the API key, or a reference to the one about to be made.

    `name` is that of ddsetup's own, if it is known already: all functions may have to be looked at for it.
    None if the key is not in Secrets Manager (SSM, KMS), if it is unknown whether the secret exists, or if
    it is somebody else's and scheduled for deletion.
    """
    if answers.key_source.kind not in ("secret", "wif"):
        return None
    if answers.key_source.kind == "secret" and answers.key_source.value:
        return answers.key_source.value
    if isinstance(lane.secrets, Unreadable):
        return None
    name = name or secret_name(lane, answers.site)
    live = lane.secrets.get(name)
    if live and live.deleted and not made_by_us(live.tags):
        return None
    return live.arn if live and not live.deleted else f"{REF_SECRET}{name}"


def description_of(name: str) -> str:
    """What is said at a secret of ddsetup's own about what it holds."""
    return f"Datadog {'application' if name == APP_SECRET_NAME else 'API'} key, kept by ddsetup"


def secret_state(live: Secret, lane: LaneSnapshot) -> SecretState:
    """A secret of ours that is there, as what would be made again."""
    site = site_of_secret(live, lane)
    return SecretState(name=live.name, description=description_of(live.name), site=site, tags=live.tags)


def secret_changes(lanes: Iterable[LaneSnapshot], answers: Answers, step: Step) -> Plan:
    """The secrets to make, one in each lane that has none; nothing if the user keeps the key elsewhere."""
    if not keeps_secret(answers):
        return Plan()
    tags = answers.tags_of_ours({**OWN_TAGS, SITE_TAG: answers.site})
    return Plan.joined(_secret_of(lane, answers, step, tags) for lane in lanes)


def _secret_of(lane: LaneSnapshot, answers: Answers, step: Step, tags: Mapping[str, str]) -> Plan:
    resource = wanted_secret(lane, answers)
    if isinstance(lane.secrets, Unreadable):
        return step.skip(
            resource,
            cannot_see("whether the secret exists", lane.secrets),
            "grant the permission, or name a secret that holds the key: --api-key-secret ARN",
            permission=denied_action(lane.secrets),
        )
    why = "the API key is passed by ARN, so that it is in no function's environment and no stack"
    made = SecretState(
        name=resource.id, description=description_of(resource.id), site=answers.site, tags=tags
    )
    return secret_made(made, lane.secrets.get(resource.id), resource, step, why)


def secret_made(made: SecretState, live: Secret | None, resource: ResourceId, step: Step, why: str) -> Plan:
    """A secret of ddsetup's own is made, or restored, unless there is one of its name."""
    if live and not live.deleted:
        return _existing(resource, step, ours=made_by_us(live.tags))
    if live and not made_by_us(live.tags):
        return _given_up(resource, step)
    note = "it is scheduled for deletion: it is restored, with the current key" if live else ""
    return step.change(resource, None, made, why, note=note)


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
    option = "--app-key-secret" if resource.id == APP_SECRET_NAME else "--api-key-secret"
    return step.skip(
        resource,
        "a secret of this name, not made by ddsetup, is scheduled for deletion",
        f"aws secretsmanager restore-secret --secret-id {resource.id} --region {resource.region}; "
        f"or name a secret that holds the key: {option} ARN",
    )
