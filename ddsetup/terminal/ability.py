"""What the places can that something is written to: whether a person sees them, colours, links.

By the conventions that other tools keep: NO_COLOR (no-color.org), FORCE_COLOR (force-color.org), CLICOLOR and
CLICOLOR_FORCE (bixense.com/clicolors), FORCE_HYPERLINK (the supports-hyperlinks package of Node).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO, TypeAlias

Color: TypeAlias = Literal["auto", "always", "never"]

_ADDRESS = re.compile(r"https?://[!#-;=?-Z_a-z~%&]+")
"""An address of characters that RFC 3986 allows, without brackets: none of them steers a terminal."""

_LINKED_PROGRAMS = frozenset(
    {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "zed", "WarpTerminal"}
)
_LINKED_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_OFF = ("0", "false", "no", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Where to write, and what is known of the places."""

    out: TextIO
    err: TextIO
    environ: Mapping[str, str]

    def is_terminal(self, stream: TextIO) -> bool:
        """Whether a person sees it and it can be drawn on. `DDSETUP_PLAIN` says that it shall not be."""
        return stream.isatty() and not self.plain

    @property
    def plain(self) -> bool:
        """Whether a terminal takes lines only, or its user wants no more: a screen reader reads these."""
        return self.environ.get("TERM") in ("dumb", "", None) or bool(self.environ.get("DDSETUP_PLAIN"))

    @property
    def ascii_only(self) -> bool:
        """Whether the locale says that the terminal shows nothing but ASCII. None set: it is not known to."""
        named = next((v for v in map(self.environ.get, ("LC_ALL", "LC_CTYPE", "LANG")) if v), "utf-8")
        return "utf" not in named.lower()

    def in_colour(self, stream: TextIO, wanted: Color = "auto") -> bool:
        """Whether `stream` gets colours: by what is wanted, else NO_COLOR, what forces them, itself."""
        if wanted != "auto":
            return wanted == "always"
        if self.environ.get("NO_COLOR"):
            return False
        if forced := self.environ.get("FORCE_COLOR"):
            return forced.lower() not in _OFF
        if self.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
            return True
        return self.is_terminal(stream) and self.environ.get("CLICOLOR") != "0"

    def in_links(self, stream: TextIO) -> bool:
        """Whether `stream` is a terminal that is known to show links (OSC 8); no file or pipe gets any."""
        if not self.is_terminal(stream):
            return False
        if forced := self.environ.get("FORCE_HYPERLINK"):
            return forced.lower() not in _OFF
        return _shows_links(self.environ)


def _shows_links(environ: Mapping[str, str]) -> bool:
    """A terminal says who it is in variables of its own; within tmux or screen these speak of another one."""
    if environ.get("TMUX") or environ.get("STY") or environ.get("CI"):
        return False
    if environ.get("TERM_PROGRAM") in _LINKED_PROGRAMS or environ.get("TERM", "").startswith(_LINKED_TERMS):
        return True
    # VTE before 0.50.1 crashed on them; Konsole has them since 20.12, off before.
    vte, konsole = environ.get("VTE_VERSION", ""), environ.get("KONSOLE_VERSION", "")
    known = (vte.isdecimal() and int(vte) > 5000) or (konsole.isdecimal() and int(konsole) >= 201200)
    return known or bool(environ.get("WT_SESSION") or environ.get("DOMTERM"))


def address_in(text: str) -> str | None:
    """The address that a text is, and nothing else; None if it is none."""
    found = _ADDRESS.fullmatch(text.strip())
    return found[0] if found else None
