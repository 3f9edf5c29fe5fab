"""What stays out: before every source's cut, so that the list stays full."""

from dataclasses import replace

import numpy as np
import pytest

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import Context, unit
from edge.recommend.event import Event
from edge.recommend.filters import Filters
from edge.recommend.recommender import Recommender
from export.catalog.writer import ViewData, write_snapshot

ITEMS, D = 400, 8
EXPLICIT, OTHERS = 300, 100


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """The 300 most popular and most alike items are marked explicit, by one artist; 100 harmless ones lie far off."""
    random = np.random.default_rng(2)
    items = [Item(row, f"i{row}", "track", f"Title {row}", artist="Loud" if row < EXPLICIT else f"Quiet {row % 9}",
                  explicit=row < EXPLICIT, popularity=1 - row / ITEMS) for row in range(ITEMS)]  # fmt: skip
    near = np.zeros((ITEMS, D))
    near[:EXPLICIT, 0], near[EXPLICIT:, 1] = 3.0, 3.0
    audio = unit(near + 0.2 * random.normal(size=near.shape))
    folder = tmp_path_factory.mktemp("crowded") / "catalog"
    write_snapshot(folder, items, {"audio": ViewData("a", audio, np.arange(ITEMS))}, name="crowded")
    with open_snapshot(folder) as snapshot:
        yield snapshot


@pytest.fixture
def ask(crowded, history):
    def ask(**filters) -> list[str]:
        hearing = Context({"audio": crowded.views["audio"].vector(0)}, {}, 9.0)
        recommender = Recommender(crowded, history, candidates=20, exploration=0.0)
        found = recommender.recommend(hearing, user="anna", k=10, filters=Filters.of(**filters))
        return [one.item for one in found]

    return ask


def rows(found: list[str]) -> list[int]:
    return [int(item[1:]) for item in found]


def test_without_filters_the_near_ones_come(ask):
    assert min(rows(ask())) < EXPLICIT


@pytest.mark.parametrize("filters", [{"children": True}, {"artists": ["Loud"]}, {"artists": ["lOUD", "nobody"]},
                                     {"unavailable": [f"i{row}" for row in range(EXPLICIT)]}])  # fmt: skip
def test_a_list_stays_full_though_every_candidate_that_comes_first_is_barred(ask, filters):
    found = ask(**filters)
    assert len(found) == 10
    assert min(rows(found)) >= EXPLICIT


def test_filters_add_up(ask):
    quiet = [f"Quiet {number}" for number in range(8)]
    found = rows(ask(children=True, artists=quiet, unavailable=["i305", "not in the catalogue"]))
    assert {row % 9 for row in found} == {8}
    assert 305 not in found


def test_what_was_played_comes_again_unless_it_may_not(ask, history):
    first = ask()
    history.add_all([Event(item, "anna", item, "play", None, 1e9) for item in first])
    assert set(ask()) & set(first)
    assert not set(ask(repeats=False)) & set(first)


def test_barring_everything_leaves_an_empty_list(ask):
    assert ask(unavailable=[f"i{row}" for row in range(ITEMS)]) == []


def test_no_source_finds_what_is_barred_even_by_its_own_name(crowded, history):
    recommender = Recommender(crowded, history, exploration=1.0)
    found = recommender.recommend(Context(), user="anna", k=50, words="Title 7", filters=Filters.of(children=True))
    assert found
    assert all(int(one.item[1:]) >= EXPLICIT for one in found)


def test_an_item_without_an_artist_is_not_anybodys(tmp_path, history):
    items = [Item(row, f"i{row}", "track", f"T {row}", artist="A" if row else None) for row in range(4)]
    write_snapshot(tmp_path / "c", [replace(item) for item in items], {}, name="c")
    with open_snapshot(tmp_path / "c") as snapshot:
        found = Recommender(snapshot, history).recommend(Context(), user="u", filters=Filters.of(artists=["A", "None"]))
    assert [one.item for one in found] == ["i0"]
