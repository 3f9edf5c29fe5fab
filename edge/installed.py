"""Which release of a bundle or snapshot was installed last, so that a device goes back to no older one.

``installed.json`` in the state folder maps a name to the highest sequence that was opened under trust.
"""

import json
import logging
from pathlib import Path

from edge.bundle import Bundle
from edge.disk import write_whole
from edge.errors import BundleError, StateError

FILE_NAME = "installed.json"
MAX_BYTES = 65536
log = logging.getLogger(__name__)


def least_sequence(state_dir: Path, name: str) -> int:
    """The sequence below which nothing of this name may be opened; 0 when nothing was. Raises StateError."""
    path = state_dir / FILE_NAME
    try:
        with path.open("rb") as file:
            known = json.loads(file.read(MAX_BYTES))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(f"{path}: cannot be read: {error}; remove it to accept any sequence again") from error
    sequence = known.get(name, 0) if isinstance(known, dict) else None
    if type(sequence) is not int:
        raise StateError(f"{path}: does not map names to sequences; remove it to accept any sequence again")
    return sequence


def remember(state_dir: Path, name: str, sequence: int) -> None:
    """Never open an older one again. Durable when it returns; a lower sequence changes nothing. Raises StateError."""
    path = state_dir / FILE_NAME
    if sequence <= least_sequence(state_dir, name):
        return
    try:
        known = json.loads(path.read_bytes()) if path.exists() else {}
        write_whole(path, json.dumps({**known, name: sequence}, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise StateError(f"{path}: cannot be written: {error.strerror or error}; free space, or give access") from error


def accept(state_dir: Path, bundle: Bundle) -> None:
    """Raises BundleError for an older release than the last that was accepted, else remembers this one if it can."""
    least = least_sequence(state_dir, bundle.name)
    if bundle.sequence < least:
        raise BundleError(f"{bundle.path}: its sequence {bundle.sequence} is older than {least}, which was installed "
                          "before; install a newer one")
    try:
        remember(state_dir, bundle.name, bundle.sequence)
    except StateError as error:
        log.warning("an older bundle than %s could be opened after this one: %s", bundle.version, error)
