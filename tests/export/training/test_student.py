"""A tiny training learns, resumes where it stopped, and is measured."""

import numpy as np
import pytest
import torch

from edge.errors import ExportError
from export.data.corpus import Recording
from export.data.tracks import Track
from export.frontend import mfcc_constants
from export.training import student as training
from export.training.augment import Augmenter, RoomBank
from export.training.corpus import LabelledTrack, labelled
from export.training.evaluate import embedder, evaluate, identify, mean_average_precision
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard

TRACKS, SECONDS = 6, 12


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tracks():
    """Chords of their own rhythm and pitch; each has a target of its own."""
    rng, time = np.random.default_rng(0), np.arange(16_000 * SECONDS) / 16_000
    found = []
    for number in range(TRACKS):
        hz = 150 * 1.4**number * np.array([1, 1.25, 1.5])
        beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * (1 + number) * time))
        sound = (np.sin(2 * np.pi * hz[:, None] * time).sum(axis=0) * beat * 4_000).astype(np.int16)
        target = np.repeat(rng.normal(size=(1, 64)), 3, axis=0).astype(np.float32)
        found.append(LabelledTrack(f"t/{number}", f"family {number % 2}", sound,
                                   target / np.linalg.norm(target, axis=1, keepdims=True)))
    return found


@pytest.fixture(scope="module")
def front_end():
    return BatchFrontEnd(mfcc_constants())


@pytest.fixture(scope="module")
def standard(tracks, front_end):
    frames = front_end.mfcc(torch.from_numpy(np.stack([t.window(0) for t in tracks]).astype(np.float32)))
    return Standard(frames.mean(dim=(0, 1)).numpy(), frames.std(dim=(0, 1)).numpy() + 0.1)


@pytest.fixture(scope="module")
def augment():
    return Augmenter(RoomBank(4, 0), np.empty(0, np.int16))


@pytest.fixture(scope="module")
def maker(tracks, front_end, standard, augment):
    return training.BatchMaker(tracks, front_end, standard, augment, RECIPE)


RECIPE = training.Recipe(steps=30, tracks_per_batch=TRACKS, rooms=4)


def test_batches_depend_on_the_step_alone(maker):
    one, two = maker[3], maker[3]
    assert torch.equal(one.light, two.light)
    assert torch.equal(one.heavy, two.heavy)
    assert one.light.shape == (TRACKS, 300, 20)
    assert not torch.equal(maker[4].light, one.light)
    assert sorted(one.track.tolist()) == list(range(TRACKS))


def test_training_reduces_every_loss(maker):
    run = training._Run(RECIPE)
    losses = [run.learn(maker[step]) for step in range(RECIPE.steps)]
    for name in losses[0]:
        first, last = (np.mean([loss[name] for loss in part]) for part in (losses[:5], losses[-5:]))
        assert last < 0.85 * first, name


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(maker, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_STEPS", 2)
    recipe = training.Recipe(steps=4, tracks_per_batch=TRACKS, rooms=4)
    whole = training.train(maker, recipe, tmp_path / "whole.pt", workers=0)
    torch.manual_seed(recipe.seed)
    half = training._Run(recipe)
    for step in range(2):
        half.learn(maker[step])
    half.save(tmp_path / "half.pt")
    resumed = training.train(maker, recipe, tmp_path / "half.pt", workers=0)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, msg=name)
    assert training.recording_space(whole) == training.recording_space(resumed)


def test_a_foreign_checkpoint_is_refused(maker, tmp_path):
    torch.save({"step": 1}, tmp_path / "c.pt")
    with pytest.raises(ExportError, match="not a checkpoint of this student"):
        training.train(maker, RECIPE, tmp_path / "c.pt", workers=0)


def test_evaluation_of_a_student_that_tells_tracks_apart(tracks, front_end, standard, augment):
    student = training.AudioStudent().eval()
    figures = evaluate(tracks, embedder(student, front_end, standard), augment)
    assert figures.tracks == TRACKS
    assert figures.recording["clean"] >= 0.8
    assert -1 <= figures.cosine <= 1
    assert figures.chance_retrieval == pytest.approx(2 / 5)
    assert all(0 <= value <= 1 for value in figures.retrieval.values())


def test_mean_average_precision_by_hand():
    families = np.array(["a", "a", "b", "a"])
    similarity = np.array([[9, 1, 3, 2], [3, 9, 2, 1], [0, 0, 9, 0], [1, 2, 3, 9.0]])
    by_query = [(1 / 2 + 2 / 3) / 2, (1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2]
    assert mean_average_precision(similarity, families) == pytest.approx(np.mean(by_query))


def test_identify_takes_the_best_window_of_each():
    known = [np.array([[1.0, 0], [0, -1]]), np.array([[0, 1.0]])]
    assert identify(np.array([[1.0, 0], [0.9, 0.1]]), known) == 0
    assert identify(np.array([[0.0, 1]]), known) == 1


def test_windows_stay_inside_a_track(tracks):
    track = tracks[0]
    assert np.array_equal(track.window(10**9), track.sound[-WINDOW_SAMPLES:])
    span = track.span(100)
    assert not span[: 9_360 - 100].any()
    assert np.array_equal(span[9_360:], track.sound[100 : 100 + WINDOW_SAMPLES])


def test_too_short_tracks_are_left_out(tmp_path):
    track = Track("a/b", "a", "train", tmp_path, "t", "", "", "", None, "CC0", 1.0)
    with pytest.raises(ExportError, match="none of 1 tracks"):
        labelled([Recording(track, np.zeros(10, np.int16))], [np.empty((0, 64), np.float32)])
