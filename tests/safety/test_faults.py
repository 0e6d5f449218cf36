"""An AWS that misbehaves: what was planned comes about, or each failure is named, and nothing is lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ddsetup.sandbox.faults import ALWAYS, AwsFault
from ddsetup.sandbox.model import OPERATOR
from tests.e2e.conftest import Result
from tests.e2e.world import comparable, differences
from tests.patience import PATIENCE
from tests.safety.conftest import Lab, OpenLab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(10 * PATIENCE)]

SETUP = (
    *("setup", "--all", "--yes", "--no-verify", "--output", "json"),
    *("--subscribe", "direct", "--on-conflict", "replace", "--create-log-groups", "--env", "prod"),
)
UNDO = ("undo", "--yes", "--output", "json")
DATADOG = "/api/v2/integration/*"


@dataclass(frozen=True)
class Trial:
    """A lab with what its account looks like before and after an undisturbed setup."""

    lab: Lab
    before: dict[str, Any]
    wanted: dict[str, Any]


@pytest.fixture(scope="module")
def undisturbed(open_lab: OpenLab) -> Trial:
    lab = open_lab("foreign-filters", "own-settings")
    before = lab.world.everything()
    assert lab.run(*SETUP).code == 0
    wanted = comparable(lab.world.everything())
    assert lab.run(*UNDO).code == 0
    assert differences(before, lab.world.everything()) == []
    return Trial(lab, before, wanted)


@pytest.fixture
def trial(undisturbed: Trial) -> Iterator[Trial]:
    """The untouched account; whatever a test leaves is given back before the next one."""
    yield undisturbed
    undisturbed.lab.heal()
    while undisturbed.lab.run(*UNDO).code == 0:
        pass
    assert differences(undisturbed.before, undisturbed.lab.world.everything()) == []


def not_done(result: Result) -> list[str]:
    return [
        f"{o['resource']['kind']} {o['resource']['id']}: {o['status']} {o['reason']}"
        for o in result.json["outcomes"]
        if o["status"] not in ("applied", "unchanged")
    ]


THROTTLED = AwsFault("*", "ThrottlingException", 400, "Rate exceeded", times=ALWAYS, probability=0.3, seed=1)
BROKEN = AwsFault("*", "InternalFailure", 500, times=ALWAYS, probability=0.1, seed=2)
SLOW = AwsFault("*", delay=1.5, times=ALWAYS, probability=0.1, seed=3)
CUT = AwsFault("*", drop=True, times=ALWAYS, probability=0.1, seed=4)
CUT_AFTER = replace(CUT, after_effect=True, seed=5)
TOO_FAST = {"status": 429, "headers": {"x-ratelimit-reset": "1"}}
RESET, RESET_AFTER = {"status": None}, {"status": None, "after_effect": True}


@pytest.mark.parametrize(
    ("aws", "datadog"),
    [
        pytest.param([THROTTLED], [TOO_FAST], id="a third of all calls throttled"),
        pytest.param([BROKEN, SLOW], [{"status": 503}], id="some calls answered with 500, some slowly"),
        pytest.param([CUT, CUT_AFTER], [RESET, RESET_AFTER], id="some connections cut before and after"),
        pytest.param([SLOW], [], id="some calls slow", marks=pytest.mark.slow),
        pytest.param([CUT], [RESET], id="some connections cut before", marks=pytest.mark.slow),
        pytest.param([CUT_AFTER], [RESET_AFTER], id="some answers lost", marks=pytest.mark.slow),
    ],
)
def test_passing_trouble_changes_neither_setup_nor_undo(
    trial: Trial, aws: list[AwsFault], datadog: list[dict[str, Any]]
) -> None:
    lab = trial.lab

    def trouble() -> None:
        lab.aws_fails(*(replace(fault, access_key=lab.operator) for fault in aws))
        lab.datadog_fails({"path": DATADOG, "times": 1000, "probability": 0.2, **each} for each in datadog)

    trouble()
    done = lab.run(*SETUP)
    lab.heal()
    assert (done.code, not_done(done)) == (0, [])
    assert differences(trial.wanted, comparable(lab.world.everything())) == []
    trouble()
    undone = lab.run(*UNDO)
    lab.heal()
    assert (undone.code, not_done(undone)) == (0, [])
    assert differences(trial.before, lab.world.everything()) == []


EXPIRED = AwsFault("*", "ExpiredTokenException", 403, "The security token included is expired", times=ALWAYS)
SKEWED = AwsFault("*", "InvalidSignatureException", 403, "Signature expired: 20261122T101500Z", times=ALWAYS)
GONE = AwsFault("*", drop=True, times=ALWAYS)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(EXPIRED, "expired", id="the credentials expire"),
        pytest.param(SKEWED, "clock", id="the clock is set", marks=pytest.mark.slow),
        pytest.param(GONE, "no connection to AWS", id="the network goes", marks=pytest.mark.slow),
    ],
)
def test_what_ends_half_way_is_named_and_gone_on_from(trial: Trial, fault: AwsFault, words: str) -> None:
    """Every change that was not made says why; nothing is half done; the next run does the rest."""
    lab = trial.lab
    skip = len(lab.world.calls())
    lab.run("plan", *SETUP[1:2], *SETUP[6:])
    looked = len(lab.world.calls()) - skip
    lab.aws_fails(replace(fault, access_key=lab.operator, skip=looked + 20))
    stopped = lab.run(*SETUP)
    lab.heal()
    some = any(o["status"] == "applied" for o in stopped.json["outcomes"])
    assert stopped.code == (5 if some else 1)
    failed = [o for o in stopped.json["outcomes"] if o["status"] == "failed"]
    assert failed
    assert all(o["reason"] for o in failed)
    assert any(words in o["reason"] for o in failed), [o["reason"] for o in failed]
    assert {o["status"] for o in stopped.json["outcomes"]} <= {"applied", "unchanged", "failed", "skipped"}
    again = lab.run(*SETUP)
    assert (again.code, not_done(again)) == (0, [])
    assert differences(trial.wanted, comparable(lab.world.everything())) == []


STACK_REFUSED = AwsFault("CreateStack", "LimitExceededException", 400, "Too many stacks", times=ALWAYS)
PUT_REFUSED = AwsFault(
    "PutSubscriptionFilter", "LimitExceededException", 400, contains="ddsetup-", times=ALWAYS
)


@pytest.mark.parametrize("fault", [STACK_REFUSED, PUT_REFUSED], ids=["the stack", "the put"])
def test_nobody_is_cut_off_for_a_filter_that_cannot_be(trial: Trial, fault: AwsFault) -> None:
    lab = trial.lab
    lab.aws_fails(replace(fault, access_key=lab.operator))
    result = lab.run(*SETUP)
    lab.heal()
    assert result.code == 5
    foreign = {
        region: {
            group: [found for found in filters if not found["filterName"].startswith("DD_LOG_")]
            for group, filters in lab.world.filters(region).items()
        }
        for region in lab.place.sandbox.regions
    }
    for region, groups in foreign.items():
        for group, filters in trial.before[region]["filters"].items():
            assert groups[group] == filters


@pytest.mark.parametrize(
    ("fault", "words"),
    [(EXPIRED, "expired"), (SKEWED, "the clock of this machine is wrong")],
    ids=["expired", "clock"],
)
def test_what_is_wrong_from_the_start_stops_before_any_write(
    trial: Trial, fault: AwsFault, words: str
) -> None:
    lab = trial.lab
    writes = len(lab.world.operator_writes())
    lab.aws_fails(replace(fault, access_key=lab.operator))
    result = lab.run(*SETUP)
    assert result.code == 4
    assert words in result.json["error"]["what"]
    assert len(lab.world.operator_writes()) == writes


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "DDSETUP_DATADOG_URL"])
def test_a_name_that_does_not_resolve_is_said_before_any_write(trial: Trial, variable: str) -> None:
    lab = trial.lab
    writes = len(lab.world.operator_writes())
    result = lab.run(*SETUP, **{variable: "http://no-such-host.invalid:1"})
    assert result.code == 1
    assert result.json["error"]["fix"].startswith("check")
    assert len(lab.world.operator_writes()) == writes


CREDENTIAL_PROCESS = """
import datetime, json, pathlib, sys
asked = pathlib.Path(sys.argv[1])
first = not asked.exists()
asked.touch()
key, secret = sys.argv[2:4] if first else sys.argv[4:6]
# botocore insists on new ones when the old ones have less than ten minutes left.
end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=602 if first else 3600)
keys = {"AccessKeyId": key, "SecretAccessKey": secret}
print(json.dumps({"Version": 1, **keys, "Expiration": end.isoformat()}))
"""


def test_credentials_that_can_be_renewed_are_renewed_half_way(trial: Trial) -> None:
    lab = trial.lab
    first = lab.place.sandbox.operator
    second = lab.world.client("iam").create_access_key(UserName=OPERATOR)["AccessKey"]
    script = lab.cli.home / "credentials.py"
    script.write_text(CREDENTIAL_PROCESS)
    words = [sys.executable, str(script), str(lab.cli.home / "asked"), first.access_key_id]
    words += [first.secret_access_key, second["AccessKeyId"], second["SecretAccessKey"]]
    config = lab.cli.home / "config"
    config.write_text(f"[profile renewing]\ncredential_process = {' '.join(words)}\n")
    seen = len(lab.world.calls())
    done = lab.run(
        *SETUP,
        AWS_CONFIG_FILE=str(config),
        AWS_PROFILE="renewing",
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
    )
    assert (done.code, not_done(done)) == (0, [])
    writes = {c["access_key"] for c in lab.world.calls()[seen:] if c["write"] and c["region"]}
    assert second["AccessKeyId"] in writes
    assert second["SecretAccessKey"] not in done.stdout + done.stderr
