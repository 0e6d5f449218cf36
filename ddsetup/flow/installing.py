"""The keeper in AWS: where it is, what it would be made of, and how its runs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ddsetup._version import __version__
from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.connecting import quiet
from ddsetup.flow.host import Session
from ddsetup.flow.preparing import look
from ddsetup.gateways.aws.builds import last_builds
from ddsetup.gateways.aws.metrics import alarm_states
from ddsetup.gateways.aws.secrets import read_secret
from ddsetup.gateways.aws.stacks import read_stack, read_template
from ddsetup.gateways.aws.trail import tells_of_changes
from ddsetup.gateways.overlap import each
from ddsetup.journal.brief import Brief
from ddsetup.journal.in_s3 import InS3
from ddsetup.journal.runs import list_runs
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.keeper import Alarm, Build
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.observe.in_bulk import FOR_DRIFT
from ddsetup.plan.keep_install import Found, fights, plan_install
from ddsetup.plan.keep_template import (
    EVERY,
    FAILED_ALARM,
    IMAGE,
    SILENT_ALARM,
    STACK,
    Wish,
    template,
    unfit,
)
from ddsetup.plan.policy import least_policy, state_statements
from ddsetup.plan.steps.api_key import APP_SECRET_NAME, OWN_TAGS, SITE_TAG, secret_name
from ddsetup.settings.config import config_text, config_values
from ddsetup.settings.fields import values_of
from ddsetup.settings.setting import Value
from ddsetup.settings.table import SETTINGS, TABLE
from ddsetup.show.keeper_blocks import Runs

_SHOWN_BUILDS = 10
_LOOKED_AT = FOR_DRIFT | {"secrets", "datadog_rule"}
"""The fields of a lane that an installation is planned on."""
_OF_THIS_MACHINE = frozenset({"profile", "role_arn", "app_key_secret", "git_commit", "state"})
"""What says who works here, and is nothing to the keeper, which has a role and keys of its own, and a
variable that says where it remembers."""


def find_keepers(session: Session) -> tuple[Found, ...]:
    """Where a keeper is, of the regions that are meant; the first one if there is none.

    Raises Denied or GatewayError.
    """
    looked = each(partial(_look_at, session), session.lanes)
    return tuple(found for found in looked if found.stack is not None) or (looked[0],)


def _look_at(session: Session, lane: Lane) -> Found:
    stack = read_stack(session.aws, lane, STACK)
    if stack is not None and stack.status == "DELETE_COMPLETE":
        stack = None
    body = read_template(session.aws, lane, STACK) if stack is not None else None
    secrets = {APP_SECRET_NAME: read_secret(session.aws, lane, APP_SECRET_NAME)}
    return Found(lane=lane, stack=stack, template=body, secrets=secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installing:
    """What an installation would do. `notes` say what it will not notice."""

    plan: Plan
    snapshot: Snapshot
    notes: tuple[str, ...]


def prepare_install(call: Call, session: Session) -> Installing:
    """Look, and plan the keeper of what is meant.

    Raises UsageError where something is missing that it needs, and DdsetupError where Datadog itself
    instruments functions.
    """
    _check_shared_state(session)
    given = call.given
    snapshot = look(session, quiet(given, "role_name"), fields=_LOOKED_AT)
    if fighting := fights(snapshot):
        raise DdsetupError(
            f"Datadog itself instruments functions {'; '.join(fighting)}: it and a keeper would take each "
            "other's changes back",
            fix="have Datadog do it there, or switch it off first; ddsetup keep check changes nothing",
        )
    answers = answers_from(given, snapshot, None, command="plan", scope=session.scope)
    found = find_keepers(session)[0]
    held = snapshot.lanes[found.lane].secrets
    key = _api_key(snapshot.lanes[found.lane], answers)
    known = held if isinstance(held, Unreadable) else held.get(key)
    found = replace(found, secrets={**found.secrets, key: known})
    wish = _wish(call, session, answers, found.lane, key)
    if why := unfit(template(wish), wish.toml):
        raise UsageError(f"cannot be kept so: {why}", fix="choose functions by rule rather than by name")
    tags = answers.tags_of_ours({**OWN_TAGS, SITE_TAG: answers.site})
    return Installing(
        plan=plan_install(found, wish, tags),
        snapshot=snapshot,
        notes=(*_from_an_index(wish, call), *_notes(session, snapshot, found.lane)),
    )


def _check_shared_state(session: Session) -> None:
    if isinstance(session.host.memory, InS3):
        return
    raise UsageError(
        "the keeper has no disk of its own: what it does must be remembered in a bucket",
        fix="ddsetup state init --state s3://BUCKET/PREFIX, then the same with --state s3://BUCKET/PREFIX",
    )


def _wish(call: Call, session: Session, answers: Answers, lane: Lane, api_key: str) -> Wish:
    identity, memory = session.identity, session.host.memory
    assert isinstance(memory, InS3)
    policy = least_policy(answers, identity.partition, (identity.account,), answers.regions, ("keep",))
    place = memory.place
    policy["Statement"] += state_statements(place.bucket, place.prefix, identity.partition)
    package, image = call.value("package"), call.value("image")
    toml, variables = _settings(call, answers)
    return Wish(
        region=lane.region,
        account=lane.account,
        partition=identity.partition,
        toml=toml,
        variables=variables,
        policy=policy,
        state=place.where().rstrip("/"),
        api_key=api_key,
        app_key=call.given.text("app_key_secret") or APP_SECRET_NAME,
        package=package or ("" if image else f"ddsetup=={__version__}"),
        image=image or IMAGE,
        every=_every(call),
        topic=call.value("notify") or "",
        role_path=answers.role_path,
        role_boundary=answers.role_boundary,
        version=__version__,
    )


def _api_key(lane: LaneSnapshot, answers: Answers) -> str:
    """The secret with the API key, by name or ARN: ddsetup's own where functions find the key elsewhere."""
    source = answers.key_source
    own = secret_name(lane, answers.site)
    return source.value if source.kind == "secret" and source.value else own


