"""Instants as they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ddsetup.model.clock import hour, iso, minute


def test_instants_are_told_in_utc_whatever_zone_they_come_in() -> None:
    at = datetime(2026, 11, 29, 11, 5, tzinfo=UTC)
    for each in (at, at.astimezone(timezone(timedelta(hours=-5)))):
        assert minute(each) == "2026-11-29 at 11:05 UTC"
        assert hour(each) == "11:05 UTC"
        assert iso(each) == "2026-11-29T11:05:00.000Z"
