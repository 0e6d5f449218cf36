"""Lambda functions: what the rest of ddsetup imports, whichever module does it."""

from ddsetup.gateways.aws.errors import UpdateInProgress
from ddsetup.gateways.aws.function_reads import (
    concurrency_headroom,
    function_exists,
    function_state,
    list_aliases,
    list_functions,
    provisioned_concurrency,
    published_versions,
    read_alias,
    read_function,
    read_version,
    resource_policy,
)
from ddsetup.gateways.aws.function_writes import (
    FunctionUpdate,
    Invocation,
    UpdatePace,
    add_logs_permission,
    invoke,
    move_alias,
    publish_version,
    remove_permission,
    update_function,
    wait_published,
    wait_updated,
)
from ddsetup.gateways.aws.layers import LayerCache, layer_version_exists, newest_layer

__all__ = [
    "FunctionUpdate",
    "Invocation",
    "LayerCache",
    "UpdateInProgress",
    "UpdatePace",
    "add_logs_permission",
    "concurrency_headroom",
    "function_exists",
    "function_state",
    "invoke",
    "layer_version_exists",
    "list_aliases",
    "list_functions",
    "move_alias",
    "newest_layer",
    "provisioned_concurrency",
    "publish_version",
    "published_versions",
    "read_alias",
    "read_function",
    "read_version",
    "remove_permission",
    "resource_policy",
    "update_function",
    "wait_published",
    "wait_updated",
]
