"""What do silence and pictures that stand still save, by the inferences that they skip?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.clips import sample_clips
from benchmarks.report import Figure, Row
from benchmarks.timing import interleave
from edge.audio.encoder import AudioEncoder
from edge.bundle import Bundle, open_bundle
from edge.engine.base import Engine
from edge.engine.open import open_engine
from edge.firmware import FirmwareProfile
from edge.video.encoder import VideoEncoder, is_static
from edge.video.motion import MotionMeter
from edge.video.shot import shot_vector
from edge.video.source import Frame, open_video

SAMPLE_RATE_HZ, SOUND_S = 16_000, 30
ROOM_NOISE = 2
"""Of 32768, root mean square: -84 dBFS, the hiss of a sound card with nothing on it."""
PICTURES = 40
CAMERA_NOISE = 3
"""Of 255, at most, in every pixel: what a capture card adds to a menu that stands still."""
DENSE_HZ = 12.0
EVERY_ONE = ", every one encoded"
REPEATS = 5


@dataclass(frozen=True)
class Case:
    name: str
    work: Callable[[], object]
    seconds: float
    """How much sound or film one call takes in."""
    skipped: Callable[[], int]
    inputs: int
    """Windows or pictures in it."""


def run(profile: FirmwareProfile, peers: bool) -> list[Row]:
    """CPU time of a second of sound, and of pictures at the profile's rate, by what is in them.

    ``of_ungated`` is the share of the time that the same pictures take when every one is encoded; of sound, that music
    takes. ``unlike``: how far, as 1 - cosine, the vectors that skipped pictures of the sample film took over are from
    those of an inference of their own, at DENSE_HZ pictures a second.
    """
    bundle = open_bundle()
    runtime = profile.engine.runtime
    with open_engine(runtime, bundle.model("audio").file(runtime)) as hearing, \
            open_engine(runtime, bundle.model("video").file(runtime)) as seeing:
        audio = _sound_cases(bundle, hearing, profile)
        video = _picture_cases(bundle, seeing, profile)
        timed = interleave({case.name: case.work for case in (*audio, *video)}, repeats=REPEATS, warmup=1)
        rows = [_row(case, timed[case.name].cpu_median_s, timed[_ungated(case.name)].cpu_median_s)
                for case in (*audio, *video)]
        return [*rows, Row("film, skipped pictures", _unlike(bundle, seeing)), _descriptors()]


def _descriptors() -> Row:
    """What the shot vector adds to an inference: a picture's layout, its motion, and the gate's look at it."""
    meter, thumb = MotionMeter(), np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    video = np.ones(64, np.float32)
    meter.push(thumb, 0.0)

    def describe() -> None:
        is_static(thumb, thumb)
        shot_vector(video, thumb, meter.push(thumb, 0.5))

    timed = interleave({"describe": describe}, repeats=400)["describe"]
    return Row("layout, motion and gate of a picture", {"cpu_us": 1e6 * timed.cpu_median_s})


def _ungated(name: str) -> str:
    """The case that a case is compared with."""
    return "sound: music" if name.startswith("sound") else f"{name.removesuffix(EVERY_ONE)}{EVERY_ONE}"


def _row(case: Case, cpu_s: float, ungated_s: float) -> Row:
    figures: dict[str, Figure] = {
        "skipped": case.skipped() / case.inputs, "cpu_ms_per_s": 1000 * cpu_s / case.seconds,
        "of_ungated": cpu_s / ungated_s}
    return Row(case.name, figures)


def _sound_cases(bundle: Bundle, engine: Engine, profile: FirmwareProfile) -> list[Case]:
    samples = SOUND_S * SAMPLE_RATE_HZ
    rng = np.random.default_rng(0)
    time_s = np.arange(samples) / SAMPLE_RATE_HZ
    music = (4000 * np.sin(2 * np.pi * 330 * time_s) * (1 + np.sin(2 * np.pi * 0.5 * time_s))).astype(np.int16)
    hiss = np.rint(rng.normal(0, ROOM_NOISE, samples)).astype(np.int16)
    half = np.where(time_s < SOUND_S / 2, music, hiss).astype(np.int16)
    return [_sound_case(name, sound, bundle, engine, profile)
            for name, sound in (("sound: music", music), ("sound: half of it silent", half), ("sound: silent", hiss))]


def _sound_case(name: str, sound: np.ndarray, bundle: Bundle, engine: Engine, profile: FirmwareProfile) -> Case:
    encoder = AudioEncoder(bundle.model("audio"), engine, hop_s=profile.audio.hop_s)
    block = SAMPLE_RATE_HZ * profile.audio.block_ms // 1000
    windows = int((SOUND_S - encoder.window_s) / profile.audio.hop_s) + 1

    def work() -> None:
        encoder.reset()
        encoder.silent_windows = 0
        for start in range(0, len(sound), block):
            encoder.push(sound[start : start + block])

    return Case(name, work, SOUND_S, lambda: encoder.silent_windows, windows)


def _picture_cases(bundle: Bundle, engine: Engine, profile: FirmwareProfile) -> list[Case]:
    film = list(_film(sample_clips()[1], profile.video.frames_per_s))
    rng = np.random.default_rng(0)
    menu = [Frame(np.clip(film[0].image + rng.integers(-CAMERA_NOISE, CAMERA_NOISE + 1, film[0].image.shape), 0, 255)
                  .astype(np.uint8), number) for number in range(PICTURES)]
    cases = []
    for name, frames in (("pictures: a menu with camera noise", menu), ("pictures: film", film)):
        for skip in (True, False):
            encoder = VideoEncoder(bundle.model("video"), engine, skip_static=skip)
            cases.append(_picture_case(name if skip else f"{name}{EVERY_ONE}", frames, encoder, profile))
    return cases


def _picture_case(name: str, frames: list[Frame], encoder: VideoEncoder, profile: FirmwareProfile) -> Case:
    def work() -> None:
        encoder.blank_frames = encoder.static_frames = 0
        for frame in frames:
            encoder.encode(frame)

    return Case(name, work, len(frames) / profile.video.frames_per_s, lambda: encoder.skipped, len(frames))


def _film(path: Path, frames_per_s: float) -> Iterator[Frame]:
    with open_video(f"file:{path}", frames_per_s=frames_per_s) as source:
        while (frame := source.read()) is not None:
            yield frame


def _unlike(bundle: Bundle, engine: Engine) -> dict[str, Figure]:
    """The sample film at a rate at which there is something to skip."""
    gated, plain = (VideoEncoder(bundle.model("video"), engine, skip_static=skip) for skip in (True, False))
    unlike = []
    pictures = 0
    for frame in _film(sample_clips()[1], DENSE_HZ):
        before = gated.static_frames
        taken, own = gated.encode(frame), plain.encode(frame)
        pictures += 1
        if gated.static_frames > before and taken and own:
            unlike.append(1 - float(taken.vectors["video"] @ own.vectors["video"]))
    return {"pictures": pictures, "skipped": len(unlike) / pictures, "unlike_mean": float(np.mean(unlike or [0.0])),
            "unlike_worst": float(np.max(unlike or [0.0]))}
