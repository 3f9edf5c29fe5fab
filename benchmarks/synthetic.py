"""Catalogues of any size that search like a real one: vectors as the shipped catalogue's, texts of real lengths.

Real vectors come in groups: the tracks of an album sound alike, some albums more than others. So a vector is its
group's centre plus its own part; the covariances of both are those of the default catalogue's audio view between and
within its artists, and the spread of a group is gamma distributed. With groups of eight and a shape of one half,
253 vectors have nearest neighbours at a mean cosine of .73, tenth nearest at .58, and a local dimension of 7 (maximum
likelihood, Levina and Bickel, 2004); the 253 real ones .77, .59 and 7. One Gaussian of their covariance
has .64, .49 and 14, and is harder to search than what is real.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.catalog.index import SCALE
from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import unit

GROUP_ITEMS = 8
SPREAD_SHAPE = 0.5
BATCH = 1 << 16
VOCABULARY = 50_000
SYLLABLES = ("ka", "ri", "no", "ta", "me", "so", "lu", "vi", "den", "mar", "os", "el", "shu", "bra", "ing", "on")


@dataclass(frozen=True)
class Spectrum:
    """How vectors of a view vary: float32, the mean (d,) and two matrices (d, d) that shape white noise."""

    mean: np.ndarray
    between: np.ndarray
    within: np.ndarray


def audio_spectrum() -> Spectrum:
    """Of the default catalogue's audio view, its groups the artists."""
    vectors, artists = real_audio()
    names, group = np.unique(artists, return_inverse=True)
    centres = np.stack([vectors[group == number].mean(axis=0) for number in range(len(names))])
    own = vectors - centres[group]
    within = own.T @ own / (len(vectors) - len(names))
    return Spectrum(vectors.mean(axis=0), _root(np.cov(vectors.T) - within), _root(within))


def real_audio() -> tuple[np.ndarray, np.ndarray]:
    """The default catalogue's audio vectors, float32 (n, d), and the number of each one's artist, int32 (n,)."""
    with open_snapshot() as snapshot:
        vectors, known = snapshot.views["audio"].vectors(np.arange(len(snapshot.items)))
        return vectors[known], np.array(snapshot.facets.artist[known])


def draw(spectrum: Spectrum, size: int) -> np.ndarray:
    """int8 vectors (size, d) as a snapshot stores them, group after group."""
    random = np.random.default_rng(size)
    stored = np.empty((size, len(spectrum.mean)), np.int8)
    for start in range(0, size, BATCH):
        stored[start : start + BATCH] = _batch(spectrum, min(BATCH, size - start), random)
    return stored


def _batch(spectrum: Spectrum, size: int, random: np.random.Generator) -> np.ndarray:
    groups, dimension = -(-size // GROUP_ITEMS), len(spectrum.mean)
    centres = spectrum.mean + random.standard_normal((groups, dimension), np.float32) @ spectrum.between
    spread = np.sqrt(random.gamma(SPREAD_SHAPE, 1 / SPREAD_SHAPE, (groups, 1)).astype(np.float32))
    member = np.arange(size) // GROUP_ITEMS
    own = random.standard_normal((size, dimension), np.float32) @ spectrum.within
    return np.rint(unit(centres[member] + spread[member] * own) * np.float32(SCALE)).astype(np.int8)


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix (d, d) whose product with white noise, from the left, has this covariance, negative parts cut off."""
    lengths, axes = np.linalg.eigh(covariance)
    return np.ascontiguousarray((axes * np.sqrt(np.maximum(lengths, 0))).T, np.float32)


def items(size: int) -> Iterator[Item]:
    """Items with texts as long as real ones; words of titles are as unequally common as those of a language."""
    random, words = np.random.default_rng(size), _vocabulary()
    for start in range(0, size, BATCH):
        titles = np.minimum(random.zipf(1.2, (BATCH, 4)), VOCABULARY) - 1
        for number in range(start, min(start + BATCH, size)):
            yield _item(number, " ".join(words[word] for word in titles[number - start]), words, size)


def _item(number: int, title: str, words: list[str], size: int) -> Item:
    group = number // GROUP_ITEMS
    artist = f"{words[group * 7 % VOCABULARY]} {words[group * 31 % VOCABULARY]} {group}"
    return Item(row=0, item=f"track:synthetic-music-1.0/{number:08d}.ogg", kind="track", title=title.title(),
                artist=artist.title(), album=f"{words[group * 13 % VOCABULARY].title()} {group % 5 + 1}",
                genre=words[group % 40], year=1960 + group % 65, duration_s=200.0, licence="CC-BY-SA-4.0",
                source="synthetic-music-data", explicit=number % 19 == 0, popularity=number * 7919 % size / size,
                added_s=1.7e9 + number)


def _vocabulary() -> list[str]:
    random = np.random.default_rng(0)
    lengths, parts = random.integers(1, 4, VOCABULARY), random.integers(0, len(SYLLABLES), (VOCABULARY, 3))
    return ["".join(SYLLABLES[part] for part in row[:length]) + (str(number) if number > 4000 else "")
            for number, (row, length) in enumerate(zip(parts.tolist(), lengths.tolist(), strict=True))]


def write_catalog(folder: Path, size: int) -> None:
    """A snapshot of so many items, each with a vector in the audio view. Needs the exporter's writer."""
    from export.catalog.writer import SnapshotWriter, ViewSpec

    vectors = draw(audio_spectrum(), size)
    with SnapshotWriter(folder, {"audio": ViewSpec("synthetic", vectors.shape[1])}, name=f"synthetic-{size}") as writer:
        for item, vector in zip(items(size), vectors, strict=True):
            writer.add(item, {"audio": vector})
        writer.finish()
