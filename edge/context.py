"""What the device hears and sees now: the embeddings of the last seconds, oldest forgotten first."""

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

MOST_TAGS, LEAST_TAG = 3, 0.1
"""So many tags are named, of at least this probability."""


@dataclass(frozen=True)
class Embedding:
    """What one window of sound or one picture was understood as.

    ``vectors`` maps a view's name to a unit vector, np.ndarray [shape=(dimension,), dtype=float32].
    """

    modality: str
    """``audio`` or ``video``."""
    start_s: float
    end_s: float
    vectors: dict[str, np.ndarray]
    classes: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of a model that also classifies: what is asked (``kind``, ``tags``) to the probability of each label."""


@dataclass(frozen=True)
class Context:
    """A summary that candidates are looked up with.

    ``vectors`` maps a view to its mean unit vector (dimension,); ``windows`` maps a view to the vectors of
    the single windows, np.ndarray [shape=(windows, dimension), dtype=float32], oldest first; ``starts_s`` maps a
    view to when each of them began (windows,). ``classes`` are means over the windows.
    """

    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    windows: dict[str, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0
    starts_s: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def hears(self) -> bool:
        return "audio" in self.vectors

    @property
    def sees(self) -> bool:
        return "video" in self.vectors

    def told(self) -> dict[str, Any]:
        """What the sound is, in words: ``kind``, and of music the ``tags``; nothing where no model says so."""
        if "kind" not in self.classes:
            return {}
        kind = self.likeliest("kind")[0]
        return {"kind": kind, "tags": self.likeliest("tags", MOST_TAGS, least=LEAST_TAG) if kind == "music" else []}

    def likeliest(self, asked: str, most: int = 1, *, least: float = 0.0) -> list[str]:
        """The most probable labels of ``kind`` or ``tags``, best first; none where no model was asked."""
        named = sorted(self.classes.get(asked, {}).items(), key=lambda pair: -pair[1])
        return [label for label, probability in named[:most] if probability >= least]


class ContextBuilder:
    """Keeps the embeddings of the last ``seconds`` of each modality. Used by any number of threads."""

    def __init__(self, *, seconds: float):
        self._seconds = seconds
        self._recent: dict[str, deque[Embedding]] = {"audio": deque(), "video": deque()}
        self._context: Context | None = None
        self._lock = threading.Lock()

    def add(self, embedding: Embedding) -> None:
        recent = self._recent[embedding.modality]
        with self._lock:
            while recent and recent[-1].start_s >= embedding.start_s:
                recent.pop()  # the source's clock began anew; what would be later is the past, and would stay
            recent.append(embedding)
            while len(recent) > 1 and recent[0].start_s < embedding.end_s - self._seconds:
                recent.popleft()
            self._context = None

    def clear(self, modality: str) -> None:
        """Forget a modality, as when its source is lost."""
        with self._lock:
            self._recent[modality].clear()
            self._context = None

    def context(self) -> Context:
        """The same object until something new is understood or a modality is forgotten."""
        with self._lock:
            if self._context is None:
                self._context = self._summary()
            return self._context

    def _summary(self) -> Context:
        context = Context()
        for recent in self._recent.values():
            for view in recent[0].vectors if recent else ():
                context.windows[view] = np.stack([embedding.vectors[view] for embedding in recent])
                context.starts_s[view] = np.array([embedding.start_s for embedding in recent])
                context.vectors[view] = unit(context.windows[view].mean(axis=0))
            for asked, labels in recent[0].classes.items() if recent else ():
                context.classes[asked] = {
                    label: float(np.mean([embedding.classes[asked][label] for embedding in recent]))
                    for label in labels}
            if recent:
                context = replace(context, seconds=max(context.seconds, recent[-1].end_s - recent[0].start_s))
        return context


def unit(vector: np.ndarray) -> np.ndarray:
    """Scale to length 1 along the last axis; a zero vector stays zero.

    np.ndarray [shape=(..., d)] -> the same shape, dtype=float32.
    """
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return (vector / np.maximum(length, 1e-12)).astype(np.float32)
