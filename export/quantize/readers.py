"""Sound and pictures to a model's float inputs, by the very code that the device runs before its int8 rounding."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.audio.constants import MfccConstants
from edge.audio.encoder import SILENCE_LOG_ENERGY
from edge.audio.level import log_mean_energy, normalise_level
from edge.audio.mfcc import StreamingMfcc
from edge.audio.source import open_audio
from edge.engine.base import TensorSpec
from edge.errors import MediaError
from edge.video.frames import FramePreparer
from edge.video.opencv import opencv
from edge.video.source import open_video

SOUND_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".aac",
                            ".mp4", ".mkv", ".webm", ".mov"})
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
FILM_SUFFIXES = frozenset({".mp4", ".mkv", ".webm", ".mov", ".ogv", ".avi", ".ts", ".mpg"})
MOST_SECONDS = 120
FILM_FRAMES_PER_S = 0.5
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNK_FRAME_BYTES = 12
"""Length, type and checksum of a chunk."""


class SoundReader:
    """Windows of standardised MFCC, (n, frames, coefficients), one after the other."""

    suffixes = SOUND_SUFFIXES
    what = "sound"

    def __init__(self, constants: MfccConstants, *, frames: int, mean: np.ndarray, std: np.ndarray,
                 level_normalised: bool):
        self._constants, self._frames = constants, frames
        self._mean, self._std = mean.astype(np.float32), std.astype(np.float32)
        self._level_normalised = level_normalised

    def read(self, path: Path) -> np.ndarray:
        mfcc = self._mfcc(path)
        if 0 < len(mfcc) < self._frames:  # as the device does with a sound shorter than a window
            mfcc = np.resize(mfcc, (self._frames, mfcc.shape[1]))
        count = len(mfcc) // self._frames
        windows = mfcc[: count * self._frames].reshape(count, self._frames, -1)
        windows = windows[log_mean_energy(windows) > SILENCE_LOG_ENERGY] if count else windows
        if self._level_normalised and len(windows):
            normalise_level(windows)
        return ((windows - self._mean) / self._std).astype(np.float32)

    def _mfcc(self, path: Path) -> np.ndarray:
        stream = StreamingMfcc(self._constants)
        parts = []
        with open_audio(str(path), sample_rate_hz=self._constants.sample_rate_hz, block_ms=500) as source:
            while (block := source.read()) is not None and block.start_s < MOST_SECONDS:
                parts.append(stream.push(block.samples).copy())
        parts.append(stream.flush().copy())
        return np.concatenate(parts)


class PictureReader:
    """Normalised pictures, (n, height, width, 3): of a picture file its one, of a film one every two seconds."""

    suffixes = PICTURE_SUFFIXES | FILM_SUFFIXES
    what = "picture or film"

    def __init__(self, input_shape: tuple[int, ...], *, mean: list[float], std: list[float]):
        # A grid of whole steps from -128 makes the preparer hand back the resized picture itself, minus 128.
        spec = TensorSpec("pixels", input_shape, np.dtype(np.int8), 1.0, -128)
        self._preparer = FramePreparer({"kind": "image", "mean": [0, 0, 0], "std": [1, 1, 1]}, spec)
        self._mean, self._std = np.array(mean, np.float32), np.array(std, np.float32)

    def read(self, path: Path) -> np.ndarray:
        images = _picture(path) if path.suffix.lower() in PICTURE_SUFFIXES else _film(path)
        return np.concatenate([self._normalised(image) for image in images])

    def _normalised(self, image: np.ndarray) -> np.ndarray:
        return (self._preparer.prepare(image).astype(np.float32) + 128 - self._mean) / self._std


def _picture(path: Path) -> list[np.ndarray]:
    cv2, content = opencv(), path.read_bytes()
    _check_chunks(path, content)
    try:
        image: Any = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error:  # its size is none
        image = None
    if image is None:
        raise MediaError(f"{path}: not a picture that OpenCV can read")
    return [np.ascontiguousarray(image[:, :, ::-1])]


def _check_chunks(path: Path, content: bytes) -> None:
    """Raises MediaError for a PNG with a chunk that ends behind the file (PNG, third edition, section 5.3).

    OpenCV makes room for what is announced, up to 4 GB, before it looks for it.
    """
    start = len(PNG_SIGNATURE) if content.startswith(PNG_SIGNATURE) else len(content)
    while start < len(content):
        size_bytes = int.from_bytes(content[start : start + 4], "big")
        if start + CHUNK_FRAME_BYTES + size_bytes > len(content):
            raise MediaError(f"{path}: not a whole picture: a chunk of {size_bytes} bytes at byte {start} of "
                             f"{len(content)}; copy it again")
        start += CHUNK_FRAME_BYTES + size_bytes


def _film(path: Path) -> list[np.ndarray]:
    images = []
    with open_video(str(path), frames_per_s=FILM_FRAMES_PER_S) as source:
        while (frame := source.read()) is not None and frame.time_s < MOST_SECONDS:
            images.append(frame.image.copy())
    return images
