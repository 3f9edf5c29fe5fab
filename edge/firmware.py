"""A firmware profile: what one device can afford, read from TOML, checked once, never changed.

Profiles lie in ``firmware_profiles/``, one file per device; a path to one's own file works as well.
"""

import os
import tomllib
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from edge.errors import ProfileError

PROFILES_DIR = Path(__file__).resolve().parent.parent / "firmware_profiles"
MIB = 1 << 20
MAX_FILE_BYTES = 64 << 10


def _number(low: float, high: float) -> Any:
    return field(metadata={"range": (low, high)})


def _choice(*names: str) -> Any:
    return field(metadata={"choices": names})


@dataclass(frozen=True)
class Memory:
    budget_mib: int = _number(32, 65536)
    """The whole process's proportional set size must stay below this."""

    @property
    def budget_bytes(self) -> int:
        return self.budget_mib * MIB


@dataclass(frozen=True)
class Engine:
    runtime: str = _choice("litert", "onnx")
    threads: int = _number(1, 64)


@dataclass(frozen=True)
class Audio:
    enabled: bool
    block_ms: int = _number(10, 1000)
    """How much sound is handed to the front end at a time."""
    hop_s: float = _number(0.1, 60)
    """Seconds between two embeddings of the sound."""


@dataclass(frozen=True)
class Video:
    enabled: bool
    frames_per_s: float = _number(0.05, 30)
    """How many pictures a second are looked at."""


@dataclass(frozen=True)
class Catalog:
    max_items: int = _number(1, 100_000_000)
    candidates: int = _number(10, 10_000)
    """How many items at most reach the ranker."""


@dataclass(frozen=True)
class Context:
    seconds: float = _number(3, 600)
    """How far back "what is playing now" reaches."""


@dataclass(frozen=True)
class Promises:
    """What the device is to reach; ``python -m benchmarks --profile`` fails where it does not."""

    real_time_factor: float = _number(1, 1_000_000)
    """Seconds of sound or film that are understood in a second when nothing else is to do, of the slower sense."""
    list_p95_ms: float = _number(0.1, 60_000)
    """A list of ten for what is heard, 95 of 100 times."""
    start_ms: float = _number(1, 600_000)
    """From the start of the daemon to its first list."""
    pss_mib: float = _number(16, 65536)
    """The daemon's proportional set size while it hears, sees and is asked."""


@dataclass(frozen=True)
class FirmwareProfile:
    """Everything that depends on the device; each section is described in docs/architecture.md."""

    name: str
    description: str
    memory: Memory
    engine: Engine
    audio: Audio
    video: Video
    catalog: Catalog
    context: Context
    promises: Promises | None = field(default=None, metadata={"section": Promises})
    """May be left out."""


def names() -> list[str]:
    """Names of the profiles that come with Roomtone."""
    return sorted(path.stem for path in PROFILES_DIR.glob("*.toml"))


def load(name_or_path: str | Path) -> FirmwareProfile:
    """Read a profile by the name of a shipped one, or from a TOML file.

    Raises ProfileError, naming the file, the key, the value and what is allowed.
    """
    path = _locate(name_or_path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ProfileError(f"{path}: larger than the {MAX_FILE_BYTES} bytes of a profile")
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: the profile cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or a number of thousands of digits
        raise ProfileError(f"{path}: the profile is not TOML: {' '.join(str(error).split())[:200]}") from error
    return _build(FirmwareProfile, document, path, "")


def _locate(name_or_path: str | Path) -> Path:
    if str(name_or_path) in names():
        return PROFILES_DIR / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if path.suffix == ".toml" and os.path.isfile(path):  # noqa: PTH113 -- Path.is_file raises for some names
        return path
    raise ProfileError(
        f"no profile {str(name_or_path)!r:.100}: give a .toml file or one of {', '.join(names())}"
    )


def _build(cls: type, table: Any, path: Path, section: str) -> Any:
    """One dataclass from one TOML table; nested dataclasses from nested tables."""
    if not isinstance(table, dict):
        raise ProfileError(f"{path}: [{section}] must be a table of settings, not {table!r:.80}")
    expected = {item.name: item for item in fields(cls)}
    prefix = f"{section}." if section else ""
    for key in table:
        if key not in expected:
            raise ProfileError(f"{path}: unknown key {prefix}{key:.80}; known: {', '.join(expected)}")
    for key, item in expected.items():
        if key not in table and item.default is MISSING:
            raise ProfileError(f"{path}: {prefix}{key} is missing")
    return cls(**{key: _value(expected[key], value, path, prefix) for key, value in table.items()})


def _value(item: Field, value: Any, path: Path, prefix: str) -> Any:
    kind: Any = item.metadata.get("section", item.type)
    if hasattr(kind, "__dataclass_fields__"):
        return _build(kind, value, path, item.name)
    accepted = (int, float) if kind is float else (kind,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ProfileError(f"{path}: {prefix}{item.name} = {value!r:.80} must be of type {kind.__name__}")
    if "choices" in item.metadata and value not in item.metadata["choices"]:
        allowed = " or ".join(map(repr, item.metadata["choices"]))
        raise ProfileError(f"{path}: {prefix}{item.name} = {value!r:.80} must be {allowed}")
    low, high = item.metadata.get("range", (None, None))
    if low is not None and not low <= value <= high:
        raise ProfileError(f"{path}: {prefix}{item.name} = {value!r:.80} must lie in {low} to {high}")
    return kind(value)
