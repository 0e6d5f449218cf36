"""What a single answer may look like: accepted, as it is kept, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ddsetup.facts.kinds import CHOSEN
from ddsetup.settings import validate
from ddsetup.settings.table import SETTINGS

ACCOUNT = "123456789012"
NO: tuple[str, ...] = ()

KEPT: dict[str, dict[str, str]] = {
    "anything": {" a b ": "a b", "x": "x"},
    "site": {
        "datadoghq.eu": "datadoghq.eu",
        " EU1 ": "datadoghq.eu",
        "https://app.datadoghq.com/account": "datadoghq.com",
        "http://us3.datadoghq.com": "us3.datadoghq.com",
        "api.ap1.datadoghq.com": "ap1.datadoghq.com",
        "us1-fed": "ddog-gov.com",
    },
    "region": {
        " EU-west-1 ": "eu-west-1",
        "us-gov-west-1": "us-gov-west-1",
        "me-central-10": "me-central-10",
    },
    "role_arn": {f" arn:aws:iam::{ACCOUNT}:role/a/b ": f"arn:aws:iam::{ACCOUNT}:role/a/b"},
    "secret_arn": {
        f"arn:aws-us-gov:secretsmanager:us-gov-west-1:{ACCOUNT}:secret:x": f"arn:aws-us-gov:secretsmanager:"
        f"us-gov-west-1:{ACCOUNT}:secret:x"
    },
    "parameter_arn": {f"arn:aws:ssm:r:{ACCOUNT}:parameter/x": f"arn:aws:ssm:r:{ACCOUNT}:parameter/x"},
    "function_arn": {f"arn:aws:lambda:r:{ACCOUNT}:function:x": f"arn:aws:lambda:r:{ACCOUNT}:function:x"},
    "state_machine": {
        " brew* ": "brew*",
        "all": "all",
        f"arn:aws:states:r:{ACCOUNT}:stateMachine:x": f"arn:aws:states:r:{ACCOUNT}:stateMachine:x",
    },
    "api_stage": {"all": "all", "*": "*", " shop/prod ": "shop/prod", "a*/[bc]": "a*/[bc]"},
    "tag_rule": {" team = shop ": "team=shop", "a=": "a=", "a=b=c": "a=b=c"},
    "extra_tag": {" team:shop ": "team:shop", "team=shop": "team:shop", "a:b:c": "a:b:c", "a=b=c": "a:b=c"},
    "price": {"logs_gb=0.10": "logs_gb=0.10", " functions = 5 ": "functions=5"},
    "rate": {
        "lambda=30": "lambda=30",
        " logs:PutSubscriptionFilter = 2.5 ": "logs:PutSubscriptionFilter=2.5",
    },
    "share": {"0": "0", " 0.25 ": "0.25", "1.0": "1.0"},
    "regex": {"^(START|END) RequestId: ": "^(START|END) RequestId: ", "a\n": "a"},
    "parameter": {"A=b": "A=b", " A1 = b ": "A1= b ", "A=": "A=", "A=b=c": "A=b=c"},
    "conflict": {
        " /g:f=Replace ": "/g:f=replace",
        "/g:f=add": "/g:f=add",
        "/g:a=b=skip": "/g:a=b=skip",
    },
    "ciphertext": {f" {'A' * 60} ": "A" * 60, "b+/9" * 15 + "==": "b+/9" * 15 + "=="},
    "tag_value": {" prod ": "prod", "a:b": "a:b", "": "", " ": ""},
    "version": {" Latest ": "latest", "baseline": "baseline", "none": "none", "1": "1", "120": "120"},
    "forwarder_version": {"LATEST": "latest", "v5.4.11": "5.4.11", "5.40.110": "5.40.110"},
    "stack_name": {" a ": "a", "A-1": "A-1", "a" * 128: "a" * 128},
    "policy_arn": {
        f"arn:aws:iam::{ACCOUNT}:policy/x": f"arn:aws:iam::{ACCOUNT}:policy/x",
    },
    "role_path": {"/": "/", " /a/b/ ": "/a/b/", "/" + "a" * 510 + "/": "/" + "a" * 510 + "/"},
    "role_name": {" a+=,.@-_1 ": "a+=,.@-_1", "a" * 64: "a" * 64},
    "function_name": {" a-_1 ": "a-_1", "a" * 64: "a" * 64},
    "url": {" https://x ": "https://x", "http://x/y?z=1#a": "http://x/y?z=1#a"},
    "log_level": {
        level: level.upper() for level in ("trace", "Debug", "INFO", "warn", "error", "critical", "off")
    },
    "uuid": {" 1B2C3D4E-0000-4000-8000-0123456789AB ": "1b2c3d4e-0000-4000-8000-0123456789ab"},
    "git_commit": {" " + "AB01" * 10 + " ": "ab01" * 10, "0f" * 32: "0f" * 32},
}

REFUSED: dict[str, tuple[str, ...]] = {
    "anything": ("", "  "),
    "site": ("", "datadog.com", "eu2", "ftp://datadoghq.com", "datadoghq.com.evil.example"),
    "region": ("", "eu", "europe", "eu-west", "eu-west-", "eu-west-1a", "eu-west-123", "eu_west_1"),
    "role_arn": (
        *("", "role/a", f"arn:aws:iam::{ACCOUNT}:user/a", f"arn:aws:sts::{ACCOUNT}:role/a"),
        *(f"arn:aws:iam::{ACCOUNT[1:]}:role/a", f"arn:gcp:iam::{ACCOUNT}:role/a", f"arn:aws:iam::{ACCOUNT}:"),
    ),
    "secret_arn": ("a" * 32, f"arn:aws:ssm:r:{ACCOUNT}:parameter/x", f"arn:aws:secretsmanager:r:{ACCOUNT}:x"),
    "parameter_arn": (f"arn:aws:ssm:r:{ACCOUNT}:x", f"arn:aws:secretsmanager:r:{ACCOUNT}:secret:x"),
    "function_arn": (f"arn:aws:lambda:r:{ACCOUNT}:layer:x", "x"),
    "state_machine": ("", f"arn:aws:states:r:{ACCOUNT}:activity:x", f"arn:aws:lambda:r:{ACCOUNT}:function:x"),
    "api_stage": ("", "shop", "shop/", "/prod", "a/b/c", "ALL"),
    "tag_rule": ("", "team", "=shop", " =shop"),
    "extra_tag": ("", "team", ":shop", "team:", "a b:c", "a:b c", "a:b,c", "a,b:c"),
    "price": ("", "logs_gb", "logs_gb=", "logs_gb=-1", "logs_gb=1,5", "logs=1", "logs_gb=0.1.2"),
    "rate": ("", "lambda", "lambda=", "lambda=0", "lambda=-1", "lambda=1e9", "lamda=30", "logs:Put=5"),
    "share": ("", "2", "-0.1", "1.1", "10%", ".5", "nan"),
    "regex": ("", "\n", "(", "*"),
    "parameter": ("", "A", "=b", "A-B=c", "A B=c"),
    "conflict": ("", "/g=add", "/g:f", "/g:f=", "/g:f=ask", "f=add"),
    "ciphertext": ("", "a" * 32, "A" * 59, "A" * 60 + "===", "A" * 60 + "-", "A" * 60 + " A"),
    "tag_value": ("a b", "a,b", "a\tb"),
    "version": ("", "0", "-1", "1.0", "newest", "01"),
    "forwarder_version": ("", "5", "5.4", "5.4.11.1", "newest", "x5.4.11"),
    "stack_name": ("", "1a", "-a", "a_b", "a b", "a" * 129),
    "policy_arn": (f"arn:aws:iam::{ACCOUNT}:role/x", "x"),
    "role_path": ("", "a", "/a", "a/", "//", "/a b/", "/é/", "/" + "a" * 511 + "/"),
    "role_name": ("", "a/b", "a b", "a" * 65),
    "function_name": ("", "a.b", "a:b", "a" * 65),
    "url": ("", "x", "ftp://x", "https://", "https:///y", "https://x y"),
    "log_level": ("", "loud", "warning", "0"),
    "uuid": (
        "",
        "c0ffee",
        "1b2c3d4e-0000-4000-8000-0123456789ab0",
        "1b2c3d4e0000400080000123456789ab",
        "gb2c3d4e-0000-4000-8000-0123456789ab",
    ),
    "git_commit": ("", "ab01", "g" * 40, "a" * 39, "a" * 41, "a" * 63, "HEAD"),
}
SAYS: dict[str, str] = {
    "state_machine": "must not be empty|not the ARN expected here, like arn:aws:states:eu-west-1",
    "api_stage": "must not be empty|is not API/STAGE, like shop/prod, nor all",
    "anything": "must not be empty",
    "site": "expected one of datadoghq.com",
    "region": "like eu-west-1|did you mean [a-z-]+-[0-9]|its region is eu-west-1",
    "role_arn": f"like arn:aws:iam::{ACCOUNT}:role/onboarding",
    "secret_arn": f"like arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:datadog-api-key-AbCdEf",
    "parameter_arn": f"like arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/datadog/api-key",
    "function_arn": f"like arn:aws:lambda:eu-west-1:{ACCOUNT}:function:datadog-forwarder",
    "tag_rule": "like team=checkout",
    "extra_tag": "like team:checkout",
    "price": "expected one of functions, logs_gb|like logs_gb=0.10",
    "rate": r"like lambda=30|names no quota; (did you mean lambda|did you mean logs|expected)",
    "share": "like 0.1",
    "regex": "must not be empty|is not a regular expression: ",
    "parameter": "like MemorySize=1024",
    "conflict": "like /aws/lambda/pay:kinesis=replace",
    "ciphertext": "never put the key itself here",
    "tag_value": "like prod",
    "version": "baseline, latest or none",
    "forwarder_version": "like 5.4.11",
    "stack_name": "a letter, then letters, digits and hyphens",
    "policy_arn": f"like arn:aws:iam::{ACCOUNT}:policy/boundary",
    "role_path": "like /monitoring/",
    "role_name": "up to 64 letters",
    "function_name": "up to 64 letters",
    "url": "like https://example.org/template.yaml",
    "log_level": "TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL, OFF",
    "uuid": "like 1b2c3d4e-",
    "git_commit": "40 hexadecimal digits",
}


def check_of(name: str) -> Callable[[str], str]:
    found: Callable[[str], str] = SETTINGS[name].check if name in CHOSEN else getattr(validate, name)
    return found


@pytest.mark.parametrize("name", KEPT)
def test_what_is_right_is_kept_without_what_does_not_matter(name: str) -> None:
    assert {text: check_of(name)(text) for text in KEPT[name]} == KEPT[name]
    assert {kept: check_of(name)(kept) for kept in KEPT[name].values()} == {k: k for k in KEPT[name].values()}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_with_what_is_expected(name: str) -> None:
    for text in REFUSED[name]:
        with pytest.raises(ValueError, match=SAYS[name]):
            check_of(name)(text)


def test_what_may_be_a_key_is_not_repeated() -> None:
    for name in ("secret_arn", "parameter_arn", "ciphertext", "policy_arn"):
        with pytest.raises(ValueError, match=r"like|never") as refused:
            check_of(name)("0123456789abcdef0123456789abcdef")
        assert "0123456789abcdef" not in str(refused.value)


def test_every_check_is_in_the_tables() -> None:
    public = {
        name
        for name, each in vars(validate).items()
        if callable(each) and each.__module__ == validate.__name__ and not name.startswith("_")
    }
    assert (public - {"sites", "time_in", "service"}) | set(CHOSEN) == set(KEPT) == set(REFUSED)


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        *(
            ("wait", "90", 90),
            ("wait", 60, 60),
            ("wait", "10m", 600),
            ("wait", " 1H ", 3600),
            ("wait", "0", 0),
        ),
        *(("since", "90", 90), ("since", "90s", 2), ("since", "2h", 120), ("since", "1d", 1440)),
    ],
)
def test_times_are_taken_with_a_unit_and_as_bare_numbers(key: str, given: object, value: int) -> None:
    assert SETTINGS[key].parse(given) == value


@pytest.mark.parametrize("given", ["", "soon", "-1", "1.5", "10 minutes", True, ["1"]])
def test_what_is_no_time_is_told_with_what_is_one(given: object) -> None:
    with pytest.raises(ValueError, match="is not a time, like 90s, 10m or 1h"):
        SETTINGS["wait"].parse(given)


@pytest.mark.parametrize(
    ("check", "typed", "meant"),
    [
        (validate.site, "us", "did you mean US1 or US3 or US5 or US1-FED or US2-FED?"),
        (validate.site, "EU", "did you mean EU1?"),
        (validate.site, "us-5", "did you mean US5?"),
        (validate.site, "AP 1", "did you mean AP1?"),
        (validate.site, "datadog.eu", "did you mean datadoghq.eu?"),
        (validate.region, "eu-west1", "did you mean eu-west-1?"),
        (validate.region, "useast2", "did you mean us-east-2?"),
        (validate.region, "eu_central_1", "did you mean eu-central-1?"),
        (validate.region, "us-gov-west", "did you mean us-gov-west-1?"),
        (validate.region, "eu-west-1b", "its region is eu-west-1"),
        (validate.region, "Frankfurt", "one is called like eu-west-1"),
    ],
)
def test_what_was_meant_is_told(check: Callable[[str], str], typed: str, meant: str) -> None:
    with pytest.raises(ValueError, match=re.escape(meant)):
        check(typed)
