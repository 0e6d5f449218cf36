"""Who did what to a resource, and when, as AWS CloudTrail tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ddsetup.model.clock import minute


@dataclass(frozen=True, slots=True)
class Deed:
    """One call that changed something. `subject` is the name of the function or log group.

    `who` is the user or the role with its session, `through` the service that called in their name
    ("cloudformation.amazonaws.com"), or the program where nothing did, as it calls itself.
    """

    subject: str
    who: str
    at: datetime
    through: str = ""

    @property
    def ours(self) -> bool:
        """Whether ddsetup did it."""
        return "ddsetup/" in self.through

    def words(self) -> str:
        """In a few words, for a sentence that ends with it."""
        through = f" through {self.through}" if self.through else ""
        return f"by {self.who}{through} on {minute(self.at)}"
