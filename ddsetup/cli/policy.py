"""`ddsetup policy`: the least IAM policy for what is about to be done."""

from __future__ import annotations

import json
from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.journal.in_s3 import place_of
from ddsetup.model.blocks import Block, Code
from ddsetup.model.errors import CredentialsError
from ddsetup.model.lines import Look
from ddsetup.model.report import Report
from ddsetup.plan.policy import least_policy, state_statements

FOR = ("setup", "verify", "undo")


def run(call: Call) -> Report:
    """The policy document. Without credentials it is for any account, without regions for any region."""
    answers = answers_from(call.given, None, None, command="policy")
    account, partition = "", "aws"
    regions = answers.regions
    try:
        aws = call.aws()
        identity = aws.identity()
        account, partition = identity.account, identity.partition
        regions = regions or ((aws.default_region,) if aws.default_region else ())
    except CredentialsError as error:
        call.console.say(f"no AWS account is known, so the policy is for any: {error.what}", "dim")
    commands = tuple(call.value("for_command") or FOR)
    answers = replace(answers, regions=regions or ("*",))
    document = least_policy(answers, partition, (account,) if account else ("*",), answers.regions, commands)
    named = call.given.text("state")
    if named:
        place = place_of(named)
        document["Statement"] += state_statements(place.bucket, place.prefix, partition)
    return Report(command="policy", account=account, regions=regions, data={"policy": document})


def blocks(report: Report, _look: Look) -> list[Block]:
    """The policy as it is pasted, and nothing else."""
    return [Code(json.dumps(report.data["policy"], indent=2), "json", indent=0)]
