"""The reference page of the checks, made from the checks themselves."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.doctor.checks.check import GROUPS, Check, FixKind
from ddsetup.doctor.checks.registry import CHECKS

_FIXES: Mapping[FixKind, str] = {
    "automatic": "`--fix`",
    "confirm": "`--fix`, once confirmed",
    "manual": "by you, as told",
}

_HEAD = """# The doctor's checks

<!-- Made by `ddsetup.doctor.checks.document()`; do not edit. -->

`ddsetup doctor` judges one look at the account by these checks. A title states the healthy fact. A check that
could not look, because a permission is missing, is neither healthy nor a finding: it says which one.

- **Causes first.** A finding that follows from another one ("caused by" below) is shown under it.
- **`--fix`** carries out the changes that `ddsetup setup` would make for what was found, and no others:
  shown, confirmed, journalled, and given back by `ddsetup undo`. Where something is taken away ("once
  confirmed"), a person has to have seen it, or `--only` has to name the check; `--yes` alone leaves it.
- **`ddsetup doctor --explain ID`** shows what stands here about one check.
- **Living with a finding**: `[doctor] ignore = [{check = "ID", resource = "GLOB", reason = "why"}]` in
  `ddsetup.toml`; `resource` may be left out.
- **How far it looks**: one hour back. Where data arrives, its whole way is proven and not looked at again. Of
  more than 50 log groups in a region, filters are read where data is missing, and where bulk reads tell of a
  second way to Datadog: CloudWatch's metrics name the filters that delivered lately, Datadog's logs the
  Forwarders that they came through. Execution roles and logs are read where data is missing. What was left
  out stands in the output; `--deep` reads all.
- **What was there before**: that a function carried Datadog once is known from ddsetup's journals, from tags,
  and from the published versions of up to 20 functions.
"""

NOT_CHECKED: Mapping[str, str] = {
    "the account is integrated with another Datadog organisation": "it cannot be seen from here; registering "
    "it is refused with 409, which `integration-exists` explains",
    "the role's name in Datadog and in AWS differ": "it looks like a role that does not exist: `role-exists`",
    "service control policies of the organisation": "an account cannot read them; see `role-boundary`",
    "drift of the Forwarder's stack": "CloudFormation has to be told to look for it, which is a write",
    "routes and security groups of a VPC": "it takes many rights on EC2; failed connections are seen in the "
    "Forwarder's log (`forwarder-egress`) and by what is missing (`extension-egress`)",
    "S3 notifications that overlap": "log collection from buckets is not what ddsetup sets up",
    "permission to use a layer's version": "AWS refuses to attach a layer that may not be read",
    "the unpacked size of function and layers": "AWS does not tell it; `ddsetup setup` explains the refusal",
    "code signing": "one call for each function; `ddsetup setup` explains AWS's refusal",
    "provisioned concurrency": "it sits on published versions, which `published-version` is about",
    "logs older than 18 hours, or with a time of their own": "Datadog drops them without a trace",
    "JSON logs that are not parsed": "a matter of the function's code",
    "capital letters in names": "Datadog lower-cases them, and is asked in lower case",
    "billed duration and estimated cost alone": "they come with the other enhanced metrics "
    "(`enhanced-arrive`, `system-log-level`)",
    "custom metrics": "only you know which there should be: `ddsetup verify --custom-metric NAME`",
    "percentiles of enhanced metrics": "a choice that costs money, not a fault",
    "traces of Step Functions": "ddsetup does not set them up",
    "keys of older versions in serverless.yml": "the file is not part of the account",
    "a tracer of the function's own beside the layer's": "packages are not downloaded; `function-starts` "
    "sees it when it breaks the function",
    "thresholds of errors, memory and cold starts": "that is what monitors are for",
}
"""What a doctor might look at, and why this one does not."""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, "\n## All checks\n\n", _table()]
    for group in GROUPS:
        checks = [c for c in CHECKS if c.group == group]
        parts.append(f"\n## {group[0].upper()}{group[1:]}\n")
        parts.extend(_section(c) for c in checks)
    parts.append("\n## Not checked\n\n| what | why |\n|---|---|\n")
    parts.extend(f"| {what} | {why} |\n" for what, why in NOT_CHECKED.items())
    return "".join(parts)


def _table() -> str:
    rows = [
        f"| [`{c.id}`](#{c.id}) | {c.title} | {c.severity} | {_FIXES[c.fix]} | {_codes(c.needs)} |"
        for c in CHECKS
    ]
    head = "| check | healthy means | finding is | fixed | needs |\n|---|---|---|---|---|"
    return "\n".join([head, *rows]) + "\n"


def _section(c: Check) -> str:
    facts = [f"finding: {c.severity}", f"fixed: {_FIXES[c.fix]}"]
    facts += [f"needs: {_codes(c.needs)}"] if c.needs else []
    facts += [f"caused by: {_codes(c.because_of)}"] if c.because_of else []
    facts += [f"[guide]({c.link})"] if c.link else []
    listed = "\n".join(f"- {fact}" for fact in facts)
    return f"\n### {c.id}\n\n*{c.title[0].upper()}{c.title[1:]}.*\n\n{c.doc}\n\n{listed}\n"


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
