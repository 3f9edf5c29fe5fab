"""Pictures and film frames out of the packages, cropped and scaled to what the video model takes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edge.errors import MediaError
from export.data.recipes import Package

SUFFIXES = {"pictures": (".png", ".jpg", ".jpeg"),
            "film": (".mp4", ".avi", ".ogv", ".mpg", ".webm", ".mkv", ".video.ogg")}
MIN_SIDE_PX = 96


def list_files(package: Package, root: Path, kind: str) -> list[Path]:
    """A package's ``pictures`` or ``film``, sorted."""
    return [path for path in package.files(root, kind) if path.name.lower().endswith(SUFFIXES[kind])]


def read_pictures(paths: Sequence[Path], side_px: int) -> np.ndarray:
    """Photographs and drawings on white: np.ndarray [shape=(n, side, side, 3), dtype=uint8], RGB.

    Files that are damaged or smaller than 96 pixels are left out.
    """
    import cv2

    kept = []
    for path in paths:
        raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if raw is not None and raw.dtype == np.uint8 and min(raw.shape[:2]) >= MIN_SIDE_PX:
            kept.append(cv2.resize(_on_white(raw), (side_px, side_px), interpolation=cv2.INTER_AREA))
    return np.stack(kept) if kept else np.empty((0, side_px, side_px, 3), np.uint8)


def read_frames(path: Path, *, every_s: float, side_px: int) -> Iterator[np.ndarray]:
    """Frames of a film, one every so many seconds: np.ndarray [shape=(side, side, 3), dtype=uint8], RGB.

    Raises MediaError when the film cannot be decoded.
    """
    import av

    try:
        with av.open(str(path)) as container:
            taken = 0
            for frame in container.decode(video=0):
                if frame.time is not None and frame.time >= taken * every_s:
                    taken += 1
                    yield frame.reformat(side_px, side_px, "rgb24", interpolation="AREA").to_ndarray()
    except (av.FFmpegError, OSError, IndexError) as error:
        raise MediaError(f"{path}: cannot be decoded as film: {error}") from error


def _on_white(raw: np.ndarray) -> np.ndarray:
    """Grey, BGR or BGRA to RGB."""
    if raw.ndim == 2:
        return np.repeat(raw[:, :, None], 3, axis=2)
    if raw.shape[2] == 4:
        alpha = raw[:, :, 3:].astype(np.float32) / 255
        raw = (raw[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(raw[:, :, ::-1])
