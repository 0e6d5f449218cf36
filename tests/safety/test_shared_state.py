"""Two machines remember the same runs in S3: what one did, the other gives back, and never both at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ddsetup.plan.policy import state_statements
from ddsetup.sandbox.model import ACCOUNT, OPERATOR
from tests.e2e.conftest import Result
from tests.e2e.world import differences
from tests.nursery import Kill
from tests.patience import PATIENCE
from tests.safety.conftest import Lab, OpenLab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(10 * PATIENCE)]

PLACE = "s3://shared-by-machines/prod"
LOCK = f"prod/locks/{ACCOUNT}.json"
SETUP = (
    "setup",
    "--all",
    "--yes",
    "--no-verify",
    "--output",
    "json",
    "--subscribe",
    "direct",
    "--env",
    "prod",
)


@pytest.fixture(scope="module")
def lab(open_lab: OpenLab) -> Lab:
    lab = open_lab("own-settings")
    statements = state_statements("shared-by-machines", "prod/", "aws", making=True)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    lab.world.client("iam").put_user_policy(UserName=OPERATOR, PolicyName="state", PolicyDocument=document)
    return lab


def test_machines_share_runs_and_exclude_each_other(lab: Lab, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    s3 = lab.world.client("s3")

    def on(machine: Path, *arguments: str) -> Result:
        return lab.run(*arguments, DDSETUP_STATE_DIR=str(machine), DDSETUP_STATE=PLACE)

    before = lab.world.everything()
    made = on(first, "state", "init", "--yes", "--output", "json")
    assert (made.code, made.json["data"]["made"]) == (0, True), made.stderr
    assert s3.get_bucket_versioning(Bucket="shared-by-machines")["Status"] == "Enabled"

    done = on(first, *SETUP)
    assert done.code == 0, done.stderr
    listed = [
        on(machine, "undo", "--list", "--output", "json").json["data"]["runs"] for machine in (first, second)
    ]
    assert listed[0] == listed[1]
    assert [run["state"] for run in listed[0]] == ["in force"]
    text = "".join(
        s3.get_object(Bucket="shared-by-machines", Key=item["Key"])["Body"].read().decode()
        for item in s3.list_objects_v2(Bucket="shared-by-machines")["Contents"]
    )
    lab.cli.check_secrets(text)

    def locked_until(moment: datetime) -> None:
        body = {"run": "r", "who": "somebody", "since": "now", "until": moment.isoformat()}
        s3.put_object(Bucket="shared-by-machines", Key=LOCK, Body=json.dumps(body).encode())

    locked_until(datetime.now(UTC) + timedelta(minutes=5))
    busy = on(second, *SETUP, "--env", "stage")
    assert busy.json["error"]["kind"] == "Busy", (busy.json["error"], busy.stderr[-3000:])
    assert "somebody" in busy.json["error"]["what"]
    locked_until(datetime.now(UTC) - timedelta(seconds=1))
    assert on(second, *SETUP, "--env", "stage").code == 0, "the lock of a machine that died has ended"
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="shared-by-machines")["Contents"]]
    assert LOCK not in keys
    assert not [key for key in keys if key.endswith("/00000000")], "lines are put together at the end"

    # Killed on one machine, given back on the other, with what was there before.
    environ = lab.cli.environ(DDSETUP_STATE_DIR=str(first), DDSETUP_STATE=PLACE)
    lab.nursery.run((*SETUP, "--env", "other"), environ, lab.cli.home, Kill(1.5))
    s3.delete_object(Bucket="shared-by-machines", Key=LOCK)
    for _ in range(4):
        if on(second, "undo", "--yes", "--output", "json").code != 0:
            break
    assert differences(before, lab.world.everything()) == []

    # Nothing is left of any run: one machine forgets them for both, and leaves nothing of them behind.
    locked_until(datetime.now(UTC) + timedelta(minutes=5))
    prune = ("state", "prune", "--older-than", "0", "--yes", "--output", "json")
    assert on(first, *prune).json["error"]["kind"] == "Busy"
    locked_until(datetime.now(UTC) - timedelta(seconds=1))
    pruned = on(first, *prune)
    assert (pruned.code, pruned.json["data"]["kept"]) == (0, 0), pruned.stderr
    assert len(pruned.json["data"]["forgotten"]) >= 4
    assert on(second, "undo", "--list", "--output", "json").json["data"]["runs"] == []
    assert "Contents" not in s3.list_objects_v2(Bucket="shared-by-machines")
