"""What an impression was drawn from: kept beside it, so that another ranker can be judged by what the household did.

Only a place that is given by chance (explore.py) teaches that: the others would have to be guessed. A round holds the
items that could have had the place, their propensities and features, and nothing of what was heard or seen.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.errors import UsageError
from edge.recommend.event import Event, is_name
from edge.recommend.explore import DRAWN_FROM
from edge.recommend.feature_names import NAMES

MOST_CANDIDATES = DRAWN_FROM + 1
MAX_TEXT_BYTES = 4096
"""Of a round as text, for the longest names; some 600 as a rule."""
MAX_PLACE = 1000
MAX_FEATURES = 128
FEATURES = hashlib.sha256("\n".join(NAMES).encode()).hexdigest()[:8]
"""Names this version's features and their order."""
_DIGEST = re.compile(r"[0-9a-f]{8}")
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Round:
    """One draw for one place of a list; the tuples have an entry for each item that could have had it."""

    place: int
    """In the list, 1 is the first."""
    items: tuple[str, ...]
    propensities: tuple[float, ...]
    """Above 0, they add up to 1."""
    exposures: tuple[float, ...]
    """By how much the device lowered the item's score, since everybody is shown it."""
    features: str
    """FEATURES of the version that wrote it."""
    values: str
    """float16 (items, features), little-endian, in base64."""

    @classmethod
    def of(
        cls, items: tuple[str, ...], place: int, propensities: np.ndarray, exposures: np.ndarray, values: np.ndarray
    ) -> "Round":
        """``propensities`` and ``exposures`` (m,), ``values`` (m, len(NAMES))."""
        packed = base64.b64encode(np.asarray(values, "<f2").tobytes()).decode()
        return cls(place, items, _shortened(propensities), _shortened(exposures), FEATURES, packed)

    def matrix(self) -> np.ndarray:
        """The features: float32 (items, features)."""
        packed = np.frombuffer(base64.b64decode(self.values), "<f2")
        return packed.reshape(len(self.items), -1).astype(np.float32)

    def text(self) -> str:
        """As JSON, at most MAX_TEXT_BYTES in UTF-8."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "Round":
        """Raises UsageError that says what is wrong with the text."""
        try:
            return cls.from_table(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"drawn_from is not a JSON object: {error!s:.120}") from error

    @classmethod
    def from_table(cls, table: Any) -> "Round":
        """The round in a parsed JSON object. Raises UsageError that says what is wrong with it."""
        if not isinstance(table, dict) or set(table) != set(cls.__dataclass_fields__):
            raise UsageError(f"drawn_from must be an object with exactly {', '.join(cls.__dataclass_fields__)}")
        if not isinstance(table["items"], list) or not 1 <= len(table["items"]) <= MOST_CANDIDATES:
            raise UsageError(f"drawn_from must have 1 to {MOST_CANDIDATES} items")
        items = tuple(table["items"])
        if not all(map(is_name, items)) or len(set(items)) < len(items):
            raise UsageError("drawn_from must have items of different names")
        propensities, exposures = (_numbers(name, table[name], len(items)) for name in ("propensities", "exposures"))
        if min(propensities) <= 0 or abs(sum(propensities) - 1) > _ROUNDING:
            raise UsageError(f"drawn_from: propensities must be above 0 and add up to 1, not {sum(propensities):g}")
        if type(table["place"]) is not int or not 1 <= table["place"] <= MAX_PLACE:
            raise UsageError(f"drawn_from: place {table['place']!r:.80} must be a whole number from 1 to {MAX_PLACE}")
        if not isinstance(table["features"], str) or not _DIGEST.fullmatch(table["features"]):
            raise UsageError(f"drawn_from: features {table['features']!r:.80} must be 8 hexadecimal digits")
        _check_values(table["values"], len(items), own=table["features"] == FEATURES)
        return cls(table["place"], items, propensities, exposures, table["features"], table["values"])

    def check(self, event: Event) -> None:
        """Raise UsageError unless it can be what ``event`` was drawn from."""
        if event.event != "impression" or event.item not in self.items:
            raise UsageError(f"only an impression of one of the items of drawn_from can be drawn from it, not "
                             f"{event.event} of {event.item!r:.80}")  # fmt: skip


def _shortened(values: np.ndarray) -> tuple[float, ...]:
    """To seven digits, however small: estimates divide by propensities."""
    return tuple(float(f"{value:.7g}") for value in values)


def _numbers(name: str, values: Any, count: int) -> tuple[float, ...]:
    """Each from 0 to 10; whatever else is refused."""
    if not isinstance(values, list) or len(values) != count or not all(type(one) in (int, float) for one in values):
        raise UsageError(f"drawn_from: {name} must be a number for each of the {count} items")
    if not all(0 <= one <= 10 for one in values):
        raise UsageError(f"drawn_from: {name} must lie in 0 to 10")
    return tuple(float(one) for one in values)


def _check_values(packed: Any, count: int, *, own: bool) -> None:
    try:
        raw = base64.b64decode(packed, validate=True) if isinstance(packed, str) else b""
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"drawn_from: values is not base64: {error}") from error
    width, rest = divmod(len(raw), 2 * count)
    if rest or not 1 <= width <= MAX_FEATURES or (own and width != len(NAMES)):
        raise UsageError(f"drawn_from: values must hold {len(NAMES)} half floats for each of the {count} items")
    if not np.isfinite(np.frombuffer(raw, "<f2")).all():
        raise UsageError("drawn_from: values must be finite")
