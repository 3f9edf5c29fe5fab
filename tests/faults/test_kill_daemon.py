from tests.faults import kill_daemon


def test_a_few_kills_of_each_kind():
    """``python -m tests.faults.kill_daemon`` is the long run."""
    done = kill_daemon.run(6, check_every=3)
    assert set(done["kills"].values()) == {2}
    assert done["acknowledged"] > 2
