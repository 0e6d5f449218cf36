"""Which of the sandboxes that run is meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ddsetup.cli.sandbox.named import chosen
from ddsetup.model.errors import UsageError
from ddsetup.sandbox.model import Keys, Sandbox
from tests.in_full.test_accounts import call


def sandbox(name: str, port: int) -> Sandbox:
    return Sandbox(
        aws_endpoint_url=f"http://127.0.0.1:{port}",
        datadog_url="",
        account="111122223333",
        regions=("us-east-1",),
        operator=Keys("", ""),
        root=Keys("", ""),
        api_key="",
        app_key="",
        site="datadoghq.com",
        forwarder_template_url="",
        forwarder_template_urls={},
        call_log=Path("calls"),
        directory=Path(),
        scenarios=("healthy",),
        pid=1,
        name=name,
    )


SHOP, TILL = sandbox("shop", 4001), sandbox("till", 4002)


@pytest.mark.parametrize(
    ("named", "variables", "running", "meant"),
    [
        ("shop", {"AWS_ENDPOINT_URL": TILL.aws_endpoint_url}, (TILL, SHOP), SHOP),
        (None, {"AWS_ENDPOINT_URL": SHOP.aws_endpoint_url}, (TILL, SHOP), SHOP),
        (None, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, (SHOP,), SHOP),
    ],
)
def test_it_is_the_named_one_or_the_one_whose_variables_are_set_or_the_only_one(
    named: str | None, variables: dict[str, str], running: tuple[Sandbox, ...], meant: Sandbox, tmp_path: Path
) -> None:
    asked = replace(call(tmp_path, sandbox_name=named)[0], environ=variables)
    assert chosen(asked, running) is meant


def test_where_it_cannot_be_told_the_same_line_with_a_name_is_offered(tmp_path: Path) -> None:
    asked = replace(call(tmp_path)[0], called="ddsetup sandbox account --account cafe --admits")
    with pytest.raises(UsageError) as raised:
        chosen(asked, (TILL, SHOP))
    assert raised.value.fix == "ddsetup sandbox account --account cafe --admits till"
