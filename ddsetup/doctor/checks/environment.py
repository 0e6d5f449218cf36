"""The environment variables, tags and log settings of functions that carry Datadog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ddsetup.doctor.checks.case import Case, Subject
from ddsetup.doctor.checks.check import Blind, Checks, Result
from ddsetup.doctor.checks.functions import command_for, mendable, problem
from ddsetup.doctor.checks.road import LIBRARY, ROAD
from ddsetup.facts import catalog, recognise
from ddsetup.facts.guides import LOGS_GUIDE, SETTINGS_GUIDE, TAGS_GUIDE
from ddsetup.facts.iam_documents import statements, strings
from ddsetup.facts.variables import (
    ENHANCED_METRICS,
    FLUSH_TO_LOG,
    KEY_SECRET_ARN,
    KEY_SSM_ARN,
    LOGS_ENABLED,
    ORG_UUID,
    SAMPLE_RATE,
    SERVICE,
    SITE,
    TRACE_ENABLED,
)
from ddsetup.model.account import Role, Unreadable
from ddsetup.model.answers import KeySource
from ddsetup.model.change import Change
from ddsetup.plan.steps.instrument.key_access import POLICY_NAME, grants, role_name
from ddsetup.plan.steps.instrument.workload_identity import covered, mappings

_LIST = ("lambda:ListFunctions",)
_GOVERNMENT = ("ddog-gov.com",)
check = Checks("functions", needs=_LIST)


def _reporting(case: Case) -> Iterator[Subject]:
    """Functions in which something of Datadog's is to run."""
    return (s for s in case.subjects if s.touchable and s.mode in ("forwarder", "extension"))


@check(
    "flush-to-log",
    "functions without the Extension write their data to the log",
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="environment",
    stops=LIBRARY,
)
def flush(case: Case) -> Iterator[Result]:
    """DD_FLUSH_TO_LOG is not true, and there is no Extension: custom metrics are sent by a call to Datadog at
    the end of each invocation, which needs a key and slows it down, or are lost."""
    for s in _reporting(case):
        if s.mode == "forwarder" and s.family and s.family.forwarder and not s.on(FLUSH_TO_LOG, False):
            yield mendable(s, "DD_FLUSH_TO_LOG is not true", "set it")


@check("flush-with-extension", "functions with the Extension do not flush to the log", "info")
def flush_ignored(case: Case) -> Iterator[Result]:
    """DD_FLUSH_TO_LOG is true beside the Extension, which takes precedence: the setting has no effect."""
    for s in _reporting(case):
        if s.mode == "extension" and s.on(FLUSH_TO_LOG, False):
            yield problem(s, "DD_FLUSH_TO_LOG has no effect beside the Extension", "remove it")


@check(
    "key-source",
    "functions with the Extension know one place of the API key",
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="environment",
    stops=(*ROAD, "way out"),
)
def key_source(case: Case) -> Iterator[Result]:
    """The Extension finds no API key, or more than one: the library and the Extension look in another order,
    so they may use different ones.

    DD_ORG_UUID is a source, too: the Extension then gets a key from Datadog by the function's own role, from
    version 96 on, and looks nowhere else.
    """
    for s in _reporting(case):
        if s.mode != "extension":
            continue
        found = [name for name in catalog.KEY_VARIABLES if s.env.get(name)]
        if not found:
            yield mendable(s, "it has no source of the API key", "name the secret that holds it")
        elif len(found) > 1:
            yield problem(
                s,
                f"it has several sources of the API key, of which {found[0]} counts: {', '.join(found)}",
                "leave one of them",
                severity="warning",
            )
        elif found == [ORG_UUID] and (old := _too_old_for_org(s)):
            yield problem(
                s,
                f"it gets its API key by {ORG_UUID}, which {old} does not know",
                f"attach version {catalog.ORG_EXTENSION_SINCE} of the Extension or a newer one",
            )


def _too_old_for_org(subject: Subject) -> str:
    """The Extension's layer if it is from before DD_ORG_UUID."""
    layers = (a for a in recognise.datadog_layers(subject.function) if a.role == "extension")
    return next((a.label for a in layers if a.version < catalog.ORG_EXTENSION_SINCE), "")


@check("key-plain", "no function holds the API key in plain text", "warning")
def key_plain(case: Case) -> Iterator[Result]:
    """DD_API_KEY holds the key itself: whoever may read the function's configuration can read it."""
    for s in _reporting(case):
        if s.env.get("DD_API_KEY"):
            yield problem(
                s, "DD_API_KEY holds the API key in plain text", "keep it in a secret (DD_API_KEY_SECRET_ARN)"
            )


