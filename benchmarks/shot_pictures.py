"""Pictures of the packages' films, clean and worn, with the shot that each is of."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from export.catalog.embed import PictureModel
    from export.catalog.scan import MediaFile

ASKED_SHARE = 0.05
"""Of the pictures between those that the catalogue knows."""
KEPT, WIDTH_PX, GAIN = 0.9, 320, 1.2
"""Of each side, at a random place; rescaled to this width; 20 % brighter."""
QUALITIES = {"clean": None, "worn, JPEG 75": 75, "worn, JPEG 50": 50}
IN_MOTION, BEFORE_S = "worn, JPEG 50, in motion", 0.5
VIEWS = ("video", "shot")
Vectors = dict[str, np.ndarray]
"""View to a picture's vector, float32 (d,)."""
Picture = tuple[int, int, bool, Vectors]
"""Its shot, its film, whether the film is of a test package, its vectors."""


@dataclass
class Seen:
    """Pictures with the shot that each is of, by number from 0 over all films."""

    shots: np.ndarray
    films: np.ndarray
    judging: np.ndarray
    """Whether the film is of a test package: bool (pictures,)."""
    vectors: Vectors
    """Of all pictures: float32 (pictures, d)."""

    def only(self, kept: np.ndarray) -> "Seen":
        """Those pictures alone; ``kept``: bool (pictures,)."""
        return Seen(self.shots[kept], self.films[kept], self.judging[kept],
                    {view: vectors[kept] for view, vectors in self.vectors.items()})


def look(cache: Path, known: "PictureModel", asked: "PictureModel") -> tuple[Seen, dict[str, Seen]]:
    """The pictures that a catalogue of the packages' films knows, and others of the same shots by their wear."""
    from tqdm import tqdm

    from export.catalog.packaged import packaged_films

    rng = np.random.default_rng(0)
    films = [(film, split == "test") for split in ("train", "test") for film in packaged_films(cache, split)]
    gathered: dict[str, list[Picture]] = {name: [] for name in ("known", *QUALITIES, IN_MOTION)}
    count = 0
    for number, (film, judging) in enumerate(tqdm(films, desc="films", unit="film", disable=None)):
        shots, seen = _watch(film, known, asked, rng)
        for name, at_s, vectors in seen:
            shot = max(0, int(np.searchsorted(shots, at_s, side="right")) - 1)
            gathered[name].append((count + shot, number, judging, vectors))
        count += len(shots)
    stacked = {name: _stacked(pictures) for name, pictures in gathered.items()}
    return stacked.pop("known"), stacked


def _watch(film: "MediaFile", known: "PictureModel", asked: "PictureModel", rng: np.random.Generator
           ) -> tuple[list[float], list[tuple[str, float, Vectors]]]:
    """Where a film's shots begin, and its pictures: how worn, when, vectors."""
    from export.catalog.shots import ShotFinder, look_through
    from export.catalog.understand import LOOK_EVERY_S

    finder, seen, wanted_s = ShotFinder(), [], 0.0
    before: deque[tuple[float, np.ndarray]] = deque()
    known.reset()
    for time_s, thumb, picture in look_through(film.path, every_s=0.0):
        finder.push(thumb, time_s)
        if picture is None:  # shown before the one before it, as in some damaged films
            continue
        if time_s >= wanted_s:
            wanted_s = time_s + LOOK_EVERY_S
            seen += [("known", time_s, vectors) for vectors in _embedded(known, [(time_s, picture)])]
        elif rng.random() < ASKED_SHARE:
            seed = int(rng.integers(1 << 30))
            for name, quality in (*QUALITIES.items(), (IN_MOTION, 50)):
                sight = [*([before[0]] if before and name == IN_MOTION else []), (time_s, picture)]
                images = [(at_s, worn(image, quality, np.random.default_rng(seed))) for at_s, image in sight]
                asked.reset()
                seen += [(name, time_s, vectors) for vectors in _embedded(asked, images)]
        before.append((time_s, picture))
        while len(before) > 1 and before[1][0] <= time_s - BEFORE_S:
            before.popleft()
    return [shot.start_s for shot in finder.shots()], seen


def _embedded(model: "PictureModel", images: list[tuple[float, np.ndarray]]) -> Iterator[Vectors]:
    """The vectors of the last of some pictures of a film; none when it shows nothing."""
    from edge.video.source import Frame

    embeddings = [model.embed(Frame(image, at_s)) for at_s, image in images]
    if embeddings and embeddings[-1] is not None:
        yield {view: embeddings[-1].vectors[view] for view in VIEWS}


def worn(image: np.ndarray, quality: int | None, rng: np.random.Generator) -> np.ndarray:
    """Cropped, rescaled, brighter and compressed as JPEG: uint8 RGB (h, w, 3) -> the same kind, smaller.

    Left as it is without a ``quality``.
    """
    import cv2

    if quality is None:
        return image
    height, width = (int(side * KEPT) for side in image.shape[:2])
    top, left = (int(rng.integers(whole - kept + 1)) for whole, kept in zip(image.shape, (height, width), strict=False))
    size = WIDTH_PX, round(WIDTH_PX * height / width)
    small = cv2.resize(image[top : top + height, left : left + width], size, interpolation=cv2.INTER_AREA)
    bright = np.clip(small.astype(np.float32) * GAIN, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", bright[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded: Any = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[:, :, ::-1])


def _stacked(pictures: list[Picture]) -> Seen:
    shots, films, judging, vectors = zip(*pictures, strict=True)
    return Seen(np.array(shots), np.array(films), np.array(judging),
                {view: np.stack([each[view] for each in vectors]) for view in VIEWS})