def _every(call: Call) -> int:
    every = call.value("every")
    if every is None:
        return 1
    if every not in EVERY:
        raise UsageError(f"--every {every}: not a number of hours that divides a day", fix=f"one of {EVERY}")
    return int(every)


def _settings(call: Call, answers: Answers) -> tuple[str, Mapping[str, str]]:
    """What is kept: the text of its file, and as variables what no file may hold."""
    every: dict[str, Value] = {**values_of(answers), **config_values(answers, call.given)}
    url = call.given.text("datadog_url")
    if url:
        every["datadog_url"] = url
    mine = {key: value for key, value in every.items() if key not in _OF_THIS_MACHINE}
    in_file = {key: value for key, value in mine.items() if SETTINGS[key].in_file}
    beside = {
        setting.env: _as_variable(mine[setting.key], setting.separator)
        for setting in TABLE
        if setting.key in mine and not setting.in_file
    }
    return config_text(in_file), beside


def _as_variable(value: Value, separator: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return separator.join(value) if isinstance(value, tuple) else str(value)


def _from_an_index(wish: Wish, call: Call) -> tuple[str, ...]:
    """What every run fails without, where nobody said what it is to run."""
    if call.value("package") or call.value("image"):
        return ()
    what = f"a run installs {wish.package} from a package index"
    return (f"{what}: where none has it, say --package 'git+https://...@COMMIT' or --image IMAGE",)


def _notes(session: Session, snapshot: Snapshot, home: Lane) -> tuple[str, ...]:
    others = [lane.region for lane in sorted(snapshot.lanes) if lane != home]
    unknown = [
        f"whether Datadog itself instruments functions in {lane.region} is not known (needs {rule.action})"
        for lane in sorted(snapshot.lanes)
        if isinstance(rule := snapshot.lanes[lane].datadog_rule, Unreadable)
    ]
    late = [f"deployments in {', '.join(others)} are noticed by the schedule only"] if others else []
    return (*trail_notes(session, home), *late, *unknown)


def trail_notes(session: Session, lane: Lane) -> tuple[str, ...]:
    """What to know where deployments are not heard of as they happen; none where they are."""
    told = tells_of_changes(session.aws, lane)
    if isinstance(told, Unreadable):
        return (f"whether a CloudTrail trail tells of deployments is not known (needs {told.action})",)
    if told:
        return ()
    why = f"no CloudTrail trail records changes in {lane.region}"
    return (f"{why}: deployments are not noticed as they happen, only by the schedule",)


def look_at_runs(session: Session, lane: Lane) -> Runs | Unreadable:
    """The last builds, and what each changed, as far as a shared state tells."""
    builds = last_builds(session.aws, lane, STACK, _SHOWN_BUILDS)
    if isinstance(builds, Unreadable):
        return builds
    runs = [
        run
        for run in list_runs(session.host.memory).readable
        if run.header.command == "keep apply" and lane.account in run.header.accounts
    ]
    now = session.host.clock.now()
    return tuple((build, _run_of(build, runs, now)) for build in builds)


def look_at_alarms(session: Session, lane: Lane) -> tuple[Alarm, ...] | Unreadable:
    """The keeper's alarms."""
    return alarm_states(session.aws, lane, (FAILED_ALARM, SILENT_ALARM))


def _run_of(build: Build, runs: list[Brief], now: datetime) -> Brief | None:
    """What ddsetup changed in a build: builds run one at a time, so that their times tell."""
    until = build.ended or now
    return next((run for run in runs if build.started <= run.header.started <= until), None)
