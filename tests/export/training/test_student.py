"""A tiny training learns, resumes where it stopped, and is measured."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from edge.bundle import open_bundle
from edge.context import unit
from edge.engine.open import open_engine
from edge.errors import ExportError
from export.assets import ASSETS
from export.data.corpus import Recording
from export.data.decode import decode
from export.data.tracks import Track
from export.frontend import mfcc_constants
from export.training import student as training
from export.training.augment import Augmenter, RoomBank
from export.training.bank import SoundBank
from export.training.batches import BatchMaker
from export.training.corpus import LabelledTrack, labelled
from export.training.evaluate import embedder, engine_embedder, evaluate
from export.training.frontend import WINDOW_SAMPLES, BatchFrontEnd, Standard
from export.training.hearing import load_hearing
from export.training.known import Known, Query, calibrate, every
from export.training.retrieval import Match
from export.training.stages import Recipe, Stage, Weights

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
                                   target / np.linalg.norm(target, axis=1, keepdims=True),
                                   np.repeat(rng.random((1, 50)), 3, axis=0).astype(np.float32)))
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


WEIGHTS = Weights(distillation=1.0, relation=1.0, contrast=0.3, tags=1.0, kind=0.5)
RECIPE = Recipe(stages=(Stage("pretraining", 4, Weights(segments=1.0)), Stage("all", 30, WEIGHTS)),
                windows_per_batch=TRACKS, sounds_per_kind=2, rooms=4)


@pytest.fixture(scope="module")
def maker(tracks, front_end, standard, augment):
    rng = np.random.default_rng(3)
    noise, clicks = (rng.normal(0, 2_000, 100_000) * envelope for envelope in (1.0, rng.random(100_000) < 0.001))
    kinds = [SoundBank([noise.astype(np.int16)]), SoundBank([track.sound for track in tracks]),
             SoundBank([(clicks * 9).clip(-32_000, 32_000).astype(np.int16)])]
    return BatchMaker(tracks, kinds, front_end, standard, augment, RECIPE)


def test_batches_depend_on_the_step_alone(maker):
    one, two = (maker.make(9, RECIPE.stages[1]) for _ in range(2))
    assert torch.equal(one.light, two.light)
    assert torch.equal(one.heavy, two.heavy)
    assert torch.equal(one.sounds, two.sounds)
    assert one.light.shape == (TRACKS, 300, 20)
    assert not torch.equal(maker.make(10, RECIPE.stages[1]).light, one.light)
    assert sorted(one.track.tolist()) == list(range(TRACKS))


def test_labels_are_those_of_the_window(maker, tracks):
    batch = maker.make(5, RECIPE.stages[1])
    for row, number in enumerate(batch.track.tolist()):
        assert batch.targets[row].numpy() in tracks[number].targets
        assert batch.tags[row].numpy() in tracks[number].tags


def test_a_stage_gets_what_it_asks_for(maker):
    pretraining, everything = RECIPE.stages
    assert len(maker.make(0, pretraining).sounds) == 0
    batch = maker.make(0, everything)
    assert batch.kinds.tolist() == [0, 0, 1, 1, 2, 2]
    assert batch.sounds.shape == (6, 300, 20)


def test_training_reduces_every_loss(maker):
    run = training.Run(RECIPE, maker.shelf)
    run.step = 4
    losses = [run.learn(maker.make(step, RECIPE.stages[1])) for step in range(30)]
    assert set(losses[0]) == {"distillation", "relation", "contrast", "tags", "kind"}
    for name in losses[0]:
        first, last = (np.mean([loss[name] for loss in part]) for part in (losses[:5], losses[-5:]))
        assert last < 0.9 * first, name


def test_pretraining_asks_nothing_of_the_teacher(maker):
    assert set(training.Run(RECIPE, maker.shelf).learn(maker.make(0, RECIPE.stages[0]))) == {"segments"}


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(maker, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_STEPS", 2)
    recipe = replace(RECIPE, stages=(replace(RECIPE.stages[0], steps=1), replace(RECIPE.stages[1], steps=3)))
    whole = training.train(maker, recipe, tmp_path / "whole.pt", workers=0)
    torch.manual_seed(recipe.seed)
    half = training.Run(recipe, maker.shelf)
    for step in range(2):
        half.learn(maker.make(step, training.stage_at(recipe, step)[0]))
    half.save(tmp_path / "half.pt")
    resumed = training.train(maker, recipe, tmp_path / "half.pt", workers=0)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, msg=name)
    assert training.recording_space(whole) == training.recording_space(resumed)


def test_a_foreign_checkpoint_is_refused(maker, tmp_path):
    torch.save({"step": 1}, tmp_path / "c.pt")
    with pytest.raises(ExportError, match="not a checkpoint of this student"):
        training.train(maker, RECIPE, tmp_path / "c.pt", workers=0)


@pytest.fixture(scope="module")
def embed(front_end, standard):
    """A student that hears the mean of the cepstra, turned at random."""
    turned = torch.from_numpy(np.random.default_rng(5).normal(size=(20, 64)).astype(np.float32))

    def embed(windows):
        mfcc = front_end.standardised(torch.from_numpy(windows.astype(np.float32)), standard)
        vectors = unit((mfcc.mean(dim=1) @ turned).numpy())
        return vectors, vectors

    return embed


def test_the_embedder_gives_unit_vectors_of_both_views(tracks, front_end, standard):
    audio, recording = embedder(training.AudioStudent().eval(), front_end, standard)(every(tracks[0], 48_000))
    assert audio.shape == recording.shape == (3, 64)
    np.testing.assert_allclose(np.linalg.norm([audio, recording], axis=2), 1, atol=1e-5)


def test_the_shipped_int8_model_answers_as_its_float_student_does(front_end):
    hearing, sound = load_hearing(), decode(ASSETS / "clips" / "in-the-catalogue.ogg")
    windows = np.stack([sound[start : start + WINDOW_SAMPLES] for start in (0, 80_000)])
    with open_engine("litert", open_bundle().model("audio").file("litert")) as engine:
        answers = engine_embedder(engine, front_end, hearing.standard)(windows)
    for int8, wanted in zip(answers, embedder(hearing.student, front_end, hearing.standard)(windows), strict=True):
        assert np.sum(int8 * wanted, axis=1).min() > 0.995


def test_evaluation_of_a_student_that_tells_tracks_apart(tracks, embed, augment):
    figures = evaluate(tracks, embed, augment, known=Known(tracks, embed), least_sureness=-1.0)
    assert (figures.tracks, figures.queries) == (TRACKS, TRACKS)
    assert figures.recording["clean"] >= 0.8
    assert figures.named == figures.recording
    assert set(figures.false_matches.values()) == {1.0}
    assert -1 <= figures.cosine <= 1
    assert figures.chance_retrieval == pytest.approx(2 / 5)
    assert all(0 <= value <= 1 for value in figures.retrieval.values())
    assert set(figures.precision) == set(figures.by_sureness) == set(figures.retrieval)
    assert not set(figures.document()) & {"precision", "teacher_precision", "by_sureness"}
    json.dumps(figures.document())


def test_a_track_that_is_there_twice_is_no_false_match(tracks, embed):
    known = Known([*tracks, replace(tracks[2], id="copy")], embed)
    windows = embed(every(tracks[2], 16_000))[1]
    match = known.matches([Query(2, 0, windows, windows)])[0]
    scores = np.sort(known.scores(windows))
    assert (match.own, match.other) == pytest.approx((scores[-1], scores[-3]), abs=1e-6)


def test_a_track_that_holds_the_same_passage_is_no_false_match(tracks, embed):
    passage, rest = tracks[2].sound, tracks[0].sound
    medley = replace(tracks[2], id="medley", sound=np.concatenate([rest, passage // 2, rest, rest]))
    known = Known([*tracks, medley], embed)
    windows = embed(every(tracks[2], 16_000))[1]
    scores = known.scores(windows)
    assert scores[:-1].argmax() == 2
    assert scores[-1] > np.sort(scores[:-1])[-2]
    match = known.matches([Query(2, 0, windows, windows)])[0]
    assert match.other == pytest.approx(np.sort(scores[:-1])[-2], abs=1e-6)


def test_silence_asks_nothing(tracks, embed):
    quiet = replace(tracks[0], id="quiet", sound=np.concatenate([np.zeros(WINDOW_SAMPLES, np.int16), tracks[0].sound]))
    known = Known([*tracks, quiet], embed)
    windows = embed(every(tracks[0], 16_000))[1]
    assert known.matches([Query(len(tracks), 0, windows, windows)]) == []
    assert len(known.matches([Query(len(tracks), WINDOW_SAMPLES, windows, windows)])) == 1


def test_calibration_lets_the_asked_share_through():
    matches = [Match(1.0, score / 100, 0.0) for score in range(100)]
    least = calibrate(matches, false_matches=0.05)
    assert sum(match.false(least) for match in matches) == 5
    assert calibrate(matches, false_matches=0.0) > 0.79


def test_a_bank_cuts_with_what_was_heard_before():
    bank = SoundBank([np.arange(1, 101, dtype=np.int16), np.arange(201, 251, dtype=np.int16)])
    cut = bank.cut(np.array([0, 0, 1, 1]), np.array([10, -5, 2, 10**6]), 20, lead=8)
    assert cut[0].tolist() == list(range(3, 31))
    assert cut[1].tolist() == [0] * 8 + list(range(1, 21))
    assert cut[2].tolist() == [0] * 6 + list(range(201, 223))
    assert cut[3].tolist() == list(range(223, 251))


def test_too_short_tracks_are_left_out(tmp_path):
    track = Track("a/b", "a", "train", tmp_path, "t", "", "", "", None, "CC0", 1.0)
    nothing = [np.empty((0, 64), np.float32)], [np.empty((0, 50), np.float32)]
    with pytest.raises(ExportError, match="none of 1 tracks"):
        labelled([Recording(track, np.zeros(10, np.int16))], *nothing)
