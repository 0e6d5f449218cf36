"""Everything that ddsetup asks of AWS.

Reads answer with a record or with an `Unreadable` that names the refused action; writes raise a
`GatewayError`. Throttling, dropped connections and server faults are retried here, at the rates that AWS
documents.
"""
