"""A whole AWS account and a Datadog to try everything on, on this machine (extra `ddsetup[sandbox]`)."""
