"""Changing the source instead: the project files that functions are deployed from, where they are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Back
from ddsetup.facts import catalog
from ddsetup.facts.kinds import is_foundation
from ddsetup.flow.call import Call
from ddsetup.flow.ending import WAIT_SECONDS
from ddsetup.gateways.aws.secrets import read_secret
from ddsetup.model.account import Function, Json, Lane, Unreadable
from ddsetup.model.answers import Answers, KeySource
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.lines import counted
from ddsetup.model.report import Report
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.steps.api_key import secret_name
from ddsetup.plan.steps.forwarder import forwarder_arn
from ddsetup.plan.steps.instrument.workload_identity import with_organisation
from ddsetup.plan.steps.wording import listed
from ddsetup.project.changing_files import refuse_uncommitted
from ddsetup.project.iac.at_hand import AtHand, at_hand, owned_functions
from ddsetup.project.iac.model import Wish
from ddsetup.project.layer_versions import LayerVersions, check_extension, newest_in
from ddsetup.project.macro import settled
from ddsetup.project.project_files import ITS_STACK, Brought, bring, proposed

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session

_SHOWN = 3


def in_words(directory: Path, snapshot: Snapshot, functions: Sequence[Function]) -> str:
    """Which of the functions are deployed from the directory, in words; empty if none is."""
    found = at_hand(directory, snapshot, functions)
    if found is None:
        return ""
    owned = len(owned_functions(snapshot, functions))
    which = (
        "" if len(found.functions) == owned else f", which deploys {len(found.functions)} of these {owned}"
    )
    return f"{listed(found.files)} in this directory{which}; deploys keep it"


def source_note(directory: Path, snapshot: Snapshot, functions: Iterable[Function]) -> str:
    """What can be said to somebody who is about to change functions from within their project, else empty."""
    found = at_hand(directory, snapshot, functions)
    if found is None:
        return ""
    many = len(found.functions)
    theirs = f"{counted(many, 'function')} of this plan {'is' if many == 1 else 'are'}"
    return f"{theirs} deployed from {listed(found.files)}: with --owned source deploys keep Datadog"


def check_source(call: Call, session: Session, prepared: Prepared) -> AtHand | None:
    """What is to be changed at the source, None if that is not wanted or there is nothing.

    Raises UsageError when it is wanted and cannot be, before anything else is changed.
    """
    if prepared.answers.owned != "source":
        return None
    owned = owned_functions(prepared.snapshot, prepared.selected)
    if not owned:
        return None
    found = at_hand(call.directory, prepared.snapshot, prepared.selected)
    if found is None:
        tools = listed(sorted({each.by.tool for each in owned}))
        raise UsageError(
            f"{counted(len(owned), 'function')} shall be changed at the source, and no project of {tools} "
            "that deploys them is in this directory",
            where=str(call.directory),
            fix="run it in the project's directory, or use --owned change or --owned skip",
        )
    check_extension(prepared.answers.extension_version)
    others = len(owned) - len(found.functions)
    if others:
        call.console.say(f"{counted(others, 'function')} of other projects will be left alone", "warn")
    if call.given.on("dry_run"):
        return found
    if session.host.prompter is None:
        refuse_uncommitted(call, found.project)
    call.console.say(f"after all else: {listed(found.files)}, each change shown before it is made")
    return found


def change_source(call: Call, session: Session, prepared: Prepared, found: AtHand, report: Report) -> Report:
    """The report with what came of the project's files, once what they name is there.

    Nothing is changed if the Forwarder, or whatever else the files would rely on, could not be made; nor if
    the person says no, who can do it later.
    """
    hopeless = [o for o in report.outcomes if o.status == "failed" and is_foundation(o.resource.kind)]
    later = f"ddsetup iac {_relative(call, found)}".strip()
    if hopeless:
        call.console.say(f"the project's files are as they were; once that is fixed: {later}", "warn")
        return replace(report, next=(later, *report.next))
    try:
        brought = _brought(call, session, prepared, found)
    except (KeyboardInterrupt, Back, DdsetupError) as reason:
        why = f" ({reason.what})" if isinstance(reason, DdsetupError) else ""
        call.console.say(f"the project's files are as they were{why}; to change them: {later}", "warn")
        failed = 5 if isinstance(reason, DdsetupError) and not _declined(reason) else 0
        return replace(report, exit_code=report.exit_code or failed, next=(later, *report.next))
    return replace(
        report,
        exit_code=report.exit_code or (5 if brought.failed else 0),
        data={**report.data, "source": brought.data},
        next=(*_deploys(brought, found), _verify(found), *report.next),
    )


def _declined(reason: DdsetupError) -> bool:
    from ddsetup.flow.verbs import Declined

    return isinstance(reason, Declined)


def _brought(call: Call, session: Session, prepared: Prepared, found: AtHand) -> Brought:
    planned = call.given.on("dry_run")
    versions = LayerVersions(newest_in(session.aws, sorted({f.lane for f in found.functions})))
    wanted = _wanted(session, prepared.snapshot, prepared.answers, found.functions, planned=planned)
    wanted = versions.wanted(wanted)
    proposal = proposed(session.host, found.project, wanted)
    if note := versions.note(proposal):
        call.console.say(note, "warn" if versions.problem else "dim")
    brought = bring(call, session.host, found.project, proposal)
    if not proposal.needs_macro:
        return brought
    macro = _macro(call, session, sorted({function.lane for function in found.functions}))
    return replace(brought, data={**brought.data, "macro": macro})


def _macro(call: Call, session: Session, lanes: Sequence[Lane]) -> dict[str, Json]:
    """The macro of the functions' regions: what is to be said of the first where it cannot be used yet."""
    states = [settled(call, session, lane) for lane in lanes]
    return next((s for s in states if s["state"] in ("missing", "failed")), states[-1])


