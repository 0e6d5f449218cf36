"""`ddsetup org policy`: the rights of whoever runs it, and the role by which accounts are entered."""

from __future__ import annotations

import json
from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.gateways.aws.members import USUAL_ROLES
from ddsetup.model.blocks import Block, Code
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look
from ddsetup.model.report import Report
from ddsetup.plan.policy import least_policy
from ddsetup.plan.policy_organisation import FOR, ROLE, organisation_statements, role_document


def run(call: Call) -> Report:
    """One of both documents. Raises CredentialsError: whom the role shall trust has to be known;
    UsageError for `--trust` without a role that it is about."""
    if call.value("trust") and not call.value("template"):
        raise UsageError("--trust is about the role of --template, which was not given")
    aws = call.aws()
    identity = aws.identity()
    answers = answers_from(call.given, None, None, command="policy")
    regions = answers.regions or ((aws.default_region,) if aws.default_region else ("*",))
    answers = replace(answers, regions=regions)
    if call.value("template"):
        trusted = call.value("trust") or identity.account
        document = role_document(answers, identity.partition, regions, trusted)
    else:
        roles = tuple(dict.fromkeys((*(call.value("member_role") or (ROLE,)), *USUAL_ROLES)))
        own = least_policy(answers, identity.partition, (identity.account,), regions, FOR)
        document = {
            **own,
            "Statement": [*organisation_statements(identity.partition, roles), *own["Statement"]],
        }
    return Report(command="org policy", account=identity.account, regions=regions, data={"policy": document})


def blocks(report: Report, _look: Look) -> list[Block]:
    """The document as it is used, and nothing else."""
    return [Code(json.dumps(report.data["policy"], indent=2), "json", indent=0)]
