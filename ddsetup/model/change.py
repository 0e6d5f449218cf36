"""What will be done, and what came of it: what plan, dry run, journal and report share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Literal, TypeAlias, TypedDict, Unpack

from ddsetup.model.states import RoleState, State
from ddsetup.model.typed import SPARSE, UNTOLD

Action: TypeAlias = Literal["create", "update", "delete"]
Status: TypeAlias = Literal["applied", "unchanged", "skipped", "failed", "changed_since"]


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """What a change or an outcome is about.

    `kind` is the KIND of a state (or "function", "credentials", ... in findings); `id` is the ARN where AWS
    gives one that is known beforehand, else the name (log group filters: `GROUP:FILTER`). `region` is empty
    for what is global to the account.
    """

    kind: str
    id: str
    region: str = ""
    account: str = ""

    @property
    def name(self) -> str:
        """The short name that people use: the last part of an ARN, or the id itself."""
        if not self.id.startswith("arn:"):
            return self.id
        tail = self.id.split(":", 5)[-1]
        named = tail.startswith(("function:", "stateMachine:"))
        return tail.split(":", 1)[-1] if named else tail.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource goes from `before` to `after`; None means that it is not there on that side.

    `precondition` is the state the change was planned on, in the resource's own terms (a function's
    RevisionId; empty where the writer compares the owned facet itself). `needs` are resources whose own
    change, if it is part of the same plan, must have been applied first. `note` is for the reader: what this
    change does not do, or what will undo it.
    """

    step: str
    resource: ResourceId
    before: State | None
    after: State | None
    why: str
    precondition: str = field(default="", metadata=UNTOLD)
    note: str = field(default="", metadata=SPARSE)
    needs: tuple[ResourceId, ...] = field(default=(), metadata=SPARSE)

    @property
    def action(self) -> Action:
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"

    @property
    def makes_room(self) -> bool:
        """Whether it takes away what another change puts its own in place of: something is deleted, or a role
        trusts somebody else from now on."""
        before, after = self.before, self.after
        if isinstance(before, RoleState) and isinstance(after, RoleState):
            return (before.trust_account, before.external_id) != (after.trust_account, after.external_id)
        return self.action == "delete"

    def inverse(self) -> Change:
        """The change that gives back what was there. It carries no precondition: the writer compares."""
        return replace(
            self,
            before=self.after,
            after=self.before,
            precondition="",
            needs=(),
            why=intern(f"undo: {self.why}"),
            note="",
        )

    def outcome(self, status: Status, reason: str = "", fix: str = "", **details: str) -> Outcome:
        """What came of this change."""
        return Outcome(
            resource=self.resource,
            status=status,
            reason=reason,
            fix=fix,
            step=self.step,
            action=self.action,
            details=details,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that was looked at and will not be changed, with the reason and what to do instead.

    `status` "unchanged" means that nothing needs to be done; "skipped" that it cannot or must not be.
    `permission` is what was denied when something had to be looked at on which all else is built: with it
    set, nothing of the plan is carried out.
    """

    resource: ResourceId
    status: Literal["unchanged", "skipped"]
    reason: str
    fix: str = field(default="", metadata=SPARSE)
    step: str = field(default="", metadata=SPARSE)
    permission: str = field(default="", metadata=UNTOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a run would change, in the order of its steps, and all that it leaves alone.

    `warnings` are said before the confirmation; they change nothing.
    """

    changes: tuple[Change, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def joined(cls, parts: Iterable[Plan]) -> Plan:
        """All of them, one after the other; of many that is much faster than adding each."""
        every = tuple(parts)
        return cls(
            changes=tuple(change for part in every for change in part.changes),
            skipped=tuple(skipped for part in every for skipped in part.skipped),
            warnings=tuple(warning for part in every for warning in part.warnings),
        )

    def __add__(self, other: Plan) -> Plan:
        return Plan(
            changes=self.changes + other.changes,
            skipped=self.skipped + other.skipped,
            warnings=self.warnings + other.warnings,
        )


class Step(str):
    """The name of a step of a plan, and the plans of one resource in which it has its say."""

    __slots__ = ()

    def change(
        self,
        resource: ResourceId,
        before: State | None,
        after: State | None,
        why: str,
        **more: Unpack[_Besides],
    ) -> Plan:
        """The resource is changed."""
        change = Change(step=self, resource=resource, before=before, after=after, why=why, **more)
        return Plan(changes=(change,))

    def keep(self, resource: ResourceId, reason: str) -> Plan:
        """Nothing needs to be done about it."""
        return Plan(skipped=(Skipped(resource=resource, status="unchanged", reason=reason, step=self),))

    def skip(self, resource: ResourceId, reason: str, fix: str = "", permission: str = "") -> Plan:
        """It cannot or must not be changed. `permission` as in `Skipped`."""
        skipped = Skipped(
            resource=resource, status="skipped", reason=reason, fix=fix, step=self, permission=permission
        )
        return Plan(skipped=(skipped,))


class _Besides(TypedDict, total=False):
    """What a change may say besides, as in `Change`."""

    precondition: str
    note: str
    needs: tuple[ResourceId, ...]


NOT_STARTED = "interrupted before it was started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one change (or of a resource that needed none). `fix` says what to do about a failure."""

    resource: ResourceId
    status: Status
    reason: str = ""
    fix: str = field(default="", metadata=SPARSE)
    step: str = field(default="", metadata=SPARSE)
    action: Action | None = field(default=None, metadata=SPARSE)
    details: Mapping[str, str] = field(default_factory=dict, metadata=SPARSE)

    @property
    def not_started(self) -> bool:
        """Whether the run was interrupted before it came to this change."""
        return self.status == "skipped" and self.reason == NOT_STARTED
