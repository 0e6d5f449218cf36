"""The ARNs that ddsetup's own policy is limited to, as patterns for IAM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from urllib.parse import urlsplit

from ddsetup.facts.iam_documents import collection_policy
from ddsetup.model.answers import Answers
from ddsetup.plan.steps.api_key import SECRET_NAME
from ddsetup.plan.steps.forwarder_stack import function_name, template_url

MOST_REGIONS_BY_NAME = 2
"""With more regions than this the ARNs say `*`: a managed policy holds 6,144 characters (IAM quotas page)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """ARN patterns for one set of answers."""

    answers: Answers
    partition: str
    account: str
    regions: tuple[str, ...]

    def role(self) -> tuple[str, ...]:
        return (f"arn:{self.partition}:iam::{self.account}:role/{self.answers.role_name}",)

    def collection_policies(self) -> tuple[str, ...]:
        name = collection_policy(self.answers.role_name, 0).removesuffix("0")
        return (f"arn:{self.partition}:iam::{self.account}:policy/{name}*",)

    def secret(self) -> tuple[str, ...]:
        return self.named("secretsmanager", f"secret:{SECRET_NAME}*")

    def keys(self) -> tuple[str, ...]:
        """The customer's KMS keys; those of another account say in their own policy who may use them."""
        return self.regional("kms", "key/*")

    def stack(self) -> tuple[str, ...]:
        return self.named("cloudformation", f"stack/{self.answers.forwarder_stack}/*")

    def functions(self) -> tuple[str, ...]:
        """Those that the selection names; all where it goes by tags, runtimes or stacks."""
        names = () if self.answers.selection.all else self.answers.selection.names
        meant = (":".join(name.split(":")[:7]) for name in names or ("*",))
        return self.granted(("lambda:{place}:function:{name}",), tuple(meant))

    def forwarder(self) -> tuple[str, ...]:
        return self.named("lambda", f"function:{function_name(self.answers)}")

    def forwarder_log_group(self) -> tuple[str, ...]:
        return self.named("logs", f"log-group:/aws/lambda/{function_name(self.answers)}*")

    def bucket(self) -> tuple[str, ...]:
        made_up = f"{self.answers.forwarder_stack.lower()}-forwarderbucket-*"
        name = self.answers.forwarder_params.get("DdForwarderBucketName") or made_up
        return (f"arn:{self.partition}:s3:::{name}",)

    def metric_streams(self) -> tuple[str, ...]:
        """All: which one leads to Datadog is seen by looking."""
        return self.named("cloudwatch", "metric-stream/*")

    def layers(self) -> tuple[str, ...]:
        """Layers of any account: whoever changes a function's layers must be allowed to read all of them."""
        region = self.regions[0] if len(self.regions) == 1 else "*"
        return (f"arn:{self.partition}:lambda:{region}:*:layer:*",)

    def log_groups(self) -> tuple[str, ...]:
        """All: a function's log group need not have its name."""
        return self.regional("logs", "log-group:*")

    def granted(self, on: Iterable[str], chosen: Iterable[str] = ()) -> tuple[str, ...]:
        """The ARNs of a `Grant`: of each that is chosen, by region; else told once for all regions."""
        found: dict[str, None] = {}
        for each, name, place in product(on, chosen or ("*",), self._places(each_region=bool(chosen))):
            # IAM knows * and ? but no [..] of a glob.
            pattern = re.sub(r"\[[^]]*\]", "?", name)
            where = each.format(place=place, name=pattern)
            whole = where if where == "*" else f"arn:{self.partition}:{where}"
            found[name if name.startswith("arn:") and "{name}" in each else whole] = None
        return tuple(found)

    def template(self) -> tuple[str, ...]:
        """The S3 object that CloudFormation reads in the caller's name; none if it is not on S3."""
        return s3_object(template_url(self.answers, self.partition), self.partition)

    def named(self, service: str, tail: str) -> tuple[str, ...]:
        """As `regional` for what has a name of our own: that is told once for all of several regions."""
        parts = self._places(each_region=False)
        return tuple(f"arn:{self.partition}:{service}:{place}:{tail}" for place in parts)

    def regional(self, service: str, tail: str) -> tuple[str, ...]:
        """An ARN of that service in each region, or in any where there are many."""
        parts = self._places(each_region=True)
        return tuple(f"arn:{self.partition}:{service}:{place}:{tail}" for place in parts)

    def _places(self, *, each_region: bool) -> Sequence[str]:
        most = MOST_REGIONS_BY_NAME if each_region else 1
        regions = self.regions if 0 < len(self.regions) <= most else ("*",)
        return tuple(f"{region}:{self.account}" for region in regions)


def s3_object(address: str, partition: str) -> tuple[str, ...]:
    """The ARN of the object at an address of S3, none if it is not on S3."""
    url = urlsplit(address)
    path = url.path.strip("/")
    host = re.fullmatch(r"([a-z0-9.-]+?)\.s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?", url.hostname or "")
    key = f"{host.group(1)}/{path}" if host else path
    return (f"arn:{partition}:s3:::{key}",) if "/" in key else ()
