"""Since when this device uses its bundle and its snapshot: kept in the state folder across restarts."""

import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE_NAME = "versions.json"
MAX_BYTES = 4096

log = logging.getLogger(__name__)


def used_since(state_dir: Path, versions: Mapping[str, str]) -> dict[str, float]:
    """Part to the Unix time at which its present version was first used here; now, for one that is new.

    A file that cannot be read counts as new, one that cannot be written is said in the log: it is for information.
    """
    path = state_dir / FILE_NAME
    known = _read(path)
    now_s = round(time.time(), 3)
    since = {part: known.get(part, {}).get(version, now_s) for part, version in versions.items()}
    kept = {part: {version: since[part]} for part, version in versions.items()}
    if kept != known:
        _write(path, kept)
    return since


def _read(path: Path) -> dict[str, dict[str, float]]:
    try:
        with path.open("rb") as file:
            return _checked(json.loads(file.read(MAX_BYTES)))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s: cannot be read and is begun anew: %s", path, error)
        return {}


def _checked(document: Any) -> dict[str, dict[str, float]]:
    """Raises ValueError unless it is what ``_write`` writes."""
    parts = document.values() if isinstance(document, dict) else [None]
    for part in parts:
        if not isinstance(part, dict) or not all(type(since_s) is float for since_s in part.values()):
            raise ValueError(f"not versions with times: {part!r:.80}")
    return document


def _write(path: Path, kept: dict[str, dict[str, float]]) -> None:
    made = path.with_suffix(".new")
    try:
        with made.open("w", encoding="utf-8") as file:
            made.chmod(0o600)
            json.dump(kept, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError as error:
        log.warning("%s: a restart will forget since when the versions are in use: %s", path, error.strerror)
