"""Lambda hands over the last lines of a function late: also when a stack has deleted function and log group.

Whoever may make log groups (the role of a Forwarder may) makes that one anew by it, without retention.
Only where the fault `LateLogDelivery` says so (`ddsetup.sandbox.faults.late_log_delivery`).
"""

from __future__ import annotations

import contextvars
import threading
from typing import Any

from ddsetup.sandbox.emulator import log_streams
from ddsetup.sandbox.emulator.faults import Faults, Request

OPERATION = "LateLogDelivery"


def install(faults: Faults) -> None:
    """Follow the deletion of functions by stacks."""
    from ministack.services.cloudformation import provisioners

    function = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    delete = function["delete"]

    def delete_and_write(name: str, *rest: Any, **named: Any) -> Any:
        done = delete(name, *rest, **named)
        fault = faults.strike(Request("lambda", OPERATION, "", "", name.encode()))
        if fault is not None:
            here = contextvars.copy_context()
            timer = threading.Timer(fault.delay, here.run, (_deliver, name))
            timer.daemon = True
            timer.start()
        return done

    function["delete"] = delete_and_write


def _deliver(name: str) -> None:
    log_streams.append(
        f"/aws/lambda/{name}", "late[$LATEST]", ["END RequestId: late", "REPORT RequestId: late"]
    )
