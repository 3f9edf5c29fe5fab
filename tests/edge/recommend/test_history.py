import sqlite3
import stat
import threading
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import ConflictError, StateError, UsageError
from edge.recommend.feature_names import NAMES
from edge.recommend.history import Event, History
from edge.recommend.round import Round


def event(number: int, user: str = "anna", **fields) -> Event:
    return Event(f"id-{number}", user, **{"item": f"track-{number}", "event": "play", "time_s": float(number)} | fields)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "history.sqlite"


@pytest.fixture
def history(path):
    with History(path, wait_s=0.2) as history:
        yield history


def test_keeps_what_it_was_given_in_order_of_arrival(history):
    late, early = event(2), event(1)
    assert history.add(late)
    assert history.add(early)
    assert history.events("anna") == [late, early]


def test_survives_closing(path):
    with History(path) as history:
        history.add(event(1))
    with History(path) as history:
        assert history.events("anna") == [event(1)]


def test_the_same_event_counts_once(history):
    assert history.add(event(1))
    assert not history.add(event(1))
    assert not history.add(replace(event(1), time_s=None))
    assert len(history.events("anna")) == 1


@pytest.mark.parametrize("other", [{"event": "skip"}, {"item": "x"}, {"user": "bo"}, {"value": 3.0}, {"time_s": 9.0}])
def test_an_id_used_for_something_else_is_refused(history, other):
    history.add(event(1))
    with pytest.raises(ConflictError, match="id-1"):
        history.add(replace(event(1), **other))
    assert [*history.events("anna"), *history.events("bo")] == [event(1)]


def test_an_event_without_a_time_gets_the_clocks(history):
    before = time.time()
    history.add(replace(event(1), time_s=None))
    assert before <= history.events("anna")[0].time_s <= time.time()


def test_users_are_apart(history):
    history.add_all([event(1, "anna"), event(2, "bo"), event(3, "anna")])
    assert history.users() == ["anna", "bo"]
    assert history.events("bo") == [event(2, "bo")]
    assert history.events("nobody") == []


def test_numbers_tell_what_is_new(history):
    history.add_all([event(1), event(2, "bo"), event(3)])
    (first, _), (second, _) = history.numbered("anna")
    assert first < second
    assert history.events("anna", after=first) == [event(3)]
    assert history.events("anna", limit=1) == [event(3)]


def test_a_bad_event_is_refused_and_takes_its_companions_along(history):
    with pytest.raises(UsageError, match="event 'lick'"):
        history.add_all([event(1), event(2, event="lick")])
    history.add(event(9))
    with pytest.raises(StateError, match="id-9"):
        history.add_all([event(1), event(9, item="other")])
    assert history.events("anna") == [event(9)]


def test_only_the_newest_are_kept(path):
    with History(path, kept_per_user=100) as history:
        history.add(event(0, "bo"))
        for start in range(1, 1025, 128):
            history.add_all([event(number) for number in range(start, start + 128)])
        kept = history.events("anna")
        assert 100 <= len(kept) <= 100 + 256
        assert kept[-1] == event(1024)
        assert history.events("bo") == [event(0, "bo")]


def test_of_late_deeds_and_impressions_are_counted_apart(history):
    kinds = ("play", "impression", "impression", "like", "impression", "skip")
    history.add_all([event(number, event=kind) for number, kind in enumerate(kinds)])
    history.add(event(99, "bo"))
    found = history.lately("anna", after=0, deeds=2, impressions=1)
    assert [one.id for _, one in found] == ["id-3", "id-4", "id-5"]
    assert history.lately("anna", after=found[0][0], deeds=9, impressions=9) == found[1:]
    assert history.lately("anna", after=0, deeds=9, impressions=9) == history.numbered("anna")


def test_what_was_shown_pushes_out_nothing_that_was_done(path, monkeypatch):
    monkeypatch.setattr("edge.recommend.history.KEPT_IMPRESSIONS_PER_USER", 50)
    with History(path, kept_per_user=100) as history:
        history.add_all([event(number, event="like") for number in range(90)])
        for start in range(100, 1124, 128):
            history.add_all([event(number, event="impression") for number in range(start, start + 128)])
        kept = history.events("anna")
    assert [one.event for one in kept[:90]] == ["like"] * 90
    assert 50 <= len(kept) - 90 <= 50 + 256
    assert kept[-1] == event(1123, event="impression")


