"""botocore's models of services and its table of endpoints, read with less time and memory than it takes.

They are most of what a run keeps in memory before it knows of any function.
"""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any


def share_models(session: Any) -> None:
    """Have a session of botocore's read models as all do: they are what takes long in making a client."""
    session.register_component("data_loader", model_loader(session.get_config_variable("data_path")))


@cache
def model_loader(data_path: str | None) -> Any:
    """botocore's loader of models, one for all sessions: nothing is parsed twice.

    Its list of services differs. To say whether there is a service botocore looks into the folders of all
    400, for each type of file: 4,000 calls of the system. Here every folder is taken for one; what is not in
    it is missed when it is opened. `data_path`: where botocore's configuration has further models.
    """
    from botocore.loaders import JSONFileLoader, Loader

    class Files(JSONFileLoader):
        def load_file(self, file_path: str) -> Any:
            return _read(Path(f"{file_path}.json"), Path(f"{file_path}.json.gz"))

    class Quick(Loader):
        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's name
            folders = (Path(folder) for folder in self.search_paths)
            return sorted({each.name for folder in folders if folder.is_dir() for each in folder.iterdir()})

    paths = [str(Path(path).expanduser()) for path in (data_path or "").split(os.pathsep) if path]
    return Quick(extra_search_paths=paths, file_loader=Files())


def _read(plain: Path, packed: Path) -> Any:
    """The document of the file that is there, None if neither is: what a file loader answers.

    Plain dicts keep their order and take half of the room of botocore's `OrderedDict`.
    """
    if plain.is_file():
        data = plain.read_bytes()
    elif packed.is_file():
        with gzip.open(packed) as file:
            data = file.read()
    else:
        return None
    return json.loads(data, object_hook=_without_prose)


def _without_prose(node: dict[str, Any]) -> dict[str, Any]:
    """A part of a model without what is for readers. A member of that name is no text; in places botocore
    relies on the field."""
    if isinstance(node.get("documentation"), str):
        node["documentation"] = ""
    return node
