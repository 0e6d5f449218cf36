"""Fixtures that several of these modules use."""

from __future__ import annotations

from tests import descriptions
from tests.exchanges import hearing, what_is_said_to_datadog_is_as_it_says
from tests.gateways.aws_stand import aws_env, script, served

__all__ = ["aws_env", "hearing", "script", "served", "what_is_said_to_datadog_is_as_it_says"]

descriptions.read_once()
