"""What `ddsetup doctor` takes beside the options of all commands."""

from __future__ import annotations

from ddsetup.cli.options import option, switch

DOCTOR = (
    switch(
        "fix", "Fix what can be fixed, once the plan is confirmed, and check again (undo: `ddsetup undo`)."
    ),
    option("only", "CHECK", "Only this check or group; repeatable.", many=True),
    option("skip", "CHECK", "Not this check or group; repeatable.", many=True),
    option("severity", "LEVEL", "Show findings from this level on: error, warning or info."),
    option("fail_on", "LEVEL", "End with 1 from this level on: error (default), warning or info."),
    switch("narrow_logs", "With --function: only the way of its logs.", flag="--logs"),
    switch("narrow_metrics", "With --function: only the way of its metrics.", flag="--metrics"),
    switch("narrow_traces", "With --function: only the way of its traces.", flag="--traces"),
    switch(
        "deep", "Look at every log group, role and log, also where data arrives; slow for many functions."
    ),
    switch(
        "probe",
        "Send a log, a metric and a span through the Forwarder, and ask Datadog for each in every form "
        "that ddsetup relies on (asks first).",
    ),
    option(
        "doctor_wait", "TIME", "Look again until all is well or this time is over, e.g. 10m.", flag="--wait"
    ),
    option("junit", "FILE", "Write the checks as JUnit XML."),
    option("sarif", "FILE", "Write the findings as SARIF."),
    option(
        "bundle",
        "FILE",
        "Write a zip for support, without anything secret (shows its contents and asks first).",
    ),
    switch("list", "List the checks, and look at nothing."),
    option("explain", "CHECK", "Explain a check, and look at nothing; repeatable.", many=True),
)
