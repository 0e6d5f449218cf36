"""The only modules that talk to AWS and to Datadog."""
