"""Python code and what Datadog's calls in it do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.project.code_check.project import Checked, check_project

WRAPPER = "from datadog_lambda.wrapper import datadog_lambda_wrapper\n"
METRIC = "from datadog_lambda.metric import lambda_metric\n"


def checked(tmp_path: Path, code: str, **files: str) -> Checked:
    (tmp_path / "app.py").write_bytes(code.encode())
    (tmp_path / "requirements.txt").write_text("datadog-lambda\n")
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    return check_project(tmp_path)


def found(result: Checked) -> dict[str, int]:
    """Checks that complain, with the line."""
    return {problem.check: problem.place.line for problem in result.problems if problem.severity != "info"}


def wrapped(result: Checked) -> str:
    assert len(result.edits) == 1
    return result.edits[0].after.decode()


def test_good_code_has_no_problems(tmp_path: Path) -> None:
    code = (
        f"{METRIC}{WRAPPER}\n@datadog_lambda_wrapper\ndef lambda_handler(event, context):\n"
        "    lambda_metric('coffee_house.order_value', 12.45, tags=['product:latte', 'order:online'])\n"
        "    lambda_metric('n', event['n'], None, [f'a:{event}'])\n    lambda_metric(*event)\n"
    )
    result = checked(tmp_path, code)
    assert found(result) == {}
    assert result.edits == ()
    assert [metric.name for metric in result.metrics] == ["coffee_house.order_value", "n", ""]


@pytest.mark.parametrize(
    ("call", "check"),
    [
        ("lambda_metric('a', '1')", "code.metric_value"),
        ("lambda_metric('a', None)", "code.metric_value"),
        ("lambda_metric('a', True)", "code.metric_value"),
        ("lambda_metric('a', f'{event}')", "code.metric_value"),
        ("lambda_metric('a', str(event))", "code.metric_value"),
        ("lambda_metric('a', value=[1])", "code.metric_value"),
        ("lambda_metric('a')", "code.metric_arguments"),
        ("lambda_metric(value=1)", "code.metric_arguments"),
        ("lambda_metric('a', 1, tags='x:y')", "code.metric_tags"),
        ("lambda_metric('a', 1, tags={'x': 'y'})", "code.metric_tags"),
        ("lambda_metric('a', 1, tags=[1])", "code.metric_tags"),
        ("lambda_metric('1a', 1)", "code.metric_name"),
        ("lambda_metric('a b', 1)", "code.metric_name"),
        ("m.lambda_metric('a', '1')", "code.metric_value"),
        ("send('a', '1')", "code.metric_value"),
        ("datadog_lambda.metric.lambda_metric('a', '1')", "code.metric_value"),
    ],
)
def test_wrong_metrics(tmp_path: Path, call: str, check: str) -> None:
    code = (
        f"{METRIC}import datadog_lambda.metric\nimport datadog_lambda.metric as m\n"
        f"from datadog_lambda.metric import lambda_metric as send\ndef handler(event, context):\n    {call}\n"
    )
    assert found(checked(tmp_path, code)) == {check: 6}


@pytest.mark.parametrize(
    "value", ["1", "-1.5", "len(event)", "event['a']", "float('1')", "1 if event else 2"]
)
def test_what_may_be_a_number_is_not_complained_of(tmp_path: Path, value: str) -> None:
    code = f"{METRIC}def handler(event, context):\n    lambda_metric('a', {value})\n"
    assert found(checked(tmp_path, code)) == {}


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ("value = 'x'", True),
        ("value = f'{event}'", True),
        ("value = 1", False),
        ("value = event['a']", False),
        ("value = '1'\n    value = 2", False),
        ("value = '1'\n    value += 2", False),
        ("global value\n    value = '1'", False),
        ("for value in event: pass", False),
        ("value = '1'\n    with event as value: pass", False),
        ("value: str = '1'", False),
    ],
)
def test_a_value_that_is_given_just_before_is_looked_at(tmp_path: Path, before: str, wrong: bool) -> None:
    code = f"{METRIC}def handler(event, context):\n    {before}\n    lambda_metric('a', value)\n"
    assert ("code.metric_value" in found(checked(tmp_path, code))) is wrong


def test_an_argument_of_that_name_is_another_value(tmp_path: Path) -> None:
    code = f"{METRIC}value = 'x'\ndef handler(event, value):\n    lambda_metric('a', value)\n"
    assert found(checked(tmp_path, code)) == {}


def test_a_namesake_is_not_ours(tmp_path: Path) -> None:
    assert found(checked(tmp_path, "from other import lambda_metric\nlambda_metric('a', 'b')\n")) == {}


def test_a_metric_at_import(tmp_path: Path) -> None:
    assert found(checked(tmp_path, f"{METRIC}lambda_metric('a', 1)\n")) == {"code.metric_outside_handler": 2}


def test_a_wrapped_helper(tmp_path: Path) -> None:
    code = (
        f"{WRAPPER}@datadog_lambda_wrapper\ndef handler(event, context):\n    return help_me(1)\n"
        "@datadog_lambda_wrapper\ndef help_me(x):\n    return x\n"
    )
    assert found(checked(tmp_path, code)) == {"code.wrapper_on_helper": 6}


def test_what_looks_like_a_handler_is_a_helper_if_the_deployment_names_another(tmp_path: Path) -> None:
    code = f"{WRAPPER}@datadog_lambda_wrapper\ndef step(event, context): ...\ndef main(e, c): ...\n"
    result = checked(tmp_path, code, serverless__yml="functions:\n  a:\n    handler: app.main\n")
    assert found(result) == {"code.wrapper_on_helper": 3}
    assert [(handler.name, handler.named) for handler in result.handlers] == [("main", True)]


@pytest.mark.parametrize(
    "code",
    [
        f"{WRAPPER}@datadog_lambda_wrapper\n@datadog_lambda_wrapper\ndef handler(event, context): ...\n",
        f"{WRAPPER}@datadog_lambda_wrapper\ndef handler(event, context): ...\n"
        "handler = datadog_lambda_wrapper(handler)\n",
    ],
)
def test_wrapped_twice(tmp_path: Path, code: str) -> None:
    assert set(found(checked(tmp_path, code))) == {"code.wrapped_twice"}


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_the_library_has_to_be_listed(tmp_path: Path, name: str) -> None:
    checked(tmp_path, "from ddtrace import tracer\n")
    (tmp_path / "requirements.txt").write_text("boto3\n")
    (tmp_path / name).write_text("boto3\n" if name.endswith("txt") else '[project]\nname = "x"\n')
    assert "code.library_not_listed" in found(check_project(tmp_path))


@pytest.mark.parametrize(
    ("imported", "listed", "missing"),
    [
        ("ddtrace", "ddtrace==3.0", False),
        ("ddtrace", "datadog_lambda>=8", False),
        ("ddtrace", "ddtrace-contrib", True),
        ("datadog_lambda", "ddtrace", True),
        ("datadog_lambda", "Datadog.Lambda[x]", False),
        ("datadog_lambda", "datadog-lambda-extra", True),
    ],
)
def test_each_import_has_a_requirement_that_brings_it(
    tmp_path: Path, imported: str, listed: str, missing: bool
) -> None:
    result = checked(tmp_path, f"import {imported}\n", requirements__txt=f"{listed}\n")
    assert ("code.library_not_listed" in found(result)) is missing


def test_broken_code_is_told_and_the_rest_is_checked(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
    result = checked(tmp_path, f"{METRIC}lambda_metric('a', 1)\n")
    assert found(result) == {"code.syntax": 1, "code.unreadable": 1, "code.metric_outside_handler": 2}


# Wrapping


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def handler(event, context):\n    return 1  # one\n",
            f"{WRAPPER}\n\n@datadog_lambda_wrapper\ndef handler(event, context):\n    return 1  # one\n",
        ),
        (
            '"""Docs."""\nfrom __future__ import annotations\nimport os, sys  # both\n\n\n'
            "@deco(\n    1,\n)\ndef lambda_handler(event, context): return 1\n",
            '"""Docs."""\nfrom __future__ import annotations\nimport os, sys  # both\n'
            f"{WRAPPER}\n\n@datadog_lambda_wrapper\n@deco(\n    1,\n)\n"
            "def lambda_handler(event, context): return 1\n",
        ),
        (
            "#!/usr/bin/env python\n# été\n\ndef handler(event, context):\r\n    pass\r\n".replace("\r", ""),
            f"#!/usr/bin/env python\n# été\n\n{WRAPPER}\n\n@datadog_lambda_wrapper\n"
            "def handler(event, context):\n    pass\n",
        ),
        (
            f"{WRAPPER}def handler(event, context): ...",
            f"{WRAPPER}@datadog_lambda_wrapper\ndef handler(event, context): ...",
        ),
        (
            "from datadog_lambda.wrapper import datadog_lambda_wrapper as w\n"
            "def handler(event, context): ...\n",
            "from datadog_lambda.wrapper import datadog_lambda_wrapper as w\n"
            "@w\ndef handler(event, context): ...\n",
        ),
    ],
)
def test_only_the_wrapper_is_added(tmp_path: Path, before: str, after: str) -> None:
    assert wrapped(checked(tmp_path, before)) == after


def test_windows_line_ends_and_byte_order_mark_stay(tmp_path: Path) -> None:
    code = "\ufeffimport os\r\n\r\ndef handler(event, context):\r\n    return os\r\n"
    text = wrapped(checked(tmp_path, code))
    assert text.startswith("\ufeffimport os\r\nfrom datadog_lambda.wrapper")
    assert "\n" not in text.replace("\r\n", "")


def test_a_handler_that_is_made_by_a_call_is_wrapped_around_it(tmp_path: Path) -> None:
    code = 'from mangum import Mangum\nhandler = Mangum(\n    app, "é",\n)  # asgi\n'
    result = checked(tmp_path, code, template__yaml=_TEMPLATE.format("app.handler"))
    assert 'handler = datadog_lambda_wrapper(Mangum(\n    app, "é",\n))  # asgi\n' in wrapped(result)
    code = 'from mangum import Mangum\nhandler = Mangum("é")  # asgi\n'
    result = checked(tmp_path, code, template__yaml=_TEMPLATE.format("app.handler"))
    assert 'handler = datadog_lambda_wrapper(Mangum("é"))  # asgi\n' in wrapped(result)


_TEMPLATE = (
    "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n  F:\n"
    "    Type: AWS::Serverless::Function\n    Properties:\n      Handler: {}\n"
)


def test_wrapping_is_done_once(tmp_path: Path) -> None:
    text = wrapped(checked(tmp_path, "def handler(event, context): ...\n"))
    assert checked(tmp_path, text).edits == ()


def test_a_handler_that_is_wrapped_and_redirected_is_told(tmp_path: Path) -> None:
    yml = "plugins: [serverless-plugin-datadog]\nfunctions: {a: {handler: app.main}}\n"
    code = f"{WRAPPER}@datadog_lambda_wrapper\ndef main(e, c): ...\n"
    (problem,) = checked(tmp_path, code, serverless__yml=yml).problems
    assert (problem.check, problem.severity, problem.place.line) == ("code.wrapped_and_redirected", "info", 3)


def test_a_redirected_handler_is_known(tmp_path: Path) -> None:
    yml = "plugins: [serverless-plugin-datadog]\nfunctions: {a: {handler: app.main}}\n"
    assert checked(tmp_path, "def main(e, c): ...\n", serverless__yml=yml).redirected


# What else Python is written like


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def test_former_names_are_known_and_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        "app.py",
        "from datadog import datadog_lambda_wrapper, lambda_metric\n"
        "@datadog_lambda_wrapper\ndef handler(event, context):\n    lambda_metric('a.b', 1)\n",
    )
    checked = check_project(tmp_path)
    assert [each.check for each in checked.problems].count("code.former_import") == 2
    assert checked.handlers[0].wraps == 1
    assert checked.edits == ()
    assert [metric.name for metric in checked.metrics] == ["a.b"]


@pytest.mark.parametrize(
    "test", ['__name__ == "__main__"', '"__main__" == __name__', '__name__ == "__main__" and x']
)
def test_what_runs_on_ones_own_machine_only_is_not_looked_at(tmp_path: Path, test: str) -> None:
    write(
        tmp_path,
        "app.py",
        f"from datadog_lambda.metric import lambda_metric\nif {test}:\n    lambda_metric('bad name', 'x')\n",
    )
    assert {each.check for each in check_project(tmp_path).problems} == {"code.library_not_listed"}


def test_a_handler_may_be_made_by_a_call(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "from mangum import Mangum\nhandler = Mangum(app)\n")
    write(
        tmp_path,
        "b.py",
        "from datadog_lambda.wrapper import datadog_lambda_wrapper as w\nrun = w(Mangum(app))\n",
    )
    checked = check_project(tmp_path)
    assert [(each.name, each.wraps) for each in checked.handlers] == [("handler", 0), ("run", 1)]
    assert b"handler = datadog_lambda_wrapper(Mangum(app))" in checked.edits[0].after


def test_requirements_may_include_others_even_each_other(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "from datadog_lambda.metric import lambda_metric\n")
    write(tmp_path, "requirements.txt", "-r base.txt\n")
    write(tmp_path, "base.txt", "--requirement=requirements.txt\nother\n")
    assert [each.check for each in check_project(tmp_path).problems] == ["code.library_not_listed"]
    write(tmp_path, "base.txt", "-r requirements.txt\nDatadog_Lambda>=8\n")
    assert check_project(tmp_path).problems == ()


def test_statsd_needs_the_extension(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "import datadog\ndatadog.statsd.increment('a')\n")
    assert [each.check for each in check_project(tmp_path).problems] == ["code.dogstatsd"]


@pytest.mark.parametrize(
    "value", ["'%s' % 1", "'a' + x", "os.getenv('X')", "json.dumps(x)", "now.isoformat()", "'{}'.format(1)"]
)
def test_texts_are_no_values_however_they_are_made(tmp_path: Path, value: str) -> None:
    write(
        tmp_path,
        "app.py",
        f"from datadog_lambda.metric import lambda_metric\ndef f():\n    lambda_metric('a.b', {value})\n",
    )
    assert "code.metric_value" in {each.check for each in check_project(tmp_path).problems}


def test_a_source_in_another_encoding_is_kept_in_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(
        "# -*- coding: latin-1 -*-\n# é\ndef handler(event, context): pass\n".encode("latin-1")
    )
    checked = check_project(tmp_path)
    assert checked.problems == ()
    assert b"# \xe9\n" in checked.edits[0].after


def test_the_library_comes_with_the_wrapper(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "def handler(event, context): pass\n")
    write(tmp_path, "requirements.txt", "boto3\n")
    edits = check_project(tmp_path).edits
    assert [edit.path.name for edit in edits] == ["app.py", "requirements.txt"]
    assert edits[1].after.startswith(b"boto3\ndatadog-lambda>=")


@pytest.mark.parametrize(
    "text", ["x = " + "-" * 20_000 + "1\n", "x = " + "(" * 5_000, "x = " + "a." * 20_000 + "b\n"]
)
def test_a_hostile_source_is_refused_in_words(tmp_path: Path, text: str) -> None:
    write(tmp_path, "app.py", text)
    checked = check_project(tmp_path)
    assert {each.check for each in checked.problems} <= {"code.unreadable", "code.syntax"}


def test_a_handler_that_is_a_method_or_comes_from_another_module_is_one(tmp_path: Path) -> None:
    code = f"{METRIC}class App:\n    def run(self, event, context):\n        pass\n\nhandler = App().run\n"
    assert [handler.name for handler in checked(tmp_path, code).handlers] == ["handler"]
    serverless = "service: a\nprovider: {name: aws}\nfunctions: {a: {handler: app.run}}\n"
    result = checked(
        tmp_path,
        "from orders import go as run\n",
        serverless__yml=serverless,
        orders__py="def go(event, context):\n    pass\n",
    )
    assert [(handler.name, handler.place.path.name) for handler in result.handlers] == [("go", "orders.py")]


def test_a_package_may_hold_the_handler(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("def run(a, b):\n    pass\n")
    serverless = "service: a\nprovider: {name: aws}\nfunctions: {a: {handler: shop.run}}\n"
    assert [handler.name for handler in checked(tmp_path, "", serverless__yml=serverless).handlers] == ["run"]


def test_a_wrapper_under_a_condition_counts_and_its_import_does_not_serve_others(tmp_path: Path) -> None:
    code = "import os\ndef handler(event, context):\n    pass\nif os.getenv('DD'):\n"
    inner = "    from datadog_lambda.wrapper import datadog_lambda_wrapper\n"
    result = checked(tmp_path, f"{code}{inner}    handler = datadog_lambda_wrapper(handler)\n")
    assert (result.handlers[0].wraps, result.edits) == (1, ())
    assert wrapped(checked(tmp_path, code + inner)).startswith(f"import os\n{WRAPPER}")


@pytest.mark.parametrize(
    "call", ["lambda_metric('a', 1, ['b:c'])", "lambda_metric('a', 1, tags=dict(b='c'))"]
)
def test_tags_in_a_wrong_place_or_shape(tmp_path: Path, call: str) -> None:
    code = f"{METRIC}{WRAPPER}@datadog_lambda_wrapper\ndef handler(event, context):\n    {call}\n"
    assert found(checked(tmp_path, code)) == {"code.metric_tags": 5}
