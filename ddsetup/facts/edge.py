"""Functions that CloudFront runs at the edge: their master must have neither layers nor variables.

A listing does not tell a master (`MasterArn` is on replicas). What does: CloudFront only takes a function of
us-east-1 whose execution role `edgelambda.amazonaws.com` may assume, and lets
`replicator.lambda.amazonaws.com` read it by its policy (CloudFront developer guide, IAM permissions and roles
for Lambda@Edge). A role may serve ordinary functions, too, so only one that is fit for the edge counts (same
guide, restrictions on Lambda@Edge).
"""

from __future__ import annotations

from ddsetup.facts import catalog
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.snapshot import LaneSnapshot

REGION = "us-east-1"
EDGE_SERVICE = "edgelambda.amazonaws.com"
REPLICATOR = "replicator.lambda"
_LONGEST_SECONDS = 30
_OTHERS_VARIABLES = ("DD_", "DATADOG_", catalog.WRAPPER_VARIABLE)


def may_be_on_edge(function: Function) -> bool:
    """Whether CloudFront would take the function, once what Datadog's instrumentation added is gone."""
    family = catalog.family_of(function.runtime)
    layers = (catalog.parse_layer(layer.arn) for layer in function.layers)
    return (
        function.region == REGION
        and function.package_type == "Zip"
        and family is not None
        and family.name in ("python", "node")
        and function.architecture == "x86_64"
        and not function.vpc
        and function.timeout <= _LONGEST_SECONDS
        and all(layer is not None and layer.role for layer in layers)
        and all(name.startswith(_OTHERS_VARIABLES) for name in function.env or {})
    )


def on_edge(function: Function, lane: LaneSnapshot) -> str:
    """What tells that CloudFront runs the function; empty if nothing does."""
    if function.master_arn is not None:
        return "it is a replica or master of Lambda@Edge"
    if not may_be_on_edge(function):
        return ""
    if function.arn in lane.replicated:
        return f"its policy lets {REPLICATOR}.amazonaws.com copy it to CloudFront's edges"
    if not isinstance(lane.edge_roles, Unreadable) and function.role in lane.edge_roles:
        return f"its role may be assumed by {EDGE_SERVICE}, and it has nothing that the edge forbids"
    return ""


def edge_unknown(function: Function, lane: LaneSnapshot) -> Unreadable | None:
    """What could not be read to tell whether the function runs at the edge; None if that is known."""
    unread = lane.edge_roles
    return unread if isinstance(unread, Unreadable) and may_be_on_edge(function) else None
