"""What a single answer must look like: each function returns the normalised text or raises ValueError.

The message of the ValueError says what is expected, with an example. The same function checks a flag, a
variable, a line of the configuration file and what is typed at a prompt.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ddsetup.facts.kinds import Chosen
from ddsetup.model.nearest import asked_back, did_you_mean, nearest

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}")
_TIME = re.compile(r"(\d+)\s*([smhd]?)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(.+)", re.DOTALL)


def time_in(value: object, unit: int) -> int:
    """A length of time in units of so many seconds, rounded up: `90s`, `10m`, `1h`, `2d`, or bare units."""
    found = None if isinstance(value, bool) else _TIME.fullmatch(str(value).strip().lower())
    if found is None:
        raise ValueError(f"{value!r} is not a time, like 90s, 10m or 1h")
    return -(-int(found[1]) * _UNITS.get(found[2], unit) // unit)


def sites() -> tuple[str, ...]:
    """The sites of Datadog, in the order in which they are offered."""
    from ddsetup.facts import catalog  # loads tables that `--help` needs no part of

    return tuple(site.site for site in catalog.sites())


def anything(text: str) -> str:
    """Any text that is not empty, without surrounding blanks."""
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    return text


def site(text: str) -> str:
    """A Datadog site by domain, by name (EU1) or by the address of its web application."""
    given = text.strip().lower()
    bare = re.sub(r"^https?://", "", given).split("/", 1)[0]
    bare = bare.removeprefix("app.").removeprefix("api.")
    from ddsetup.facts import catalog

    by_name = {site.name.lower(): site.site for site in catalog.sites()}
    bare = by_name.get(bare, bare)
    if bare not in sites():
        every = ", ".join(f"{site.site} ({site.name})" for site in catalog.sites())
        raise ValueError(f"{text!r} is not a Datadog site; {_sites_meant(bare)}expected one of {every}")
    return bare


def _sites_meant(typed: str) -> str:
    """The question which site was meant, by how its name begins or by the one that is most like it."""
    from ddsetup.facts import catalog

    names = {site.name.lower(): site.name for site in catalog.sites()}
    meant = [name for low, name in names.items() if typed and low.startswith(typed)]
    if not meant and (near := nearest(typed.replace(" ", ""), (*names, *sites()), cutoff=0.6)):
        meant = [names.get(near, near)]
    return f"{asked_back(meant)} " if meant else ""


def region(text: str) -> str:
    """An AWS region's name. Whether the account may use it is found out by using it."""
    given = text.strip().lower()
    if _REGION.fullmatch(given):
        return given
    from ddsetup.facts import catalog

    if re.fullmatch(f"{_REGION.pattern}[a-z]", given):
        raise ValueError(f"{text!r} is an availability zone; its region is {given[:-1]}")
    asked = did_you_mean(re.sub(r"[_\s]", "-", given), catalog.layer_regions(), cutoff=0.7)
    meant = asked or "one is called like eu-west-1"
    raise ValueError(f"{text!r} is not the name of an AWS region; {meant}")


def _arn_of(text: str, service: str, resource: str, example: str) -> str:
    given = text.strip()
    match = _ARN.fullmatch(given)
    if not match or match[2] != service or not match[5].startswith(resource):
        # The text is not repeated: people paste the key itself where its ARN is wanted.
        raise ValueError(f"not the ARN expected here, like {example}")
    return given


def service(kind: Chosen, text: str) -> str:
    """What chooses some of a kind of another service; or `all`."""
    given = anything(text)
    if kind.arn and given.startswith("arn:"):
        return _arn_of(given, *kind.arn)
    if kind.form and given not in ("all", "*") and not re.fullmatch(kind.form, given):
        raise ValueError(f"{text!r} is not {kind.metavar}, like {kind.example}, nor all")
    return given


def tag_rule(text: str) -> str:
    """A rule on resource tags: `key=value`."""
    key, equals, value = text.strip().partition("=")
    if not equals or not key.strip():
        raise ValueError(f"{text!r} is not of the form key=value, like team=checkout")
    return f"{key.strip()}={value.strip()}"


def extra_tag(text: str) -> str:
    """A tag to add to what a function sends: `key:value` (Datadog's way) or `key=value`."""
    given = text.strip()
    found = re.fullmatch(r"([^:=,\s]+)[:=]([^,\s]+)", given)
    if not found:
        raise ValueError(
            f"{text!r} is not of the form key:value without blanks and commas, like team:checkout"
        )
    return f"{found[1]}:{found[2]}"


def parameter(text: str) -> str:
    """A parameter of the Forwarder's stack: `Key=Value`. The value is kept to the letter."""
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9]+", key.strip()):
        raise ValueError(f"{text!r} is not of the form Key=Value, like MemorySize=1024")
    return f"{key.strip()}={value}"


def conflict(text: str) -> str:
    """What to do with one subscription filter: `GROUP:FILTER=replace|add|skip`."""
    which, _, decision = text.strip().rpartition("=")
    if ":" not in which or decision.lower() not in ("replace", "add", "skip"):
        raise ValueError(f"{text!r} is not GROUP:FILTER=DECISION, like /aws/lambda/pay:kinesis=replace")
    return f"{which}={decision.lower()}"


