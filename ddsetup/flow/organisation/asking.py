"""Of a run over many accounts what nobody said: which accounts, which functions, which environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ddsetup.ask.choosing import ask_names
from ddsetup.ask.prompter import Back, Prompt, Prompter, Row
from ddsetup.ask.putting import Asking, put
from ddsetup.ask.questions import FUNCTIONS, QUESTIONS, Choice
from ddsetup.flow.call import Call
from ddsetup.flow.organisation.who import Accounts
from ddsetup.model.account import Json
from ddsetup.model.lines import counted
from ddsetup.model.organisation import Which, choose
from ddsetup.settings.given import Given, from_flags
from ddsetup.settings.table import WHICH

_CHOOSING = ("ou", "account", "account_tag", "exclude_account", "accounts")
"""The options that say which accounts are meant."""
_BY_KEY = {question.key: question for question in QUESTIONS}
_WAYS = (
    Choice("all", "All of them"),
    Choice("uninstrumented", "Those without Datadog"),
    Choice("function", "By name"),
)


def asked(call: Call, accounts: Accounts) -> tuple[Call, Accounts]:
    """The call with the answers to what was open, as if they had been given, and the accounts that are meant;
    the very same if nothing was asked.

    Nothing is where nobody can be asked. Raises `Back` from the first question.
    """
    prompter = accounts.base.host.prompter
    steps = _open(call, accounts)
    if prompter is None or not steps:
        return call, accounts
    answers: list[Mapping[str, Json]] = []
    while len(answers) < len(steps):
        try:
            answers.append(steps[len(answers)](prompter))
        except Back:
            if not answers:
                raise
            answers.pop()
    said = {key: value for answer in answers for key, value in answer.items()}
    chosen = said.pop("account", ())
    call = replace(call, given=from_flags(said).over(call.given))
    if not chosen:
        return call, accounts
    call = replace(call, values={**call.values, "account": chosen})
    members = choose(accounts.members, Which(accounts=chosen))
    return call, replace(accounts, members=members, named=True)


def _open(call: Call, accounts: Accounts) -> list[Callable[[Prompter], Mapping[str, Json]]]:
    """The questions about what was not said; with `--yes` only those without an answer of their own."""
    quick, functions = call.given.on("yes"), any(key in call.given for key in WHICH)
    said = any(call.value(name) for name in _CHOOSING)
    several = sum(member.active for member in accounts.members) > 1
    steps: list[Callable[[Prompter], Mapping[str, Json]]] = []
    if several and not said and not quick:
        steps.append(partial(_which_accounts, accounts))
    if not functions:
        steps.append(_which_functions)
    if "env" not in call.given and not quick:
        steps.append(partial(_environment, call.given))
    return steps


def _which_accounts(accounts: Accounts, prompter: Prompter) -> Mapping[str, Json]:
    """Nothing if all are meant: then also those that come later."""
    active = [member.account for member in accounts.members if member.active]
    rows = [
        Row(value=m.account, cells=(m.account, m.name), disabled=m.passive, chosen=m.active)
        for m in accounts.members
    ]
    title, columns = f"Which of {counted(len(active), 'account')}?", ("Account", "Name")
    while not (picked := prompter.pick(title, rows, columns=columns)):
        prompter.say("choose at least one")
    return {} if set(picked) >= set(active) else {"account": tuple(picked)}


def _which_functions(prompter: Prompter) -> Mapping[str, Json]:
    question = _BY_KEY[FUNCTIONS]
    text = f"{question.text.rstrip('?')} in each of them?"
    while True:
        way = prompter.ask(
            Prompt(kind="one", text=text, why=question.why, choices=_WAYS, default=_WAYS[0].value)
        )
        if way == "all":
            return {"all": True}
        if way == "uninstrumented":
            return {"all": True, "which": "uninstrumented"}
        try:
            return {"function": ask_names(prompter, "Which names?")}
        except Back:
            continue


def _environment(given: Given, prompter: Prompter) -> Mapping[str, Json]:
    question = _BY_KEY["env"]
    env = put(question, Asking((question,), given, None, prompter, {}), {})
    return {question.key: env} if env else {}
