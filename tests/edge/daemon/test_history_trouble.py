"""A history that fails under a running daemon: the request is refused in a sentence, the daemon keeps serving."""

import contextlib
import sqlite3

import pytest

BELLS = "track:tiny/bells"


def like(client, number: int, **more):
    return client.post("/v1/feedback", json={"id": f"like {number}", "item": BELLS, "event": "like", **more})


@pytest.fixture
def alone(running, tmp_path):
    """A daemon of this test's own, a client, and its history's file."""
    with running(tmp_path) as daemon, daemon.client() as client:
        yield client, next(path for path in (tmp_path / "state").iterdir() if path.suffix == ".db")


def test_a_history_that_another_program_holds_locked(alone):
    client, path = alone
    assert like(client, 1).status_code == 200
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = like(client, 2)
        assert refused.status_code == 503
        assert "locked" in refused.json()["error"]["message"]
        assert client.get("/v1/recommendations").status_code == 200
        other.execute("ROLLBACK")
    assert like(client, 2).json() == {"id": "like 2", "new": True}
    assert like(client, 1).json() == {"id": "like 1", "new": False}


def test_feedback_of_someone_new_about_something_unknown_or_said_before(alone):
    client, _ = alone
    assert like(client, 1, user="nobody has met me 🎧 مرحبا").status_code == 200
    assert like(client, 2, item="track:tiny/none").status_code == 404
    assert like(client, 3, event="lick").status_code == 422
    assert like(client, 1, user="somebody else").status_code == 409
    found = client.get("/v1/recommendations", params={"user": "nobody has met me 🎧 مرحبا"})
    assert found.json()["user"] == "nobody has met me 🎧 مرحبا"
