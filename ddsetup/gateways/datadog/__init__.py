"""Datadog's API: the only modules that import `datadog_api_client`."""