def test_each_is_kept_but_for_those_in_conflict(history):
    history.add(event(1))
    results = history.add_each([event(1), event(2), event(1, item="other"), event(2, event="skip"), event(3)])
    assert results[:2] == [False, True]
    assert [isinstance(result, ConflictError) for result in results] == [False, False, True, True, False]
    assert history.events("anna") == [event(1), event(2), event(3)]


def test_readable_by_its_owner_only(path, history):
    history.add(event(1))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) >= {"history.sqlite", "history.sqlite-wal"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(path):
    History(path).close()
    path.chmod(0o644)
    History(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_forgetting_leaves_no_byte(path):
    secrets = [b"anna-the-secret", b"track-of-anna", b"id-of-anna"]
    with History(path) as history:
        for number in range(200):
            history.add(event(number, "bo"))
            history.add(Event(f"id-of-anna-{number}", "anna-the-secret", f"track-of-anna-{number}", "like"))
        assert all(secret in b"".join(map(type(path).read_bytes, path.parent.iterdir())) for secret in secrets)
        assert history.forget("anna-the-secret") == 200
        left = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert not any(secret in left for secret in secrets)
        assert len(history.events("bo")) == 200
        assert history.add(Event("id-of-anna-0", "anna-the-secret", "other", "like"))


def test_forgetting_is_told_to_those_who_learned(history):
    before = history.forgettings()
    assert history.forget("anna") == 0
    assert history.forgettings() == before + 1


def test_forgetting_waits_for_a_reader_and_says_when_traces_stay(path, history):
    history.add(event(1))
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM events").fetchall()
    with pytest.raises(StateError, match="forget again"):
        history.forget("anna")
    reader.close()
    assert history.events("anna") == []
    history.forget("anna")
    assert b"track-1" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_readers_do_not_wait_for_a_write(path, history):
    history.add(event(1))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert history.events("anna") == [event(1)]
    with pytest.raises(StateError, match="locked"):
        history.add(event(2))
    writer.execute("ROLLBACK")
    assert history.add(event(2))
    writer.close()


def test_threads_may_share_it(history):
    def work(user: str) -> None:
        for number in range(20):
            history.add(Event(f"{user}-{number}", user, "track", "play"))
            history.events(user)

    threads = [threading.Thread(target=work, args=(f"user-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(history.events(user)) for user in history.users()] == [20] * 4


def test_two_processes_may_write(path, history):
    with History(path) as other:
        other.add(event(1))
        history.add(event(2))
        assert other.events("anna") == history.events("anna") == [event(1), event(2)]


def test_a_newer_format_is_left_alone(path):
    with History(path) as history:
        history.add(event(1))
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=7")
    with pytest.raises(StateError, match=r"format 7.*update Roomtone"):
        History(path)


def test_another_programs_database_is_left_alone(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name)")
    with pytest.raises(StateError, match="another program's"):
        History(path)


def test_a_folder_is_not_a_history(tmp_path):
    with pytest.raises(StateError, match="directory"):
        History(tmp_path)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_foreign_file_is_refused_and_kept(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateError, match=r"damaged|another program"):
        History(path)
    assert path.read_bytes() == content


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("filled") / "history.sqlite"
    with History(path) as history:
        history.add_all([event(number) for number in range(500)])
    return path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_a_sentence_or_harmless(filled, tmp_path, data):
    """Whatever a bad block did, reading and writing give values or a StateError, nothing else."""
    whole = filled.read_bytes()
    start = data.draw(st.integers(0, len(whole) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=600))
    path = tmp_path / "damaged.sqlite"
    path.write_bytes((whole[:start] + junk + whole[start + len(junk) :])[: len(whole)])
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    with suppress(StateError), History(path) as history:
        history.add(event(1001))
        history.users()
        history.events("anna")


def drawn(*items: str) -> Round:
    count = len(items)
    return Round.of(items, 10, np.full(count, 1 / count), np.zeros(count), np.ones((count, len(NAMES))))


def test_what_impressions_were_drawn_from_is_kept_with_them(path):
    rounds = {f"id-{number}": drawn(f"track-{number}", "other") for number in range(3)}
    with History(path) as history:
        for number, one in enumerate(rounds.values()):
            assert history.add(event(number, event="impression"), one)
        assert not history.add(event(1, event="impression"))  # the same message again
        history.add(event(7))
    with History(path) as history:
        assert history.rounds("anna") == rounds
        assert history.rounds("ben") == {}
        assert [one.id for one in history.events("anna")] == [*rounds, "id-7"]


def test_so_many_rounds_are_kept_and_every_event(path, monkeypatch):
    monkeypatch.setattr("edge.recommend.history.KEPT_ROUNDS_PER_USER", 5)
    with History(path) as history:
        for number in range(9):
            history.add(event(number, event="impression"), drawn(f"track-{number}", "other"))
            history.add(event(100 + number, user="ben", event="impression"), drawn(f"track-{100 + number}"))
        assert list(history.rounds("anna")) == [f"id-{number}" for number in range(4, 9)]
        assert len(history.events("anna")) == 9
        assert len(history.rounds("ben")) == 5


def test_forgetting_leaves_no_byte_of_a_round(path):
    with History(path) as history:
        for number in range(50):
            history.add(event(number, "ben"))
            history.add(event(99 + number, event="impression"), drawn(f"track-{99 + number}", f"a-candidate-{number}"))
        files = [file for file in path.parent.iterdir() if file.is_file()]
        assert any(b"a-candidate" in file.read_bytes() for file in files)
        history.forget("anna")
        assert history.rounds("anna") == {}
        assert not any(b"a-candidate" in file.read_bytes() for file in path.parent.iterdir())
        assert len(history.events("ben")) == 50


def old_file(path) -> list[Event]:
    """A file as it was laid out before rounds were kept, with two events. Returns them."""
    path.parent.mkdir()
    database = sqlite3.connect(path)
    database.executescript("""
        CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL,
                             item TEXT NOT NULL, event TEXT NOT NULL, value REAL, time_s REAL NOT NULL);
        CREATE INDEX events_of_user ON events (user, number);
        CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO counters VALUES ('forgettings', 3);
        INSERT INTO events VALUES (1, 'a', 'anna', 'x', 'like', NULL, 5.0), (2, 'b', 'anna', 'y', 'dwell', 7.0, 6.0);
        PRAGMA application_id=0x526F6F6D; PRAGMA user_version=1;
    """)
    database.close()
    return [Event("a", "anna", "x", "like", None, 5.0), Event("b", "anna", "y", "dwell", 7.0, 6.0)]


def test_an_older_versions_file_is_taken_over(path):
    kept = old_file(path)
    with History(path) as history:
        assert history.events("anna") == kept
        assert history.rounds("anna") == {}
        assert history.forgettings() == 3
        assert history.add(event(1, event="impression"), drawn("track-1"))
        assert list(history.rounds("anna")) == ["id-1"]
    database = sqlite3.connect(path)  # as the older version goes on
    fields = "(id, user, item, event, value, time_s)"
    database.execute(f"INSERT INTO events {fields} VALUES ('c', 'anna', 'z', 'play', NULL, 8)")
    database.execute("DELETE FROM events WHERE item = 'track-1'")
    database.commit()
    database.close()
    with History(path) as history:
        assert [one.id for one in history.events("anna")] == ["a", "b", "c"]
        assert history.rounds("anna") == {}


def test_a_damaged_round_costs_no_event(path):
    with History(path) as history:
        history.add(event(1, event="impression"), drawn("track-1"))
        history.add(event(2, event="impression"), drawn("track-2"))
        database = sqlite3.connect(path)
        database.execute("UPDATE events SET drawn_from = '{' WHERE id = 'id-1'")
        database.commit()
        database.close()
        assert list(history.rounds("anna")) == ["id-2"]
        assert len(history.events("anna")) == 2
