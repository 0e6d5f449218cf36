"""Facts of AWS and Datadog as code and data; what a function carries, and who owns it."""
