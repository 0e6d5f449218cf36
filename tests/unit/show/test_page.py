"""A report as a page: whole, readable without script or network, and nothing of others' in it is executed."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ddsetup.model.report import Report
from ddsetup.show.page import page
from ddsetup.terminal.paging import everything
from tests.bodies import body_of
from tests.browser import CHROMIUM, Browser, browser
from tests.unit.model.test_foreign import strings, with_planted
from tests.unit.specimens import reports

AT = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
SCRIPT = "<script>document.title='owned'</script>"
HOSTILE = (
    f'x"><img src=x onerror="document.title=\'owned\'">{SCRIPT}</style></svg></title>{SCRIPT}'
    "' onmouseover='x' javascript:alert(1) &lt;b&gt; {{ 7*7 }} {% raw %} <a href=https://evil.test>"
)
VOID = {"meta", "rect", "polyline", "circle", "br", "link", "img"}
DDSETUP = str(Path(sys.executable).parent / "ddsetup")


class Reader(HTMLParser):
    """The elements of a page with their attributes, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [dict(attributes) for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def html(report: Report) -> str:
    return page(report, everything(report, body_of(report.command)), AT)


@pytest.mark.parametrize("command", reports())
def test_what_others_wrote_changes_nothing_but_words(command: str) -> None:
    report, tried = reports()[command], 0
    for path in strings(report):
        if path == ("command",):
            continue
        try:
            hostile, plain = (Reader(html(with_planted(report, path, text))) for text in (HOSTILE, "zzz"))
        except (KeyError, ValueError):
            continue
        tried += 1

        def shape(reader: Reader) -> list[tuple[str, list[str]]]:
            return [(tag, [name for name, _ in attributes]) for tag, attributes in reader.elements]

        links = {each["href"] for each in hostile.named("a")}
        if links == {each["href"] for each in plain.named("a")}:
            assert shape(hostile) == shape(plain), path
        assert all(str(link).startswith("https://") for link in links), path
        assert not hostile.named("script"), path
        assert not [
            name for _, attributes in hostile.elements for name, _ in attributes if name.startswith("on")
        ]
    assert tried


@pytest.mark.parametrize("command", reports())
def test_a_page_stands_by_itself_and_can_be_read_by_anybody(command: str) -> None:
    text = html(reports()[command])
    read = Reader(text)
    assert len(read.named("h1")) == 1
    assert read.named("html")[0]["lang"] == "en"
    for tag in ("script", "link", "img", "iframe", "object", "form"):
        assert not read.named(tag)
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [m["content"] for m in read.named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'")
    assert all(th.get("scope") in ("col", "row") for th in read.named("th"))
    for drawing in read.named("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing.get("aria-label")
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_charts_have_their_figures_in_words_and_spans_can_be_opened() -> None:
    cold = Reader(html(reports()["explore cold-starts"]))
    assert "9 of 90" in cold.text
    assert len(cold.named("polyline")) == 1
    assert "max 50 %, last 10 %" in cold.text
    trace = Reader(html(reports()["explore traces"]))
    assert len(trace.named("details")) == 1
    assert "✗ failed" in trace.text
    assert {"href": "https://app.datadoghq.eu/apm", "rel": "noopener noreferrer"} in trace.named("a")


def test_errors_are_a_chart_by_pattern_with_an_example_of_each() -> None:
    found = Reader(html(reports()["explore errors"]))
    assert len(found.named("rect")) == 2
    assert "Error logs by pattern" in found.text
    assert "50 %" in found.text
    assert "Broken: it" in found.text


def test_a_request_names_its_cause_before_all_else() -> None:
    found = Reader(html(reports()["explore request"])).text
    first = found.index("stock ran into its timeout of 2 s, called by pay")
    assert first < found.index("What they logged")
    assert first < found.index("Invocations")


def test_the_plan_the_proof_and_the_outcome_are_told() -> None:
    told = Reader(html(reports()["plan"]))
    assert "subscription filter" in told.text
    assert len(told.named("ins")) > 2
    assert len(told.named("del")) > 2
    setup = Reader(html(reports()["setup"]))
    assert [each for each in setup.named("th") if each.get("scope") == "row"]
    assert "exit code 0" in setup.text
    assert "Before and after" in setup.text
    assert len(setup.named("ins")) > 2
    assert "2026-11-22 11:00 UTC" in setup.text
    for each in (told, setup):
        assert "Logs, GB 2 ≥ 30.5 0.20 ≥ 3.05" in each.text
        assert "by your prices: 0.20 now, ≥ 3.05 after" in each.text


def test_a_command_writes_it_beside_its_result_or_refuses_before_it_begins(
    tmp_path: Path,
) -> None:
    def run(named: str) -> subprocess.CompletedProcess[str]:
        command = [DDSETUP, "doctor", "--list", "--html", named]
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    done = run("page.html")
    assert done.returncode == 0, done.stderr
    assert "log-group-room" in done.stdout
    assert "log-group-room" in Reader((tmp_path / "page.html").read_text("utf-8")).text
    refused = run("nowhere/page.html")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a page cannot be written here" in refused.stderr


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_stand_out_from_their_background_in_light_and_dark_and_on_paper() -> None:
    """At least 4.5 to 1, as WCAG 2.2 asks for (1.4.3)."""
    schemes = re.findall(r":root \{([^}]*)\}", html(reports()["status"]))
    assert len(schemes) == 3
    for scheme in schemes:
        found = dict(re.findall(r"--(\w+): (#\w+)", scheme))
        colours = {
            name: c if len(c) == 7 else "#" + "".join(x * 2 for x in c[1:]) for name, c in found.items()
        }
        for name in ("text", "dim", "good", "bad", "warn", "link"):
            for back in ("back", "soft"):
                light, dark = sorted((luminance(colours[name]), luminance(colours[back])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, back)


# In a browser

needs_browser = pytest.mark.skipif(
    os.environ.get("DDSETUP_TEST_BROWSER", "1" if CHROMIUM else "0") == "0",
    reason="no Chromium that opens a page is on this machine (DDSETUP_TEST_BROWSER=1 makes that an error)",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert CHROMIUM, "DDSETUP_TEST_BROWSER is set, and there is no Chromium"
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def planted_everywhere(report: Report) -> Report:
    """The report with hostile text in every place that still gives a page then."""
    for path in list(strings(report)):
        if path != ("command",):
            with suppress(KeyError, ValueError):
                planted = with_planted(report, path, HOSTILE)
                html(planted)
                report = planted
    return report


CONTRAST = """
(() => {
  const linear = x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
  const lum = c => c.map(x => linear(x / 255)).reduce((sum, x, i) => sum + x * [.2126, .7152, .0722][i], 0);
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const back = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
                      if (c.length < 4 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] };
  const weak = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const text = parts(getComputedStyle(e).color).slice(0, 3);
    const [dark, light] = [lum(text), lum(back(e))].sort((a, b) => a - b);
    if ((light + .05) / (dark + .05) < 4.5) weak.push(e.tagName + ': ' + e.textContent.slice(0, 40));
  }
  return weak;
})()
"""
"""Texts that stand out from what is behind them by less than 4.5 to 1 (WCAG 2.2, 1.4.3)."""


@needs_browser
@pytest.mark.parametrize("command", reports())
def test_in_a_browser_nothing_runs_and_all_is_there_in_light_and_dark_and_on_paper(
    command: str, chromium: Browser, tmp_path: Path
) -> None:
    text = html(planted_everywhere(reports()[command]))
    file = tmp_path / "page.html"
    file.write_text(text, "utf-8")
    chromium.open(file)
    assert chromium.tell("document.title").startswith("ddsetup ")
    asked = [
        e["params"]["request"]["url"] for e in chromium.events if e["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [file.as_uri()]
    for tag in ("section", "h1", "h2", "li", "svg", "rect", "polyline", "details", "th", "td", "a"):
        written = len(Reader(text).named(tag))
        assert chromium.tell(f"document.querySelectorAll('{tag}').length") == written, tag
    backs = {}
    for scheme, medium in (("light", ""), ("dark", ""), ("dark", "print")):
        chromium.show(scheme, medium)  # type: ignore[arg-type]
        backs[scheme, medium] = chromium.tell("getComputedStyle(document.body).backgroundColor")
        assert chromium.tell(CONTRAST) == [], (scheme, medium)
    assert backs["dark", ""] != backs["light", ""] == backs["dark", "print"]
    chromium.show()
    errors = [e for e in chromium.events if e["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert not errors, errors


@needs_browser
@pytest.mark.parametrize("command", ["explore request", "setup", "explore errors"])
def test_in_a_browser_a_page_fits_a_phone_and_a_sheet_of_paper(
    command: str, chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_text(html(planted_everywhere(reports()[command])), "utf-8")
    chromium.open(file)
    size = {"height": 800, "deviceScaleFactor": 1, "mobile": False}
    try:
        chromium.call("Emulation.setDeviceMetricsOverride", width=360, **size)
        assert chromium.tell("document.documentElement.scrollWidth") <= 360
    finally:
        chromium.call("Emulation.clearDeviceMetricsOverride")
    printed = base64.b64decode(chromium.call("Page.printToPDF", printBackground=True)["data"])
    assert printed.startswith(b"%PDF-")


@needs_browser
def test_in_a_browser_a_span_is_opened_by_a_click_or_a_key(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html(reports()["explore traces"]), "utf-8")
    chromium.open(file)
    shown = "document.querySelector('details dl').checkVisibility()"
    assert chromium.tell(shown) is False
    chromium.tell("document.querySelector('summary').click()")
    assert chromium.tell(shown) is True
    assert chromium.tell("document.querySelector('summary').tabIndex") == 0
