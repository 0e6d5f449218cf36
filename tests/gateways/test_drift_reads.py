"""What is read only where something has drifted, from an AWS by script."""

from __future__ import annotations

from ddsetup.model.account import Lane
from ddsetup.observe.in_bulk import with_fields
from tests import builders as b
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply, ScriptedAws, connect, fault

EU = "datadoghq.eu"


def test_the_secret_of_a_second_site_is_found_by_who_reads_it(script: ScriptedAws) -> None:
    name = f"ddsetup/datadog-api-key/{EU}"
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
    lane = Lane(ACCOUNT, REGION)
    function = b.function(region=REGION, account=ACCOUNT, env={"DD_API_KEY_SECRET_ARN": arn, "DD_SITE": EU})
    snapshot = b.snapshot(
        b.lane_snapshot(function, lane=lane, secrets={}), datadog=b.datadog_snapshot(site=EU)
    )
    script.script(fault("ResourceNotFoundException"), Reply({"Name": name, "ARN": arn}))
    seen = with_fields(connect(script.url), snapshot, {"secrets"}).lanes[lane].secrets
    assert isinstance(seen, dict)
    assert {each: secret.arn for each, secret in seen.items()} == {name: arn}
