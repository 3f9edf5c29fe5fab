"""A household's own log, replayed off-policy: what would another ranker have earned in the places given by chance?

From ``roomtone history export``. A round is an impression whose draw is kept (edge/recommend/round.py); what the
user did with the item within a day of it is its reward. Nothing is simulated, so the truth is not known, and there
is nothing to be learned about the other places of a list: no chance had a part in them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ExportError, RoomtoneError, UsageError
from edge.recommend.event import Event
from edge.recommend.exchange import parse_line, read_lines
from edge.recommend.ranker import Ranker, prior
from edge.recommend.round import FEATURES, Round
from edge.recommend.signals import WEIGHTS, strengthen
from export.collaborative.replay import Log, estimates, softmax

REWARD_WITHIN_S = 86400.0
SAME_SHOWING_S = 1800.0
"""Another screen, or a page loaded again, shows what is shown already; within this time that is no other showing."""
WANTED_FROM = WEIGHTS["finish"]
"""What was done with the item after the impression must say as much as that somebody finished it."""


@dataclass(frozen=True)
class Shown:
    """An impression of a place given by chance."""

    drawn: Round
    shown: int
    """Which of the round's items it was."""
    wanted: bool


@dataclass
class Rounds:
    kept: list[Shown] = field(default_factory=list)
    users: int = 0
    other_features: int = 0
    """So many impressions were left out, since another version wrote their features."""
    pending: int = 0
    """So many were left out, since the log ends within a day of them."""


def read_rounds(path: Path) -> Rounds:
    """The rounds of a log. Raises ExportError that names the line which is no event, or when there is no round."""
    histories: dict[str, list[tuple[Event, Round | None]]] = {}
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(read_lines(file), start=1):
                if line is None or line.strip():
                    event, drawn = _parsed(path, number, line)
                    histories.setdefault(event.user, []).append((event, drawn))
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror or error}") from error
    rounds = Rounds()
    ends_s = max((event.time_s or 0.0 for history in histories.values() for event, _ in history), default=0.0)
    for history in histories.values():
        _take(rounds, history, ends_s)
    if not rounds.kept:
        raise ExportError(f"{path}: none of its impressions says what it was drawn from (left out: {rounds.pending} of "
                          f"the last day, {rounds.other_features} with another version's features); the daemon keeps "
                          "it when an impression of a list's last item is sent, if chance had a part in that place")
    return rounds


def replay_household(rounds: Rounds, ranker: Ranker) -> dict[str, Any]:
    """What the logged policy earned, and what ``ranker``, the untrained one and an even draw would have: the document
    of ``roomtone-export replay --json``. Raises RuntimeMissingError without `obp`."""
    log = _log(rounds)
    scores = {"ranker": _scores(rounds, ranker), "untrained": _scores(rounds, prior())}
    draws = [np.array(one.drawn.propensities) for one in rounds.kept]
    policies = {"logging": draws, **{name: [softmax(one) for one in own] for name, own in scores.items()},
                "uniform": [np.full(len(one), 1 / len(one)) for one in draws]}  # fmt: skip
    expected = _expected(scores["ranker"], log)
    return {"rounds": len(rounds.kept), "users": rounds.users, "rewards": int(log.wanted.sum()),
            "left_out": {"other_features": rounds.other_features, "pending": rounds.pending},
            "policies": {name: estimates(log, chances, expected) for name, chances in policies.items()}}  # fmt: skip


def _parsed(path: Path, number: int, line: bytes | None) -> tuple[Event, Round | None]:
    try:
        if line is None:
            raise UsageError("too long")
        return parse_line(line)
    except RoomtoneError as error:
        raise ExportError(f"{path}, line {number}: {error}; it must come from `roomtone history export`") from error


def _take(rounds: Rounds, history: list[tuple[Event, Round | None]], ends_s: float) -> None:
    """Add one user's rounds, in the order of their arrival."""
    before = len(rounds.kept)
    for place, (event, drawn) in enumerate(history):
        if drawn is None:
            continue
        if drawn.features != FEATURES:
            rounds.other_features += 1
        elif ends_s - (event.time_s or 0.0) < REWARD_WITHIN_S:
            rounds.pending += 1
        else:
            wanted = _wanted(event, history[place + 1 :])
            rounds.kept.append(Shown(drawn, drawn.items.index(event.item), wanted))
    rounds.users += len(rounds.kept) > before


def _wanted(impression: Event, later: Iterable[tuple[Event, Round | None]]) -> bool:
    """Whether the user then wanted the item, within a day and before it was drawn or shown once more."""
    strength, shown_s = 0.0, impression.time_s or 0.0
    for event, drawn in later:
        if event.item != impression.item:
            continue
        if event.event == "impression":
            if drawn is not None or (event.time_s or 0.0) - shown_s > SAME_SHOWING_S:
                break
        elif 0 <= (event.time_s or 0.0) - shown_s <= REWARD_WITHIN_S:
            strength = strengthen(strength, event)
    return strength >= WANTED_FROM


def _log(rounds: Rounds) -> Log:
    return Log(
        shown=np.array([one.shown for one in rounds.kept]),
        propensity=np.array([one.drawn.propensities[one.shown] for one in rounds.kept]),
        wanted=np.array([float(one.wanted) for one in rounds.kept]),
        source=np.arange(len(rounds.kept)),
    )


def _scores(rounds: Rounds, ranker: Ranker) -> list[np.ndarray]:
    """Of each round's items, lowered for what everybody is shown as the device does: float (items,)."""
    return [ranker.score(one.drawn.matrix()) - np.array(one.drawn.exposures) for one in rounds.kept]


def _expected(scores: list[np.ndarray], log: Log) -> list[np.ndarray]:
    """The reward that the doubly robust estimate expects of each item, by logistic regression on the score.

    Each half of the rounds is foretold by a model of the other half, its mean where it has but one kind of reward.
    """
    from sklearn.linear_model import LogisticRegression

    shown = np.array([own[at] for own, at in zip(scores, log.shown, strict=True)])[:, np.newaxis]
    half = np.arange(len(scores)) % 2
    models: list[Any] = []
    for number in (0, 1):
        taught = half != number if (half != number).any() else half == number
        scored, wanted = shown[taught], log.wanted[taught]
        models.append(LogisticRegression().fit(scored, wanted) if len(set(wanted)) > 1 else float(wanted.mean()))
    return [np.full(len(own), models[at]) if isinstance(models[at], float)
            else models[at].predict_proba(own[:, np.newaxis])[:, 1]
            for own, at in zip(scores, half, strict=True)]  # fmt: skip
