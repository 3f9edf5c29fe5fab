"""Which files of a snapshot were verified: the recommender's own parts are optional, so it must ask."""

import json

from edge import manifest
from edge.catalog.snapshot import Snapshot


def listed(snapshot: Snapshot) -> set[str]:
    """The names in the manifest, whose files were checked when the snapshot was opened."""
    return set(json.loads((snapshot.path / manifest.FILE_NAME).read_text(encoding="utf-8"))["files"])
