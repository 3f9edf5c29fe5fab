"""What a build did."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_SHOWN = 1000


@dataclass(frozen=True)
class Skipped:
    file: str
    reason: str


@dataclass(frozen=True)
class Merged:
    file: str
    same_as: str


@dataclass
class BuildReport:
    out: str
    version: str = ""
    files: int = 0
    tracks: int = 0
    shots: int = 0
    reused: int = 0
    """Files whose result an earlier build had left."""
    unchanged: bool = False
    """Nothing had changed since the snapshot was built; nothing was done."""
    skipped: list[Skipped] = field(default_factory=list)
    """Files and folders that gave nothing, and why: at most 1,000."""
    skipped_files: int = 0
    merged: list[Merged] = field(default_factory=list)
    """Tracks that are the same recording as one before, and which: at most 1,000."""
    merged_files: int = 0

    def skip(self, file: str, reason: str) -> None:
        self.skipped_files += 1
        if len(self.skipped) < MOST_SHOWN:
            self.skipped.append(Skipped(_shown(file), _shown(reason)))

    def merge(self, file: str, same_as: str) -> None:
        self.merged_files += 1
        if len(self.merged) < MOST_SHOWN:
            self.merged.append(Merged(_shown(file), _shown(same_as)))

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def kept(self) -> str:
        return json.dumps(self.document())

    def as_before(self, kept: str) -> "BuildReport":
        """The report of the build that made the snapshot, for this one, which did nothing."""
        before = json.loads(kept)
        return BuildReport(**{
            **before, "out": self.out, "reused": self.files, "unchanged": True,
            "skipped": [Skipped(**each) for each in before["skipped"]],
            "merged": [Merged(**each) for each in before["merged"]]})


def _shown(text: str) -> str:
    """Bytes of a file's name that are no UTF-8, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
