"""A stand-in for Datadog on loopback: intake, API and the behaviour of its backend.

It is honest rather than complete. What it knows, it answers as Datadog does (bodies, defaults, errors and
traps as recorded in the public client's test cassettes and API reference); what it does not know answers 404
or 400, never a made-up success. Run it with ``python -m ddsetup.sandbox.datadog``.
"""
