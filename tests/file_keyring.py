"""A keyring in a file, for tests: as much of a machine's own as the package `keyring` asks of one.

    PYTHON_KEYRING_BACKEND=tests.file_keyring.FileKeyring FILE_KEYRING=/tmp/keys.json

It is locked while a file of the same name with `.locked` behind it is there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from jaraco.classes.properties import classproperty
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Entries by service and name, in the file that FILE_KEYRING names."""

    @classproperty
    def priority(cls) -> float:  # noqa: N805 - of the class, as keyring wants it
        """Not for a process that names no file, as other tests' are, which only happens to have loaded it."""
        if "FILE_KEYRING" not in os.environ:
            raise RuntimeError("FILE_KEYRING names the file")
        return 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._held().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path().write_text(json.dumps({**self._held(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError(username)

    def _path(self) -> Path:
        path = Path(os.environ["FILE_KEYRING"])
        if path.with_name(f"{path.name}.locked").exists():
            raise KeyringLocked
        return path

    def _held(self) -> dict[str, str]:
        path = self._path()
        held: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return held
