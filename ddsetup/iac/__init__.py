"""Datadog at the source: project directories of deployment tools, and the changes that they need.

`detect` (from `ddsetup.iac.detect`) tells what a directory is deployed with.
"""
