"""Datadog's macro in an account: its name in templates, and the stack that brings it into a region."""

from __future__ import annotations

from ddsetup.model.account import Lane
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import StackState
from ddsetup.plan.steps.api_key import OWN_TAGS

MACRO = "DatadogServerless"
MACRO_STACK = "datadog-serverless-macro"
MACRO_TEMPLATE = "https://datadog-cloudformation-template.s3.amazonaws.com/aws/serverless-macro/latest.yml"


def install_command(region: str) -> str:
    """How the macro is installed, which is needed once for each region."""
    where = f" --region {region}" if region else ""
    return (
        f"aws cloudformation create-stack --stack-name {MACRO_STACK}{where} --template-url {MACRO_TEMPLATE} "
        "--capabilities CAPABILITY_AUTO_EXPAND CAPABILITY_IAM"
    )


def macro_change(lane: Lane, template_url: str = "") -> Change:
    """The macro's stack in a region that has none. `template_url`: another address of its template."""
    return Change(
        step="macro",
        resource=ResourceId("stack", MACRO_STACK, lane.region, lane.account),
        before=None,
        after=StackState(name=MACRO_STACK, template_url=template_url or MACRO_TEMPLATE, tags=OWN_TAGS),
        why=f"templates with the transform {MACRO} cannot be deployed without it",
    )
