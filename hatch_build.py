"""What a built package says of itself that the sources cannot know: where the project lives.

`DDSETUP_REPOSITORY` names the address, else GitHub's own variables in a workflow do. With it the package has
project URLs, and what README.md links to is linked there, so that a package index shows pictures and finds
pages. Without it there are no URLs, and links stay as they are.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)(\[[^\]]*\])\((?![a-z]+:|#)([^)\s]+)\)")
_URLS = {
    "Documentation": "blob/{ref}/docs/index.md",
    "Changelog": "blob/{ref}/CHANGELOG.md",
    "Issues": "issues",
    "Security": "blob/{ref}/SECURITY.md",
}


def repository() -> str:
    """The address of the repository, empty if nobody says."""
    named = os.environ.get("DDSETUP_REPOSITORY", "")
    server, name = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
    return (named or (f"{server}/{name}" if server and name else "")).rstrip("/").removesuffix(".git")


def absolute(text: str, address: str, ref: str) -> str:
    """`text` with every relative link leading to `ref` of the repository; a picture to the picture itself."""
    return _LINK.sub(
        lambda link: (
            f"{link[1]}{link[2]}({address}/{'raw' if link[1] else 'blob'}/{ref}/{link[3].removeprefix('./')})"
        ),
        text,
    )


class CustomMetadataHook(MetadataHookInterface):
    """Fills in README and URLs."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with what pyproject.toml says."""
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        address = repository()
        if address:
            ref = f"v{metadata['version']}"
            readme = absolute(readme, address, ref)
            pages = {name: f"{address}/{path.format(ref=ref)}" for name, path in _URLS.items()}
            metadata["urls"] = {"Repository": address, **pages}
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
