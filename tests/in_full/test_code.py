"""What is found in Python code, and how its handlers are wrapped, to the last column.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from ddsetup.project.code_check.project import Checked, check_project
from tests.unit.show.test_render import matches_golden

USE = "from datadog_lambda.wrapper import datadog_lambda_wrapper\n"
SEND = "from datadog_lambda.metric import lambda_metric\n"
HANDLER = "def handler(event, context):\n"
LISTED = {"requirements.txt": "datadog-lambda\n"}
SLS = "functions:\n  a:\n    handler: {}\n"


def sending(*lines: str) -> str:
    return f"{SEND}{HANDLER}{''.join(f'    {line}' + chr(10) for line in lines)}"


def each(text: str) -> list[str]:
    """One a line, or several of a line with bars between them."""
    return [part.strip() for line in text.strip().splitlines() for part in line.split(" | ")]


VALUES = each("""
1 | 1.5 | -1 | '1' | b'1' | None | True | x | x + 1 | 'a' + x | '%s' % x | f'{x}' + y | x - 'a' | f'{x}'
[1] | (1,) | {} | {1} | [x for x in y] | {x: 1 for x in y} | {x for x in y}
str(x) | repr(x) | list(x) | dict(x) | format(x) | set(x) | tuple(x) | input() | bytes(x) | len(x) | float(x)
json.dumps(x) | os.getenv('x') | os.environ.get('x') | environ.get('x') | x.get('y') | x.isoformat()
x.strftime('') | x.hexdigest() | x.format_map({}) | ', '.join(x) | x.total_seconds() | f(x)(y)
""")
TAGS = each("""
['a:b'] | ('a:b',) | [x, 'a'] | [1] | ['a', None] | 'a:b' | None | f'a' | {'a': 1} | x | {x: 1 for x in y}
[f'{x}' for x in y]
""")
NAMES = ("a", "a.b_c9", "9a", "", "a b", "a-b", "é", "a" * 200, "a" * 201, 5)
ARGUMENTS = each("""
'a' | metric_name='a', value=1 | value=1 | *x | 'a', *x | **x | 'a', 1, None, 'x:y' | x, 1
'a', 1, None, ['x:y'] | 'a', tags=[1], value='1'
""")
METRICS = [
    *(f"lambda_metric('a', {value})" for value in VALUES),
    *(f"lambda_metric('a', 1, tags={tags})" for tags in TAGS),
    *(f"lambda_metric({name!r}, 1)" for name in NAMES),
    *(f"lambda_metric({arguments})" for arguments in ("", *ARGUMENTS)),
]

PROJECTS: dict[str, dict[str, str]] = {
    "all is well": {"app.py": USE + "\n@datadog_lambda_wrapper\n" + HANDLER + "    pass\n", **LISTED},
    "called": {"app.py": USE + "\n@datadog_lambda_wrapper()\n" + HANDLER + "    pass\n", **LISTED},
    "by its module": {
        "app.py": "import datadog_lambda.wrapper\n@datadog_lambda.wrapper.datadog_lambda_wrapper\n"
        + HANDLER
        + " 1\n",
        **LISTED,
    },
    "by another name": {
        "app.py": "from datadog_lambda import wrapper as w\n" + HANDLER + "    pass\n",
        "more.py": "from datadog_lambda.wrapper import datadog_lambda_wrapper as wrap\n"
        + HANDLER
        + "    pass\n",
        **LISTED,
    },
    "twice": {
        "app.py": f"{USE}@datadog_lambda_wrapper\n@datadog_lambda_wrapper\n{HANDLER}    pass\n",
        **LISTED,
    },
    "wrapped again below": {
        "app.py": f"{USE}@datadog_lambda_wrapper\n{HANDLER}    pass\n"
        "handler = datadog_lambda_wrapper(handler)\n",
        **LISTED,
    },
    "wrapped below": {
        "app.py": f"{USE}{HANDLER}    pass\nhandler = datadog_lambda_wrapper(handler)\n",
        **LISTED,
    },
    "made by a call": {
        "app.py": "from x import make\nhandler = make(1)\nother = make(2)\nhandler2 = 5\n",
        **LISTED,
    },
    "made by a call, wrapped": {
        "app.py": f"{USE}run = datadog_lambda_wrapper(datadog_lambda_wrapper(f))\n",
        **LISTED,
    },
    "made by an empty wrapper": {"app.py": f"{USE}run = datadog_lambda_wrapper()\n", **LISTED},
    "made by a call of some length": {
        "app.py": '"""Doc."""\nimport x\n\nlambda_handler = x.make(\n    "é", lambda: 1\n)  # end\n',
        **LISTED,
    },
    "made by a lambda": {"app.py": "handler = lambda event, context: 1\nother = lambda event: 2\n", **LISTED},
    "a name for another": {"app.py": "import x\nhandler = x.run\n", **LISTED},
    "several at once": {"app.py": "a = handler = make()\nx.handler = make()\n", **LISTED},
    "a helper": {
        "app.py": f"{USE}@datadog_lambda_wrapper\ndef helper(a):\n    pass\n{HANDLER}    pass\n"
        "class A:\n    @datadog_lambda_wrapper\n    def handler(self, event, context):\n        pass\n",
        **LISTED,
    },
    "no handlers, one wrapped": {"app.py": f"{USE}@datadog_lambda_wrapper\ndef f(a):\n    pass\n", **LISTED},
    "what looks like one": {
        "app.py": "".join(
            f"def {name}({arguments}):\n    pass\n"
            for name, arguments in (
                ("a", "event, context"),
                ("b", "_event, _context"),
                ("c", "evt, ctx"),
                ("d", "events, lambda_context"),
                ("e", "_, __"),
                ("f", "event, other"),
                ("g", "other, context"),
                ("h", "event, context, more"),
                ("i", "event, /, context"),
                ("j", "event, context, *, more"),
                ("handler", "a, b"),
                ("lambda_handler", "a, b"),
                ("k", "event"),
            )
        )
        + "async def l(event, context):\n    pass\n",
        **LISTED,
    },
    "named by the deployment": {
        "app.py": HANDLER + "    pass\ndef run(a):\n    pass\nasync def go(a):\n    pass\n",
        "src/more.py": "start = make()\n",
        "serverless.yml": SLS.format("app.run")
        + "  b:\n    handler: 'src/more.start'\n  c:\n    handler: app.go # x\n",
        **LISTED,
    },
    "named by an image": {
        "app.py": HANDLER + "    pass\ndef run(a):\n    pass\n",
        "Dockerfile": 'FROM public.ecr.aws/lambda/python:3.12\nCMD ["app.run"]\n',
        **LISTED,
    },
    "named by a variable": {
        "app.py": HANDLER + "    pass\ndef run(a):\n    pass\n",
        "template.yaml": "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      Handler: datadog_lambda.handler.handler\n      DD_LAMBDA_HANDLER: app.run\n",
        **LISTED,
    },
    "redirected": {
        "app.py": f"{USE}@datadog_lambda_wrapper\n{HANDLER}    pass\n",
        "serverless.yml": SLS.format("app.handler") + "plugins:\n  - serverless-plugin-datadog\n",
        **LISTED,
    },
    "redirected, bare": {
        "app.py": sending("lambda_metric('a', 1)"),
        "serverless.yml": SLS.format("app.handler") + "plugins:\n  - serverless-plugin-datadog\n",
        **LISTED,
    },
    "sends beside a handler": {
        "app.py": HANDLER + "    send()\n",
        "more.py": f"{SEND}def send():\n    lambda_metric('a', 1)\n",
        **LISTED,
    },
    "at import": {
        "app.py": f"{SEND}lambda_metric('a', 1)\nf = lambda: lambda_metric('b', 1)\n"
        "class A:\n    lambda_metric('c', 1)\n    def g(self):\n        lambda_metric('d', 1)\n"
        "async def h():\n    lambda_metric('e', 1)\n",
        **LISTED,
    },
    "on one's own machine": {
        "app.py": f"{SEND}if __name__ == '__main__':\n    lambda_metric('a', 1)\nif '__main__' == __name__:\n"
        "    lambda_metric('b', 1)\nif __name__ == '__main__' and x:\n    lambda_metric('c', 1)\n"
        "if __name__ == 'app':\n    lambda_metric('d', 1)\nif 'x' == __name__:\n    lambda_metric('e', 1)\n"
        "if __name__ != '__main__':\n    lambda_metric('f', 1)\nif x or __name__ == '__main__':\n"
        "    lambda_metric('g', 1)\nif __name__ == '__main__':\n    pass\nelse:\n    lambda_metric('h', 1)\n",
        **LISTED,
    },
    "former names": {
        "app.py": "from datadog import datadog_lambda_wrapper, lambda_metric\n"
        "from datadog.threadstats import lambda_metric as m\nfrom datadog.threadstats.aws_lambda import (\n"
        "    datadog_lambda_wrapper as w,\n)\nfrom datadog_lambda import lambda_metric as n, other\n"
        "@w\ndef handler(event, context):\n    lambda_metric('a', 'x')\n    m('b', 'x')\n    n('c', 'x')\n",
        **LISTED,
    },
    "statistics": {
        "app.py": "from datadog_lambda.metric import lambda_stats\n"
        + HANDLER
        + "    lambda_stats.distribution('a', 'x')\n",
        **LISTED,
    },
    **{
        f"statsd: {line}": {"app.py": f"{line}\n{HANDLER}    {call}\n    {call}\n", **LISTED}
        for line, call in (
            ("from datadog import statsd", "statsd.increment('a')"),
            ("from datadog.dogstatsd import statsd as s", "s.gauge('a', 1)"),
            ("from datadog.dogstatsd.base import statsd", "statsd.gauge('a', 1)"),
            ("from datadog import DogStatsd", "DogStatsd()"),
            ("from datadog.dogstatsd import DogStatsd", "DogStatsd()"),
            ("from datadog.dogstatsd.base import DogStatsd", "DogStatsd()"),
            ("import datadog", "datadog.statsd.increment('a')"),
            ("import statsd", "statsd.increment('a')"),
        )
    },
    "values given before": {
        "app.py": sending(
            "value = '1'",
            "lambda_metric('a', value)",
            "other = 1",
            "lambda_metric('b', other)",
            "twice = '1'",
            "twice = 2",
            "lambda_metric('c', twice)",
            "lambda_metric('d', context)",
            "for each in 'x':",
            "    lambda_metric('e', each)",
            "a = b = '1'",
            "lambda_metric('f', a)",
            "global far",
            "far = '1'",
            "lambda_metric('g', far)",
            "import value2",
            "value2 = '1'",
            "lambda_metric('h', value2)",
            "try:",
            "    caught = '1'",
            "except E as caught:",
            "    pass",
            "lambda_metric('i', caught)",
            "match x:",
            "    case [*star] as held:",
            "        star = held = 1",
            "held = '1'",
            "lambda_metric('j', held)",
            "def inner():",
            "    mine = '1'",
            "    lambda_metric('k', mine)",
            "    nonlocal value",
            "gone = '1'",
            "del gone",
            "lambda_metric('l', gone)",
        )
        + "outside = '1'\nlambda_metric('m', outside)\n",
        **LISTED,
    },
    "nothing listed": {"app.py": f"{USE}import ddtrace.tracer\n{HANDLER}    pass\n"},
    "the tracer listed": {"app.py": f"{USE}import ddtrace\n", "requirements.txt": "ddtrace==2\n"},
    "listed in a project": {
        "app.py": f"{USE}import ddtrace\n",
        "pyproject.toml": '[project]\ndependencies = [\n  "datadog_lambda>=6",\n]\n',
    },
    "listed elsewhere": {
        "app.py": f"{USE}{HANDLER}    pass\n",
        "requirements.txt": "-r base.txt\n--requirement=more.txt\n",
        "more.txt": "x\n  Datadog.Lambda >= 6 # y\n",
    },
    "listed by another name": {"app.py": USE, "requirements.txt": "datadog-lambda-extras\n#datadog-lambda\n"},
    "the library comes along": {"app.py": HANDLER + "    pass\n", "requirements.txt": "boto3"},
    "the library cannot come along": {
        "app.py": HANDLER + "    pass\n",
        "requirements.txt": "x --hash=sha256:1\n",
    },
    "comments first": {
        "app.py": "#!/usr/bin/env python\n# words\n\n@other\n" + HANDLER + "    pass\n",
        **LISTED,
    },
    "a docstring first": {"app.py": '"""Words\nof two lines."""\n' + HANDLER + "    pass\n", **LISTED},
    "imports, not all at the top": {
        "app.py": '"""Words."""\nfrom __future__ import annotations\nimport a\nX = 1\nimport b\n\n'
        + HANDLER
        + "    pass\n",
        **LISTED,
    },
    "imports of several lines": {"app.py": "from a import (\n    b,\n)\n" + HANDLER + "    pass\n", **LISTED},
    "windows": {"app.py": "import a\r\n\r\ndef handler(event, context):\r\n    pass\r\n", **LISTED},
    "one line without an end": {"app.py": "import a; handler = make()", **LISTED},
    "semicolons": {"app.py": "import a\nx = 1; handler = make(); y = 2\n", **LISTED},
    "umlauts before it": {"app.py": "import a\nü = 'ä'; handler = make('ö')\n", **LISTED},
    "empty": {"app.py": "", **LISTED},
    "only comments": {"app.py": "# nothing\n", **LISTED},
    "broken": {"app.py": "def (\n", "bad.py": "x = 1 +\n", "fine.py": HANDLER + "    pass\n", **LISTED},
    "an unknown encoding": {"app.py": "# coding: klingon\nx = 1\n", **LISTED},
    "not looked at": {
        "app.py": HANDLER + "    pass\n",
        **{
            f"{place}/bad.py": "def (\n"
            for place in ("node_modules", "venv", "env", "build", "dist", "vendor")
        },
        **{f"{place}/bad.py": "def (\n" for place in (".hidden", "__pycache__", "site-packages", "cdk.out")},
        **dict.fromkeys(("test_app.py", "conftest.py", "notes.txt"), "def (\n"),
        "kept/more.py": HANDLER + "    pass\n",
        **LISTED,
    },
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def told(result: Checked, root: Path) -> list[str]:
    lines = [f"{result.files} files{', redirected' if result.redirected else ''}"]
    for handler in result.handlers:
        place = f"{handler.place.path.relative_to(root)}:{handler.place.line}:{handler.place.column}"
        named = "named" if handler.named else "guessed"
        lines.append(f"handler {handler.name} at {place}, {named}, wrapped {handler.wraps} times")
    lines += [f"metric {each.name!r} at {each.place.line}:{each.place.column}" for each in result.metrics]
    for problem in result.problems:
        place = f"{problem.place.path.relative_to(root)}:{problem.place.line}:{problem.place.column}"
        said = problem.what.replace(str(root), "ROOT")
        said = re.sub(r"Python 3\.\d+", "Python 3", said)
        lines.append(f"{problem.severity} {problem.check} at {place}: {said}; fix: {problem.fix}")
    for edit in result.edits:
        before, after = (t.decode("utf-8", "replace").splitlines(True) for t in (edit.before, edit.after))
        name = str(edit.path.relative_to(root))
        lines.append(f"edit because {', '.join(edit.why)}")
        changed = difflib.unified_diff(before, after, name, name, n=0)
        lines += [line.rstrip("\n").replace("\r", "<CR>") for line in changed]
    return lines


def test_every_metric(tmp_path: Path) -> None:
    root = write(tmp_path, {"app.py": sending(*METRICS), **LISTED})
    numbered = [f"{number} {line}" for number, line in enumerate(METRICS, 3)]
    matches_golden("code/metrics", "\n".join([*numbered, "", *told(check_project(root), root), ""]))


def test_whole_projects(tmp_path: Path) -> None:
    lines: list[str] = []
    for number, (name, files) in enumerate(PROJECTS.items()):
        root = write(tmp_path / str(number), files)
        lines += [f"[{name}]", *told(check_project(root), root), ""]
    matches_golden("code/projects", "\n".join(lines))