@check(
    "key-access",
    "functions with the Extension may read the API key",
    needs=("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="execution role",
    stops=(*ROAD, "way out"),
)
def key_access(case: Case) -> Iterator[Result]:
    """The execution role may not read the secret (or parameter) that the Extension takes the key from.

    Roles are read only for functions whose data does not arrive. The right may also come from a managed
    policy; then nothing can be said.
    """
    for s in _reporting(case):
        role, source = case.evidence.roles.get(s.function.role), _key_source(s)
        if s.mode != "extension" or source is None or s.env.get(ORG_UUID):
            continue
        if isinstance(role, Unreadable):
            yield Blind(s.resource, role)
        if not isinstance(role, Role):
            continue
        action = "secretsmanager:getsecretvalue" if source.kind == "secret" else "ssm:getparameter"
        unread = [a for a in role.attached if "service-role/AWSLambda" not in a]
        if not any(_allows(document, action) for document in role.inline.values()) and not unread:
            yield problem(
                s,
                f"its role {role.name} may not read the API key",
                f"grant it (inline policy {POLICY_NAME})",
                changes=_grant(case, s, role, source),
            )


@check(
    "key-mapping",
    "functions without an API key send from a role that Datadog knows",
    needs=("workload_identity_federation_config_read",),
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="execution role",
    stops=(*ROAD, "way out"),
)
def key_mapping(case: Case) -> Iterator[Result]:
    """The Extension of a function with DD_ORG_UUID gets a key from that organisation only if its role is
    mapped there (workload identity federation). A new mapping takes some minutes to work."""
    seen = case.snapshot.datadog.workload_identity
    for s in _reporting(case):
        org = s.env.get(ORG_UUID)
        if s.mode != "extension" or not org or seen is None:
            continue
        if isinstance(seen, Unreadable):
            yield Blind(s.resource, seen)
        elif org.lower() != seen.org_uuid.lower():
            yield problem(
                s,
                f"it sends to the organisation {org}, and the keys are of {seen.org_uuid}",
                "look at it with keys of that organisation, or set the function up again",
                severity="warning",
            )
        elif not covered(s.function, seen):
            yield problem(
                s,
                f"Datadog takes no data from its role {role_name(s.function)} without an API key",
                "let Datadog know the role (an intake mapping)",
                changes=mappings((s.function,), case.snapshot).changes,
            )


def _key_source(s: Subject) -> KeySource | None:
    """Where the Extension finds the key, if a right of the function's role has to do with it."""
    if secret := s.env.get(KEY_SECRET_ARN):
        return KeySource(kind="secret", value=secret)
    parameter = s.env.get(KEY_SSM_ARN)
    return KeySource(kind="ssm", value=parameter) if parameter else None


def _grant(case: Case, s: Subject, role: Role, source: KeySource) -> tuple[Change, ...]:
    """The policy that lets the role read the key where the function looks for it, which a setup leaves as it
    is. One of that name that does not do is not ours to replace."""
    if POLICY_NAME in role.inline:
        return ()
    return grants((s.function,), replace(case.answers, key_source=source))


@check(
    "function-site",
    "functions with the Extension send to the chosen Datadog site",
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="environment",
    stops=(*ROAD, "way out"),
)
def site(case: Case) -> Iterator[Result]:
    """DD_SITE is missing or names another site than the one that is looked at; the default is US1."""
    for s in _reporting(case):
        sends_to = s.env.get(SITE) or "datadoghq.com"
        if s.mode == "extension" and sends_to != case.answers.site:
            yield mendable(s, f"it sends to {sends_to}, not to {case.answers.site}", "set DD_SITE")


@check("government-site", "functions in GovCloud send to a site for it", at="environment")
def government(case: Case) -> Iterator[Result]:
    """The region belongs to AWS GovCloud, and the Datadog site does not: roles do not work across
    partitions, and the library uses FIPS endpoints that the site may not have."""
    for place in case.places:
        if place.at.region.startswith("us-gov-") and not case.answers.site.endswith(_GOVERNMENT):
            for s in place.subjects:
                yield problem(
                    s, f"{place.at.region} is GovCloud, {case.answers.site} is not", "--site ddog-gov.com"
                )


@check(
    "tracing-on",
    "functions are traced",
    "warning",
    link=SETTINGS_GUIDE,
    at="environment",
    stops=("traces",),
)
def tracing(case: Case) -> Iterator[Result]:
    """Tracing is switched off on the function (DD_TRACE_ENABLED), or its sample rate is 0."""
    if not case.answers.traces:
        return
    for s in _reporting(case):
        rate = s.env.get(SAMPLE_RATE, "").strip()
        if not s.on(TRACE_ENABLED):
            yield problem(s, "DD_TRACE_ENABLED is false", "set it to true, or remove it; or say --no-traces")
        elif rate and _number(rate) == 0:
            yield problem(s, f"{SAMPLE_RATE} is {rate}: nothing is traced", "raise or remove it")


@check(
    "enhanced-metrics-on",
    "functions send enhanced metrics",
    "warning",
    at="environment",
    stops=("enhanced_metrics", "cold_start"),
)
def enhanced(case: Case) -> Iterator[Result]:
    """DD_ENHANCED_METRICS is false: invocations, errors and cold starts are not counted by the library."""
    if not case.answers.enhanced_metrics:
        return
    for s in _reporting(case):
        if not s.on(ENHANCED_METRICS):
            yield problem(s, "DD_ENHANCED_METRICS is false", "set it to true, or remove it")


@check(
    "extension-logs",
    "functions with the Extension send logs",
    "warning",
    at="environment",
    stops=("logs",),
)
def extension_logs(case: Case) -> Iterator[Result]:
    """DD_SERVERLESS_LOGS_ENABLED is false, and no filter leads the log group to a Forwarder: no logs."""
    if not case.answers.logs:
        return
    for s in _reporting(case):
        if s.mode != "extension" or s.on(LOGS_ENABLED):
            continue
        place = case.place_of(s)
        filters = place.filters_of(s.function.log_group)
        if isinstance(filters, Unreadable):
            yield Blind(s.resource, filters)
            continue
        arn = place.forwarder.arn if place.forwarder else None
        if filters is not None and not any(f.destination_arn == arn for f in filters):
            yield problem(
                s, "DD_SERVERLESS_LOGS_ENABLED is false, and no Forwarder takes its logs", "set it to true"
            )


@check(
    "system-log-level",
    "functions write the REPORT lines that metrics are made of",
    fix="automatic",
    link=LOGS_GUIDE,
    at="REPORT lines",
)
def system_level(case: Case) -> Iterator[Result]:
    """The system log level is WARN: Lambda leaves out the REPORT lines, of which the Forwarder makes
    duration, memory, cost and timeouts."""
    for s in case.subjects:
        if s.way == "forwarder" and s.function.log_format == "JSON" and s.function.system_log_level == "WARN":
            yield mendable(s, "its system log level WARN hides the REPORT lines", "make it INFO")


@check(
    "application-log-level",
    "functions' log level lets the library's lines through",
    "warning",
    at="REPORT lines",
    stops=LIBRARY,
)
def application_level(case: Case) -> Iterator[Result]:
    """The application log level is above INFO, so that Lambda may drop the lines in which the library
    writes metrics and traces."""
    for s in _reporting(case):
        level = s.function.application_log_level
        loud = s.function.log_format == "JSON" and level in ("WARN", "ERROR", "FATAL")
        if s.mode == "forwarder" and loud and not s.arrived("enhanced_metrics"):
            yield problem(
                s,
                f"its application log level {level} may hide the library's lines",
                "make it INFO",
                command=command_for(s, "--logging-config ApplicationLogLevel=INFO"),
            )


@check("unified-tags", "functions have a service", "info", fix="automatic", link=TAGS_GUIDE)
def unified_tags(case: Case) -> Iterator[Result]:
    """Neither DD_SERVICE nor a tag `service` says which service the function belongs to: its traces, logs
    and metrics are hard to bring together."""
    for s in _reporting(case):
        if not s.env.get(SERVICE) and not s.tags.get("service"):
            yield mendable(s, "it has neither DD_SERVICE nor a tag service", "set it")


@check("log-rules", "no rule of the Extension drops logs", "info")
def log_rules(case: Case) -> Iterator[Result]:
    """DD_LOGS_CONFIG_PROCESSING_RULES has a rule that excludes lines; whatever it matches does not arrive."""
    for s in _reporting(case):
        rules = s.env.get("DD_LOGS_CONFIG_PROCESSING_RULES", "")
        if s.mode == "extension" and ("exclude_at_match" in rules or "include_at_match" in rules):
            yield problem(s, "a processing rule of its Extension drops lines", "see what the rule matches")


def _allows(document: object, action: str) -> bool:
    service = action.partition(":")[0]
    for statement in statements(document):
        wanted = [a.lower() for a in strings(statement.get("Action"))]
        if statement.get("Effect") == "Allow" and any(
            a in ("*", f"{service}:*", action) or (a.endswith("*") and action.startswith(a[:-1]))
            for a in wanted
        ):
            return True
    return False


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
