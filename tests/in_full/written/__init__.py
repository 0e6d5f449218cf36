"""Changes of every kind, each beside what its writer finds."""

from __future__ import annotations

from tests.in_full.written.api_key import SECRETS
from tests.in_full.written.functions import ALIASES, TAGS
from tests.in_full.written.iam import POLICIES, ROLES
from tests.in_full.written.logs import ACCOUNT_POLICIES, FILTERS, GROUPS
from tests.in_full.written.services import MACHINES, STAGES
from tests.in_full.written.stacks import STACKS

KINDS = {
    "roles": ROLES,
    "policies": POLICIES,
    "secrets": SECRETS,
    "groups": GROUPS,
    "filters": FILTERS,
    "account_policies": ACCOUNT_POLICIES,
    "tags": TAGS,
    "aliases": ALIASES,
    "machines": MACHINES,
    "stages": STAGES,
    "stacks": STACKS,
}
