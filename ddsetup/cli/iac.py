"""`ddsetup iac`: bring Datadog into the files that functions are deployed from."""

from __future__ import annotations

from pathlib import Path

from ddsetup.flow.call import Call
from ddsetup.flow.results import of_data
from ddsetup.model.errors import UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.report import Report
from ddsetup.project.iac import backup
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Wish
from ddsetup.project.iac.show import iac_blocks
from ddsetup.project.layer_versions import LayerVersions, on_aws
from ddsetup.project.macro import for_iac
from ddsetup.project.project_files import bring, proposed
from ddsetup.settings.fields import answers_of


def _undo(call: Call, root: Path) -> Report:
    """Give the files of the last run back."""
    from ddsetup.flow import verbs

    last = backup.newest(call.state_dir(), root)
    if not call.given.on("dry_run"):
        verbs.confirm(
            call.host(), f"Give back {len(last.files)} files as they were?", yes=call.given.on("yes")
        )
        results = backup.give_back(last)
    else:
        results = tuple((kept.path, "would be given back") for kept in last.files)
    rows = [{"path": str(path), "reason": reason} for path, reason in results]
    failed = not call.given.on("dry_run") and any(reason for _path, reason in results)
    return Report(command="iac", exit_code=1 if failed else 0, data={"given_back": rows})


def _change(call: Call, root: Path) -> Report:
    """Look at the project, show what would change, and change it once that is confirmed."""
    project = detect(root)
    if not project.tools:
        what = "no file of a deployment tool that makes Lambda functions was found"
        fix = "name the directory of the project; functions without one are set up by `ddsetup setup`"
        raise UsageError(what, where=str(root), fix=fix)
    host = call.host()
    versions = LayerVersions(on_aws(call))
    proposal = proposed(host, project, _wanted(call, versions))
    if note := versions.note(proposal):
        call.console.say(note, "warn" if versions.problem else "dim")
    brought = bring(call, host, project, proposal)
    macro = for_iac(call, host) if proposal.needs_macro else {}
    following = (*brought.next, *((f"ddsetup iac {root} --undo",) if brought.changed else ()))
    return Report(
        command="iac",
        exit_code=5 if brought.failed or macro.get("state") == "failed" else 0,
        data={**brought.data, **({"macro": macro} if macro else {}), "layer_versions": note},
        next=following,
    )


def _wanted(call: Call, versions: LayerVersions) -> Wish:
    """What flags, variables and file say. Raises UsageError with all that is wrong."""
    given = call.given
    if wrong := given.problems():
        raise UsageError(Lines.of(*wrong))
    values = {key: value for key in given.values if (value := given.value(key)) is not None}
    return versions.wanted(Wish(answers=answers_of(values), said=frozenset(values)))


def run(call: Call) -> Report:
    """Change the files, or give them back."""
    root = Path(call.value("path") or ".").expanduser()
    root = (call.directory / root).resolve()
    return _undo(call, root) if call.value("undo") else _change(call, root)


blocks = of_data(iac_blocks)
"""The changes of the files as text."""
