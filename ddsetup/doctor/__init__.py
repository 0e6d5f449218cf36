"""Findings with their causes, and how they are reported."""
