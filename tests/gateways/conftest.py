"""Fixtures that several of these modules use."""

from __future__ import annotations

from tests.gateways.aws_stand import aws_env, script

__all__ = ["aws_env", "script"]
