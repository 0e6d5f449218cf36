"""Invokes the sample functions, so that there is something to see."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from ddsetup.model.errors import UsageError
from ddsetup.sandbox import aws
from ddsetup.sandbox.accounts import accounts, root
from ddsetup.sandbox.emulator.environments import HEARD
from ddsetup.sandbox.model import Keys, Sandbox
from ddsetup.sandbox.scenarios.functions import CALLS_TAG, SAMPLE_TAG

_PARALLEL = 4
_SECONDS_BETWEEN_ROUNDS = 3.0
_SECONDS_TO_END = 1.0
EVENTS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "orders": ({"order": "latte", "cups": 2}, {"order": "espresso"}, {"order": "cappuccino", "cups": 3}),
    "kitchen": ({"order": "espresso"}, {"order": "iced tea"}, {"order": "latte"}),
    "empty": ({},),
}
"""What a function is sent, in turn, by the value of its tag."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation that Lambda accepted; `error` is the function's own failure, empty if it did well."""

    function: str
    region: str
    error: str


@dataclass(frozen=True, slots=True, order=True)
class _Target:
    """A sample function; `kind` names the events for it, `calls` the functions that it calls."""

    account: str
    region: str
    name: str
    kind: str
    calls: str


def traffic(
    sandbox: Sandbox, names: Sequence[str] | None = None, times: int = 1, *, heard: bool = False
) -> tuple[Invocation, ...]:
    """Invoke the sample functions (`names`: only these) `times` times each, a few at once; returns when done.

    Without names the sample state machines are run as often, too, and the sample APIs get a request.

    Functions of runtimes that do not run in a sandbox are left out. `heard` leaves out, too, those that
    report through their log while nothing is subscribed to it: their cold start would be lost, and as nothing
    here ever goes cold again by itself, there would be no other. Raises `UsageError` for a name that is no
    sample function.
    """
    targets = _targets(sandbox)
    if names is not None:
        known = {target.name for target in targets}
        unknown = [name for name in names if name not in known]
        if unknown:
            fix = f"Functions that can be invoked: {', '.join(sorted(known))}"
            raise UsageError(f"The sandbox has no sample function {', '.join(unknown)}.", fix=fix)
        targets = [each for each in targets if each.name in names]
    calls = [(target, turn) for turn in range(times) for target in targets]
    if names is None:
        for region in sandbox.regions:
            _start_executions(sandbox, region, times)
    clients = {target: _client(sandbox, target, heard=heard) for target in targets}
    with ThreadPoolExecutor(_PARALLEL) as pool:
        done = list(pool.map(lambda call: _invoke(clients[call[0]], *call), calls))
    if names is None and None not in done:
        # An API wakes the function behind it, which may have been changed since its own invocation.
        for region in sandbox.regions:
            woken = [target.name for target in targets if target.region == region]
            _request_apis(sandbox, region, {HEARD: ",".join(woken)} if heard else {})
    return tuple(invocation for invocation in done if invocation is not None)


@contextmanager
def kept_busy(sandbox: Sandbox) -> Iterator[None]:
    """Keep the sample functions in use, as those of a living account are, while the block runs.

    One round would not do: what a function logs before its group is subscribed is never sent on.
    Nor would a function that was woken too early have another cold start to show.
    """
    over = threading.Event()
    rounds = threading.Thread(target=_rounds, args=(sandbox, over), name="traffic", daemon=True)
    rounds.start()
    try:
        yield
    finally:
        over.set()
        # A round under way is not waited for: it ends with the sandbox.
        rounds.join(timeout=_SECONDS_TO_END)


def _rounds(sandbox: Sandbox, over: threading.Event) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    while not over.wait(_SECONDS_BETWEEN_ROUNDS):
        try:
            traffic(sandbox, heard=True)
        except (BotoCoreError, ClientError):
            if not over.is_set():
                raise


