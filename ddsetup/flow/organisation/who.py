"""Which accounts a run is about, and the way into each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ddsetup.ask.dialogue import Dialogue
from ddsetup.flow.call import Call
from ddsetup.flow.host import Host, Session
from ddsetup.gateways.aws import organizations
from ddsetup.gateways.aws.members import USUAL_ROLES, enter
from ddsetup.gateways.aws.organizations import Organisation, Unit
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.shared import InTurn, Once
from ddsetup.model.errors import UsageError
from ddsetup.model.event import OnEvent
from ddsetup.model.lines import counted
from ddsetup.model.organisation import Member, Which, choose
from ddsetup.settings.accounts import read_accounts
from ddsetup.settings.validate import tag_rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts of a run. `organisation` None: a file named them. `units` are those that were named,
    `everyone` all accounts that there are to choose from. `named`: only some are meant, by number,
    name or tag.

    `base` is the session of the credentials that were found; `once` and `in_turn` are its Datadog, for
    looking and for writing, None for a command without. `entered` are the ways into accounts that worked.
    """

    base: Session
    members: tuple[Member, ...]
    roles: tuple[str, ...]
    organisation: Organisation | None = None
    units: tuple[Unit, ...] = ()
    everyone: tuple[Member, ...] = ()
    named: bool = False
    once: Once | None = None
    in_turn: InTurn | None = None
    entered: dict[str, Aws] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What stands for all of them: the organisation, else the account of the credentials."""
        return self.organisation.id if self.organisation else f"accounts-of-{self.base.identity.account}"

    def means(self, account: str) -> bool:
        """Whether an account that something was brought into is meant, be it there still or not."""
        return any(m.account == account for m in self.members) or bool(self.gone((account,)))

    def gone(self, accounts: Iterable[str]) -> list[str]:
        """Of accounts that were worked on, or were to be, those that are not there any more; none where only
        some of all are meant."""
        if self.units or self.named:
            return []
        return sorted(set(accounts) - {member.account for member in self.everyone})


def accounts_of(call: Call, base: Session) -> Accounts:
    """The accounts that the options choose, of the organisation or of a file.

    Raises UsageError for a choice that fits nothing, and what AWS Organizations refuses.
    """
    at_once = call.value("at_once")
    if at_once is not None and at_once < 1:
        raise UsageError(f"--at-once {at_once}: one account at a time is the least")
    roles = (*(call.value("member_role") or ()), *USUAL_ROLES)
    which = _which(call)
    found = Accounts(
        base=base,
        members=(),
        named=bool(which.accounts or which.tags),
        roles=tuple(dict.fromkeys(roles)),
        once=Once.of(base.dd) if base.dd else None,
        in_turn=InTurn.of(base.dd) if base.dd else None,
    )
    named = call.value("accounts")
    if named is not None:
        if call.value("ou"):
            raise UsageError("--ou is about an organisation, and --accounts names a file instead of one")
        members = read_accounts(call.directory / Path(named).expanduser())
        return replace(found, members=choose(members, which), everyone=members)
    organisation = organizations.read_organisation(base.aws)
    everyone, units = _listed(call, base, organisation)
    members = choose(everyone, replace(which, tags=()))
    if which.tags:
        members = choose(organizations.with_tags(base.aws, members), Which(tags=which.tags))
    host = base.host
    host.say(f"organisation {organisation.id}: {counted(len(members), 'account')}")
    return replace(found, members=members, organisation=organisation, units=units, everyone=everyone)


def _listed(
    call: Call, base: Session, organisation: Organisation
) -> tuple[tuple[Member, ...], tuple[Unit, ...]]:
    wanted: Sequence[str] = call.value("ou") or ()
    if wanted:
        return organizations.members_under(base.aws, organisation, wanted)
    return organizations.list_members(base.aws, organisation), ()


def _which(call: Call) -> Which:
    try:
        rules = tuple(tag_rule(text) for text in call.value("account_tag") or ())
    except ValueError as error:
        raise UsageError(str(error), where="--tag") from None
    pairs = tuple((key, value) for key, _, value in (rule.partition("=") for rule in rules))
    return Which(
        accounts=tuple(call.value("account") or ()),
        exclude=tuple(call.value("exclude_account") or ()),
        tags=pairs,
    )


def session_of(accounts: Accounts, member: Member, host: Host) -> Session:
    """Enter a member: a session like that of a run of its own. Raises NotEntered, CredentialsError."""
    base = accounts.base
    aws = accounts.entered.get(member.account) or enter(base.aws, member, accounts.roles)
    accounts.entered[member.account] = aws
    scope = replace(base.scope, regions=member.regions or base.scope.regions)
    session = replace(base, host=host, aws=aws, identity=aws.identity(), scope=scope)
    return session.with_datadog(accounts.once)


def host_of(base: Host, on_event: OnEvent, side_by_side: int) -> Host:
    """The host of one account among many: nobody is asked, and what it says goes to `on_event` alone."""
    return replace(
        base,
        prompter=None,
        dialogue=Dialogue(),
        working=None,
        at_hand=None,
        on_event=on_event,
        side_by_side=side_by_side,
    )
