"""The doctor on a real run: silent where all is well, right where something was broken, and mending it.

One account is set up once; each test breaks one thing as root, sees what the doctor says, and puts it back.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.sandbox import traffic
from ddsetup.sandbox.model import OPERATOR
from tests.e2e.breakages import (
    BREAKAGES,
    FORWARDER,
    FUNCTION,
    Breakage,
    lambda_of,
    put_key,
    set_env,
    set_handler,
    update,
)
from tests.e2e.conftest import OpenPlace, Place, Result
from tests.patience import until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def clinic(open_place: OpenPlace) -> Place:
    """The healthy account, set up, with data flowing."""
    place = open_place("healthy")
    done = place.cli("setup", "--all", "--yes", "--no-verify", "--output", "json")
    assert done.code == 0, done.stderr
    flow_data(place)
    return place


def flow_data(place: Place) -> None:
    """Invoke all functions until everything of them has arrived."""

    def arrived() -> bool:
        traffic.traffic(place.sandbox)
        return place.cli("verify", "--all", "--wait", "2", "--output", "json").code == 0

    until(arrived, "the data of the healthy account")


def doctor(place: Place, *arguments: str, **over: Any) -> Result:
    return place.cli("doctor", "--all", "--output", "json", *arguments, **over)


def found(result: Result, severity: str = "") -> set[str]:
    """The checks that found something; with `severity` only those of that level."""
    return {f["check"] for f in result.json["findings"] if severity in ("", f["severity"])}


def test_a_healthy_account_yields_nothing_and_everything_could_be_seen(clinic: Place) -> None:
    writes = len(clinic.world.operator_writes())
    result = doctor(clinic, "--fail-on", "info")
    assert result.json["findings"] == [], result.stdout
    assert result.code == 0
    assert result.json["data"]["unreadable"] == []
    assert len(result.json["data"]["passed"]) > 100
    assert clinic.world.operator_writes()[writes:] == []


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda b: b.check)
def test_what_is_broken_is_found_and_mended(clinic: Place, breakage: Breakage) -> None:
    breakage.harm(clinic)
    try:
        result = doctor(clinic)
        errors = found(result, "error")
        assert errors == {breakage.check}, result.stdout
        assert result.code == 1
        if breakage.mended:
            fixed = doctor(clinic, "--fix", "--yes", "--only", breakage.check)
            assert fixed.code == 0, fixed.stdout + fixed.stderr
            assert {o["status"] for o in fixed.json["outcomes"]} == {"applied"}
            assert [f["check"] for f in fixed.json["data"]["fix"]["gone"]] == [breakage.check]
            assert fixed.json["data"]["fix"]["left"] == []
            assert fixed.json["run"]
    finally:
        breakage.heal(clinic)


def test_a_repair_can_be_given_back(clinic: Place) -> None:
    set_handler(clinic, "coffee.handler")
    fixed = doctor(clinic, "--fix", "--yes", "--only", "handler-redirected")
    assert clinic.world.functions()[FUNCTION]["Handler"] == "datadog_lambda.handler.handler"
    undone = clinic.cli("undo", fixed.json["run"], "--yes")
    assert undone.code == 0, undone.stderr
    assert clinic.world.functions()[FUNCTION]["Handler"] == "coffee.handler"
    set_handler(clinic, "datadog_lambda.handler.handler")


def test_without_confirmation_nothing_is_mended(clinic: Place) -> None:
    set_handler(clinic, "coffee.handler")
    writes = len(clinic.world.operator_writes())
    try:
        assert doctor(clinic, "--fix").code == 2
        shown = doctor(clinic, "--fix", "--dry-run")
        assert shown.json["plan"]["changes"]
        assert clinic.world.operator_writes()[writes:] == []
    finally:
        set_handler(clinic, "datadog_lambda.handler.handler")


def test_the_path_of_a_function_is_shown_with_the_link_that_breaks(clinic: Place) -> None:
    set_env(clinic, DD_LAMBDA_HANDLER=None)
    try:
        result = clinic.cli("doctor", "--function", FUNCTION, "--output", "json")
        (chain,) = result.json["data"]["chains"]
        assert chain["breaks_at"] == "handler"
        text = clinic.cli("doctor", "--function", FUNCTION, "--traces").stdout
        assert "it breaks here" in text
        assert "traces in Datadog" in text
        assert "logs in Datadog" not in text
    finally:
        set_env(clinic, DD_LAMBDA_HANDLER="coffee.handler")


@pytest.fixture
def restricted(clinic: Place) -> Iterator[Callable[..., None]]:
    """Takes rights from the operator for the length of a test."""
    iam = clinic.world.client("iam")

    def deny(*actions: str) -> None:
        statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(UserName=OPERATOR, PolicyName="less", PolicyDocument=json.dumps(document))

    yield deny
    iam.delete_user_policy(UserName=OPERATOR, PolicyName="less")


@pytest.mark.parametrize(
    "unread",
    [
        {
            "forwarder-permission": "lambda:GetPolicy",
            "forwarder-key": "secretsmanager:GetSecretValue",
            "forwarder-errors": "cloudwatch:GetMetricData",
            "role-exists": "iam:GetRole",
        },
        {"bulk-reads": "lambda:ListFunctions"},
        {"bulk-reads": "tag:GetResources"},
    ],
    ids=["what single checks need", "functions", "tags"],
)
def test_what_may_not_be_read_is_said_and_is_no_finding(
    clinic: Place, restricted: Callable[..., None], unread: dict[str, str]
) -> None:
    restricted(*unread.values())
    result = clinic.cli("doctor", "--output", "json")
    blind = {u["check"]: u["action"] for u in result.json["data"]["unreadable"]}
    assert {check: blind.get(check) for check in unread} == unread, result.stdout
    assert found(result, "error") == set()
    assert result.code == 0


def test_without_credentials_everything_else_is_said_not_to_have_run(clinic: Place) -> None:
    result = clinic.cli(
        "doctor",
        "--region",
        "us-east-1",
        "--output",
        "json",
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
    )
    assert result.code == 4, result.stderr
    assert found(result) == {"aws-credentials"}
    assert len(result.json["data"]["skipped"]) > 90


def test_wrong_datadog_keys_are_a_finding_and_aws_is_looked_at(clinic: Place) -> None:
    result = doctor(clinic, DD_API_KEY="0" * 32)
    assert result.code == 4
    assert found(result, "error") == {"datadog-keys"}, result.stdout
    assert "forwarder-permission" in {p["check"] for p in result.json["data"]["passed"]}


def test_an_unreachable_datadog_is_a_finding(clinic: Place) -> None:
    result = doctor(clinic, DDSETUP_DATADOG_URL="http://127.0.0.1:9")
    assert result.code == 1
    assert found(result, "error") == {"datadog-reachable"}, result.stdout


def test_files_for_ci_and_for_support(clinic: Place) -> None:
    result = doctor(
        clinic, "--junit", "doctor.xml", "--sarif", "doctor.sarif", "--bundle", "support.zip", "--yes"
    )
    assert result.code == 0, result.stderr
    home = clinic.cli.home
    assert len(list(ET.parse(home / "doctor.xml").iter("testcase"))) > 100
    assert json.loads((home / "doctor.sarif").read_text())["version"] == "2.1.0"
    with zipfile.ZipFile(home / "support.zip") as archive:
        names = set(archive.namelist())
        whole = "".join(archive.read(name).decode() for name in names)
        (forwarder,) = json.loads(archive.read("forwarder-logs.json")).values()
    assert {"report.json", "functions.json", "forwarders.json", "stack-events.json"} <= names
    assert any(line.startswith("REPORT RequestId") for line in forwarder)
    clinic.cli.check_secrets(whole)
    refused = clinic.cli("doctor", "--bundle", "second.zip")
    assert refused.code == 2
    assert not (home / "second.zip").exists()


def test_the_probe_travels_through_the_forwarder(clinic: Place) -> None:
    result = doctor(clinic, "--probe", "--yes")
    probe = result.json["data"]["probe"]
    assert [leg["ok"] for leg in probe["legs"]] == [True] * 4, probe
    asked = {form["signal"] for form in probe["forms"]}
    assert asked == {"log", "metric", "span"}
    lost = [form for form in probe["forms"] if form["relied"] and form["answer"] != "found"]
    assert lost == []
    assert any(form["answer"] == "not found" for form in probe["forms"]), "a form that must not find anything"
    assert clinic.sandbox.account not in json.dumps(probe), "fit to be attached to an issue"
    assert clinic.cli("doctor", "--probe").code == 2


def _set_forwarder_cold(place: Place) -> None:
    """A change of configuration lets the Forwarder start anew, and look at its key."""
    held = lambda_of(place).get_function_configuration(FunctionName=FORWARDER)
    update(place, FORWARDER, Timeout=121 if held["Timeout"] == 120 else 120)


def test_waiting_ends_when_all_is_well(clinic: Place) -> None:
    set_handler(clinic, "coffee.handler")
    process = clinic.cli.start("doctor", "--all", "--wait", "60s", "--output", "json")
    assert process.stderr is not None
    assert next((line for line in process.stderr if "not well yet" in line), "")
    set_handler(clinic, "datadog_lambda.handler.handler")
    result = clinic.cli.ended(process)
    assert result.code == 0, result.stdout


def test_findings_may_be_ignored_with_a_reason(clinic: Place) -> None:
    set_handler(clinic, "coffee.handler")
    path = clinic.cli.home / "ddsetup.toml"
    entry = f'{{check = "handler-redirected", resource = "{FUNCTION}", reason = "on its way"}}'
    path.write_text(f"[doctor]\nignore = [{entry}]\n")
    try:
        result = doctor(clinic)
        assert result.code == 0, result.stdout
        assert [i["reason"] for i in result.json["data"]["ignored"]] == ["on its way"]
    finally:
        path.unlink()
        set_handler(clinic, "datadog_lambda.handler.handler")


def _deploy_over(place: Place) -> None:
    """What a deployment does that knows nothing of Datadog, one that takes tags along as Terraform's does."""
    client = lambda_of(place)
    client.publish_version(FunctionName=FUNCTION)
    own = {k: v for k, v in place.world.env_of(FUNCTION).items() if not k.startswith("DD_")}
    update(place, FUNCTION, Handler="coffee.handler", Layers=[], Environment={"Variables": own})
    arn = place.world.functions()[FUNCTION]["FunctionArn"]
    client.untag_resource(Resource=arn, TagKeys=list(client.list_tags(Resource=arn)["Tags"]))


