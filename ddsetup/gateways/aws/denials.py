"""Who or what denied a call, by AWS's own words, and what can be done about it.

The words are those of IAM's troubleshooting page for access denied messages ("with an explicit deny in a
...", "because no ... allows"). Another policy for the identity helps only where the identity's own policies
are what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_REFUSED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
_KMS = re.compile(
    r"access to kms is not allowed|kms access was denied|kms key .*(denied|not allowed)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Denial:
    """`action` is what was denied, `said` why in a sentence, `fix` what to do."""

    action: str
    said: str
    fix: str


@dataclass(frozen=True, slots=True)
class _Cause:
    sign: str
    named: str
    fix: str


_CAUSES = (
    _Cause(
        "service control policy",
        "a service control policy of the organisation",
        "whoever manages the AWS organisation has to allow {action} here; no policy of this identity can",
    ),
    _Cause(
        "resource control policy",
        "a resource control policy of the organisation",
        "whoever manages the AWS organisation has to allow {action} on this resource; no policy here can",
    ),
    _Cause(
        "permissions boundary",
        "a permissions boundary of this identity",
        "whoever set the boundary has to add {action} to it; another policy alone cannot help",
    ),
    _Cause(
        "session policy",
        "the policy of this session",
        "begin the session without a policy of its own, or with one that allows {action}",
    ),
    _Cause(
        "VPC endpoint policy",
        "the policy of the VPC endpoint that calls go through",
        "add {action} to the endpoint's policy; a policy of this identity cannot help",
    ),
    _Cause(
        "explicit deny in a resource-based policy",
        "an explicit deny in the resource's own policy",
        "exempt this identity in the resource's policy; another policy of the identity cannot help",
    ),
    _Cause(
        "explicit deny",
        "an explicit deny in a policy of this identity",
        "take out the statement that denies {action}; no other policy can make up for it",
    ),
)


def explain(text: str, action: str) -> Denial:
    """What AWS's `text` for a denied call of `action` means; a text that is not known is kept as it is."""
    match = _REFUSED_ACTION.search(text)
    refused = match.group(1) if match else action
    for cause in _CAUSES:
        if cause.sign.lower() in text.lower():
            said = f"not allowed: {refused} (refused by {cause.named})"
            return Denial(refused, said, cause.fix.format(action=refused))
    if match is None and _KMS.search(text):
        return Denial(
            "kms:Decrypt",
            f"{action}: {text}",
            "allow kms:Decrypt on the KMS key that it is encrypted with, in the key's policy, too",
        )
    own_words = "" if match or not text else f" (AWS says: {text})"
    fix = f"allow {refused} for this identity; `ddsetup policy` prints what ddsetup needs"
    return Denial(refused, f"not allowed: {refused}{own_words}", fix)
