"""What a check is, and what it may say: a problem, or that it could not look."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, Unpack, get_args

from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.report import Severity, SignalName

if TYPE_CHECKING:
    from ddsetup.doctor.checks.case import Case

Group: TypeAlias = Literal[
    "local",
    "credentials",
    "permissions",
    "integration",
    "forwarder",
    "collection",
    "functions",
    "log groups",
    "arrival",
    "cost",
]
GROUPS: tuple[Group, ...] = get_args(Group)

At: TypeAlias = Literal[
    "integration",
    "runtime",
    "layer",
    "handler",
    "environment",
    "execution role",
    "invocations",
    "network",
    "log group",
    "REPORT lines",
    "subscription filter",
    "Forwarder's permission",
    "Forwarder",
    "Forwarder's key and site",
    "Forwarder's filters",
    "index",
]
PLACES: tuple[At, ...] = get_args(At)
"""Where on the road of a function's data a check stands, in the order in which data travels."""

Thing: TypeAlias = (
    SignalName
    | Literal[
        "AWS",
        "Datadog",
        "rights in Datadog",
        "record",
        "registration",
        "log source",
        "one Forwarder",
        "room for the Forwarder",
        "Forwarder at work",
        "instrumentation",
        "current layer",
        "fitting layer",
        "layer",
        "start-up script",
        "redirection",
        "start",
        "invocations",
        "way out",
        "log group",
        "subscription",
        "services",
        "index",
    ]
)
"""What is there while a check finds nothing: a kind of data, or something that data needs on its way."""

FixKind: TypeAlias = Literal["automatic", "confirm", "manual"]
"""Who mends it: `--fix` by itself; `--fix` once a person has seen that something is taken away; a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as the check's title says.

    `what` does not repeat the resource's name. `about` are the ARNs of the functions that it concerns; empty:
    everything in the resource's account and region. `mends` are resources whose change in the plan of a
    setup removes it; `changes` are changes that do so themselves. `over`: it was so and is no more, and
    explains nothing that is.
    """

    resource: ResourceId
    what: str
    fix: str = ""
    command: str = ""
    severity: Severity | None = None
    about: frozenset[str] = frozenset()
    mends: tuple[ResourceId, ...] = ()
    changes: tuple[Change, ...] = ()
    over: bool = False


@dataclass(frozen=True, slots=True)
class Blind:
    """The check could not look: a permission is missing, or the read failed."""

    resource: ResourceId
    unreadable: Unreadable


Result: TypeAlias = Problem | Blind
Run: TypeAlias = "Callable[[Case], Iterable[Result]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `title` states the healthy fact; `doc` explains what a failure means.

    `needs` are the permissions that it takes to look. `link` is the official guide. `at` is its place on the
    road that data takes; `proves` what is there while all is well, `stops` what its problem keeps from being
    there. `because_of`, the checks whose problems explain this one's, is derived from these two.
    """

    id: str
    title: str
    group: Group
    run: Run
    doc: str
    severity: Severity = "error"
    needs: tuple[str, ...] = ()
    fix: FixKind = "manual"
    link: str = ""
    because_of: tuple[str, ...] = ()
    at: At | Literal[""] = ""
    proves: Thing | Literal[""] = ""
    stops: tuple[Thing, ...] = ()


class _More(TypedDict, total=False):
    """What a check may say of itself besides, as in `Check`."""

    needs: tuple[str, ...]
    fix: FixKind
    link: str
    at: At
    proves: Thing
    stops: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Checks:
    """Makes checks of one group of functions. `needs` are the permissions of those that name no others."""

    group: Group
    needs: tuple[str, ...] = ()

    def __call__(
        self,
        id: str,  # noqa: A002 - that is what it is
        title: str,
        severity: Severity = "error",
        **more: Unpack[_More],
    ) -> Callable[[Run], Check]:
        """A decorator that makes a Check of a function, whose docstring becomes its explanation."""
        more.setdefault("needs", self.needs)

        def made(run: Run) -> Check:
            doc = inspect.cleandoc(run.__doc__ or "")
            return Check(id=id, title=title, group=self.group, run=run, doc=doc, severity=severity, **more)

        return made
