"""Whom a device lets change its models: signatures of manifests, keys in a folder, no way back to an older bundle.

``manifest.sig`` beside ``manifest.json`` holds ``roomtone-ed25519 KEY SIGNATURE`` in hex: the public key and the
Ed25519 signature of the manifest's bytes, which carry the size and SHA-256 of every file. A trusted key is a file
``NAME.pub`` of one line, ``roomtone-ed25519 KEY``. A signed manifest may carry ``expires`` (YYYY-MM-DD) and
``sequence``, a number that only grows.
"""

import datetime
import logging
from dataclasses import dataclass
from pathlib import Path

from edge import ed25519
from edge.errors import RoomtoneError, UsageError

SIGNATURE_NAME = "manifest.sig"
KEY_SUFFIX = ".pub"
KEYS_DIR = Path("/etc/roomtone/keys")
SCHEME = "roomtone-ed25519"
MAX_TEXT_BYTES = 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trust:
    """What is required of a bundle or snapshot before anything in it is parsed."""

    keys: dict[str, bytes]
    """Name to public key (32 bytes)."""
    unsigned_allowed: bool = False
    """For development: what nobody signed is opened too, with a warning."""

    def check(self, folder: Path, manifest: bytes, error: type[RoomtoneError]) -> None:
        """Raises ``error`` unless a trusted key signed these bytes."""
        path = folder / SIGNATURE_NAME
        if not path.exists():
            if not self.unsigned_allowed:
                raise error(f"{folder} is not signed; sign it with `roomtone-export sign`, or for development open it "
                            "with --allow-unsigned")
            log.warning("%s is NOT SIGNED and is opened all the same, because of --allow-unsigned", folder)
            return
        key, signature = _hex_fields(path, error, (ed25519.PUBLIC_KEY_BYTES, ed25519.SIGNATURE_BYTES))
        if key not in self.keys.values():
            raise error(f"{path}: signed with the key {key.hex()[:16]}..., which is not among the "
                        f"{len(self.keys)} trusted ones")
        if not ed25519.verifies(key, manifest, signature):
            raise error(f"{path}: the signature is not that of this manifest; copy the folder again")


def device_trust(folder: Path, *, unsigned_allowed: bool) -> Trust:
    """What a device requires: a signature by a key of ``folder``, which may be missing as long as nothing is signed."""
    if not folder.is_dir():
        return Trust({}, unsigned_allowed)
    return load_trust(folder, unsigned_allowed=unsigned_allowed)


def load_trust(folder: str | Path, *, unsigned_allowed: bool = False) -> Trust:
    """The keys of a folder. Raises UsageError when it is missing, or a key in it is no key."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder of trusted keys ({'NAME' + KEY_SUFFIX} files)")
    paths = sorted(folder.glob(f"*{KEY_SUFFIX}"))
    return Trust({path.stem: _hex_fields(path, UsageError, (ed25519.PUBLIC_KEY_BYTES,))[0] for path in paths},
                 unsigned_allowed)


def check_validity(
    where: Path, *, expires: str | None, sequence: int, least_sequence: int, today: datetime.date,
    error: type[RoomtoneError],
) -> None:
    """Raises ``error`` for a manifest that has expired, or is older than the one that was installed before.

    A device without a clock believes in 1970 until it is told the time; nothing has expired for it until then.
    """
    if sequence < least_sequence:
        raise error(f"{where}: its sequence {sequence} is older than {least_sequence}, which was installed before; "
                    "install a newer one")
    if expires is None:
        return
    try:
        last = datetime.date.fromisoformat(expires)
    except ValueError as cause:
        raise error(f"{where}: expires {expires!r:.40} is not a date as 2030-12-31") from cause
    if today > last:
        raise error(f"{where}: expired on {expires}; install a newer one")


def _hex_fields(path: Path, error: type[RoomtoneError], sizes: tuple[int, ...]) -> list[bytes]:
    """The hex fields after the scheme's name, each of its size in bytes."""
    try:
        with path.open("rb") as file:
            words = file.read(MAX_TEXT_BYTES).decode("ascii").split()
        fields = [bytes.fromhex(word) for word in words[1:]]
    except OSError as cause:
        raise error(f"{path}: cannot be read: {cause.strerror or cause}") from cause
    except ValueError:
        fields, words = [], []
    if words[:1] != [SCHEME] or tuple(len(field) for field in fields) != sizes:
        raise error(f"{path}: not of the form `{SCHEME} {' '.join('HEX' for _ in sizes)}`")
    return fields
