"""From an AWS account to proven Datadog monitoring of its Lambda functions."""
