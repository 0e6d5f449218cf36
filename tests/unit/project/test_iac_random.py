"""Services nobody wrote: whatever a serverless.yml looks like, only what was meant changes, or nothing."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from ddsetup.project.iac import serverless
from ddsetup.project.iac.model import Wish
from ddsetup.project.iac.source import Source
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER, load, modules

FILES = 60
SCALARS = (
    *("dev", "${opt:stage}", '"q: x"', "'it''s'", "1", "true", "~", "!Ref X", '!Sub "${A}-b"', "2020-01-01"),
    *(
        "[a, b]",
        "{a: 1, b: [c]}",
        "[]",
        "{}",
        "|\n%# text\n%  more\n",
        ">-\n%fold\n%\n%ed\n",
        "|+\n%keep\n\n",
    ),
)
SETTINGS = (
    *("addLayers: true", "addExtension: false", "addExtension: true", "site: datadoghq.com", "forwarder:"),
    *("logLevel: debug", 'env: "x"', "apiKeySecretArn: ${x}", "enableDDTracing:"),
)
PLUGINS = ("serverless-offline", "serverless-plugin-warmup", "serverless-plugin-typescript", "./local")


def _block(random: Random, indent: int, step: int, depth: int) -> list[str]:
    """A mapping with comments, lists, block scalars and what else people put into one."""
    lines: list[str] = []
    for number in range(random.randrange(1, 4)):
        pad = " " * indent
        lines += random.choice([[], [], [f"{pad}# comment"], [""]])
        key = f"{pad}k{number}{random.choice(['', '_x', '-y'])}:"
        kind = random.random() if depth else 1.0
        if kind < 0.35:
            lines += [key + random.choice(["", "  # c"]), *_block(random, indent + step, step, depth - 1)]
        elif kind < 0.5:
            dash = " " * (indent + random.choice([0, step]))
            items = [f"{dash}- {random.choice(['a', 'x: 1', '${a}'])}" for _ in range(random.randrange(1, 3))]
            lines += [key, *items]
        else:
            scalar = random.choice(SCALARS).replace("%", " " * (indent + step))
            lines.append(f"{key} {scalar}".removesuffix("\n"))
        lines += random.choice([[], [], [], [f"{' ' * random.choice([0, indent])}# loose"]])
    return lines


def _plugins(random: Random, step: int) -> list[str]:
    names = random.sample(PLUGINS, random.randrange(0, 4))
    pad = " " * random.choice([0, step])
    if not names:
        return [random.choice(["plugins:", "plugins: []", "plugins: ~", "plugins:  # none"])]
    return random.choice(
        [
            [f"plugins: [{', '.join(names)}]"],
            ["plugins:", *(f"{pad}- {name}" for name in names)],
            ["plugins:", *(f"{pad}- '{name}'  # c" for name in names)],
            ["plugins:", f"{' ' * step}modules:", *(f"{' ' * step}{pad}- {name}" for name in names)],
        ]
    )


def _custom(random: Random, step: int) -> list[str]:
    if random.random() < 0.2:
        return [random.choice(["custom:", "custom: {}", "custom: null", "custom: {a: 1}", "custom:  # c"])]
    block = _block(random, step, step, 2)
    settings = {text.split(":")[0]: text for text in random.sample(SETTINGS, random.randrange(0, 5))}
    datadog = [f"{' ' * step}datadog:", *(f"{' ' * step * 2}{text}" for text in settings.values())]
    return ["custom:", *random.choice([block, datadog + block, block + datadog])]


def service(random: Random) -> str:
    """The text of a service."""
    step = random.choice([2, 2, 3, 4, 8])
    sections = [["service: shop"], ["provider:", *_block(random, step, step, 1)]]
    sections += [
        ["functions:", *_block(random, step, step, 2)],
        ["resources:", *_block(random, step, step, 2)],
    ]
    sections += [make(random, step) for make in (_plugins, _custom) if random.random() < 0.75]
    random.shuffle(sections)
    lines = [line for section in sections for line in (*section, *random.choice([[], [""], ["# section"]]))]
    text = "\n".join(lines) + random.choice(["", "\n", "\n\n"])
    return text.replace("\n", "\r\n") if random.random() < 0.2 else text


@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_nothing_else_changes_whatever_the_file_looks_like(wanted: Wish) -> None:
    random = Random(20261122)
    edited = 0
    for _ in range(FILES):
        text = service(random)
        before = load(text.encode())
        proposal = serverless.propose(Source(Path("/shop/serverless.yml"), text.encode(), text), wanted)
        assert proposal.edits or proposal.snippets, text
        for edit in proposal.edits:
            edited += 1
            after = load(edit.after)
            assert modules(after).count("serverless-plugin-datadog") == 1, text
            kept = [name for name in modules(after) if name != "serverless-plugin-datadog"]
            assert kept == modules(before), text
            settings = after["custom"].pop("datadog")
            assert settings["site"] == wanted.answers.site, text
            assert settings["addExtension"] is (wanted.via == "extension"), text
            for each in (after, before):
                each["custom"] = dict(each.get("custom") or {})
                each["custom"].pop("datadog", None)
                each.pop("plugins", None)
            assert after == before, text
    assert edited > FILES * 0.9, "too many are refused"
