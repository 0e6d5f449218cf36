"""`ddsetup setup --sandbox`: the same run on an account of its own that is gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.cli.keys import take_keys
from ddsetup.facts.kinds import CHOSEN
from ddsetup.flow.call import Call
from ddsetup.gateways.aws.members import USUAL_ROLES
from ddsetup.plan.policy import least_policy, state_statements
from ddsetup.plan.policy_keep import install_statements
from ddsetup.plan.policy_organisation import ROLE, organisation_statements
from ddsetup.plan.policy_scope import Scope
from ddsetup.settings.given import Given, Raw, from_environment

_FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_CONFIG_FILE")
_BUCKETS = "ddsetup-*"
"""Names of the buckets in which a sandbox's operator may remember runs."""
ORGANISATION = "organisation"
"""The scenario in which there is one."""
_COMMANDS = ("setup", "verify", "invoke", "undo", "status", "uninstrument", "teardown", "doctor", "keep")


def operator_policy(
    given: Given, account: str, regions: tuple[str, ...], scenarios: Iterable[str]
) -> dict[str, object]:
    """What the sandbox's operator may do: what `ddsetup policy` prints for it, to the letter, and in an
    organisation what `ddsetup org policy` does."""
    answers = replace(answers_from(given, None, None, command="policy"), regions=regions)
    document = least_policy(answers, "aws", (account,), regions, _COMMANDS)
    document["Statement"] += [
        *install_statements(Scope(answers, "aws", account, regions)),
        *state_statements(_BUCKETS, "", "aws", making=True),
    ]
    if ORGANISATION in scenarios:
        document["Statement"] += organisation_statements("aws", (ROLE, *USUAL_ROLES))
    return dict(document)


def scenarios_of(given: Iterable[str]) -> tuple[str, ...]:
    """What the account shall look like: scenarios one by one, or several with commas."""
    named = [part.strip() for text in given for part in text.split(",")]
    return tuple(dict.fromkeys(filter(None, named))) or ("healthy",)


@contextmanager
def sandbox_for(call: Call) -> Iterator[Call]:
    """The call, led into a sandbox that lives as long as the block.

    Without a terminal it runs by itself: all functions, and what else the scenario is about, confirmed.
    Journals go into the sandbox unless `--state-dir` says otherwise: there is nothing to give back once it is
    gone.
    """
    from ddsetup.sandbox.control import start
    from ddsetup.sandbox.model import ACCOUNT, SandboxOptions, new_account
    from ddsetup.sandbox.traffic import kept_busy

    regions = call.given.items("region") or ("us-east-1",)
    # Journals that stay must not meet those of another account, that of the next sandbox.
    account = new_account() if call.given.text("state_dir") else ACCOUNT
    scenarios = scenarios_of(call.value("scenario") or ())
    by_itself = {} if call.can_ask else {"all": True, "yes": True, **_around(scenarios)}
    wanted = call.given.over(_weakest(by_itself))
    options = SandboxOptions(
        operator_policy=operator_policy(wanted, account, regions, scenarios),
        account=account,
        scenarios=scenarios,
        regions=regions,
    )
    call.console.sandbox = True
    call.console.say("starting an AWS account and a Datadog on this machine")
    with ExitStack() as up:
        sandbox = up.enter_context(start(options))
        environ = up.enter_context(_environment(sandbox.env()))
        up.enter_context(kept_busy(sandbox))
        usual = {
            "region": regions,
            "state_dir": str(sandbox.directory / "state"),
            **by_itself,
        }
        given = call.given.over(from_environment(sandbox.env())).over(_weakest(usual))
        try:
            yield replace(call, given=given, environ=environ)
        finally:
            with call.console.working("taking the sandbox down"):
                up.close()


def _weakest(usual: Mapping[str, object]) -> Given:
    """What holds where nothing else is said."""
    return Given({key: Raw(value, "file", "--sandbox") for key, value in usual.items()})


def _around(scenarios: Iterable[str]) -> Mapping[str, object]:
    """What a run by itself switches on beside functions: all that the account was made to show."""
    return dict.fromkeys(CHOSEN, ("all",)) if "services" in scenarios else {}


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """The run's environment with these variables, and without what would lead to a real account.

    The process gets the same, but for keys.
    """
    before = dict(os.environ)
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        yield take_keys(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)
