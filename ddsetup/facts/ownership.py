"""Which tool owns a function: the one whose next deploy takes a change by hand back.

Told from resource tags, which one bulk call reads for a whole region. The tags are those that CloudFormation
and the tools document or were seen to write. Datadog itself owns functions, too: those that it instruments
from the AWS integration or by remote instrumentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.facts import catalog
from ddsetup.facts.recognise import forwarder_like, has_extension
from ddsetup.facts.variables import ORG_UUID
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.snapshot import LaneSnapshot

STACK_TAG = "aws:cloudformation:stack-name"
LOGICAL_ID_TAG = "aws:cloudformation:logical-id"
FORWARDER_TAG = "dd_forwarder_version"
REMOTE_TAG = "dd_sls_remote_instrumenter_version"
"""Marks functions of remote instrumentation (serverless-remote-instrumentation, consts.js)."""
REMOTE_STACK = "datadog-remote-instrument"
INSTRUMENTATION_RULE = "datadog-agent-resource-update-rule-lambda"
"""The EventBridge rule by which Datadog hears of changed functions, where it instruments them from the AWS
integration (cloudformation-template, quick start 4.20)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A resource tag by which a tool marks the functions that it instruments. `by` is the tool; `deploys`
    what deploys such functions, empty where the tool changes what is there."""

    tag: str
    by: str
    deploys: str = ""


MARKER = "dd_ddsetup"
"""The tag that says that ddsetup instrumented the function, and in which version it first did."""
MARK_OF_CI = "dd_sls_ci"
_MARKS = (
    Mark(MARKER, "ddsetup"),
    Mark(MARK_OF_CI, "datadog-ci"),
    Mark("dd_sls_plugin", "serverless-plugin-datadog", "Serverless Framework"),
    Mark("dd_sls_macro", "Datadog macro", "CloudFormation macro"),
    Mark("dd_sls_terraform_module", "Datadog Terraform module", "Terraform"),
    Mark("dd_cdk_construct", "Datadog CDK construct", "CDK"),
)
MARKS: Mapping[str, Mark] = {mark.tag: mark for mark in _MARKS}

_HELPER_NAMES = frozenset({"datadog-remote-instrumenter"})
_HELPER_LOGICAL_IDS = frozenset(
    {
        "DatadogAPICallFunction",
        "DatadogAttachIntegrationPermissionsFunction",
        "DatadogAgentlessAPICallFunction",
        "WorkflowStatusFunction",
        "ForwarderZipCopier",
    }
)


@dataclass(frozen=True, slots=True)
class Owner:
    """A deployment tool, with the stack it deploys if that is known. `sure` is False for a guess.

    `datadogs`: Datadog itself, which restores what it finds changed within the hour.
    """

    tool: str
    stack: str = ""
    sure: bool = True
    datadogs: bool = False

    def __str__(self) -> str:
        return f"{self.tool} (stack {self.stack})" if self.stack else self.tool


def owner(function: Function, tags: Mapping[str, str]) -> Owner | None:
    """Who has the say about a function's configuration, None if there is no sign of anybody."""
    return _datadog_itself(function, tags) or owner_of(function.name, tags)


def leaves_alone(answers: Answers, owned_by: Owner | None) -> bool:
    """Whether what somebody owns is not to be changed. Datadog's own say counts unless told otherwise."""
    if owned_by is None:
        return False
    return answers.owned != "all" and (owned_by.datadogs or answers.owned != "change")


def owner_of(name: str, tags: Mapping[str, str]) -> Owner | None:
    """The deployment tool that the tags of a resource of that name tell of, None if there is no sign of any.

    datadog-ci's tag alone names no owner: like ddsetup it changes functions after somebody's deploy.
    """
    stack = tags.get(STACK_TAG, "")
    if tool := _datadog_tool(tags):
        return Owner(tool, stack)
    if tags.get("lambda:createdBy") == "SAM":
        return Owner("SAM", stack)
    if stack:
        # The Serverless Framework names functions SERVICE-STAGE-FUNCTION and the stack SERVICE-STAGE.
        serverless = "STAGE" in tags and name.startswith(f"{stack}-")
        return Owner("Serverless Framework" if serverless else "CloudFormation", stack)
    if any(key.lower() == "terraform" for key in tags) or any(
        key.lower().replace("_", "").replace("-", "") == "managedby" and value.lower() == "terraform"
        for key, value in tags.items()
    ):
        return Owner("Terraform", sure=False)
    return None


def is_forwarder(function: Function, tags: Mapping[str, str], lane: LaneSnapshot | None = None) -> bool:
    """Whether the function is a Datadog Forwarder, which must never be instrumented or subscribed."""
    known = lane.forwarders if lane is not None else ()
    if not isinstance(known, Unreadable) and any(f.arn == function.arn for f in known):
        return True
    layers = (catalog.parse_layer(layer.arn) for layer in function.layers)
    return (
        FORWARDER_TAG in tags
        or any(layer is not None and layer.name == catalog.FORWARDER_LAYER for layer in layers)
        or forwarder_like(function.name)
    )


def arn_of_function(arn: str) -> str:
    """The ARN of the function that an ARN names, without a version or alias behind it."""
    return ":".join(arn.split(":")[:7])


def is_datadog_helper(function: Function, tags: Mapping[str, str]) -> bool:
    """Whether it is one of the small functions that Datadog's own stacks bring along."""
    return function.name in _HELPER_NAMES or tags.get(LOGICAL_ID_TAG) in _HELPER_LOGICAL_IDS


def _datadog_itself(function: Function, tags: Mapping[str, str]) -> Owner | None:
    """Datadog's instrumentation from its side.

    From the AWS integration it leaves no tag: an Extension that gets its key by the organisation's id, with
    no other source of it and no tool's mark, is most probably its work.
    """
    if REMOTE_TAG in tags:
        return Owner("Datadog's remote instrumentation", REMOTE_STACK, datadogs=True)
    env = function.env or {}
    keyless = [name for name in catalog.KEY_VARIABLES if env.get(name)] == [ORG_UUID]
    if keyless and has_extension(function) and not any(mark in tags for mark in MARKS):
        return Owner("Datadog's AWS integration", sure=False, datadogs=True)
    return None


def is_datadogs_own(function: Function, lane: LaneSnapshot) -> bool:
    """Whether it is Datadog's own, a Forwarder or a helper of its stacks: these carry data and have none."""
    tags = lane.tags_of(function)
    return is_forwarder(function, tags, lane) or is_datadog_helper(function, tags)


def _datadog_tool(tags: Mapping[str, str]) -> str | None:
    for mark in MARKS.values():
        if mark.deploys and mark.tag in tags:
            return tags.get(f"{mark.tag}_by", mark.deploys)
    return None


def datadogs_own(lane: LaneSnapshot) -> tuple[str, ...]:
    """In which ways Datadog itself instruments functions of a region, as far as that can be seen."""
    stacks = () if isinstance(lane.stacks, Unreadable) else lane.stacks
    remote = any(stack.name == REMOTE_STACK for stack in stacks)
    return (
        *(
            (f"from its AWS integration (EventBridge rule {INSTRUMENTATION_RULE})",)
            if lane.datadog_rule is True
            else ()
        ),
        *((f"by remote instrumentation (stack {REMOTE_STACK})",) if remote else ()),
    )
