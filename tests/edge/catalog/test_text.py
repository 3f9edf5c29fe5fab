"""Words in the index and words that are typed come out alike, and no typed character is syntax."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.catalog.text import MAX_WORDS, query_phrases, spaced


@pytest.mark.parametrize(("typed", "phrases"), [
    ("morning coffee", ['"morning"', '"coffee"*']),
    ("北京", ['"北 京"*']),
    ("play 北京欢迎你 now", ['"play"', '"北 京 欢 迎 你"', '"now"*']),
    ("ＡＢＣ", ['"abc"*']),
    ("AC/DC", ['"ac/dc"*']),
    ('"a" OR b*', ['"a"', '"or"', '"b*"*']),
    ("NEAR(a, 2) -title:x", ['"near(a,"', '"2)"', '"-title:x"*']),
    ("🎵 🎶", []), ("", []), ("  \0\t ", []), ('"""', []), ("***", []), ("\ud800", []),
])
def test_what_is_typed_becomes_phrases(typed, phrases):
    assert query_phrases(typed) == phrases


def test_only_so_many_words_are_taken():
    assert len(query_phrases("a " * 90)) == MAX_WORDS


def test_each_unspaced_character_is_a_word():
    assert spaced("Live 东京").split() == ["live", "东", "京"]
    assert spaced("さくら").split() == ["さ", "く", "ら"]


@given(st.text(max_size=40))
def test_fts5_takes_every_phrase(words):
    """Against the judge of the syntax itself."""
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE VIRTUAL TABLE texts USING fts5 (title)")
        for operator in (" AND ", " OR "):
            if phrases := query_phrases(words):
                database.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (operator.join(phrases),)).fetchall()


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_a_title_is_found_by_itself(title):
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE VIRTUAL TABLE texts USING fts5 (title, tokenize='unicode61 remove_diacritics 2')")
        database.execute("INSERT INTO texts VALUES (?)", (spaced(title),))
        phrases = query_phrases(title)
        if phrases and title.isascii():
            assert database.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (" AND ".join(phrases),)).fetchall()
