"""What the daemon can do without for a while, mildest first: the steps of shedding.py, for the senses in use."""

from collections.abc import Callable, Sequence

from edge.daemon.capture import Capture
from edge.daemon.events import Broadcaster
from edge.daemon.senses import Sense
from edge.daemon.shedding import Step
from edge.recommend.recommender import Recommender

FEWER = 4
"""The shortlist and the pictures shrink to one in so many."""
FEW_READERS = 2


def steps(
    recommender: Recommender, candidates: int, broadcaster: Broadcaster, max_readers: int, used: Sequence[Sense],
    in_loop: Callable[..., object],
) -> list[Step]:
    """``in_loop(function, *arguments)`` has the event loop call a function; the broadcaster is the loop's."""
    shorter = max(10, candidates // FEWER)
    shortlist = Step("shortlist", f"{shorter} instead of {candidates} candidates are ranked",
                     lambda: recommender.shorten(shorter), lambda: recommender.shorten(candidates))
    readers = Step("readers", f"{FEW_READERS} instead of {max_readers} readers of events are served",
                   lambda: in_loop(broadcaster.limit, FEW_READERS), lambda: in_loop(broadcaster.limit, max_readers))
    sight = [sense.capture for sense in used if sense.health.sense == "video"]
    return [shortlist, *map(_fewer_pictures, sight), readers, *map(_no_pictures, sight)]


def _fewer_pictures(capture: Capture) -> Step:
    return Step("pictures", f"one picture in {FEWER} is looked at",
                lambda: capture.thin(FEWER), lambda: capture.thin(1))


def _no_pictures(capture: Capture) -> Step:
    return Step("sight", "no pictures are taken", lambda: capture.shed(True), lambda: capture.shed(False))
