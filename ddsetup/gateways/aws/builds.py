"""CodeBuild: a project, and what its builds came to."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.gateways.aws.errors import readable
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane
from ddsetup.model.keeper import Build

LIST, READ = "codebuild:ListBuildsForProject", "codebuild:BatchGetBuilds"


@readable
def last_builds(aws: Aws, lane: Lane, project: str, most: int) -> tuple[Build, ...]:
    """The newest builds of a project, the newest first; at most a hundred.

    Needs codebuild:ListBuildsForProject and codebuild:BatchGetBuilds.
    """
    listed = aws.call(LIST, lane, patience=OPTIONAL, projectName=project, sortOrder="DESCENDING")
    ids = list(listed.get("ids") or ())[:most]
    if not ids:
        return ()
    found = aws.call(READ, lane, patience=OPTIONAL, ids=ids).get("builds") or ()
    builds = {item["id"]: _build(item) for item in found}
    return tuple(builds[each] for each in ids if each in builds)


def _build(item: Mapping[str, Json]) -> Build:
    logs = item.get("logs") or {}
    failed: Mapping[str, Json] = next(
        (p for p in item.get("phases") or () if p.get("phaseStatus") not in (None, "SUCCEEDED")), {}
    )
    contexts = failed.get("contexts") or ()
    return Build(
        id=item["id"],
        status=item.get("buildStatus") or "",
        started=item["startTime"],
        ended=item.get("endTime"),
        initiator=item.get("initiator") or "",
        phase=failed.get("phaseType") or "",
        why=" ".join(str(context.get("message") or "") for context in contexts).strip(),
        log=logs.get("deepLink") or "",
    )
