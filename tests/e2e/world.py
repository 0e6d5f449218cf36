"""Root's eyes on a sandbox: everything ddsetup could have changed, read by calls of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ddsetup.gateways.aws.members import USUAL_ROLES
from ddsetup.model.answers import Answers, Via
from ddsetup.plan.policy import INSTALL, least_policy, state_statements
from ddsetup.plan.policy_organisation import ROLE, organisation_statements
from ddsetup.sandbox import aws
from ddsetup.sandbox.model import ACCOUNT, Keys, Sandbox
from tests.sandbox_chain import datadog

VOLATILE = {
    "RevisionId",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "State",
    "CodeSize",
    "creationTime",
    "storedBytes",
}
FOREIGN_VALUE = "value-of-a-variable-that-is-not-ours"


def operator_policy(
    regions: tuple[str, ...],
    via: Via = "forwarder",
    *,
    sources: tuple[str, ...] = (),
    state: str = "",
    organisation: bool = False,
    **wishes: Any,
) -> dict[str, Any]:
    """What `ddsetup policy` prints for every command, so that each test proves it enough.

    `sources` are the state machines and the API stages that are going to be chosen; `state` is the bucket in
    which runs are going to be remembered, where ddsetup is to be installed in the account. In an
    `organisation` it is also what `ddsetup org policy` prints. `wishes` are further fields of the answers.
    """
    answers = Answers(
        site="datadoghq.com",
        regions=regions,
        via=via,
        state_machines=sources,
        api_stages=sources,
        **wishes,
    )
    commands = ("setup", "undo", "verify", "uninstrument", "teardown", "doctor", "invoke", "keep")
    wanted = (*commands, INSTALL) if state else commands
    document = dict(least_policy(answers, "aws", (ACCOUNT,), regions, commands=wanted))
    if state:
        document["Statement"] += state_statements(state, "", "aws", making=True)
    if organisation:
        document["Statement"] += organisation_statements("aws", (ROLE, *USUAL_ROLES))
    return document


@dataclass(frozen=True)
class World:
    """The sandbox's account, or another of its organisation, as root sees it."""

    sandbox: Sandbox
    account: str = ""

    def client(self, service: str, region: str = "") -> Any:
        where = self.sandbox.aws_endpoint_url, region or self.sandbox.regions[0]
        keys = (Keys(self.account, "root"),) if self.account else ()
        return aws.client(service, *where, *keys)

    def functions(self, region: str = "") -> dict[str, dict[str, Any]]:
        """Function configurations by name, without what any write changes."""
        pages = self.client("lambda", region).get_paginator("list_functions").paginate()
        return {f["FunctionName"]: _stable(f) for page in pages for f in page["Functions"]}

    def env_of(self, name: str, region: str = "") -> dict[str, str]:
        found: dict[str, str] = self.functions(region)[name].get("Environment", {}).get("Variables", {})
        return found

    def filters(self, region: str = "") -> dict[str, list[dict[str, Any]]]:
        """Subscription filters by log group."""
        logs = self.client("logs", region)
        found = {}
        for page in logs.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                name = group["logGroupName"]
                answer = logs.describe_subscription_filters(logGroupName=name)
                found[name] = sorted(
                    (_stable(f) for f in answer["subscriptionFilters"]), key=lambda f: f["filterName"]
                )
        return found

    def roles(self) -> dict[str, Any]:
        """Roles with trust and policies."""
        iam = self.client("iam")
        found = {}
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            inline = {
                policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
            }
            attached = sorted(
                p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            )
            found[name] = {"trust": role["AssumeRolePolicyDocument"], "inline": inline, "attached": attached}
        return found

    def stacks(self, region: str = "") -> dict[str, str]:
        """Stacks that exist, with their status."""
        stacks = self.client("cloudformation", region).describe_stacks()["Stacks"]
        return {s["StackName"]: s["StackStatus"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"}

    def secrets(self, region: str = "") -> list[str]:
        found = self.client("secretsmanager", region).list_secrets()["SecretList"]
        return sorted(s["Name"] for s in found if "DeletedDate" not in s)

    def tags(self, region: str = "") -> dict[str, dict[str, str]]:
        """Tags of functions by ARN; never tagged and no longer tagged look alike."""
        tagging = self.client("resourcegroupstaggingapi", region)
        pages = tagging.get_paginator("get_resources").paginate(ResourceTypeFilters=["lambda:function"])
        rows = [row for page in pages for row in page["ResourceTagMappingList"]]
        return {r["ResourceARN"]: {t["Key"]: t["Value"] for t in r["Tags"]} for r in rows if r["Tags"]}

    def state_machines(self, region: str = "") -> dict[str, Any]:
        """How state machines log, and their tags, by name."""
        states = self.client("stepfunctions", region)
        found = {}
        for machine in states.list_state_machines()["stateMachines"]:
            arn = machine["stateMachineArn"]
            logging = states.describe_state_machine(stateMachineArn=arn)["loggingConfiguration"]
            tags = states.list_tags_for_resource(resourceArn=arn)["tags"]
            found[machine["name"]] = {
                "logging": {"destinations": [], **logging},
                "tags": {tag["key"]: tag["value"] for tag in tags},
            }
        return found

    def access_logs(self, region: str = "") -> dict[str, Any]:
        """Access log settings of the stages of all APIs, by API and stage."""
        rest, http = self.client("apigateway", region), self.client("apigatewayv2", region)
        found = {}
        for api in rest.get_rest_apis()["items"]:
            for stage in rest.get_stages(restApiId=api["id"])["item"]:
                found[f"{api['name']}/{stage['stageName']}"] = stage.get("accessLogSettings") or {}
        for api in http.get_apis()["Items"]:
            for stage in http.get_stages(ApiId=api["ApiId"])["Items"]:
                found[f"{api['Name']}/{stage['StageName']}"] = stage.get("AccessLogSettings") or {}
        return found

    def integrations(self) -> Any:
        """Datadog's record of AWS accounts, without the times."""
        accounts = datadog(self.sandbox, "GET", "/api/v2/integration/aws/accounts")["data"]
        for account in accounts:
            for volatile in ("modified_at", "created_at"):
                account["attributes"].pop(volatile, None)
        return accounts

    def everything(self) -> dict[str, Any]:
        """All of it, to compare before with after."""
        whole: dict[str, Any] = {"roles": self.roles(), "integrations": self.integrations()}
        for region in self.sandbox.regions:
            whole[region] = {
                "functions": self.functions(region),
                "filters": self.filters(region),
                "stacks": self.stacks(region),
                "secrets": self.secrets(region),
                "tags": self.tags(region),
                "state_machines": self.state_machines(region),
                "access_logs": self.access_logs(region),
            }
        return whole

    def calls(self) -> list[dict[str, Any]]:
        """Every AWS call so far: who, what, whether it writes."""
        lines = self.sandbox.call_log.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def operator_writes(self) -> list[str]:
        """The writes that ddsetup made, in order."""
        key = self.sandbox.operator.access_key_id
        return [
            f"{c['service']}:{c['operation']}" for c in self.calls() if c["write"] and c["access_key"] == key
        ]

    def datadog_writes(self) -> list[dict[str, Any]]:
        """The requests that changed something in Datadog, intake aside."""
        return [r for r in self.datadog_requests() if r["write"] and "/integration/" in r["path"]]

    def datadog_requests(self) -> list[dict[str, Any]]:
        """All requests to Datadog so far, those of the intake among them."""
        found: list[dict[str, Any]] = datadog(self.sandbox, "GET", "/__sandbox/requests")["requests"]
        return found

    def planted(self) -> list[str]:
        """Values of environment variables, and of parameters of foreign stacks, that are nobody's business:
        they may be printed nowhere."""
        every = [f for region in self.sandbox.regions for f in self.functions(region).values()]
        handlers = {function.get("Handler") for function in every}
        variables = {
            value
            for function in every
            for name, value in function.get("Environment", {}).get("Variables", {}).items()
            if not name.startswith("DD_") and len(value) >= 12 and value not in handlers
        }
        return sorted(variables | self._stack_passwords())

    def _stack_passwords(self) -> set[str]:
        stacks = [
            s
            for r in self.sandbox.regions
            for s in self.client("cloudformation", r).describe_stacks()["Stacks"]
        ]
        parameters = [p for stack in stacks for p in stack.get("Parameters", ())]
        return {p["ParameterValue"] for p in parameters if p["ParameterKey"].endswith("Password")}


@dataclass(frozen=True)
class Inside(World):
    """An account of the organisation as its root sees it."""

    def roles(self) -> dict[str, Any]:
        """Without what StackSets makes for itself, which stays."""
        return {
            name: role for name, role in super().roles().items() if not name.startswith("stacksets-exec-")
        }


def _stable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without what every write moves; no variables and an empty list of them are the same to AWS."""
    left = {k: v for k, v in document.items() if k not in VOLATILE and not k.startswith("State")}
    if left.get("Environment") == {"Variables": {}}:
        del left["Environment"]
    return {k: v for k, v in left.items() if k != "ResponseMetadata" and v != []}


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two documents differ, as readable paths."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key in sorted({*before, *after}, key=str)
            for line in differences(before.get(key, "-"), after.get(key, "-"), f"{path}/{key}")
        ]
    return [] if before == after else [f"{path}: {before!r} -> {after!r}"]


def comparable(everything: dict[str, Any]) -> dict[str, Any]:
    """Without what the servers make up anew each time: ids, ends of secrets' ARNs, archives."""
    text = json.dumps(everything, sort_keys=True)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", "ID", text)
    text = re.sub(r"(secret:[\w/-]+-)\w{6}\b", r"\1SUFFIX", text)
    text = re.sub(r"(datadog-forwarder-\w*[Bb]ucket-)\w+", r"\1ID", text)
    document: dict[str, Any] = json.loads(re.sub(r'"CodeSha256": "[^"]+"', '"CodeSha256": "SHA"', text))
    return document
