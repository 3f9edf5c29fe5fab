"""Items by row, by id and by words."""

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.catalog.items import SCHEMA, Item, Items
from edge.errors import SnapshotError
from export.catalog.texts import ItemsFile

LIBRARY = [
    ("Coffee", "Ana", "Breakfast", "Jazz"), ("Morning", "Coffee", "Breakfast", "Jazz"),
    ("Tea", "Ben", "Coffee", "Folk"),
    ("Night", "Ben", "Dusk", "Coffee"), ("北京欢迎你", "群星", "奥运", "流行"),
    ("东京爱情故事", "小田和正", "", "流行"),
    ("שלום עולם", "נועה", "", ""), ("مرحبا بالعالم", "فيروز", "", ""), ("Für Elise", "Beethoven", "", "Classical"),
    ("नमस्ते दुनिया", "लता", "", ""), ("สวัสดีชาวโลก", "", "", ""), ("Don't Stop — 99% AC/DC", "C++", "", ""),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("items") / "items.sqlite"
    file = ItemsFile(path)
    for row, (title, artist, album, genre) in enumerate(LIBRARY):
        file.add(Item(row, f"track:{row}", "track", title, artist or None, album or None, genre or None))
    file.close()
    items = Items(path, len(LIBRARY))
    yield items
    items.close()


def rows(found):
    return [row for row, _ in found]


def test_items_by_row_and_by_id(snapshot):
    assert len(snapshot.items) == 60
    item = snapshot.items.by_row(5)
    assert (item.item, item.title, item.artist, item.year, item.explicit) == (
        "track:5", "🎵 emoji", "Artist 5", 1995, True)
    assert snapshot.items.by_id("track:2").title == "北京欢迎你"
    for unknown in ("nothing", "", "\ud800", "track:2\0", "track:2' OR 1"):
        assert snapshot.items.by_id(unknown) is None


@pytest.mark.parametrize("row", [60, -1, 1 << 40, 1 << 70])
def test_a_row_that_there_is_not_is_named(snapshot, row):
    with pytest.raises(SnapshotError):
        snapshot.items.by_row(row)
    with pytest.raises(SnapshotError):
        snapshot.items.by_rows([0, row])


def test_many_rows_come_in_the_order_asked_for(snapshot):
    wanted = [7, 3, 3, 59, 0] * 300
    assert [item.row for item in snapshot.items.by_rows(wanted)] == wanted
    assert [item.row for item in snapshot.items] == list(range(60))


def test_title_counts_more_than_artist_than_album_than_genre(library):
    assert rows(library.search("coffee", 9)) == [0, 1, 2, 3]


def test_scores_fall(library):
    scores = [score for _, score in library.search("breakfast jazz coffee", 9)]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


@pytest.mark.parametrize(("words", "row"), [
    ("北京", 4), ("欢迎", 4), ("你", 4), ("东京 小田", 5), ("שלום", 6), ("עולם נועה", 6), ("مرحبا", 7), ("fur eli", 8),
    ("FÜR", 8), ("ｆüｒ", 8), ("नमस्ते", 9), ("ชาวโลก", 10), ("don't", 11), ("ac/dc", 11), ("c++ ac/dc", 11), ("99%", 11),
    ("mornin", 1), ('"für" elise', 8), ("nig", 3),
])
def test_words_of_every_script_find_it(library, words, row):
    assert rows(library.search(words, 1)) == [row]


def test_characters_must_stand_together(library):
    assert rows(library.search("京北", 9)) == []


def test_some_of_the_words_do_when_no_item_has_all(library):
    assert rows(library.search("please play elise", 9)) == [8]


@pytest.mark.parametrize("words", [
    "", " ", "\0", '"', "🎵🎶", "*", "OR", "NEAR(", "\ud800", "a" * 1_000_000, "-", "x:y"])
def test_nothing_typed_is_an_error(library, words):
    assert library.search(words, 5) == []


@pytest.mark.parametrize("k", [0, -1])
def test_none_wanted_none_given(library, k):
    assert library.search("coffee", k) == []


def test_a_million_characters_are_cut(library):
    assert rows(library.search("coffee " * 200_000, 1)) == [0]


@given(st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_whatever_is_typed_gives_a_list(library, words):
    assert isinstance(library.search(words, 3), list)


def test_a_file_of_another_kind_is_refused(tmp_path):
    for name, content in (("empty", b""), ("text", b"x" * 5000), ("short", b"SQLite format 3\0" + b"\0" * 84)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SnapshotError, match="not a readable catalogue of items"):
            Items(tmp_path / name, 1)
    with pytest.raises(SnapshotError, match="none: not a readable"):
        Items(tmp_path / "none", 1)


def test_a_database_without_the_tables_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "a") as database:
        database.execute("CREATE TABLE other (x)")
    with pytest.raises(SnapshotError, match="no such table: items"):
        Items(tmp_path / "a", 1)


def test_a_database_without_the_text_index_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "a") as database:
        database.executescript(SCHEMA.split("CREATE VIRTUAL")[0])
        database.execute("INSERT INTO items (row, item, kind, title, explicit, popularity) VALUES (0,'a','b','c',0,0)")
    with pytest.raises(SnapshotError, match="no such table: texts"):
        Items(tmp_path / "a", 1)


def test_another_number_of_items_is_refused(library, tmp_path):
    with pytest.raises(SnapshotError, match="its rows go from 0 to 11, not from 0 to 12"):
        Items(library._path, 13)


def test_a_field_of_another_type_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "a") as database:
        database.executescript(SCHEMA.replace(" STRICT", "").replace("title TEXT", "title"))
        database.execute(
            "INSERT INTO items (row, item, kind, title, explicit, popularity) VALUES (0, 'a', 'b', x'00', 0, 0)")
    with pytest.raises(SnapshotError, match="row 0 is not an item"):
        Items(tmp_path / "a", 1).by_row(0)
