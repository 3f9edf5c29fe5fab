"""What the daemon is asked to do: everything that the command line decides."""

from dataclasses import dataclass, field
from pathlib import Path

from edge import bundle
from edge.catalog import snapshot
from edge.firmware import FirmwareProfile
from edge.trust import Trust
from edge.update.trial import Release

DEFAULT_LISTEN = "127.0.0.1:8765"


@dataclass(frozen=True)
class DaemonOptions:
    profile: FirmwareProfile
    state_dir: Path
    """Where history and the mute switch are kept; made when missing."""
    audio: str = "mic"
    """A source for edge.audio.source.open_audio, or ``none``."""
    video: str = "none"
    """A source for edge.video.source.open_video, or ``none``."""
    release: Release | None = None
    """Where ``bundle`` and ``catalog`` come from, unless they were named by hand."""
    bundle: Path = bundle.DEFAULT
    trust: Trust = field(default_factory=lambda: Trust({}))
    """Whose signature a bundle that is not our own must carry."""
    catalog: Path = snapshot.DEFAULT
    engine: str | None = None
    """``litert`` or ``onnx`` in place of the profile's runtime."""
    listen: str = DEFAULT_LISTEN
    """``127.0.0.1:8765`` or ``unix:PATH``."""
    token_file: Path | None = None
    """The secret that clients must show; needed on an address that other machines can reach."""
    paced: bool = True
    """Play files in real time rather than as fast as possible."""
    profile_source: str | Path | None = None
    """Where ``profile`` came from, to be read again at a reload."""
    print_events: bool = False
    """Print every live event as a line of JSON on stdout, as the event stream would send it."""
