"""The one question before anything is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ddsetup.flow.carrying_out import Declined, confirm
from ddsetup.model.errors import Interrupted


def host(answer: bool | BaseException) -> Any:
    def ask(_prompt: object) -> bool:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return SimpleNamespace(prompter=SimpleNamespace(ask=ask))


def test_who_stops_at_the_question_is_told_that_nothing_was_done() -> None:
    with pytest.raises(Interrupted, match="nothing of this was done") as caught:
        confirm(host(KeyboardInterrupt()), "Carry this out?", yes=False)
    assert caught.value.exit_code == 130
    with pytest.raises(Declined, match="nothing was changed"):
        confirm(host(answer=False), "Carry this out?", yes=False)
    confirm(host(answer=True), "Carry this out?", yes=False)
