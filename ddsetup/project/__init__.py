"""Datadog in the files that people deploy from."""
