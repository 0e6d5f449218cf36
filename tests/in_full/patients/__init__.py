"""Accounts that are unwell in one way each, beside those of `test_checks_table`: every branch of a check and
both sides of every limit."""

from __future__ import annotations

from collections.abc import Mapping

from tests.in_full.patients.account import INTEGRATION, LOCAL
from tests.in_full.patients.forwarder import COLLECTION, FORWARDERS
from tests.in_full.patients.functions import FUNCTIONS, LAYERS
from tests.in_full.patients.logs import ARRIVAL, COST, GROUPS
from tests.in_full.patients.variables import VARIABLES
from tests.in_full.patients.ways import Break

PARTS: Mapping[str, Mapping[str, Break]] = {
    "machine": LOCAL,
    "integration": INTEGRATION,
    "forwarder": FORWARDERS,
    "collection": COLLECTION,
    "functions": FUNCTIONS,
    "layers": LAYERS,
    "variables": VARIABLES,
    "groups": GROUPS,
    "arrival": ARRIVAL,
    "cost": COST,
}
