"""Where the values of options and arguments come from that completion offers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from ddsetup.settings.given import from_environment
from ddsetup.settings.where import INTEGRATIONS

if TYPE_CHECKING:
    from ddsetup.cli.options import Parameter
    from ddsetup.cli.reading import Reading

Candidate: TypeAlias = tuple[str, str]
"""A value, and what it is."""

_DATA = Path(__file__).parents[1] / "data"
_FILE = re.compile(r"\bFILE\b")
_PROFILE = re.compile(r"\[\s*(?:profile\s+)?([\"']?)(.+?)\1\s*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a value is wanted for: the command line so far, and where it is typed."""

    reading: Reading
    environ: Mapping[str, str]
    directory: Path

    def said(self, name: str) -> list[str]:
        """The values that the line has for a setting so far, else its variable."""
        if found := self.reading.given.get(name):
            return [part for word in found for part in str(word).split(",")]
        raw = from_environment(self.environ).raw(name)
        return str(raw.value).split(",") if raw is not None else []

    def state(self) -> Path:
        """The state directory, which need not be there."""
        if named := self.said("state_dir"):
            return self.directory / Path(named[0]).expanduser()
        from platformdirs import user_state_path

        return user_state_path("ddsetup", appauthor=False)


def values_of(option: Parameter, current: str, wanted: Wanted) -> Iterable[Candidate]:
    """The values that an option or argument may have; `current` is how the one that is wanted begins."""
    command = wanted.reading.title
    source = _SOURCES.get((command, option.name)) or _SOURCES.get(("", option.name))
    if source is not None:
        return source(current, wanted)
    if option.choices:
        return [(choice, "") for choice in option.choices]
    if _FILE.search(option.value) or option.value == "[PATH]":
        return [(":files", "")]
    return [(":directories", "")] if option.value == "DIR" else []


def _data(name: str) -> Any:
    return json.loads((_DATA / name).read_text("utf-8"))


def _listed(name: str) -> Callable[[str, Wanted], Iterable[Candidate]]:
    """What a list tells that is generated from tables which take long to load."""
    return lambda _current, _wanted: _data("completion/names.json")[name].items()


def _plain(*values: str) -> Callable[[str, Wanted], Iterable[Candidate]]:
    return lambda _current, _wanted: [(value, "") for value in values]


def _sites(current: str, _wanted: Wanted) -> Iterator[Candidate]:
    """Domains, and the short names where one of these is begun."""
    for site in _data("sites.json"):
        short = current[:1].isupper()
        yield (site["name"], site["site"]) if short else (site["site"], site["name"])


def _regions(_current: str, _wanted: Wanted) -> Iterator[Candidate]:
    """The regions that the installed botocore knows, without loading it."""
    found = find_spec("botocore")
    for folder in (found.submodule_search_locations or ()) if found else ():
        with suppress(OSError, ValueError):
            document = json.loads(Path(folder, "data", "partitions.json").read_text("utf-8"))
            for partition in document["partitions"]:
                for region, about in partition["regions"].items():
                    if not region.endswith("-global"):
                        yield region, about.get("description", "")


def _profiles(_current: str, wanted: Wanted) -> Iterator[Candidate]:
    """The sections of the AWS CLI's two files that are profiles."""
    files = (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    for variable, usual in files:
        path = Path(wanted.environ.get(variable) or f"~/.aws/{usual}").expanduser()
        with suppress(OSError, ValueError):
            for line in path.read_text("utf-8").splitlines():
                found = _PROFILE.fullmatch(line.split("#")[0].strip())
                if found and not found[2].startswith(("sso-session ", "services ", "plugins")):
                    yield found[2], ""


def _functions(_current: str, wanted: Wanted) -> Iterator[Candidate]:
    from ddsetup.journal.names import remembered_names

    environ = wanted.environ
    profile = next(iter(wanted.said("profile")), "")
    profile = profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or ""
    regions = wanted.said("region") or [environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""]
    for name in remembered_names(wanted.state(), profile, [region for region in regions if region]):
        yield name, ""


def _runs(_current: str, wanted: Wanted) -> Iterator[Candidate]:
    """Runs of this machine, the newest first."""
    with suppress(OSError):
        for path in sorted((wanted.state() / "runs").iterdir(), reverse=True):
            yield path.name, _of_run(path)


def _of_run(path: Path) -> str:
    """The command of a run, from the first line of its journal."""
    with suppress(OSError, ValueError, TypeError, KeyError), (path / "journal.jsonl").open("rb") as file:
        return str(json.loads(file.readline(20_000)).get("command", ""))
    return ""


def _sandboxes(_current: str, wanted: Wanted) -> Iterator[Candidate]:
    for path in (wanted.state() / "sandboxes").glob("*.running"):
        yield path.stem, ""


def _commands(_current: str, wanted: Wanted) -> Iterator[Candidate]:
    """The words that go on to name a command."""
    from ddsetup.cli.reading import read

    reading = read(map(str, wanted.reading.given.get("about", ())))
    if not reading.unknown:
        yield from ((each.name, each.summary) for each in reading.names)


def _runtimes(_current: str, _wanted: Wanted) -> Iterator[Candidate]:
    layers = _data("layers_baseline.json")["layers"]["aws"].values()
    found = {name for layer in layers for name in layer["runtimes"] if not name.endswith("-arm")}
    yield from ((name, "") for name in sorted(found))


def _log_sources(_current: str, _wanted: Wanted) -> Iterator[Candidate]:
    yield from ((name, "") for name in _data("log_services.json")["logs_services"])


def _parts(_current: str, _wanted: Wanted) -> Iterable[Candidate]:
    from ddsetup.model.answers import Part

    return [(part, "") for part in get_args(Part)]


_SOURCES: Mapping[tuple[str, str], Callable[[str, Wanted], Iterable[Candidate]]] = {
    ("", "site"): _sites,
    ("", "region"): _regions,
    ("", "profile"): _profiles,
    ("", "function"): _functions,
    ("", "exclude"): _functions,
    ("", "functions"): _functions,
    ("", "runtime"): _runtimes,
    ("", "log_source"): _log_sources,
    ("", "integration_namespace"): _plain(*INTEGRATIONS),
    ("", "scenario"): _listed("scenarios"),
    ("", "layer_version"): _plain("baseline", "latest", "none"),
    ("", "extension_version"): _plain("baseline", "latest", "none"),
    ("", "forwarder_version"): _plain("latest"),
    ("", "log_level"): _plain("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "OFF"),
    ("doctor", "only"): _listed("checks"),
    ("doctor", "skip"): _listed("checks"),
    ("doctor", "explain"): _listed("checks"),
    ("doctor", "severity"): _plain("error", "warning", "info"),
    ("doctor", "fail_on"): _plain("error", "warning", "info"),
    ("monitors plan", "only"): _listed("monitors"),
    ("monitors apply", "only"): _listed("monitors"),
    ("monitors remove", "only"): _listed("monitors"),
    ("explore logs", "status"): _plain("error", "warn", "info", "debug"),
    ("undo", "run"): _runs,
    ("teardown", "keep"): _parts,
    ("", "sandbox_name"): _sandboxes,
    ("help", "about"): _commands,
    ("policy", "for_command"): _commands,
}
