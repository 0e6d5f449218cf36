"""What `ddsetup doctor` takes beside the options of all commands."""

from __future__ import annotations

from ddsetup.cli.options import Extra

DOCTOR = (
    Extra(
        name="fix",
        flags=("--fix",),
        kind=bool,
        help="Fix what can be fixed, once the plan is confirmed, and check again (undo: `ddsetup undo`).",
    ),
    Extra(
        name="only",
        flags=("--only",),
        many=True,
        metavar="CHECK",
        help="Only this check or group; repeatable.",
    ),
    Extra(
        name="skip",
        flags=("--skip",),
        many=True,
        metavar="CHECK",
        help="Not this check or group; repeatable.",
    ),
    Extra(
        name="severity",
        flags=("--severity",),
        metavar="LEVEL",
        help="Show findings from this level on: error, warning or info.",
    ),
    Extra(
        name="fail_on",
        flags=("--fail-on",),
        metavar="LEVEL",
        help="End with 1 from this level on: error (default), warning or info.",
    ),
    Extra(
        name="narrow_logs", flags=("--logs",), kind=bool, help="With --function: only the way of its logs."
    ),
    Extra(
        name="narrow_metrics",
        flags=("--metrics",),
        kind=bool,
        help="With --function: only the way of its metrics.",
    ),
    Extra(
        name="narrow_traces",
        flags=("--traces",),
        kind=bool,
        help="With --function: only the way of its traces.",
    ),
    Extra(
        name="deep",
        flags=("--deep",),
        kind=bool,
        help="Look at every log group, role and log, also where data arrives; slow for many functions.",
    ),
    Extra(
        name="probe",
        flags=("--probe",),
        kind=bool,
        help="Send a log, a metric and a span through the Forwarder, and ask Datadog for each in every form "
        "that ddsetup relies on (asks first).",
    ),
    Extra(
        name="doctor_wait",
        flags=("--wait",),
        metavar="TIME",
        help="Look again until all is well or this time is over, e.g. 10m.",
    ),
    Extra(name="junit", flags=("--junit",), metavar="FILE", help="Write the checks as JUnit XML."),
    Extra(name="sarif", flags=("--sarif",), metavar="FILE", help="Write the findings as SARIF."),
    Extra(
        name="bundle",
        flags=("--bundle",),
        metavar="FILE",
        help="Write a zip for support, without anything secret (shows its contents and asks first).",
    ),
    Extra(name="list", flags=("--list",), kind=bool, help="List the checks, and look at nothing."),
    Extra(
        name="explain",
        flags=("--explain",),
        many=True,
        metavar="CHECK",
        help="Explain a check, and look at nothing; repeatable.",
    ),
)
