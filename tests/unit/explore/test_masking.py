"""Secrets that functions logged are not shown again; what only looks a little like one is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ddsetup.explore import errors
from ddsetup.explore.logs import conditions, log_blocks, shaped
from ddsetup.explore.masking import masked
from ddsetup.facts.disclose import in_log
from ddsetup.gateways.datadog.event_search import Log
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look
from ddsetup.show.layout import plain_text

END = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
WINDOW = Window(END - timedelta(hours=1), END)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
PLANTED = {
    "d41d8cd98f00b204e9800998ecf8427e": "key d41d8cd98f00b204e9800998ecf8427e refused",
    JWT: f"token: {JWT}",
    "abcDEF123456ghi": "Authorization: Bearer abcDEF123456ghi",
    "AKIAIOSFODNN7EXAMPLE": "credentials of AKIAIOSFODNN7EXAMPLE",
    "hunter2-and-more": "connect with password=hunter2-and-more",
    "s3cr3t-value": '{"client_secret": "s3cr3t-value", "id": 4}',
    "ghp_abcdefghij0123456789": "push by ghp_abcdefghij0123456789",
    "xoxb-123456789012-abcdef": "slack said no to xoxb-123456789012-abcdef",
    "MIIEvQIBADANBg": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
    "p4ssw0rd": "postgres://shop:p4ssw0rd@db.internal/orders",
    "wJalrXUtnFEMI/K7MDENG": "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG",
}


def log(message: str) -> Log:
    return Log(at=END, function="pay", status="error", message=message, region="eu-west-1")


@pytest.mark.parametrize("secret", PLANTED)
def test_a_secret_in_a_log_is_masked_and_shown_only_raw(secret: str) -> None:
    logs = [log(PLANTED[secret])]
    for data in (shaped(logs, WINDOW), errors.shaped(logs, 1, WINDOW)):
        assert secret not in str(masked(data))
        # Keys of Datadog and passwords in addresses are never shown.
        assert (secret in str(masked(data, raw=True))) is (secret != "p4ssw0rd")
    assert secret not in plain_text(log_blocks(masked(shaped(logs, WINDOW)), Look()), Look())


@pytest.mark.parametrize(
    "harmless",
    [
        "[dd.trace_id=6b02ce8c00000000ecb1d3ae9ebc8179 dd.span_id=12048092197752419328] no tea",
        "START RequestId: 7a894775-f62a-4464-95b6-9292bad0877f Version: $LATEST",
        "the basic plan is over",
        "token expired",
        "Task timed out after 2.00 seconds",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert in_log(harmless) == harmless


def test_logs_are_narrowed_down_by_status_and_by_their_words() -> None:
    assert conditions("error", 'order "7"') == ("status:error", '"order \\"7\\""')
    assert conditions("", "") == ()
    with pytest.raises(UsageError, match="no such status"):
        conditions("eror", "")


def test_logs_are_shown_line_by_line_and_once_if_they_were_followed() -> None:
    data = shaped([log("first\n  second")], WINDOW)
    text = plain_text(log_blocks(data, Look(width=80)), Look(width=80))
    assert text.splitlines() == ["11:00:00 pay  first", "           second"]
    assert plain_text(log_blocks({**data, "followed": True}, Look()), Look()) == "1 log\n"
    assert "No log" in plain_text(log_blocks(shaped([], WINDOW), Look()), Look())
