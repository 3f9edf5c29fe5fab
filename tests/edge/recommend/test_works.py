"""A list holds a film once, however many of its shots fit, and a recording once, however many albums it is on."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import Context, unit
from edge.recommend.history import Event
from edge.recommend.recommender import Recommender
from edge.recommend.works import once_each, work_of
from export.catalog.writer import ViewData, write_snapshot

FILMS, SHOTS, SONGS, ALBUMS = 12, 30, 15, 3
D = 8


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Twelve films of thirty shots, and fifteen songs that are on three albums each."""
    rng = np.random.default_rng(2)
    items = [Item(0, f"shot:{film}/{shot}", "shot", f"Film {film}, 0:{shot:02d}", channel=f"Film {film}")
             for film in range(FILMS) for shot in range(SHOTS)]  # fmt: skip
    items += [Item(0, f"track:{album}/{song}", "track", f"Song {song}" if album else f"SONG {song}", artist="Ann",
                   album=f"Album {album}", year=2000 + album)
              for song in range(SONGS) for album in range(ALBUMS)]  # fmt: skip
    items = [replace(item, row=row) for row, item in enumerate(items)]
    films = unit(np.repeat(rng.normal(size=(FILMS, D)), SHOTS, axis=0) + 0.1 * rng.normal(size=(FILMS * SHOTS, D)))
    songs = unit(rng.normal(size=(SONGS * ALBUMS, D)))
    rows = np.arange(len(items))
    views = {"video": ViewData("v", films, rows[: len(films)]), "audio": ViewData("a", songs, rows[len(films) :])}
    folder = tmp_path_factory.mktemp("shelf") / "catalog"
    write_snapshot(folder, items, views, name="shelf", version="1")
    with open_snapshot(folder) as snapshot:
        yield snapshot


def works(shelf, found) -> Counter:
    items = [shelf.items.by_id(one.item) for one in found]
    return Counter(item.channel if item.kind == "shot" else item.title.casefold() for item in items)


@pytest.mark.parametrize("words", [None, "film 3", "song"])
def test_each_work_has_one_place_and_the_list_is_full(shelf, history, words):
    history.add(Event("1", "anna", "shot:3/4", "like", None, 1e9))
    looking = Context({"video": shelf.views["video"].vector(3 * SHOTS)}, {}, 5.0)
    for context in (Context(), looking):
        found = Recommender(shelf, history, gini_bound=1.0).recommend(context, user="anna", k=20, words=words)
        assert len(found) == 20
        assert set(works(shelf, found).values()) == {1}
    assert "Film 3" in works(shelf, found)


def test_of_the_film_that_is_on_another_shot_has_one_place(shelf, history, monkeypatch):
    recommender = Recommender(shelf, history, candidates=500, gini_bound=1.0)
    monkeypatch.setattr(recommender._recogniser, "match", lambda context: type("Match", (), {"row": 3 * SHOTS}))
    looking = Context({"video": shelf.views["video"].vector(3 * SHOTS)}, {}, 5.0)
    found = recommender.recommend(looking, user="anna", k=30)
    assert found[0].title.startswith("Film 3")
    assert found[0].item != "shot:3/0"
    assert works(shelf, found) == Counter({**{f"Film {n}": 1 for n in range(FILMS)},
                                           **{f"song {n}": 1 for n in range(SONGS)}})  # fmt: skip


def test_two_films_of_one_title_and_of_two_years_are_two_works():
    one = Item(0, "a", "track", "Heat", year=1986)
    assert work_of(one) != work_of(replace(one, year=1995))
    assert work_of(one) == work_of(replace(one, item="b", title="HEAT"))
    assert work_of(replace(one, artist="Ann")) == work_of(replace(one, artist="ann", year=1995))


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 12))
def test_every_work_comes_once_by_its_best_candidate(titles, k):
    made = [Item(number, str(number), "track", f"Title {title}") for number, title in enumerate(titles)]
    chosen = once_each(lambda free: np.arange(len(free))[:k], lambda rows: [made[row] for row in rows], len(made))
    firsts = sorted({title: titles.index(title) for title in titles}.values())
    assert chosen.tolist() == firsts[:k]
