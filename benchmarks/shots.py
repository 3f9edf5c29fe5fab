"""Which shot is this: is a known one found by other pictures of it, clean and worn, and an unknown film refused?"""

import os
from pathlib import Path

import numpy as np

from benchmarks.export_quality import CACHE_VARIABLE
from benchmarks.report import Figure, Row
from benchmarks.shot_pictures import IN_MOTION, Seen, look
from edge.context import unit
from edge.firmware import FirmwareProfile

MOTION_WEIGHTS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
FALSE_SHARE = 0.01
LEAST_SCORES = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """What the films of the training packages choose, then the films of the test packages, which nothing was fitted to
    or chosen by, among the shots of all. Top 1 by a shot's mean ``video`` vector, its best ``video`` vector, and its
    best ``shot`` vector as the device does it; ``in motion``: the picture half a second before it was seen too. Then
    how often a picture's shot is named, and one of a film that is not in the catalogue."""
    from edge.bundle import open_bundle
    from export.catalog.embed import bundle_embedders
    from export.data.fetch import DEFAULT_CACHE

    cache = Path(os.environ.get(CACHE_VARIABLE, DEFAULT_CACHE))
    if not (cache / "unpacked").is_dir():
        return [Row("shots", {}, note=f"{cache} holds no films: run `make assets` once, or set {CACHE_VARIABLE}")]
    models = [bundle_embedders(open_bundle()).pictures for _ in range(2)]
    return report(*look(cache, *(model for model in models if model is not None)))


def report(known: Seen, asked: dict[str, Seen]) -> list[Row]:
    chosen_on, judged_on = ({name: questions.only(questions.judging == judging) for name, questions in asked.items()}
                            for judging in (False, True))
    return [*choices(known.only(~known.judging), chosen_on),
            *(_top_1(name, known, questions) for name, questions in judged_on.items()),
            *by_weight("test films", known, judged_on[IN_MOTION])[0],
            *(row for name, questions in judged_on.items() for row in _curve(name, known, questions))]


def choices(known: Seen, asked: dict[str, Seen]) -> list[Row]:
    """The weights of the motion by which most worn pictures in motion find their shot, and the score from which at most
    1 % of the pictures of films taken out of the catalogue are named."""
    from edge.recommend.recognition import LEAST_SHOT_SCORE
    from edge.video.shot import MOTION_WEIGHT

    rows, top_1 = by_weight("training films", known, asked[IN_MOTION])
    best = ", ".join(f"{weight:g}" for weight, share in top_1.items() if share == max(top_1.values()))
    scores = np.concatenate([_strangers(known, questions) for questions in asked.values()])
    least = np.ceil(float(np.quantile(scores, 1 - FALSE_SHARE, method="higher")) * 100) / 100
    return [*rows, Row("chosen by training films", {"motion_weight": best, "from": least}),
            Row("used", {"motion_weight": f"{MOTION_WEIGHT:g}", "from": LEAST_SHOT_SCORE})]


def by_weight(name: str, known: Seen, asked: Seen) -> tuple[list[Row], dict[float, float]]:
    """A row for each weight of the motion, and its top 1."""
    from edge.video.shot import MOTION_WEIGHT

    tried = {weight: _with_motion(known, asked, weight) for weight in sorted({*MOTION_WEIGHTS, MOTION_WEIGHT})}
    shared: dict[str, Figure] = {"pictures": len(asked.shots), "shots": len(set(known.shots.tolist()))}
    rows = [Row(f"{name}, motion weighs {weight:g}", {**shared, "shot_top1": f"{top_1:.4f}", "margin": margin})
            for weight, (top_1, margin) in tried.items()]
    return rows, {weight: top_1 for weight, (top_1, _) in tried.items()}


def _with_motion(known: Seen, asked: Seen, weight: float) -> tuple[float, float]:
    """Top 1 by shot vectors in which the motion has this weight, and by how much the right shot is before the others:
    the median over the pictures."""
    cosines = _reweighted(asked.vectors["shot"], weight) @ _as_stored(_reweighted(known.vectors["shot"], weight)).T
    right = known.shots == asked.shots[:, np.newaxis]
    own, other = (np.where(part, cosines, -1).max(axis=1) for part in (right, ~right))
    return float(np.mean(own > other)), float(np.median(own - other))


def _reweighted(vectors: np.ndarray, weight: float) -> np.ndarray:
    """Shot vectors of the device's weight to those of another: float32 (n, d)."""
    from edge.video.motion import DIMENSION
    from edge.video.shot import MOTION_WEIGHT

    return unit(np.concatenate([vectors[:, :-DIMENSION], vectors[:, -DIMENSION:] * (weight / MOTION_WEIGHT)], axis=1))


def _top_1(name: str, known: Seen, asked: Seen) -> Row:
    longest = asked.films == np.bincount(asked.films).argmax()
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
    strangers = _strangers(known, asked)
    rows = []
    for least in sorted({*LEAST_SCORES, LEAST_SHOT_SCORE}):
        named = scores >= least
        rows.append(Row(f"{name}, from {least:.2f}" + " (used)" * (least == LEAST_SHOT_SCORE), {
            "least_score": least, "named": float(named.mean()),
            "named_rightly": float((named & (shots == asked.shots)).mean()),
            "unknown_film_named": float((strangers >= least).mean())}))
    return rows


def _strangers(known: Seen, asked: Seen) -> np.ndarray:
    """The best score of each picture when its film is taken out of the catalogue, film by film."""
    return np.concatenate([_nearest(known, asked, "shot", without=film)[1] for film in np.unique(asked.films)])


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