def _wanted(
    session: Session, snapshot: Snapshot, answers: Answers, functions: Sequence[Function], *, planned: bool
) -> Wish:
    """What the files shall say: the answers, and what was made for them on AWS.

    Where Datadog subscribes the log groups by itself, no Forwarder is named: the tool would subscribe it as
    well, and each line would arrive twice.
    """
    lanes = sorted({function.lane for function in functions})
    by_datadog = answers.subscribe == "automatic" and "lambda" in answers.log_sources
    extension = answers.via == "extension"
    forwarders = [forwarder_arn(lane, snapshot, answers) for lane in lanes]
    made = replace(
        answers,
        key_source=_key_source(session, snapshot, answers, lanes, planned=planned)
        if extension
        else KeySource(),
        forwarder_arns=() if by_datadog or extension else tuple(a for a in forwarders if a),
        regions=tuple(sorted({lane.region for lane in lanes})),
    )
    return Wish(answers=made, said=frozenset({"via"}), subscribed=by_datadog)


def _key_source(
    session: Session, snapshot: Snapshot, answers: Answers, lanes: Sequence[Lane], *, planned: bool
) -> KeySource:
    """Where the API key is, empty if that cannot be told: a file of several regions names one secret.

    A secret that is only `planned` has six characters in its ARN that AWS will choose; they are crossed out.
    """
    source = with_organisation(answers, snapshot).key_source
    if source.value or source.kind == "wif":
        return source
    lane = lanes[0]
    name = secret_name(snapshot.lanes[lane], answers.site)
    secret = read_secret(session.aws, lane, name)
    if secret is None and planned and len(lanes) == 1:
        partition = catalog.partition_of(lane.region)
        return KeySource(
            value=f"arn:{partition}:secretsmanager:{lane.region}:{lane.account}:secret:{name}-XXXXXX"
        )
    if secret is None or isinstance(secret, Unreadable) or len(lanes) > 1:
        return KeySource()
    return KeySource(value=secret.arn)


def _relative(call: Call, found: AtHand) -> str:
    root = found.project.root
    return "" if root == call.directory.resolve() else str(root)


def _deploys(brought: Brought, found: AtHand) -> tuple[str, ...]:
    """The commands that bring the files to AWS; with stage and stack where there is one only."""
    commands = brought.next
    if len(found.stages) == 1:
        stage = f" --stage {found.stages[0]}"
        commands = tuple(c + stage if c.endswith("serverless deploy") else c for c in commands)
    if len(found.stacks) == 1:
        named = f"--stack-name {found.stacks[0]}"
        commands = tuple(command.replace(f"--stack-name {ITS_STACK}", named) for command in commands)
    return commands


def _verify(found: AtHand) -> str:
    """The proof, once that is deployed."""
    if found.stacks and len(found.stacks) <= _SHOWN:
        chosen = [f"--stack {stack}" for stack in found.stacks]
    elif len(found.functions) <= _SHOWN:
        chosen = [f"--function {function.name}" for function in found.functions]
    else:
        chosen = ["--all"]
    return f"ddsetup verify {' '.join(chosen)} --wait {WAIT_SECONDS}"
