"""Monitors for Lambda functions: the recommended ones and those on custom metrics, as wanted states."""
