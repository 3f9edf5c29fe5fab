"""Lists to learn ranking from: users of the training set, each seen by a model that was fitted without them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.errors import ExportError
from export.collaborative.device import Device
from export.collaborative.grades import Scale
from export.collaborative.lists import RankingList
from export.collaborative.model import fit
from export.collaborative.protocol import cases_of, events_of
from export.collaborative.ratings import Ratings

FOLDS = 5
CUTS = (0.6, 0.7, 0.8, 0.9)
CANDIDATES = 300


def ranking_lists(
    train: Ratings, scale: Scale, *, seed: int, method: str = "auto", limit: int = CANDIDATES,
    catalog: Path | None = None, step: Callable[[], object] = lambda: None,
) -> list[RankingList]:
    """Lists for each training user who likes something after a cut: the device's candidates and features.

    Every user is cut at several places (CUTS), so that the ranker sees short histories as well as long ones.
    ``catalog``: the snapshot whose content views count too. ``step`` is called after each of FOLDS parts. Raises
    ExportError for a single user.
    """
    users = np.unique(train.user)
    if len(users) < 2:
        raise ExportError(f"{len(users)} users to learn ranking from: each one is judged by a model of the others, so "
                          "at least 2 are needed")  # fmt: skip
    fold = np.full(len(train.users), -1)
    fold[users] = np.random.default_rng(seed).permutation(len(users)) % FOLDS
    lists = []
    for number in range(FOLDS):
        others = train.of_users((fold >= 0) & (fold != number))
        with Device(train, fit(others, scale, method=method, seed=seed), catalog=catalog) as device:
            for case in (case for cut in CUTS for case in cases_of(train, scale, fold == number, given=cut)):
                lists.append(device.ranking_list(events_of(train, case, scale), case.wanted, limit))
        step()
    return lists
