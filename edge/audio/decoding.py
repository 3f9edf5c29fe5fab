"""Any sound or film file to chunks of samples: libsndfile first, FFmpeg for what libsndfile does not know."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import MediaError, RuntimeMissingError

CHUNK_FRAMES = 1 << 14
RATES_HZ = (1000, 768_000)
MAX_CHANNELS = 64


@dataclass(frozen=True)
class Chunk:
    sample_rate_hz: int
    """The same in every chunk of a file."""
    samples: np.ndarray
    """[shape=(n, channels), dtype=float32]; full scale is -1 to 1."""


def decode(path: Path) -> Generator[Chunk, None, None]:
    """A file's sound from its beginning.

    Raises MediaError when it is no media file, has no sound, or is damaged (then after the chunks before the
    damage); RuntimeMissingError when soundfile is not installed.
    """
    soundfile = _soundfile()
    with path.open("rb") as content:
        try:
            # By descriptor: soundfile takes the name's ending for the format of a headerless file.
            file = _forward_only(soundfile)(content.fileno(), closefd=False)
        except soundfile.LibsndfileError as error:
            refusal = error.error_string.strip(" .")
        else:
            with file:
                yield from _sound_chunks(path, file, soundfile.LibsndfileError)
            return
    from edge.audio.film import decode_film

    yield from decode_film(path, refusal=refusal)


def check_format(path: Path, sample_rate_hz: int, channels: int) -> None:
    """Raises MediaError for a rate or a number of channels that no recording has."""
    low_hz, high_hz = RATES_HZ
    if not sample_rate_hz or not channels:  # what decoders make of text or noise with a suffix of music
        raise MediaError(f"{path}: not a sound or film file, or a damaged one")
    if not low_hz <= sample_rate_hz <= high_hz or not 1 <= channels <= MAX_CHANNELS:
        raise MediaError(
            f"{path}: {channels} channels at {sample_rate_hz} Hz; convert it to 1 to {MAX_CHANNELS} channels "
            f"at {low_hz} to {high_hz} Hz"
        )


def _sound_chunks(path: Path, file: Any, failure: type[Exception]) -> Generator[Chunk, None, None]:
    check_format(path, file.samplerate, file.channels)
    decoded_frames = 0
    while True:
        try:
            samples = file.read(CHUNK_FRAMES, dtype="float32", always_2d=True)
        except failure as error:
            after_s = decoded_frames / file.samplerate
            raise MediaError(f"{path}: damaged after {after_s:.1f} s ({error}); copy it again") from error
        if not len(samples):
            return
        decoded_frames += len(samples)
        yield Chunk(file.samplerate, samples)


def _forward_only(soundfile: Any) -> Any:
    """A SoundFile that is read from beginning to end.

    soundfile seeks to where it is after each read of a file that it can seek in. In an MP3, whose frames depend
    on those before, that jumps by up to 1,300 samples.
    """

    class ForwardOnly(soundfile.SoundFile):
        def seekable(self) -> bool:
            return False

    return ForwardOnly


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise RuntimeMissingError(
            "soundfile is not installed; run pip install 'roomtone[speaker]'"
        ) from error
    except OSError as error:
        raise RuntimeMissingError(f"libsndfile is not installed ({error}); apt install libsndfile1") from error
    return soundfile
