"""Keys and signatures for bundles and snapshots; edge/trust.py is what checks them on the device."""

import datetime
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ExportError, UsageError
from edge.manifest import FILE_NAME, read
from edge.trust import KEY_SUFFIX, SCHEME, SIGNATURE_NAME


@dataclass(frozen=True)
class KeyPair:
    """Where a pair of keys was written: the secret one stays here, the public one goes to devices."""

    secret: Path
    public: Path


def make_keys(path: Path) -> KeyPair:
    """Write ``path`` (PEM, readable by its owner alone) and ``path.pub``. Raises ExportError if either exists."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    pair = KeyPair(path, path.with_name(path.name + KEY_SUFFIX))
    _write_new(pair.secret, pem, mode=0o600)
    _write_new(pair.public, f"{SCHEME} {key.public_key().public_bytes_raw().hex()}\n".encode(), mode=0o644)
    return pair


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise ExportError(f"{path} exists; name another place for the new keys") from error
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror or error}") from error


def sign(folder: Path, key_path: Path, *, sequence: int | None = None, expires: str | None = None) -> dict[str, Any]:
    """Sign a sealed folder, after checking its files. Returns what was signed.

    ``sequence`` and ``expires`` (YYYY-MM-DD) go into the manifest where given. The same folder and key give the same
    bytes. Raises ExportError for a folder that is altered, a key that is none, UsageError for an impossible date.
    """
    key = secret_key(key_path)
    version = json.loads((folder / FILE_NAME).read_bytes())["format"] if (folder / FILE_NAME).is_file() else 1
    document = read(folder, format_version=version, error=ExportError).plain()
    if sequence is not None:
        document["sequence"] = sequence
    if expires is not None:
        document["expires"] = _date(expires)
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    signature, public = key.sign(text.encode("utf-8")), key.public_key().public_bytes_raw()
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    (folder / SIGNATURE_NAME).write_text(f"{SCHEME} {public.hex()} {signature.hex()}\n", encoding="ascii")
    return {"folder": str(folder), "key": public.hex(), "sequence": document.get("sequence", 0),
            "expires": document.get("expires")}


def _date(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UsageError(f"--expires {text!r} is not a date as 2030-12-31") from error


def secret_key(path: Path) -> Any:
    """The Ed25519PrivateKey that ``make_keys`` wrote. Raises ExportError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ExportError(f"{path}: the key cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ExportError(f"{path}: not a secret key that `roomtone-export keygen` made") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ExportError(f"{path}: not an Ed25519 key; make one with `roomtone-export keygen`")
    return key
