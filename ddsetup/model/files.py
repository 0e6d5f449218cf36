"""A file that is written whole, or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600
_USUAL = 0o644


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put `content` in the place of a file, on disk when this returns; nobody ever sees a part of it.

    The file gets `mode`; without it, it keeps its own. A symbolic link stays one. What is there and no file
    (`/dev/stdout`) is written to. Raises OSError, and then the file is as it was.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    from tempfile import mkstemp  # only for whoever writes

    real = path.resolve()
    descriptor, name = mkstemp(dir=real.parent, prefix=f".{real.name[:100]}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is None:
            mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else _USUAL
        draft.chmod(mode)
        draft.replace(real)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
