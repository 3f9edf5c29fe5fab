"""The temporal protocol: users held out whole, the first part of each one's history given, the rest to be foretold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from edge.errors import ExportError
from edge.recommend.event import Event
from export.collaborative.grades import Scale
from export.collaborative.ratings import Ratings, histories

RANDOM_EVENTS = ("play", "finish", "skip", "like", "dislike")


@dataclass(frozen=True)
class Case:
    """One user's history up to the cut, and what the user liked after it."""

    user: str
    given: np.ndarray
    """Positions in the ratings, oldest first."""
    wanted: np.ndarray
    """int32, item numbers: liked after the cut, not touched before."""
    cut_s: float
    """Time of the last given event."""


@dataclass(frozen=True)
class Split:
    train: Ratings
    """Of the users that are not held out."""
    cases: list[Case]


def temporal(
    ratings: Ratings, scale: Scale, *, seed: int, held_out: float = 0.2, given: float = 0.8
) -> Split:
    """Hold a share of the users out; of each one's history the first share ``given`` by time is folded in.

    Raises ExportError when no held-out user likes anything after the cut.
    """
    users = len(ratings.users)
    chosen = np.zeros(users, bool)
    chosen[np.random.default_rng(seed).permutation(users)[: max(1, int(users * held_out))]] = True
    cases = list(cases_of(ratings, scale, chosen, given=given))
    if not cases or chosen.all():
        raise ExportError(f"{users} users: too few to hold some out who like something after the cut")
    return Split(train=ratings.of_users(~chosen), cases=cases)


def strict(split: Split, *, periods: int = 6, least: int = 1000) -> tuple[list[Split], int]:
    """The cases by the time of their cut, each period with the training ratings before its first cut alone.

    Nothing is then fitted on what a device could not have known. Returns the splits and how many cases are left out,
    since fewer than ``least`` ratings came before them.
    """
    ordered = sorted(split.cases, key=lambda case: case.cut_s)
    found, left_out = [], 0
    for at in np.array_split(np.arange(len(ordered)), periods):
        cases = [ordered[number] for number in at]
        before = split.train.time_s < cases[0].cut_s if cases else np.zeros(0, bool)
        if before.sum() < least:
            left_out += len(cases)
        else:
            found.append(Split(train=split.train.where(before), cases=cases))
    if not found:
        raise ExportError(f"fewer than {least} ratings lie before any held-out user's cut; use --protocol temporal")
    return found, left_out


def with_noise(events: list[Event], items: list[str], *, share: float, seed: int) -> list[Event]:
    """The events with so many random ones among them: any item, any of RANDOM_EVENTS, at the time of a real one."""
    random = np.random.default_rng(seed)
    places = np.sort(random.integers(0, len(events), round(share * len(events))))
    drawn = [replace(events[at], id=f"{events[at].id} random {number}", item=items[random.integers(len(items))],
                     event=str(random.choice(RANDOM_EVENTS)))
             for number, at in enumerate(places)]  # fmt: skip
    placed = [*enumerate(events), *zip(places + 0.5, drawn, strict=True)]
    return [event for _, event in sorted(placed, key=lambda pair: pair[0])]


def cases_of(ratings: Ratings, scale: Scale, chosen: np.ndarray, *, given: float = 0.8) -> Iterator[Case]:
    """The cases of the users in ``chosen``, bool (users,); those without anything wanted are left out."""
    for user, positions in enumerate(histories(ratings)):
        cut = int(len(positions) * given)
        if not chosen[user] or cut == 0:
            continue
        rest = positions[cut:]
        wanted = ratings.item[rest[scale.liked(ratings.rating[rest])]]
        if len(wanted):
            name, last_s = ratings.users[user], float(ratings.time_s[positions[cut - 1]])
            yield Case(name, positions[:cut], wanted, last_s)


def events_of(ratings: Ratings, case: Case, scale: Scale) -> list[Event]:
    """A case's given history as a device would have it."""
    kinds = scale.events(ratings.rating[case.given])
    return [
        Event(f"{case.user} {number}", case.user, ratings.items[ratings.item[at]], str(kind), None,
              float(ratings.time_s[at]))
        for number, (at, kind) in enumerate(zip(case.given, kinds, strict=True))
    ]  # fmt: skip
