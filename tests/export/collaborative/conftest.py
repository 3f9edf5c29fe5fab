"""Ratings of two crowds that never meet: each likes the items of its own half, in the order of their numbers."""

import numpy as np
import pytest

from export.collaborative.ratings import read_ratings

USERS, ITEMS, EACH = 60, 40, 12


@pytest.fixture(scope="session")
def rated(tmp_path_factory):
    random = np.random.default_rng(3)
    lines = ["user,item,rating,timestamp,title,genre"]
    for user in range(USERS):
        half = user % 2
        start = int(random.integers(0, ITEMS // 2))
        for place in range(EACH):
            item = half * ITEMS // 2 + (start + place) % (ITEMS // 2)
            time_s = 1_600_000_000 + user * 1000 + place
            lines.append(f"u{user},i{item},{5 if place % 4 else 3},{time_s},Title {item},{'rock' if half else 'jazz'}")
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def ratings(rated):
    return read_ratings(rated)