def _targets(sandbox: Sandbox) -> list[_Target]:
    """Every function that carries the tag."""
    found = []
    for account, region in itertools.product(accounts(sandbox), sandbox.regions):
        keys = root(sandbox, account)
        tagging = aws.client("resourcegroupstaggingapi", sandbox.aws_endpoint_url, region, keys)
        pages = tagging.get_paginator("get_resources").paginate(
            ResourceTypeFilters=["lambda:function"], TagFilters=[{"Key": SAMPLE_TAG}]
        )
        for page in pages:
            for resource in page["ResourceTagMappingList"]:
                tags = {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
                name = resource["ResourceARN"].rpartition(":")[2]
                found.append(_Target(account, region, name, tags[SAMPLE_TAG], tags.get(CALLS_TAG, "")))
    return sorted(found)


def _start_executions(sandbox: Sandbox, region: str, times: int) -> None:
    """Run the state machines that carry the tag; they end by themselves a moment later."""
    tagging = aws.client("resourcegroupstaggingapi", sandbox.aws_endpoint_url, region, sandbox.root)
    found = tagging.get_resources(
        ResourceTypeFilters=["states:stateMachine"], TagFilters=[{"Key": SAMPLE_TAG}]
    )["ResourceTagMappingList"]
    for each in found:
        states = aws.client("stepfunctions", sandbox.aws_endpoint_url, region, sandbox.root)
        kind = next(tag["Value"] for tag in each["Tags"] if tag["Key"] == SAMPLE_TAG)
        for turn in range(times):
            event = json.dumps(EVENTS[kind][turn % len(EVENTS[kind])])
            states.start_execution(stateMachineArn=each["ResourceARN"], input=event)


def _request_apis(sandbox: Sandbox, region: str, headers: Mapping[str, str]) -> None:
    """One request to each API that carries the tag, whose value is stage and path."""
    rest = aws.client("apigateway", sandbox.aws_endpoint_url, region, sandbox.root).get_rest_apis()["items"]
    http = aws.client("apigatewayv2", sandbox.aws_endpoint_url, region, sandbox.root).get_apis()["Items"]
    found = [(api["id"], api.get("tags") or {}) for api in rest]
    found += [(api["ApiId"], api.get("Tags") or {}) for api in http]
    for api_id, tags in found:
        if SAMPLE_TAG in tags:
            url = f"{sandbox.aws_endpoint_url}/_aws/execute-api/{api_id}/{tags[SAMPLE_TAG]}"
            asked = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - loopback
            with contextlib.suppress(OSError), urllib.request.urlopen(asked, timeout=60):  # noqa: S310
                pass


def _client(sandbox: Sandbox, target: _Target, *, heard: bool) -> Any:
    """A client that invokes; `heard`: it asks the emulator, each time, to refuse what would go unheard."""
    region = target.region
    if not heard:
        return aws.client("lambda", sandbox.aws_endpoint_url, region, root(sandbox, target.account))
    keys = Keys(target.account, f"heard {target.calls}")
    client = aws.client("lambda", sandbox.aws_endpoint_url, region, keys)
    ask = partial(_ask_to_be_heard, ",".join(target.calls.split()))
    client.meta.events.register("before-call.lambda.Invoke", ask, unique_id="heard")
    return client


def _ask_to_be_heard(calls: str, params: dict[str, Any], **_: object) -> None:
    params["headers"][HEARD] = calls


def _invoke(client: Any, target: _Target, turn: int) -> Invocation | None:
    events = EVENTS[target.kind]
    payload = json.dumps(events[turn % len(events)]).encode()
    try:
        answer = client.invoke(FunctionName=target.name, Payload=payload)
    except client.exceptions.ResourceConflictException:
        return None
    except client.exceptions.TooManyRequestsException as throttled:
        return Invocation(target.name, target.region, throttled.response["Error"]["Message"])
    error = ""
    if answer.get("FunctionError"):
        error = str(json.loads(answer["Payload"].read()).get("errorMessage", "failed"))
    return Invocation(target.name, target.region, error)
