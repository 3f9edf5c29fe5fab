"""Which shot is this: is a known one found by other pictures of it, clean and worn, and an unknown film refused?"""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.export_quality import CACHE_VARIABLE
from benchmarks.report import Figure, Row
from edge.context import unit
from edge.firmware import FirmwareProfile

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
LEAST_SCORES = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


Vectors = dict[str, np.ndarray]
"""View to a picture's vector, float32 (d,)."""


@dataclass
class Seen:
    """Pictures with the shot that each is of, by number from 0 over all films."""

    shots: np.ndarray
    films: np.ndarray
    vectors: Vectors
    """Of all pictures: float32 (pictures, d)."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """Top 1 among all shots of the packages' films: by a shot's mean ``video`` vector, its best ``video`` vector, and
    its best ``shot`` vector as the device does it. ``in motion``: the picture half a second before it was seen too.
    Then how often a picture's shot is named, and one of a film that is not in the catalogue."""
    from edge.bundle import open_bundle
    from export.catalog.embed import bundle_embedders
    from export.data.fetch import DEFAULT_CACHE

    cache = Path(os.environ.get(CACHE_VARIABLE, DEFAULT_CACHE))
    if not (cache / "unpacked").is_dir():
        return [Row("shots", {}, note=f"{cache} holds no films: run `make assets` once, or set {CACHE_VARIABLE}")]
    models = [bundle_embedders(open_bundle()).pictures for _ in range(2)]
    known, asked = _look(cache, *(model for model in models if model is not None))
    return [*(_top_1(name, known, questions) for name, questions in asked.items()),
            *(row for name, questions in asked.items() for row in _curve(name, known, questions))]


def _top_1(name: str, known: Seen, asked: Seen) -> Row:
    longest = asked.films == np.bincount(known.films).argmax()
    found = {"video_mean": _nearest_mean(known, asked), "video": _nearest(known, asked, "video")[0],
             "shot": _nearest(known, asked, "shot")[0]}
    figures: dict[str, Figure] = {"pictures": len(asked.shots), "shots": int(known.shots.max()) + 1}
    for view, shots in found.items():
        right = shots == asked.shots
        figures |= {f"{view}_top1": f"{right.mean():.4f}", f"{view}_longest_film": f"{right[longest].mean():.4f}"}
    return Row(name, figures)


def _curve(name: str, known: Seen, asked: Seen) -> list[Row]:
    """By the score from which a shot is named: how many pictures of known films are, and rightly; and how many of films
    that are taken out of the catalogue."""
    from edge.recommend.recognition import LEAST_SHOT_SCORE

    shots, scores = _nearest(known, asked, "shot")
    strangers = np.concatenate([_nearest(known, asked, "shot", without=film)[1] for film in np.unique(asked.films)])
    rows = []
    for least in sorted({*LEAST_SCORES, LEAST_SHOT_SCORE}):
        named = scores >= least
        rows.append(Row(f"{name}, from {least:.2f}" + " (used)" * (least == LEAST_SHOT_SCORE), {
            "least_score": least, "named": float(named.mean()),
            "named_rightly": float((named & (shots == asked.shots)).mean()),
            "unknown_film_named": float((strangers >= least).mean())}))
    return rows


def _nearest_mean(known: Seen, asked: Seen) -> np.ndarray:
    """What one vector a shot would do: shots, int (asked,)."""
    sums = np.zeros((int(known.shots.max()) + 1, known.vectors["video"].shape[1]))
    np.add.at(sums, known.shots, known.vectors["video"])
    return (asked.vectors["video"] @ _as_stored(unit(sums)).T).argmax(axis=1)


def _nearest(known: Seen, asked: Seen, view: str, *, without: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The shot of each picture by its nearest known picture, and the cosine; ``without`` a film, of its pictures."""
    kept = known.films != (-1 if without is None else without)
    questions = asked.vectors[view] if without is None else asked.vectors[view][asked.films == without]
    cosines = questions @ _as_stored(known.vectors[view][kept]).T
    return known.shots[kept][cosines.argmax(axis=1)], cosines.max(axis=1)


def _as_stored(vectors: np.ndarray) -> np.ndarray:
    """Through the snapshot's int8 and back."""
    from edge.catalog.index import SCALE
    from export.catalog.vectors import as_stored

    return as_stored(vectors.astype(np.float32)).astype(np.float32) / SCALE


def _look(cache: Path, known: "PictureModel", asked: "PictureModel") -> tuple[Seen, dict[str, Seen]]:
    """The pictures that a catalogue of the packages' films knows, and others of the same shots by their wear."""
    from tqdm import tqdm

    from export.catalog.packaged import packaged_films

    rng = np.random.default_rng(0)
    gathered: dict[str, list[tuple[int, int, Vectors]]] = {name: [] for name in ("known", *QUALITIES, IN_MOTION)}
    count = 0
    for number, film in enumerate(tqdm(packaged_films(cache), desc="films", unit="film", disable=None)):
        shots, seen = _watch(film, known, asked, rng)
        for name, at_s, vectors in seen:
            shot = max(0, int(np.searchsorted(shots, at_s, side="right")) - 1)
            gathered[name].append((count + shot, number, vectors))
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


def _stacked(pictures: list[tuple[int, int, Vectors]]) -> Seen:
    shots, films, vectors = zip(*pictures, strict=True)
    return Seen(np.array(shots), np.array(films), {view: np.stack([each[view] for each in vectors]) for view in VIEWS})
