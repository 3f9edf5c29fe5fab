"""A history that cannot be written: it is read as far as it can be, refuses changes, and is whole again by itself."""

import logging
import os

import pytest

from edge.errors import StateError
from edge.recommend.exchange import export_lines
from edge.recommend.history import Event, History
from edge.recommend.standin import StandIn, open_kept

REASON = StateError("history.db: the history could not be opened: Read-only file system")


def event(name):
    return Event(id=name, user="anna", item="track:1", event="like", value=None, time_s=1.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


@pytest.fixture
def unwritable(monkeypatch):
    """Opening for writing fails, as on a read-only file system; even root is refused."""
    opened = os.open

    def refuse(name, flags, *rest, **more):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(30, "Read-only file system")
        return opened(name, flags, *rest, **more)

    def switch(on):
        monkeypatch.setattr(os, "open", refuse if on else opened)

    switch(True)
    return switch


def test_a_writable_history_needs_none(path):
    with open_kept(path) as history:
        assert type(history) is History
        assert history.refuses is None


def test_what_was_kept_is_read_and_changes_are_refused_with_the_reason(path, unwritable, caplog):
    unwritable(False)
    with History(path) as history:
        history.add(event("kept"))
    unwritable(True)
    with caplog.at_level(logging.ERROR), open_kept(path) as history:
        assert [kept.id for kept in history.events("anna")] == ["kept"]
        assert history.users() == ["anna"]
        for change in (lambda: history.add(event("new")), lambda: history.forget("anna")):
            with pytest.raises(StateError, match="Read-only file system"):
                change()
        assert [kept.id for kept in history.events("anna")] == ["kept"]
        assert "Read-only file system" in history.refuses
    assert "feedback is refused" in caplog.text


def test_where_nothing_can_be_read_it_is_empty(path, unwritable):
    with open_kept(path) as history:
        assert (history.users(), history.events("anna"), history.forgettings()) == ([], [], 0)


def test_it_is_whole_again_once_the_file_can_be_written(path, unwritable):
    unwritable(False)
    with History(path) as history:
        history.add(event("kept"))
        history.forget("somebody")
    unwritable(True)
    with open_kept(path) as history:
        with pytest.raises(StateError):
            history.add(event("refused"))
        unwritable(False)
        assert history.add(event("new"))
        assert history.refuses is None
        assert history.forgettings() == 1
    with History(path) as history:
        assert [kept.id for kept in history.events("anna")] == ["kept", "new"]


def test_a_damaged_file_is_left_as_it_is(path):
    path.write_bytes(b"no database at all" * 100)
    with open_kept(path) as history:
        assert history.events("anna") == []
        with pytest.raises(StateError, match="damaged"):
            history.add(event("new"))
    assert path.read_bytes() == b"no database at all" * 100


def test_another_programs_database_is_not_read(path):
    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE events (number, id, user, item, event, value, time_s)")
        database.execute("INSERT INTO events VALUES (1, 'x', 'anna', 'y', 'like', NULL, 1.0)")
    database.close()
    with open_kept(path) as history:
        assert history.events("anna") == []
        assert "another program's" in history.refuses


def test_a_place_where_no_folder_can_be_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="File exists"):
        open_kept(tmp_path / "file" / "history.db")


def test_closing_it_twice_over_is_harmless(path, unwritable):
    StandIn(path, REASON).close()


def test_an_older_versions_file_that_can_only_be_read_is_read(path, unwritable):
    import sqlite3

    unwritable(False)
    with History(path) as history:
        history.add(event("kept"))
    database = sqlite3.connect(path)
    database.executescript("DROP INDEX rounds_of_user; ALTER TABLE events DROP COLUMN drawn_from;")
    database.close()
    unwritable(True)
    with open_kept(path) as history:
        assert [kept.id for kept in history.events("anna")] == ["kept"]
        assert list(export_lines(history)) == [event("kept").line()]
