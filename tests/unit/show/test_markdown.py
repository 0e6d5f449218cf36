"""Reports as Markdown, read by a parser of it: what others wrote is text, and what is ours has its form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ddsetup.model.blocks import Code, table
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Line, Look, Span, line
from ddsetup.model.report import Report
from ddsetup.show.markdown import code, escaped, markdown
from ddsetup.show.report_lines import report_blocks
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console
from tests.bodies import body_of
from tests.unit.model.test_foreign import Terminal, steers, strings, with_planted
from tests.unit.specimens import reports

HOSTILE = (
    "x[click](javascript:alert(1))![](https://evil.test/a.png)<img src=x onerror=alert(1)>"
    "**bold** `code` ``` | cell |\n# Heading\n- item\n\n---\n@everyone <https://evil.test> ~~gone~~ $x$"
)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def shape(text: str) -> list[str]:
    """What is built of it: everything but words."""
    return [token.type for token in tokens(text) if token.type not in ("text", "text_special", "softbreak")]


def words(text: str) -> str:
    return " ".join(token.content for token in tokens(text) if token.type in ("text", "code_inline", "fence"))


def as_markdown(report: Report) -> str:
    return markdown(report_blocks(report, Look(verbose=True), body_of(report.command)))


@pytest.mark.parametrize("command", reports())
def test_what_others_wrote_builds_nothing(command: str) -> None:
    report, tried = reports()[command], 0
    for path in strings(report):
        if path == ("command",):
            continue
        try:
            hostile, plain = (as_markdown(with_planted(report, path, text)) for text in (HOSTILE, "zzz"))
        except (KeyError, ValueError):
            continue
        tried += 1
        built, usual = list(tokens(hostile)), shape(plain)
        found = [token.type for token in built]
        assert "html_inline" not in found
        assert "html_block" not in found
        assert "image" not in found
        targets = [token.attrGet("href") for token in built if token.type == "link_open"]
        assert all(str(target).startswith("https://") for target in targets), path
        assert not steers(hostile), path
        # A command in backticks, and a list cut in code, are the only forms that a text may have.
        assert found.count("heading_open") == usual.count("heading_open"), path
        assert found.count("th_open") == usual.count("th_open"), path
    assert tried


@given(st.text())
@example(HOSTILE)
@example("1. one")
@example("- x")
@example("    four blanks")
def test_any_text_is_only_text(text: str) -> None:
    found = shape(markdown([line(Span(text))]))
    allowed = {"bullet_list_open", "list_item_open", "paragraph_open", "inline", "code_inline"}
    assert {each.replace("_close", "_open") for each in found} <= allowed


@given(st.text(alphabet="a` |\\", min_size=1))
def test_any_code_is_whole(text: str) -> None:
    inline = [token.content for token in tokens(code(text)) if token.type == "code_inline"]
    assert [each.strip() for each in inline] == [text.strip()] or not text.strip()


def test_lists_are_nested_as_lines_are_indented_and_code_is_fenced() -> None:
    blocks = [
        line(Span("Functions", "heading")),
        line("  ", Span("+", "added"), " function pay"),
        line("      handler  ", Span("a", "removed"), " → ", Span("b", "added")),
        line("  run: ", Span("ddsetup plan --all", "code")),
        *table(["Name", "Note"], [[Span("a|b", "bold"), Span("x")]]),
        Code("- a\n+ b", "diff"),
    ]
    assert markdown(blocks) == (
        "### Functions\n\n- \\+ function pay\n  - handler a → b\n- run: `ddsetup plan --all`\n\n"
        "| Name | Note |\n|---|---|\n| **a\\|b** | x |\n\n```diff\n- a\n+ b\n```\n"
    )


def test_the_command_prints_it_and_an_error_is_in_it() -> None:
    out, err = Terminal(), Terminal()
    console = Console(streams=Streams(out=out, err=err, environ={"TERM": "xterm"}), output="markdown")
    console.report(reports()["doctor"], body_of("doctor"))
    assert "two filters send to Datadog" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    console.error("status", UsageError("there is no such region", fix="name another"))
    assert "**" not in escaped("**")
    assert "- error: there is no such region\n  - **do:** name another" in out.getvalue()


def test_a_line_without_words_is_nothing() -> None:
    empty: Line = ()
    assert markdown([empty, line("  "), empty]).strip() == "-"
