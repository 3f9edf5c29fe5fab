"""The desk: the only place in the daemon that touches the catalogue and the history.

Two threads work here, so that nothing needs a lock of ours and the event loop never waits for a disk:

- the *reader* owns the snapshot and the recommender: every search, list and look-up runs on it, in turn;
- the *writer* adds feedback and forgets users; it alone waits for the disk to confirm.

The coroutines are called from the event loop only.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any, TypeVar

from edge.catalog.snapshot import Snapshot
from edge.context import Context, ContextBuilder
from edge.daemon.refusal import Refusal
from edge.errors import ConflictError
from edge.recommend.candidates import EVERYTHING
from edge.recommend.filters import Filters
from edge.recommend.history import Event, History
from edge.recommend.recommender import Recommender
from edge.recommend.round import Round

SIMILAR_ITEMS = 3
NOT_SHOWN = ("row",)
"""Fields of an item that mean nothing outside."""

Result = TypeVar("Result")


class Desk:
    def __init__(self, snapshot: Snapshot, history: History, recommender: Recommender, builder: ContextBuilder):
        self._snapshot, self._history = snapshot, history
        self._recommender, self._builder = recommender, builder
        self._reader = ThreadPoolExecutor(1, "reader")
        self._writer = ThreadPoolExecutor(1, "writer")

    async def recommend(self, user: str, k: int, filters: Filters = EVERYTHING) -> dict[str, Any]:
        return await self.read(self._recommend, user, k, filters)

    async def now(self) -> dict[str, Any]:
        return await self.read(self._now)

    async def item(self, item: str) -> dict[str, Any]:
        return await self.read(self._item, item)

    async def search(self, words: str, k: int) -> dict[str, Any]:
        return await self.read(self._search, words, k)

    async def add(self, event: Event) -> bool:
        """Durable when it returns; False when the event was there already. Raises Refusal, StateError."""
        drawn_from = await self.read(self._drawn_from, event)
        try:
            return await self._on(self._writer, self._history.add, event, drawn_from)
        except ConflictError as error:
            raise Refusal(409, "id_used_before", str(error)) from error

    async def forget(self, user: str) -> int:
        """How many events of the user were there."""
        return await self._on(self._writer, self._history.forget, user)

    async def read(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run something short on the reader's thread."""
        return await self._on(self._reader, function, *arguments)

    def between_reads(self, function: Callable[[], object]) -> None:
        """As ``read``, from any thread but the loop's; returns when it is done, or was dropped at the end."""
        with contextlib.suppress(RuntimeError, CancelledError):
            self._reader.submit(function).result()

    def feedback(self) -> dict[str, Any]:
        """Whether feedback is kept now, and why not."""
        reason = self._history.refuses
        return {"durable": reason is None, "reason": reason}

    async def _on(self, thread: ThreadPoolExecutor, function: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(thread, function, *arguments)

    def close(self) -> None:
        """Let what was begun come to its end; what waits is dropped."""
        for thread in (self._reader, self._writer):
            thread.shutdown(cancel_futures=True)

    def _recommend(self, user: str, k: int, filters: Filters) -> dict[str, Any]:
        context = self._builder.context()
        found = self._recommender.recommend(context, user=user, k=k, filters=filters)
        return {
            "user": user,
            "context": describe(context),
            "recommendations": [dataclasses.asdict(recommendation) for recommendation in found],
        }

    def _now(self) -> dict[str, Any]:
        context = self._builder.context()
        recognition = self._recommender.now_playing(context)
        return {
            "context": describe(context),
            "recognition": None if recognition is None else dataclasses.asdict(recognition),
            "similar": {view: self._similar(context, view) for view in ("audio", "video")},
        }

    def _similar(self, context: Context, view: str) -> list[dict[str, Any]]:
        """What the catalogue holds that is most like what is heard or seen, best first."""
        if view not in context.vectors or view not in self._snapshot.views:
            return []
        rows, scores = self._snapshot.views[view].search(context.vectors[view], SIMILAR_ITEMS)
        items = (self._snapshot.items.by_row(int(row)) for row in rows)
        return [_scored(item, score) for item, score in zip(items, scores, strict=True)]

    def _item(self, item: str) -> dict[str, Any]:
        found = self._snapshot.items.by_id(item)
        if found is None:
            raise Refusal(404, "unknown_item", f"the catalogue has no item {item!r:.140}")
        return _shown(found)

    def _drawn_from(self, event: Event) -> Round | None:
        """What an impression was drawn from. Raises Refusal for an item that the catalogue does not have."""
        self._item(event.item)
        return self._recommender.drawn_from(event.user, event.item) if event.event == "impression" else None

    def _search(self, words: str, k: int) -> dict[str, Any]:
        found = self._snapshot.items.search(words, k)
        items = ((self._snapshot.items.by_row(row), score) for row, score in found)
        return {"results": [_scored(item, score) for item, score in items]}


def describe(context: Context) -> dict[str, Any]:
    return {"audio": context.hears, "video": context.sees, "seconds": round(context.seconds, 2), **context.told()}


def _shown(item: Any) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(item).items() if key not in NOT_SHOWN}


def _scored(item: Any, score: float) -> dict[str, Any]:
    return {**_shown(item), "score": round(float(score), 4)}
