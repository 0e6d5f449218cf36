"""The referee for sandboxes, whose stand-in is a process of its own: it writes down what is said, and after
each test that is judged here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddsetup.sandbox.datadog.exchanges import VARIABLE
from ddsetup.sandbox.datadog.wire import Request, Response
from tests.gateways.shapes import shape


class Hearing:
    """What stand-ins have written into a directory, read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[Path, int] = {}
        self._heard: set[tuple[str, str]] = set()

    def wrong(self) -> list[str]:
        """What is wrong with the exchanges since the last call."""
        lines = [line for file in sorted(self._directory.glob("*.jsonl")) for line in self._new(file)]
        if not lines:
            return []
        # The official client takes its time to import: only where there was a sandbox.
        from tests.gateways.referee import Referee

        referee = Referee()
        for line in lines:
            said = json.loads(line)
            headers, body = {"user-agent": said["agent"]}, said["body"].encode()
            request = Request(said["method"], said["path"], said["query"], headers, body)
            answer = Response(said["status"], raw=self._unheard(said).encode())
            referee(request, answer, faulty=said["faulty"])
        return sorted({str(one) for one in referee.wrong})

    def _unheard(self, said: dict[str, Any]) -> str:
        """A list without rows like those that the same endpoint gave before: models are slow, and pages of
        events come again and again."""
        answer: str = said["answer"]
        document = json.loads(answer) if answer.startswith("{") else None
        if document is None or not isinstance(document.get("data"), list) or len(document["data"]) < 2:
            return answer
        rows = {(said["path"], shape(row, counted=False)): row for row in document["data"]}
        document["data"] = [row for key, row in rows.items() if key not in self._heard]
        self._heard |= set(rows)
        return json.dumps(document)

    def _new(self, file: Path) -> list[bytes]:
        """Whole lines only: the stand-in may be in the middle of one, or have been killed there."""
        with file.open("rb") as opened:
            opened.seek(self._read.get(file, 0))
            text = opened.read()
        text = text[: text.rfind(b"\n") + 1]
        self._read[file] = self._read.get(file, 0) + len(text)
        return text.splitlines()


@pytest.fixture(scope="session", autouse=True)
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hearing]:
    """Has every sandbox that is started from now on, here or by a command, write down what is said."""
    directory = tmp_path_factory.mktemp("exchanges")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(directory))
        yield Hearing(directory)


@pytest.fixture(autouse=True)
def what_is_said_to_datadog_is_as_it_says(hearing: Hearing) -> Iterator[None]:
    """Fails the test in which something else was said or answered."""
    yield
    wrong = hearing.wrong()
    assert wrong == [], "\n".join(wrong)