def test_what_a_deployment_took_away_is_known_from_the_journal_or_from_versions(clinic: Place) -> None:
    _deploy_over(clinic)
    (lost,) = clinic.cli("doctor", "--output", "json").json["findings"]
    assert lost["check"] == "function-instrumented"
    assert "instrumented it, and Datadog was taken out again" in lost["what"]
    (hint,) = clinic.cli("doctor", "--state-dir", "another", "--output", "json").json["findings"]
    assert (hint["check"], hint["severity"]) == ("function-instrumented", "warning")
    assert "its version" in hint["what"]
    fixed = clinic.cli("doctor", "--fix", "--yes", "--only", "function-instrumented", "--output", "json")
    assert [f["resource"] for f in fixed.json["data"]["fix"]["gone"]] == [f"{FUNCTION} (us-east-1)"]
    assert clinic.world.functions()[FUNCTION]["Handler"] == "datadog_lambda.handler.handler"


def test_the_messy_account_before_any_setup_is_told_its_true_cause_first(open_place: OpenPlace) -> None:
    place = open_place("messy", "healthy")
    # The scenario plants a value that is another function's handler, too, which is no secret.
    cli = replace(place.cli, secrets=tuple(s for s in place.cli.secrets if s != "coffee.handler"))
    result = cli("doctor", "--all")
    assert result.code == 1
    lines = [line for line in result.stdout.splitlines() if line.startswith(("✗", "!"))]
    assert "[integration-exists]" in lines[0]
    known = {"self-reference": "handler-known", "other-vendor": "other-vendor", "full-layers": "layer-room"}
    for name, check in known.items():
        assert any(name in line and f"[{check}]" in line for line in lines), name


