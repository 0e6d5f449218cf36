"""Calls of every kind, each with what AWS answers."""

from __future__ import annotations

from collections.abc import Mapping

from tests.in_full.calls.accounts import OPERATIONS, ORGANISATIONS
from tests.in_full.calls.around import AROUND
from tests.in_full.calls.functions import FUNCTIONS
from tests.in_full.calls.iam import ROLES
from tests.in_full.calls.keeper import KEEPER
from tests.in_full.calls.logs import LOGS
from tests.in_full.calls.organisation import ORGANISATION
from tests.in_full.calls.services import APIS
from tests.in_full.calls.stacks import STACKS
from tests.in_full.calls.world import Call

CALLS: Mapping[str, Call] = {
    **FUNCTIONS,
    **AROUND,
    **LOGS,
    **ROLES,
    **STACKS,
    **APIS,
    **KEEPER,
    **ORGANISATION,
    **ORGANISATIONS,
    **OPERATIONS,
}
