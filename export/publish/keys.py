"""The keys of a repository: ``root`` is kept offline and names the others; ``release`` signs what is published;
``timestamp`` may lie on the machine that renews the repository every few days."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ExportError, UsageError
from export.signing import secret_key


@dataclass(frozen=True)
class Keys:
    """Signers (securesystemslib's CryptoSigner) by what they are for; each list may be empty."""

    root: list[Any]
    """Of the root that is to be."""
    old_root: list[Any]
    """Of the root that is, where its keys are replaced."""
    release: list[Any]
    timestamp: list[Any]

    def of(self, role: str) -> list[Any]:
        """Who signs targets, snapshot or timestamp; raises UsageError when the key was not given."""
        signers = self.timestamp if role == "timestamp" else self.release
        if not signers:
            raise UsageError(f"signing the {role} needs --{'timestamp-key' if role == 'timestamp' else 'key'} FILE")
        return signers


def load_keys(root: list[Path], old_root: list[Path], release: Path | None, timestamp: Path | None) -> Keys:
    """The files of ``roomtone-export keygen``; the timestamp's is the release's where none is given."""
    of_timestamp = timestamp or release
    return Keys(
        root=[signer(path) for path in root],
        old_root=[signer(path) for path in old_root],
        release=[signer(release)] if release else [],
        timestamp=[signer(of_timestamp)] if of_timestamp else [])


def signer(path: Path) -> Any:
    """Raises ExportError for a file that is no secret key, or when python-tuf is missing."""
    try:
        from securesystemslib.signer import CryptoSigner
    except ImportError as error:
        raise ExportError("publishing needs python-tuf; pip install 'roomtone[export]'") from error
    return CryptoSigner(secret_key(path))
