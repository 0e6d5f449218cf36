"""What is shown of a run's data at its end, against the stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ddsetup.explore.offer import offer_to_explore
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.model.lines import Look
from ddsetup.model.report import Signal
from ddsetup.settings.given import from_flags
from tests import builders as b
from tests.gateways.bench import KEYS
from tests.gateways.standin import running

ARRIVED = Signal(function="orders", region=b.REGION, signal="enhanced_metrics", status="arrived")


def test_what_was_counted_in_the_step_in_which_the_run_began_is_shown() -> None:
    """Datadog keeps what a library counts in steps of ten seconds, each with the time of its start."""
    with running() as standin:
        step = int(standin.clock.now) // 10 * 10
        tags = [f"aws_account:{b.ACCOUNT}", f"region:{b.REGION}", "functionname:orders", "cold_start:true"]
        point = {"metric": "aws.lambda.enhanced.invocations", "points": [[step + 8, [1.0]]], "tags": tags}
        assert standin.call("POST", "/api/v1/distribution_points", {"series": [point]})[0] == 202
        dd = Datadog.connect(b.SITE, KEYS, standin.server.url)
        shown: list[str] = []
        answers = iter(("cold-starts", "no"))

        def blocks(found: Sequence[Any], **_: object) -> None:
            shown.append(str(found))

        host = SimpleNamespace(
            prompter=SimpleNamespace(ask=lambda _: next(answers)),
            clock=SimpleNamespace(now=lambda: datetime.fromtimestamp(step + 30, UTC)),
            busy=lambda _: nullcontext(),
        )
        scope = SimpleNamespace(regions=(b.REGION,))
        session: Any = SimpleNamespace(host=host, identity=b.identity(), scope=scope, datadog=dd)
        console = SimpleNamespace(blocks=blocks, room=Look)
        call: Any = SimpleNamespace(given=from_flags({}), value=lambda _: "", console=console)
        offer_to_explore(call, session, [b.function()], [ARRIVED], datetime.fromtimestamp(step + 5, UTC))
    assert "1 cold start in 1 invocation" in shown[0]
