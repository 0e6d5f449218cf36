"""`ddsetup.toml`, the file that holds answers, and the command line that says the same.

The file never holds a key: it is meant to be kept with the code. It is written from a fixed template in a
stable order, so that a second run that was answered alike changes nothing in it.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ddsetup.model.account import Json
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.files import write_whole
from ddsetup.model.nearest import did_you_mean
from ddsetup.settings.fields import values_of
from ddsetup.settings.given import Given, Raw
from ddsetup.settings.setting import PANELS, Value
from ddsetup.settings.table import SETTINGS, TABLE

FILE_NAME = "ddsetup.toml"
DOCTOR_TABLE = "doctor"
"""The one table of the file: findings to live with. It is written by hand, and kept."""
_HEADER = "# Written by ddsetup"
_TEXT = f"""{_HEADER}: the answers of a run, for the next one and for CI. It holds no keys.
# A flag or a DDSETUP_* variable wins over a line here. Every option of `ddsetup setup --help` may be one,
# with _ for -; lists are repeated options.
"""
_OF_A_LINE = ("api_key_file", "app_key_file", "datadog_url", "state_dir")
"""Places on a machine: of a line that is typed there as they were typed, and nothing for a file."""
_SECRET = re.compile(
    r"(dd_?|datadog_?)?(api|app|application|access|secret)_?(access_?)?key(_id)?|password|token"
)


def find_config(named: str | None, directory: Path) -> Path | None:
    """The configuration file: the one that was named, else `ddsetup.toml` in `directory`, if there is one.

    Raises UsageError if the named one does not exist.
    """
    if named is None:
        path = directory / FILE_NAME
        return path if path.is_file() else None
    path = directory / Path(named).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {named}", fix="check --config or DDSETUP_CONFIG")
    return path


def read_toml(path: Path) -> tuple[str, dict[str, Json]]:
    """A file's text, and what it says. Raises UsageError when it cannot be read or is not TOML."""
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or error  # of a file, without its number and path once more
        raise UsageError(f"cannot read it: {said}", where=str(path)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"not valid TOML: {error}", where=str(path), fix="correct that line") from None


def read_config(path: Path) -> Given:
    """The values of a configuration file, not yet checked themselves.

    Raises UsageError when it cannot be read, is not TOML, or has a key that ddsetup does not know.
    """
    text, document = read_toml(path)
    values = {}
    for key, value in document.items():
        if key == DOCTOR_TABLE:
            continue  # what the doctor shall leave out, see `ignores`
        where = _where(path, text, key)
        _check_key(key, where)
        values[key] = Raw(value, "file", f"{where}: {key}")
    return Given(values)


def _where(path: Path, text: str, key: str) -> str:
    """The file and, if it can be told, the line of a key."""
    bare = re.escape(key)
    pattern = re.compile(rf"""\s*(\[\s*)?["']?{bare}["']?\s*[=.\]]""")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return f"{path.name}, line {number}"
    return path.name


def _check_key(key: str, where: str) -> None:
    setting = SETTINGS.get(key)
    if setting is not None and setting.in_file:
        return
    if setting is not None:
        raise UsageError(
            f"{key!r} is not taken from a file, which may come from somebody else",
            where=where,
            fix=f"use {setting.flag} or {setting.env}",
        )
    if _SECRET.fullmatch(key.lower().replace("-", "_")):
        raise UsageError(
            f"{key!r} does not belong into this file: it is kept with code, and keys must not be",
            where=where,
            fix="remove the line; set DD_API_KEY and DD_APP_KEY, or name a secret with api_key_secret",
        )
    known = [s.key for s in TABLE if s.in_file]
    fix = did_you_mean(key.replace("-", "_"), known) or f"known are: {', '.join(known)}"
    raise UsageError(f"there is no option {key!r}", where=where, fix=fix)


def config_values(answers: Answers, given: Given) -> dict[str, Value]:
    """What is worth keeping of a run: its answers, and what was given about where and how."""
    values = {key: value for key, value in values_of(answers).items() if SETTINGS[key].saved}
    for key in given.values:
        value = given.value(key)
        if key not in values and SETTINGS[key].saved and _beside_answers(key) and value is not None:
            values[key] = value
    return values


def _beside_answers(key: str) -> bool:
    return key in ("profile", "role_arn", "app_key_secret", "custom_metric", "price", "rate", "state")


def config_text(values: Mapping[str, Value]) -> str:
    """The text of a configuration file with these values."""
    parts = [_TEXT]
    for panel in PANELS:
        lines = [f"{s.key} = {_toml(values[s.key])}" for s in TABLE if s.panel == panel and s.key in values]
        if lines:
            parts.append(f"\n# {panel}\n" + "\n".join(lines) + "\n")
    return "".join(parts)


def save_config(path: Path, values: Mapping[str, Value]) -> bool:
    """Write the file; True if its text changed.

    Of a file that somebody wrote by hand only the values are changed: its order, comments and tables stay.
    Raises UsageError when it cannot be written.
    """
    try:
        before = path.read_text("utf-8") if path.exists() else ""
        ours = not before or before.startswith(_HEADER)
        text = config_text(values) + _doctor_table(before) if ours else _with_values(before, values)
        if before == text:
            return False
        write_whole(path, text.encode())
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write it: {error}", where=str(path)) from None
    return True


def _with_values(text: str, values: Mapping[str, Value]) -> str:
    """The file with these values. Raises ValueError when it is not TOML."""
    import tomlkit

    document = tomlkit.parse(text)
    for setting in TABLE:
        wanted = _plain(values[setting.key]) if setting.key in values else None
        if wanted is not None and document.get(setting.key) != wanted:
            document[setting.key] = wanted
    return tomlkit.dumps(document)


def _plain(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _doctor_table(text: str) -> str:
    """The part of a file from its table `[doctor]` on; tables come last in it."""
    found = re.search(rf"^\[+{DOCTOR_TABLE}\b", text, re.MULTILINE)
    return f"\n{text[found.start() :]}" if found else ""


def _toml(value: Value) -> str:
    import tomlkit

    return str(tomlkit.item(_plain(value)).as_string())


def as_command(answers: Answers, given: Given | None = None, command: str = "setup") -> str:
    """The command line that does the same without asking, quoted for a shell, on several lines if long."""
    given = given or Given()
    values = config_values(answers, given) | {
        key: value for key, value in values_of(answers).items() if not _from_environment(key, given)
    }
    values |= {k: v for k in _OF_A_LINE if given.typed(k) and (v := given.value(k)) is not None}
    parts = [f"ddsetup {command}", "--yes", "--no-input"]
    for setting in TABLE:
        if setting.key in values:
            parts.extend(_arguments(setting.key, values[setting.key]))
    line = " ".join(parts)
    return line if len(line) <= 100 else " \\\n  ".join(parts)


def as_words(values: Mapping[str, Value]) -> str:
    """Some values as the options that mean them, in one line."""
    return " ".join(part for s in TABLE if s.key in values for part in _arguments(s.key, values[s.key]))


def _from_environment(key: str, given: Given) -> bool:
    raw = given.raw(key)
    return raw is not None and raw.source == "env" and not SETTINGS[key].saved


def _arguments(key: str, value: Json) -> list[str]:
    setting = SETTINGS[key]
    if isinstance(value, bool):
        return [setting.flag if value else setting.no_flag]
    items = value if isinstance(value, tuple) else (value,)
    return [f"{setting.flag} {shlex.quote(str(item))}" for item in items]
