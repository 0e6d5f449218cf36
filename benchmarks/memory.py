"""Answers for an AWS account in memory: only what a run with thousands of functions needs, and fast.

Emulators take tens of milliseconds a call and seconds to list thousands of functions, which would measure
them and not the tool. What this one does not know it refuses, so that nothing is measured that did not
happen.
"""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from benchmarks.account import ACCOUNT, Account
from benchmarks.wire import AwsError, Call, Json, Reply, Request, answered, refused

UPDATE_SECONDS = 1.0
"""How long a function's update is in progress; AWS takes one to a few seconds outside of a VPC."""
_MOST_FILTERS = 2


class MemoryAws:
    """Answers the calls of one account. Thread-safe."""

    def __init__(self, account: Account, update_seconds: float = UPDATE_SECONDS) -> None:
        self.account = account
        self._update_seconds = update_seconds
        self._groups = sorted(account.filters)

    def answer(self, request: Request, call: Call) -> Reply:  # noqa: ARG002 - what every upstream takes
        """The answer of AWS, or its error."""
        operation = _OPERATIONS.get(call.name)
        try:
            if operation is None:
                raise AwsError("UnknownOperationException", f"this account cannot {call.name}", 404)
            with self.account.lock:
                return answered(call, operation(self, call.parameters))
        except AwsError as error:
            return refused(call.protocol, error)

    # Lambda

    def list_functions(self, asked: Mapping[str, Json]) -> Json:
        return _page(
            list(self.account.functions.values()), asked.get("Marker"), 50, "Functions", "NextMarker"
        )

    def get_function(self, asked: Mapping[str, Json]) -> Json:
        return {"Configuration": self.get_configuration(asked), "Tags": {}, "Code": {}}

    def get_configuration(self, asked: Mapping[str, Json]) -> Json:
        name = _name(asked)
        busy = time.monotonic() < self.account.busy_until.get(name, 0)
        status = "InProgress" if busy else "Successful"
        return {**self._known(name), "State": "Active", "LastUpdateStatus": status}

    def update_configuration(self, asked: Mapping[str, Json]) -> Json:
        name = _name(asked)
        function = self._known(name)
        if time.monotonic() < self.account.busy_until.get(name, 0):
            raise AwsError("ResourceConflictException", "An update is in progress for resource", 409)
        if asked.get("RevisionId") not in (None, function["RevisionId"]):
            raise AwsError("PreconditionFailedException", "The RevisionId provided does not match", 412)
        fresh = {**function, "RevisionId": str(uuid.uuid4())}
        for key in ("Handler", "Environment", "LoggingConfig"):
            if key in asked:
                fresh[key] = asked[key]
        if "Layers" in asked:
            if len(asked["Layers"]) > 5:
                raise AwsError("InvalidParameterValueException", "more than 5 layers")
            fresh["Layers"] = [{"Arn": arn, "CodeSize": 1000} for arn in asked["Layers"]]
        self.account.functions[name] = fresh
        self.account.busy_until[name] = time.monotonic() + self._update_seconds
        return {**fresh, "LastUpdateStatus": "InProgress"}

    def list_aliases(self, asked: Mapping[str, Json]) -> Json:
        self._known(_name(asked))
        return {"Aliases": []}

    def get_policy(self, asked: Mapping[str, Json]) -> Json:
        raise AwsError("ResourceNotFoundException", f"no policy of {_name(asked)}", 404)

    def account_settings(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}, "AccountUsage": {}}

    def get_layer(self, asked: Mapping[str, Json]) -> Json:
        arn = f"{asked['LayerName']}:{asked['VersionNumber']}"
        return {
            "LayerArn": asked["LayerName"],
            "LayerVersionArn": arn,
            "Version": int(asked["VersionNumber"]),
        }

    def tag_one(self, asked: Mapping[str, Json]) -> Json:
        self.account.tags.setdefault(asked["Resource"], {}).update(asked["Tags"])
        return {}

    def list_tags(self, asked: Mapping[str, Json]) -> Json:
        return {"Tags": self.account.tags.get(asked["Resource"], {})}

    # Resource tags

    def get_resources(self, asked: Mapping[str, Json]) -> Json:
        items = [
            {"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
            for arn, tags in self.account.tags.items()
        ]
        token = asked.get("PaginationToken")
        return _page(items, token, 100, "ResourceTagMappingList", "PaginationToken")

    def lookup_events(self, asked: Mapping[str, Json]) -> Json:
        """The history of changes to tags: names and times alone."""
        (wanted,) = asked["LookupAttributes"]
        since = float(asked.get("StartTime", 0))
        items = [
            {"EventName": name, "EventTime": at, "CloudTrailEvent": "{}"}
            for at, name in reversed(self.account.events)
            if name == wanted["AttributeValue"] and at >= since
        ]
        size = int(asked.get("MaxResults", 50))
        return _page(items, asked.get("NextToken"), size, "Events", "NextToken")

    def _happened(self, *names: str) -> None:
        self.account.events += [(int(time.time()), name) for name in names]

    def untag_resources(self, asked: Mapping[str, Json]) -> Json:
        if len(asked["ResourceARNList"]) > 20:
            raise AwsError("InvalidParameterException", "more than 20 ARNs")
        self._happened("UntagResources", "UntagResource20170331v2")
        for arn in asked["ResourceARNList"]:
            for key in asked["TagKeys"]:
                self.account.tags.get(arn, {}).pop(key, None)
        return {"FailedResourcesMap": {}}

    def tag_resources(self, asked: Mapping[str, Json]) -> Json:
        if len(asked["ResourceARNList"]) > 20:
            raise AwsError("InvalidParameterException", "more than 20 ARNs")
        self._happened("TagResources", "TagResource20170331v2")
        for arn in asked["ResourceARNList"]:
            self.account.tags.setdefault(arn, {}).update(asked["Tags"])
        return {"FailedResourcesMap": {}}

    # CloudWatch Logs

    def log_groups(self, asked: Mapping[str, Json]) -> Json:
        prefix = asked.get("logGroupNamePrefix", "")
        items = [
            {"logGroupName": n, "logGroupClass": "STANDARD"} for n in self._groups if n.startswith(prefix)
        ]
        return _page(items, asked.get("nextToken"), 50, "logGroups", "nextToken")

    def describe_filters(self, asked: Mapping[str, Json]) -> Json:
        return {"subscriptionFilters": list(self._filters(asked).values())}

    def put_filter(self, asked: Mapping[str, Json]) -> Json:
        filters = self._filters(asked)
        if asked["filterName"] not in filters and len(filters) >= _MOST_FILTERS:
            raise AwsError("LimitExceededException", "Resource limit exceeded.")
        filters[asked["filterName"]] = {**asked, "creationTime": int(time.time() * 1000)}
        return {}

    def delete_filter(self, asked: Mapping[str, Json]) -> Json:
        if self._filters(asked).pop(asked["filterName"], None) is None:
            raise AwsError("ResourceNotFoundException", "The specified subscription filter does not exist.")
        return {}

    def account_policies(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return {"accountPolicies": list(self.account.policies.values())}

    def put_account_policy(self, asked: Mapping[str, Json]) -> Json:
        if self.account.policies and asked["policyName"] not in self.account.policies:
            raise AwsError("LimitExceededException", "Resource limit exceeded.")
        self.account.policies[asked["policyName"]] = dict(asked)
        return {"accountPolicy": dict(asked)}

    def delete_account_policy(self, asked: Mapping[str, Json]) -> Json:
        if self.account.policies.pop(asked["policyName"], None) is None:
            raise AwsError("ResourceNotFoundException", "The specified policy does not exist.")
        return {}

    # CloudWatch

    def list_metrics(self, asked: Mapping[str, Json]) -> Json:
        metrics = []
        if (asked.get("Namespace"), asked.get("MetricName")) == ("AWS/Logs", "ForwardedLogEvents"):
            metrics += [
                _counted("ForwardedLogEvents", group, DestinationType="Lambda", FilterName=name)
                for group in self._busy_groups()
                for name in self.account.filters[group]
            ]
        if (asked.get("Namespace"), asked.get("MetricName")) == ("AWS/Logs", "IncomingLogEvents"):
            metrics += [_counted("IncomingLogEvents", group) for group in self._busy_groups()]
        return _page(metrics, asked.get("NextToken"), 500, "Metrics", "NextToken")

    def _busy_groups(self) -> list[str]:
        return [group for group in self.account.filters if group not in self.account.idle]

    def metric_data(self, asked: Mapping[str, Json]) -> Json:
        results = [{"Id": q["Id"], "Values": [], "Timestamps": []} for q in asked["MetricDataQueries"]]
        return {"MetricDataResults": results}

    # IAM and STS

    def caller(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return _xml({"Arn": f"arn:aws:iam::{ACCOUNT}:user/operator", "UserId": "AIDA", "Account": ACCOUNT})

    def account_aliases(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return "<AccountAliases/><IsTruncated>false</IsTruncated>"

    def simulate(self, asked: Mapping[str, Json]) -> Json:
        actions = [value for key, value in asked.items() if key.startswith("ActionNames.member.")]
        arns = [v for k, v in asked.items() if k.startswith("ResourceArns.member.")] or ["*"]
        results = "".join(_allowed(action, arn) for action in actions for arn in arns)
        return f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"

    def create_role(self, asked: Mapping[str, Json]) -> Json:
        name = asked["RoleName"]
        trust = asked["AssumeRolePolicyDocument"]
        tags = {
            value: asked[key.replace(".Key", ".Value")]
            for key, value in asked.items()
            if key.endswith(".Key")
        }
        self.account.roles[name] = {"trust": trust, "inline": {}, "attached": [], "tags": tags}
        return self.get_role(asked)

    def get_role(self, asked: Mapping[str, Json]) -> Json:
        role, name = self._role(asked), asked["RoleName"]
        fields = {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROA",
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "CreateDate": "2026-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": role["trust"],
        }
        tags = "".join(f"<member>{_xml({'Key': k, 'Value': v})}</member>" for k, v in role["tags"].items())
        return f"<Role>{_xml(fields)}<Tags>{tags}</Tags></Role>"

    def delete_role(self, asked: Mapping[str, Json]) -> Json:
        role = self._role(asked)
        if role["inline"] or role["attached"]:
            raise AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
        del self.account.roles[asked["RoleName"]]

    def delete_role_policy(self, asked: Mapping[str, Json]) -> Json:
        if self._role(asked)["inline"].pop(asked["PolicyName"], None) is None:
            raise AwsError("NoSuchEntity", "no such policy", 404)

    def put_role_policy(self, asked: Mapping[str, Json]) -> Json:
        self._role(asked)["inline"][asked["PolicyName"]] = asked["PolicyDocument"]

    def attach_policy(self, asked: Mapping[str, Json]) -> Json:
        self._role(asked)["attached"].append(asked["PolicyArn"])

    def list_role_policies(self, asked: Mapping[str, Json]) -> Json:
        names = "".join(f"<member>{escape(name)}</member>" for name in self._role(asked)["inline"])
        return f"<PolicyNames>{names}</PolicyNames><IsTruncated>false</IsTruncated>"

    def get_role_policy(self, asked: Mapping[str, Json]) -> Json:
        document = self._role(asked)["inline"].get(asked["PolicyName"])
        if document is None:
            raise AwsError("NoSuchEntity", "no such policy", 404)
        name = asked["PolicyName"]
        return _xml({"RoleName": asked["RoleName"], "PolicyName": name, "PolicyDocument": document})

    def list_attached(self, asked: Mapping[str, Json]) -> Json:
        attached = "".join(
            f"<member>{_xml({'PolicyName': arn.rsplit('/', 1)[-1], 'PolicyArn': arn})}</member>"
            for arn in self._role(asked)["attached"]
        )
        return f"<AttachedPolicies>{attached}</AttachedPolicies><IsTruncated>false</IsTruncated>"

    def roles(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return "<Roles/><IsTruncated>false</IsTruncated>"

    # CloudFormation, EventBridge and Secrets Manager: nothing is there

    def rule(self, asked: Mapping[str, Json]) -> Json:
        raise AwsError(
            "ResourceNotFoundException", f"Rule {asked['Name']} does not exist on EventBus default."
        )

    def stacks(self, asked: Mapping[str, Json]) -> Json:
        if "StackName" in asked:
            raise AwsError("ValidationError", f"Stack with id {asked['StackName']} does not exist")
        return "<Stacks/>"

    def template(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return "<Parameters/>"

    def secret(self, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def _known(self, name: str) -> dict[str, Json]:
        if name not in self.account.functions:
            raise AwsError("ResourceNotFoundException", f"Function not found: {self.account.arn(name)}", 404)
        return self.account.functions[name]

    def _filters(self, asked: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
        if asked["logGroupName"] not in self.account.filters:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self.account.filters[asked["logGroupName"]]

    def _role(self, asked: Mapping[str, Json]) -> dict[str, Json]:
        if asked["RoleName"] not in self.account.roles:
            raise AwsError("NoSuchEntity", f"The role with name {asked['RoleName']} cannot be found.", 404)
        return self.account.roles[asked["RoleName"]]


_OPERATIONS: Mapping[str, Callable[[MemoryAws, Mapping[str, Json]], Json]] = {
    "lambda:ListFunctions": MemoryAws.list_functions,
    "lambda:GetFunction": MemoryAws.get_function,
    "lambda:GetFunctionConfiguration": MemoryAws.get_configuration,
    "lambda:UpdateFunctionConfiguration": MemoryAws.update_configuration,
    "lambda:ListAliases": MemoryAws.list_aliases,
    "lambda:GetPolicy": MemoryAws.get_policy,
    "lambda:GetAccountSettings": MemoryAws.account_settings,
    "lambda:GetLayerVersion": MemoryAws.get_layer,
    "lambda:TagResource": MemoryAws.tag_one,
    "lambda:ListTags": MemoryAws.list_tags,
    "tag:GetResources": MemoryAws.get_resources,
    "tag:TagResources": MemoryAws.tag_resources,
    "tag:UntagResources": MemoryAws.untag_resources,
    "logs:DescribeLogGroups": MemoryAws.log_groups,
    "logs:DescribeSubscriptionFilters": MemoryAws.describe_filters,
    "logs:PutSubscriptionFilter": MemoryAws.put_filter,
    "logs:DeleteSubscriptionFilter": MemoryAws.delete_filter,
    "logs:DescribeAccountPolicies": MemoryAws.account_policies,
    "logs:PutAccountPolicy": MemoryAws.put_account_policy,
    "logs:DeleteAccountPolicy": MemoryAws.delete_account_policy,
    "cloudwatch:ListMetrics": MemoryAws.list_metrics,
    "cloudwatch:GetMetricData": MemoryAws.metric_data,
    "cloudtrail:LookupEvents": MemoryAws.lookup_events,
    "sts:GetCallerIdentity": MemoryAws.caller,
    "iam:ListAccountAliases": MemoryAws.account_aliases,
    "iam:SimulatePrincipalPolicy": MemoryAws.simulate,
    "iam:CreateRole": MemoryAws.create_role,
    "iam:GetRole": MemoryAws.get_role,
    "iam:ListRoles": MemoryAws.roles,
    "iam:PutRolePolicy": MemoryAws.put_role_policy,
    "iam:DeleteRole": MemoryAws.delete_role,
    "iam:DeleteRolePolicy": MemoryAws.delete_role_policy,
    "iam:AttachRolePolicy": MemoryAws.attach_policy,
    "iam:ListRolePolicies": MemoryAws.list_role_policies,
    "iam:GetRolePolicy": MemoryAws.get_role_policy,
    "iam:ListAttachedRolePolicies": MemoryAws.list_attached,
    "cloudformation:DescribeStacks": MemoryAws.stacks,
    "cloudformation:GetTemplateSummary": MemoryAws.template,
    "secretsmanager:DescribeSecret": MemoryAws.secret,
    "events:DescribeRule": MemoryAws.rule,
    "states:ListStateMachines": lambda _aws, _asked: {"stateMachines": []},
    "apigateway:GetRestApis": lambda _aws, _asked: {"item": []},
    "apigateway:GetApis": lambda _aws, _asked: {"items": []},
}


def _page(items: list[Json], token: str | None, size: int, key: str, next_key: str) -> Json:
    start = int(token or 0)
    page = {key: list(itertools.islice(items, start, start + size))}
    return {**page, next_key: str(start + size)} if start + size < len(items) else page


def _name(asked: Mapping[str, Json]) -> str:
    return str(asked["FunctionName"]).rsplit(":", 1)[-1]


def _counted(metric: str, group: str, **more: str) -> Json:
    dimensions = [{"Name": key, "Value": value} for key, value in {"LogGroupName": group, **more}.items()]
    return {"Namespace": "AWS/Logs", "MetricName": metric, "Dimensions": dimensions}


def _allowed(action: str, arn: str) -> str:
    fields = {"EvalActionName": action, "EvalResourceName": arn, "EvalDecision": "allowed"}
    return f"<member>{_xml(fields)}</member>"


def _xml(fields: Mapping[str, Json]) -> str:
    return "".join(
        f"<{key}>{escape(value if isinstance(value, str) else json.dumps(value))}</{key}>"
        for key, value in fields.items()
    )