def ciphertext(text: str) -> str:
    """What KMS made of the API key, in base64."""
    given = text.strip()
    if len(given) < 60 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", given):
        # Not repeated for the same reason.
        raise ValueError("not a key encrypted with KMS (base64); never put the key itself here")
    return given


def log_level(text: str) -> str:
    """A level of the Datadog library's own log."""
    given = text.strip().upper()
    levels = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "OFF")
    if given not in levels:
        raise ValueError(f"{text!r} is not a log level; expected one of {', '.join(levels)}")
    return given


def _arn(service: str, resource: str, rest: str) -> Callable[[str], str]:
    """The ARN of such a resource; `rest` makes an example of it."""
    region = "" if service == "iam" else "eu-west-1"
    example = f"arn:aws:{service}:{region}:123456789012:{resource}{rest}"
    return lambda text: _arn_of(text, service, resource, example)


def _fits(pattern: str, said: str, *, lower: bool = False, most: int = 2048) -> Callable[[str], str]:
    """What is all of a pattern, without the blanks around it; `said` is what is wrong with anything else."""

    def check(text: str) -> str:
        given = text.strip().lower() if lower else text.strip()
        if not re.fullmatch(pattern, given) or len(given) > most:
            raise ValueError(f"{text!r} {said}")
        return given

    return check


role_arn = _arn("iam", "role/", "onboarding")
policy_arn = _arn("iam", "policy/", "boundary")
uuid = _fits(
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "is not a UUID, like 1b2c3d4e-0000-4000-8000-0123456789ab",
    lower=True,
)
secret_arn = _arn("secretsmanager", "secret:", "datadog-api-key-AbCdEf")
parameter_arn = _arn("ssm", "parameter/", "datadog/api-key")
function_arn = _arn("lambda", "function:", "datadog-forwarder")

tag_value = _fits(r"[^,\s]*", "must be one word without blanks and commas, like prod, or empty: none")
version = _fits(
    r"baseline|latest|none|[1-9]\d*",
    "is neither a layer version's number nor baseline, latest or none",
    lower=True,
)
stack_name = _fits(
    r"[A-Za-z][A-Za-z0-9-]{0,127}", "is not a stack name: a letter, then letters, digits and hyphens"
)
role_path = _fits(
    r"/([\x21-\x2e\x30-\x7e]+/)*", "is not the path of an IAM role, like /monitoring/", most=512
)
role_name = _fits(
    r"[A-Za-z0-9_+=,.@-]{1,64}", "is not the name of an IAM role: up to 64 letters, digits and _+=,.@-"
)
function_name = _fits(
    r"[A-Za-z0-9_-]{1,64}", "is not a function's name: up to 64 letters, digits, hyphens, underscores"
)
url = _fits(r"https?://[^\s/]+(/\S*)?", "is not an address, like https://example.org/template.yaml")
git_commit = _fits(
    r"[0-9a-f]{40}|[0-9a-f]{64}",
    "is not a full commit id (40 hexadecimal digits; `git rev-parse HEAD`)",
    lower=True,
)


def forwarder_version(text: str) -> str:
    """Which release of the Forwarder: `latest` or its number."""
    said = "is neither latest nor a release of the Forwarder, like 5.4.11"
    return _fits(r"latest|\d+\.\d+\.\d+", said)(text.strip().lower().removeprefix("v"))


def regex(text: str) -> str:
    """A regular expression of Python's, in which the Forwarder is written."""
    given = text.strip("\r\n")
    try:
        re.compile(given)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{given!r} is not a regular expression: {error}") from None
    if not given:
        raise ValueError("must not be empty")
    return given


def share(text: str) -> str:
    """A share from 0 to 1, as it was written."""
    given = text.strip()
    if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?", given):
        raise ValueError(f"{text!r} is not a number from 0 to 1, like 0.1")
    return given


def price(text: str) -> str:
    """A price: `logs_gb=0.10`."""
    from ddsetup.facts.prices import UNITS

    name, equals, amount = text.partition("=")
    name, amount = name.strip(), amount.strip()
    if name not in UNITS:
        raise ValueError(f"{text!r} names no unit that has a price; expected one of {', '.join(UNITS)}")
    if not equals or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", amount):
        raise ValueError(f"{text!r} is no price, like {name}=0.10")
    return f"{name}={amount}"


def rate(text: str) -> str:
    """How many calls a second: `lambda=30`."""
    from ddsetup.facts.rates import RATES

    name, equals, calls = (part.strip() for part in text.partition("="))
    if name not in RATES:
        meant = did_you_mean(name, RATES, f"expected one of {', '.join(RATES)}")
        raise ValueError(f"{text!r} names no quota; {meant}")
    if not equals or not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", calls) or not float(calls):
        raise ValueError(f"{text!r} says no calls a second, like {name}=30")
    return f"{name}={calls}"
