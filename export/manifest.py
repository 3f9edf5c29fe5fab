"""Seal a folder: write the manifest that edge/manifest.py checks. The same files give the same bytes."""

import hashlib
import json
from pathlib import Path
from typing import Any

from edge.manifest import FILE_NAME


def seal(folder: Path, document: dict[str, Any]) -> None:
    """Write ``document`` plus ``files`` (size and SHA-256 of every other file in the folder) as the manifest."""
    paths = sorted(path for path in folder.iterdir() if path.name != FILE_NAME)
    files = {path.name: _entry(path) for path in paths}
    text = json.dumps({**document, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def _entry(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
