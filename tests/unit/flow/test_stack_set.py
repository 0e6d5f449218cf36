"""Which StackSets a rollout works on."""

from __future__ import annotations

import pytest

from ddsetup.flow.organisation.stack_set import check_ours
from ddsetup.gateways.aws.stack_sets import Made
from ddsetup.model.errors import UsageError
from ddsetup.plan.steps.api_key import OWN_TAGS


def test_one_that_somebody_else_made_or_that_works_in_another_way_is_left_alone() -> None:
    check_ours(Made(id="s:1", tags=OWN_TAGS), "s")
    with pytest.raises(UsageError, match="ddsetup did not make it"):
        check_ours(Made(id="s:1"), "s")
    with pytest.raises(UsageError, match="self-managed"):
        check_ours(Made(id="s:1", tags=OWN_TAGS, permissions="SELF_MANAGED"), "s")
