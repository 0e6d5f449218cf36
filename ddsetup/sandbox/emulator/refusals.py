"""What an operation that is added to the emulator refuses with; each API writes it in its own protocol."""

from __future__ import annotations


class Refusal(Exception):
    """An error of the API: its code and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text
