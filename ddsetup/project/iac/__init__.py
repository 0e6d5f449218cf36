"""Datadog at the source: project directories of deployment tools, and the changes that they need.

`detect` (from `ddsetup.project.iac.detect`) tells what a directory is deployed with.
"""
