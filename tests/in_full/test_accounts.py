"""Many accounts in one run: whom it is about, what is said of each, and that none stops the others.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ddsetup.apply.run import workers_for
from ddsetup.ask.asking import Scope
from ddsetup.ask.prompter import Back, Prompt
from ddsetup.ask.prompter import Row as ListedRow
from ddsetup.flow.call import Call
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, across, rows_of_gone
from ddsetup.flow.organisation.asking import asked as ask_what_is_open
from ddsetup.flow.organisation.doing import NOTHING_MEANT, Planning, carried_out, rows_of_plans
from ddsetup.flow.organisation.emptying import empty_buckets
from ddsetup.flow.organisation.proving import Proof
from ddsetup.flow.organisation.rolling_out import forwarders_held
from ddsetup.flow.organisation.run import report_of
from ddsetup.flow.organisation.who import Accounts, accounts_of, host_of
from ddsetup.gateways.aws.organizations import Unit
from ddsetup.gateways.aws.session import Aws
from ddsetup.journal.planbook import Planbook, read_planbook
from ddsetup.model.account import Function, Json
from ddsetup.model.answers import Answers
from ddsetup.model.change import NOT_STARTED, Outcome, Plan, ResourceId, Status
from ddsetup.model.errors import DdsetupError, Interrupted, UsageError
from ddsetup.model.event import Event
from ddsetup.model.organisation import Member
from ddsetup.model.report import Signal, SignalStatus
from ddsetup.model.snapshot import Snapshot
from ddsetup.settings.given import from_flags
from tests.gateways.aws_stand import ACCOUNT, FakeTime
from tests.in_full.aws_script import aws, scripted, time
from tests.in_full.calls.accounts import ORGANISATIONS
from tests.in_full.calls.world import Answer
from tests.in_full.members import EVERYONE, GONE, LAB, SHOP, TILL, Told, stack
from tests.in_full.test_aws_calls import told
from tests.in_full.test_writers import Account, account
from tests.unit.journal.test_planbook import META, plan_of
from tests.unit.show.test_render import matches_golden
from tests.unit.terminal.test_console import Stream, console

__all__ = ["account", "aws", "time"]

OWN = Member(account=ACCOUNT, name="master", management=True, unit="/")
FUNCTION = ResourceId("function", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:pay", "eu-west-1", ACCOUNT)
DENIED: Answer = {"refused": ("AccessDenied", "not authorized", 403)}


def call(home: Path, output: str = "", **values: Any) -> tuple[Call, tuple[Stream, Stream]]:
    """A call of a command, and its streams."""
    screen, out, err = console("ndjson" if output == "ndjson" else "text")
    made = Call(
        command="org status",
        given=from_flags({"output": output} if output else {}),
        values=values,
        console=screen,
        environ={},
        directory=home,
        prompter=lambda: None,
        can_ask=False,
    )
    return made, (out, err)


@pytest.fixture
def here(tmp_path: Path, time: FakeTime) -> Told:
    return Told(tmp_path, time)


@pytest.fixture
def accounts(aws: Aws, here: Told) -> Iterator[Accounts]:
    """Those of an AWS that knows us and lets us into no other account."""
    with scripted(aws) as script:
        script.answers = {
            "GetCallerIdentity": [{"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me"}],
            "ListAccountAliases": [{}],
            "AssumeRole": [DENIED],
        }
        yield here.accounts(aws, roles=("role",))


Do = Callable[[Session, Member], Row]


def done(_session: Session, _member: Member) -> Row:
    return {"status": "ok", "text": "two functions", "exit_code": 0, "plan": {"changes": []}}


def failing(error: Exception) -> Do:
    def do(_session: Session, _member: Member) -> Row:
        raise error

    return do


@pytest.mark.parametrize(
    ("statuses", "said", "code", "problems"),
    [
        (("arrived", "no_traffic"), "arrived", 0, []),
        (("no_traffic",), "unproven", 0, []),
        (("arrived", "missing"), "not seen", 6, ["f1: logs"]),
        ((), "unproven", 0, []),
    ],
)
def test_an_account_is_proven_by_what_arrived_and_not_by_what_never_ran(
    here: Told, statuses: Sequence[SignalStatus], said: str, code: int, problems: list[str]
) -> None:
    signals = [
        Signal(function=f"f{n}", region="", signal="logs", status=each) for n, each in enumerate(statuses)
    ]
    row = Proof(call=call(here.home)[0], wait=0).row(signals)
    assert (row["status"], row["exit_code"]) == (said, code)
    assert [each["what"] for each in row["problems"]] == problems
    assert sum(row["signals"].values()) == len(statuses)


def test_each_account_has_its_row_in_their_order(accounts: Accounts, here: Told) -> None:
    asked, _ = call(here.home)
    found = across(asked, accounts, [GONE, SHOP, OWN], done)
    assert [(row["name"], row["status"], row["exit_code"]) for row in found] == [
        ("gone", "left out", 0),
        ("shop", "not entered", 4),
        ("master", "ok", 0),
    ]
    gone, shop, own = found
    assert gone["reason"] == "the account is pending closure"
    assert "no role may be assumed: role" in str(shop["reason"])
    assert "--member-role" in str(shop["fix"])
    assert own == {
        "account": ACCOUNT,
        "name": "master",
        "state": "ACTIVE",
        "unit": "/",
        "management": True,
        "role": "",
        "status": "ok",
        "text": "two functions",
        "exit_code": 0,
    }
    assert sorted(here.said) == sorted(
        [
            "account 444444444444 (gone): left out, the account is pending closure",
            f"account 111111111111 (shop): not entered, {shop['reason']}",
            f"account {ACCOUNT} (master): ok, two functions",
        ]
    )


@pytest.mark.parametrize(
    ("error", "ended", "said"),
    [
        (UsageError("no such thing", fix="another"), ("failed", 2), "no such thing"),
        (DdsetupError("it broke"), ("failed", 1), "it broke"),
        (Interrupted("stopped"), ("interrupted", 130), "stopped"),
        (RuntimeError("boom"), ("failed", 70), "RuntimeError"),
    ],
)
def test_what_goes_wrong_in_an_account_is_its_row(
    accounts: Accounts, here: Told, error: Exception, ended: tuple[str, int], said: str
) -> None:
    (row,) = across(call(here.home)[0], accounts, [OWN], failing(error))
    _, code = ended
    assert (row["status"], row["exit_code"]) == ended
    assert said in str(row["reason"])
    assert row.get("fix", "") == ("another" if code == 2 else "")


def test_a_document_holds_the_plans_and_lines_do_not(accounts: Accounts, here: Told) -> None:
    (row,) = across(call(here.home, "json")[0], accounts, [OWN], done)
    assert row["plan"] == {"changes": []}
    assert "plan" not in across(call(here.home, "ndjson")[0], accounts, [OWN], done)[0]


def test_what_was_not_begun_when_it_was_interrupted_is_not_begun(accounts: Accounts, here: Told) -> None:
    accounts.base.host.cancel.set()
    (row,) = across(call(here.home, at_once=1)[0], accounts, [OWN], failing(RuntimeError("begun")))
    assert (row["status"], row["exit_code"]) == ("not started", 130)


def test_what_an_interruption_left_unseen_does_not_count_as_not_there(accounts: Accounts, here: Told) -> None:
    asked, _ = call(here.home)
    accounts.base.host.cancel.set()
    with pytest.raises(Interrupted, match="nothing was changed"):
        forwarders_held(asked, accounts, Answers(site="datadoghq.eu", regions=("eu-west-1",)))
    with pytest.raises(Interrupted, match="no stack was deleted"):
        empty_buckets(asked, accounts, [stack(SHOP, "eu-west-1")])


def test_a_run_that_was_interrupted_ends_so_whatever_its_rows_say(accounts: Accounts) -> None:
    rows: list[Row] = [{"account": "1", "status": "changes", "exit_code": 0}]
    whole = report_of("org apply", accounts, rows)
    assert (whole.exit_code, whole.next) == (0, ())
    accounts.base.host.cancel.set()
    cut = report_of("org apply", accounts, rows)
    assert (cut.exit_code, cut.next) == (130, ("ddsetup setup",))
    run = report_of("org apply", accounts, rows, "20261122T101530Z-ab12")
    assert run.next == ("ddsetup setup", "ddsetup org undo 20261122T101530Z-ab12")


def test_one_at_a_time_where_that_is_asked_for(accounts: Accounts, here: Told) -> None:
    another, at_work = threading.Barrier(2), []

    def do(session: Session, member: Member) -> Row:
        try:
            another.wait(0.2)
        except threading.BrokenBarrierError:
            at_work.append(member.name)
        return done(session, member)

    across(call(here.home, at_once=1)[0], accounts, [replace(OWN, name=name) for name in "abc"], do)
    assert at_work == ["a", "b", "c"], "none met another"


def outcome(status: Status) -> Outcome:
    return Outcome(resource=FUNCTION, status=status, reason=f"it {status}", action="update")


def events(*statuses: Status) -> Do:
    """Something that has an event for each of these outcomes, and says a word."""

    def do(session: Session, member: Member) -> Row:
        session.host.say("looking")
        at = session.host.clock.now()
        for status in statuses:
            result = outcome(status)
            session.host.on_event(Event(kind="finished", at=at, text="t", resource=FUNCTION, outcome=result))
        return done(session, member)

    return do


def test_a_person_hears_of_what_fails_in_an_account(accounts: Accounts, here: Told) -> None:
    asked, (out, err) = call(here.home)
    across(asked, accounts, [OWN], events("applied", "failed", "changed_since", "skipped"))
    said = out.text + err.text
    assert [f"{ACCOUNT}: it {status}" in said for status in ("failed", "changed_since")] == [True, True]
    assert [word for word in ("applied", "skipped", "looking") if word in said] == []


def test_a_program_hears_of_all_that_is_about_something(accounts: Accounts, here: Told) -> None:
    asked, (out, err) = call(here.home, "ndjson")
    across(asked, accounts, [OWN], events("applied", "failed"))
    assert out.text.count('"event":"finished"') + out.text.count('"event": "finished"') == 2
    assert "looking" not in out.text + err.text


@pytest.mark.parametrize(
    ("over", "wanted", "gone"),
    [
        ({}, ["999999999999", "111111111111"], ["999999999999"]),
        ({"named": True}, ["999999999999"], []),
        ({"units": (Unit(id="ou-1", path="/Prod"),)}, ["999999999999"], []),
    ],
)
def test_accounts_that_are_there_no_more(
    aws: Aws, here: Told, over: Mapping[str, Any], wanted: Sequence[str], gone: list[str]
) -> None:
    accounts = here.accounts(aws, SHOP, **over)
    assert accounts.gone(wanted) == gone
    assert accounts.means("111111111111")
    assert accounts.means("999999999999") is bool(gone)
    assert accounts.means(TILL.account) is False
    assert [(row["account"], row["status"], row["exit_code"]) for row in rows_of_gone(accounts, wanted)] == [
        (each, "not entered", 4) for each in gone
    ]


def test_what_stands_for_all_accounts(aws: Aws, here: Told) -> None:
    assert here.accounts(aws).key == "o-1"
    assert here.accounts(aws, organisation=None).key == f"accounts-of-{ACCOUNT}"


def _here(_snapshot: Snapshot, _functions: Sequence[Function]) -> str:
    return "here"


def test_in_each_account_nobody_is_asked(aws: Aws, here: Told) -> None:
    heard: list[Event] = []
    host = replace(here.accounts(aws).base.host, at_hand=_here)
    own = host_of(host, heard.append, 32)
    own.say("a word")
    assert ([event.text for event in heard], here.said) == (["a word"], [])
    assert (own.prompter, own.working, own.at_hand) == (None, None, None)
    assert own.dialogue is not host.dialogue
    assert [workers_for(host.side_by_side), workers_for(own.side_by_side), workers_for(500)] == [48, 24, 24]


TREE = ORGANISATIONS["accounts under /Prod"][1]
LISTED: Mapping[str, Sequence[Answer]] = {
    **TREE,
    "DescribeOrganization": [
        {"Organization": {"Id": "o-1", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"}}
    ],
    "ListAccounts": [
        {"Accounts": [{"Id": each.account, "Name": each.name, "State": each.state} for each in EVERYONE]}
    ],
    f"ListTagsForResource {SHOP.account}": [{"Tags": [{"Key": "tier", "Value": "gold"}]}],
    f"ListTagsForResource {LAB.account}": [{"Tags": [{"Key": "tier", "Value": "lead"}]}],
    "ListTagsForResource": [{}],
}
FILE = """
[[account]]
id = "111111111111"
name = "a"
role = "r"
[[account]]
id = "222222222222"
name = "b"
profile = "p"
"""
CHOICES: Mapping[str, Mapping[str, Any]] = {
    "everyone": {},
    "by name and number": {"account": ("shop", LAB.account)},
    "all but some": {"exclude_account": ("l*",)},
    "by tag": {"account_tag": ("tier=gold",), "exclude_account": ("till",)},
    "by unit": {"ou": ("/Prod",)},
    "nobody's name": {"account": ("shob",)},
    "no tag": {"account_tag": ("tier",)},
    "a file": {"accounts": "accounts.toml", "member_role": ("mine", "OrganizationAccountAccessRole")},
    "some of a file": {"accounts": "accounts.toml", "account": ("b",)},
    "none at a time": {"at_once": 0},
    "a file and a unit": {"accounts": "accounts.toml", "ou": ("/Prod",)},
}


def test_whom_a_run_is_about(aws: Aws, time: FakeTime, here: Told) -> None:
    lines: list[str] = []
    (here.home / "accounts.toml").write_text(FILE)
    with scripted(aws) as script:
        for name, choice in CHOICES.items():
            script.answers = {operation: list(each) for operation, each in LISTED.items()}
            here.said.clear()
            asked, _ = call(here.home, **choice)
            found = told(aws, time, script, _choosing(asked, here))
            lines += [f"[{name}]", *found[:-1], *(f"  said: {text}" for text in here.said), found[-1], ""]
    matches_golden("rollouts/who", "\n".join(lines).replace(str(here.home), "HOME"))


def _choosing(asked: Call, here: Told) -> Callable[[Aws], Any]:
    return lambda aws: _chosen(asked, here.accounts(aws).base)


def _chosen(asked: Call, base: Session) -> Any:
    found: Accounts = accounts_of(asked, base)
    members = [(m.name, m.account, m.unit, dict(m.tags), m.role, m.profile) for m in found.members]
    organisation = found.organisation.id if found.organisation else ""
    everyone = [member.name for member in found.everyone]
    return (
        members,
        found.roles,
        organisation,
        [u.path for u in found.units],
        everyone,
        found.named,
        found.once,
    )


@pytest.mark.parametrize(
    ("statuses", "beside", "expected"),
    [
        (("applied", "applied", "unchanged"), (), ("done", 0, "2 applied, 1 unchanged")),
        (("failed",), (), ("failed", 1, "1 failed")),
        (("applied", "changed_since"), (), ("partly done", 5, "1 applied, 1 changed since")),
        (("applied",), ("failed",), ("partly done", 5, "1 applied")),
        ((), (), ("done", 0, "")),
    ],
)
def test_what_was_carried_out_in_an_account_is_its_row(
    aws: Aws, here: Told, statuses: Sequence[Status], beside: Sequence[Status], expected: tuple[str, int, str]
) -> None:
    session = here.accounts(aws).base
    mine, others = ([outcome(status) for status in each] for each in (statuses, beside))
    row = carried_out(session, "run-1", mine, [*mine, *others])
    assert (row["status"], row["exit_code"], row["text"]) == expected
    assert row["outcomes"] == {status: statuses.count(status) for status in statuses}
    bad = [status for status in (*statuses, *beside) if status in ("failed", "changed_since")]
    assert [each["reason"] for each in row["problems"]] == [f"it {status}" for status in bad]
    assert row["run"] == "run-1"


def test_what_an_interruption_left_undone_is_told(aws: Aws, here: Told) -> None:
    session = here.accounts(aws).base
    left = Outcome(resource=FUNCTION, status="skipped", reason=NOT_STARTED, action="update")
    some = [outcome("applied"), left]
    assert carried_out(session, "r", some, some)["status"] == "done"
    session.host.cancel.set()
    row = carried_out(session, "r", some, some)
    assert (row["status"], row["exit_code"], row["problems"]) == ("interrupted", 130, [])
    assert carried_out(session, "r", some[:1], some[:1])["status"] == "done"


def test_saved_plans_are_shown_as_they_were_made(aws: Aws, here: Told) -> None:
    book = Planbook.create(here.home / "plans.jsonl")
    for member, plan in ((SHOP, Plan()), (TILL, plan_of(TILL.account)), (replace(SHOP, account="9"), Plan())):
        book.add(plan, replace(META, account=member.account, extra={"functions": [FUNCTION.id]}))
    book.close()
    accounts, plans = here.accounts(aws, SHOP, TILL, LAB), read_planbook(here.home / "plans.jsonl")
    shop, till = rows_of_plans(call(here.home)[0], accounts, plans)
    assert (shop["name"], shop["status"], shop["exit_code"]) == ("shop", "nothing to do", 0)
    assert (till["name"], till["status"], till["changes"]) == ("till", "changes", {"create": 1})
    assert (till["functions"], till["problems"], "plan" in till) == (1, [], False)
    assert "plan" in rows_of_plans(call(here.home, "json")[0], accounts, plans)[1]


@dataclass
class Person:
    """Answers in turn, and keeps what was asked."""

    answers: list[object]
    asked: list[str] = field(default_factory=list)
    rows: list[tuple[tuple[str, ...], str, bool]] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> Json:
        self.asked.append(prompt.text)
        return self._next()

    def pick(self, title: str, rows: Sequence[ListedRow], **more: Any) -> tuple[str, ...]:
        self.asked.append(f"{title} {more['columns']}")
        self.rows = [(row.cells, row.disabled, row.chosen) for row in rows]
        return self._next()  # type: ignore[no-any-return]

    def say(self, text: str) -> None:
        self.asked.append(f"! {text}")

    def _next(self) -> Any:
        answer = self.answers.pop(0)
        if answer is Back:
            raise Back
        return answer


LIST = "Which of 3 accounts? ('Account', 'Name')"
ANSWERS: Mapping[str, object] = {"accounts": (SHOP.account,), "functions": "all", "env": "prod"}


@pytest.mark.parametrize(
    ("given", "values", "members", "opened"),
    [
        ({}, {}, EVERYONE, "accounts functions env"),
        ({"env": "prod"}, {}, EVERYONE, "accounts functions"),
        ({"all": True}, {}, EVERYONE, "accounts env"),
        ({"function": ("pay",), "env": "prod"}, {}, EVERYONE, "accounts"),
        ({"yes": True}, {}, EVERYONE, "functions"),
        ({"yes": True, "function": ("pay",)}, {}, EVERYONE, ""),
        ({"all": True}, {}, (SHOP, GONE), "env"),
        ({}, {"ou": ("/prod",)}, EVERYONE, "functions env"),
        ({}, {"account_tag": ("a=b",)}, EVERYONE, "functions env"),
        ({}, {"exclude_account": (SHOP.account,)}, EVERYONE, "functions env"),
        ({"all": True, "env": "prod"}, {"account": (SHOP.account,)}, EVERYONE, ""),
        ({"all": True, "env": "prod"}, {}, (SHOP, GONE), ""),
    ],
)
def test_what_was_said_is_not_asked_for(
    aws: Aws, here: Told, given: dict[str, Any], values: dict[str, Any], members: Any, opened: str
) -> None:
    made = replace(call(here.home, **values)[0], given=from_flags(given))
    person = Person([ANSWERS[each] for each in opened.split()])
    found, _ = ask_what_is_open(made, asked_of(here.accounts(aws, *members), person))
    assert person.answers == []
    assert len(person.asked) == len(opened.split())
    assert (found is made) is (opened == "")


def asked_of(accounts: Accounts, person: Person) -> Accounts:
    return replace(accounts, base=replace(accounts.base, host=replace(accounts.base.host, prompter=person)))


def test_of_many_accounts_some_are_chosen_and_the_list_says_which_there_are(aws: Aws, here: Told) -> None:
    made, _ = call(here.home)
    person = Person([(), (SHOP.account, LAB.account), Back, (SHOP.account,), "uninstrumented", "prod"])
    known = asked_of(here.accounts(aws, GONE, LAB, SHOP, TILL), person)
    found, accounts = ask_what_is_open(made, known)
    assert (person.asked[:3], person.asked[4]) == ([LIST, "! choose at least one", LIST], LIST)
    assert person.rows == [
        ((GONE.account, "gone"), GONE.passive, False),
        *(((each.account, each.name), "", True) for each in (LAB, SHOP, TILL)),
    ]
    assert (accounts.members, accounts.named) == ((SHOP,), True)
    assert found.value("account") == (SHOP.account,)
    said = {key: found.given.value(key) for key in ("all", "which", "env")}
    assert said == {"all": True, "which": "uninstrumented", "env": "prod"}


def test_where_all_accounts_are_chosen_those_that_come_later_are_meant_as_well(aws: Aws, here: Told) -> None:
    made, _ = call(here.home)
    person = Person([tuple(each.account for each in (LAB, SHOP, TILL)), "all", "prod"])
    known = asked_of(here.accounts(aws, GONE, LAB, SHOP, TILL), person)
    found, accounts = ask_what_is_open(made, known)
    assert (accounts.members, accounts.named) == ((GONE, LAB, SHOP, TILL), False)
    assert found.value("account") is None
    with pytest.raises(Back):
        ask_what_is_open(made, asked_of(known, Person([Back])))


PAY = {
    "Runtime": "python3.12",
    "Handler": "app.handler",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/pay",
    "Architectures": ["x86_64"],
    "PackageType": "Zip",
    "RevisionId": "r",
    "FunctionName": "pay",
    "FunctionArn": FUNCTION.id,
}


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        ({"function": ("pay",)}, "nothing to do", ""),
        ({"function": ("pay", "gone")}, "nothing to do", ""),
        ({"function": ("gone",)}, NOTHING_MEANT, "'gone' matches no function"),
        ({"all": True, "exclude": ("p*",)}, NOTHING_MEANT, "it has no functions that are meant"),
    ],
)
def test_an_account_is_planned_for_those_that_are_meant_and_there(
    account: Account, aws: Aws, here: Told, given: dict[str, Any], status: str, reason: str
) -> None:
    account.answers = {"ListFunctions": [{"Functions": [PAY]}]}
    made = replace(call(here.home)[0], given=from_flags({"env": "prod", "site": "datadoghq.eu", **given}))
    base = here.accounts(aws).base
    planning = Planning(made, None)
    row = planning(replace(base, scope=Scope(regions=("eu-west-1",), site="datadoghq.eu")), OWN)
    assert (row["status"], row.get("reason", ""), row.get("functions", 0)) == (status, reason, not reason)
    assert planning.named == {"pay"} & set(given.get("function", ()))


def test_an_account_in_which_nobody_said_what_is_meant_is_not_planned(
    account: Account, aws: Aws, here: Told
) -> None:
    account.answers = {"ListFunctions": [{"Functions": [PAY]}]}
    made = replace(call(here.home)[0], given=from_flags({"env": "prod", "site": "datadoghq.eu"}))
    with pytest.raises(UsageError, match=r"answers are missing.*\n.*Which functions"):
        Planning(made, None)(here.accounts(aws).base, OWN)
