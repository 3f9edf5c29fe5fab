"""What a start uses, start after start: trials are counted, what does not prove itself is taken back."""

import json
import logging

import pytest

from edge import bundle, installed
from edge.errors import BudgetError, BundleError, RuntimeMissingError, StateError
from edge.update import pointer, trial
from edge.update.pointer import Pointer


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def updates(state):
    return state / trial.UPDATES


def names(state, starts):
    return [trial.begin(state).name for _ in range(starts)]


def test_a_device_that_was_never_updated_uses_what_it_came_with_and_writes_nothing(state):
    assert trial.begin(state) == trial.Release(bundle.DEFAULT)
    assert not state.exists()


def test_a_trial_has_three_starts_then_the_one_before_it_is_used_for_good(state, updates):
    pointer.write(updates, Pointer("a").pointing_at("b"))
    assert names(state, 5) == ["b", "b", "b", "a", "a"]
    found = pointer.read(updates)
    assert (found.release, found.before, found.proved) == ("a", None, True)
    assert "started 3 times" in found.failed["b"]


def test_a_first_trial_that_fails_goes_back_to_what_came_with_roomtone(state, updates):
    pointer.write(updates, Pointer().pointing_at("a"))
    assert names(state, 5) == ["a", "a", "a", None, None]


def test_a_proved_release_is_started_for_ever(state, updates):
    pointer.write(updates, Pointer("a"))
    assert names(state, 10) == ["a"] * 10


def test_a_second_trial_keeps_the_release_behind_the_first(state, updates):
    pointer.write(updates, Pointer("a").pointing_at("b").pointing_at("c"))
    assert names(state, 4)[-1] == "a"


def test_going_back_to_the_proved_release_during_a_trial_needs_no_trial():
    found = Pointer("a").pointing_at("b").pointing_at("a")
    assert (found.release, found.before, found.proved) == ("a", None, True)


def test_a_release_that_does_not_open_gives_way_within_the_same_start(state, updates):
    pointer.write(updates, Pointer("a").pointing_at("b"))
    tried = []

    def run(release):
        tried.append(release.name)
        if release.name is not None:
            raise BundleError(f"{release.name} is broken")
        return 7

    assert trial.start(state, run) == 7
    assert tried == ["b", "a", None]
    found = pointer.read(updates)
    assert (found.release, found.failed) == ("a", {"b": "b is broken"})  # a was proved: it may be mended


def test_what_is_no_fault_of_the_release_ends_the_start(state, updates):
    pointer.write(updates, Pointer("a").pointing_at("b"))
    for error in (RuntimeMissingError("no onnxruntime"), StateError("disk full")):
        with pytest.raises(type(error)):
            trial.start(state, lambda release, error=error: raise_(error))
    assert pointer.read(updates).release == "b"


def test_what_came_with_roomtone_raises_its_error(state):
    with pytest.raises(BudgetError):
        trial.start(state, lambda release: raise_(BudgetError("too large")))


def raise_(error):
    raise error


def test_a_start_that_cannot_be_counted_is_no_trial(state, updates, monkeypatch, caplog):
    pointer.write(updates, Pointer("a").pointing_at("b"))

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pointer, "write_whole", full)
    with caplog.at_level(logging.ERROR):
        assert names(state, 5) == ["a"] * 5
    assert "No space left" in caplog.text
    monkeypatch.undo()
    assert trial.begin(state).name == "b"


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"format": 2}', b'{"format": 1, "release": "../../x"}',
                                     b'{"format": 1, "release": "a", "before": null, "proved": 1, "starts": 0}'])
def test_a_damaged_pointer_leaves_what_came_with_roomtone(state, updates, content, caplog):
    pointer.write(updates, Pointer("a"))
    (updates / pointer.FILE_NAME).write_bytes(content)
    assert trial.begin(state).name is None
    assert trial.in_use(state).name is None
    assert pointer.FILE_NAME in caplog.text


def test_the_pointer_is_what_the_documentation_says(updates):
    pointer.write(updates, Pointer("a").pointing_at("b").reverted("why").pointing_at("c"))
    assert json.loads((updates / pointer.FILE_NAME).read_text()) == {
        "format": 1, "release": "c", "before": "a", "proved": False, "starts": 0, "failed": {"b": "why"}}
    assert (updates / pointer.FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_only_so_many_failures_are_remembered():
    found = Pointer("good")
    for number in range(100):
        found = found.pointing_at(f"r{number}").reverted("x" * 10_000)
    assert list(found.failed) == [f"r{number}" for number in range(84, 100)]
    assert len(json.dumps(found.failed)) < pointer.MAX_BYTES / 4


def test_a_proved_release_is_kept_and_its_sequence_remembered(updated):
    updated.publish("2", sequence=5)
    updated.update()
    assert updated.start().on_trial
    updated.prove()
    assert not updated.start().on_trial
    assert installed.least_sequence(updated.state, "tiny") == 5