def test_an_account_that_was_broken_since_is_told_all_its_causes(open_place: OpenPlace) -> None:
    place = open_place("broken")
    result = place.cli("doctor", "--output", "json")
    assert found(result, "error") == {
        "role-trust",
        "role-triggers",
        "metrics-enabled",
        "stale-registration",
        "forwarder-exists",
        "handler-known",
    }, result.stdout
    assert result.code == 1
    text = place.cli("doctor", "--function", "lost-handler").stdout
    assert "it breaks here" in text


def test_usage_errors_are_told(clinic: Place) -> None:
    assert clinic.cli("doctor", "--only", "nonsense").code == 2
    assert clinic.cli("doctor", "--wait", "soon").code == 2
    assert clinic.cli("doctor", "--fail-on", "never").code == 2
    assert clinic.cli("doctor", "--logs").code == 2
    assert clinic.cli("doctor", "--function", "no-such-function").code == 2
    listed = clinic.cli("doctor", "--list")
    assert listed.code == 0
    assert "forwarder-key" in listed.stdout
    assert "plain text of 32 characters" in clinic.cli("doctor", "--explain", "forwarder-key").stdout


def test_the_probe_tells_where_it_got_stuck(clinic: Place) -> None:
    """The last one here: it leaves an error of the Forwarder behind, which counts for an hour."""
    put_key(clinic, "0123456789abcdef0123456789abcdef")
    _set_forwarder_cold(clinic)
    try:
        result = doctor(clinic, "--probe", "--yes")
        assert result.code == 1
        assert result.json["data"]["probe"]["arrived"] is False
    finally:
        put_key(clinic, clinic.sandbox.api_key)
        _set_forwarder_cold(clinic)
