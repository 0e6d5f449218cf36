"""Whether the project that functions are deployed from is the one in a directory.

Told from what tools write on both sides: the Serverless Framework names stacks and functions after the
service, CloudFormation tags functions with their logical id in the template, Terraform's resources name them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ddsetup.facts.ownership import LOGICAL_ID_TAG, Owner, is_datadogs_own, owner
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.errors import DdsetupError
from ddsetup.model.snapshot import Snapshot
from ddsetup.project.iac import cloudformation, terraform_read, yamldoc
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Kind, Project, ProjectFile
from ddsetup.project.iac.source import read_source

_DEPTH = 2
"""How many directories deep is looked: whoever starts a setup may be anywhere, also at home."""
_READ_BY: Mapping[str, tuple[Kind, ...]] = {
    "Serverless Framework": ("serverless", "serverless_code"),
    "SAM": ("cloudformation",),
    "CloudFormation": ("cloudformation", "cdk", "serverless"),
    "CloudFormation macro": ("cloudformation",),
    "CDK": ("cdk",),
    "Terraform": ("terraform",),
}
"""Which files hold the functions that a tool owns. A stack alone does not say who made it."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A function that a deployment tool owns, with its resource tags."""

    function: Function
    by: Owner
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AtHand:
    """The files of a directory from which some functions are deployed, and which functions those are.

    `stages` are the Serverless Framework's, as far as stacks tell.
    """

    project: Project
    functions: tuple[Function, ...]
    stacks: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files as they are shown."""
        return tuple(self.project.name(file.path) for file in self.project.files)


def owned_functions(snapshot: Snapshot, functions: Iterable[Function]) -> tuple[Owned, ...]:
    """Those of the functions that a deployment tool owns; Datadog's own are none of them."""
    found = []
    for function in functions:
        lane = snapshot.lanes.get(function.lane)
        if lane is None or isinstance(lane.tags, Unreadable):
            continue
        tags = lane.tags_of(function)
        by = owner(function, tags)
        if by and not by.datadogs and not is_datadogs_own(function, lane):
            found.append(Owned(function, by, tags))
    return tuple(found)


def at_hand(directory: Path, snapshot: Snapshot, functions: Iterable[Function]) -> AtHand | None:
    """The project in the directory that deploys some of the functions, None if there is no such.

    A file that cannot be read, or is broken, deploys nothing.
    """
    owned = owned_functions(snapshot, functions)
    if not owned:
        return None
    try:
        project = detect(directory, depth=_DEPTH)
    except DdsetupError:
        return None
    files: list[ProjectFile] = []
    found: dict[str, Owned] = {}
    stages: set[str] = set()
    for file in project.files:
        theirs = [each for each in owned if file.kind in _READ_BY.get(each.by.tool, ())]
        held = _held(file, theirs, sure=file.path.parent == project.root) if theirs else []
        if held:
            files.append(file)
            found |= {each.function.arn: each for each in held}
            stages |= _stages(file, held)
    if not files:
        return None
    return AtHand(
        Project(project.root, tuple(files)),
        tuple(each.function for each in found.values()),
        tuple(sorted({each.by.stack for each in found.values()} - {""})),
        tuple(sorted(stages)),
    )


def _held(file: ProjectFile, owned: list[Owned], *, sure: bool) -> list[Owned]:
    """Those that a file deploys. Where its names are computed: all if it is `sure` that it is meant, as the
    file of the directory itself is, else none."""
    try:
        if file.kind == "serverless":
            return _of_service(_service(file), owned, sure)
        if file.kind == "cloudformation":
            ids = cloudformation.function_ids(yamldoc.parse(read_source(file.path)))
            tagged = [each for each in owned if LOGICAL_ID_TAG in each.tags]
            named = [each for each in tagged if each.tags[LOGICAL_ID_TAG] in ids]
            return named or (owned if sure and not tagged else [])
        if file.kind == "terraform":
            names = terraform_read.function_names(read_source(file.path))
            named = [each for each in owned if each.function.name in names]
            return named or (owned if sure and "" in names else [])
    except DdsetupError:
        return []
    return owned if sure else []


def _of_service(service: str, owned: list[Owned], sure: bool) -> list[Owned]:
    if not service:
        return owned if sure else []
    return [each for each in owned if (each.by.stack or each.function.name).startswith(f"{service}-")]


def _service(file: ProjectFile) -> str:
    """The name of the service that a serverless.yml deploys, empty if it is computed."""
    document = yamldoc.parse(read_source(file.path))
    node = yamldoc.value_of(document.root, "service")
    if node is not None and node.id == "mapping":
        node = yamldoc.value_of(node, "name")
    found = yamldoc.literal(node)
    return found if isinstance(found, str) and "$" not in found else ""


def _stages(file: ProjectFile, owned: list[Owned]) -> set[str]:
    """The stages that stacks are of, which are named SERVICE-STAGE."""
    service = _service(file) if file.kind == "serverless" else ""
    if not service:
        return set()
    return {each.by.stack.removeprefix(f"{service}-") for each in owned if each.by.stack}
