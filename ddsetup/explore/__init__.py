"""A look around in what has arrived: cold starts, errors, traces, any metric. Nothing here writes anything.

Each module asks Datadog, puts the answer into plain data (the `data` of the JSON document), and draws that
data as lines of text.
"""
