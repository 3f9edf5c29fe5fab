"""Small media that are made on the spot: tones, chords, films of a few coloured shots."""

import av
import numpy as np
import pytest
import soundfile

RATE_HZ = 16_000
FRAMES_PER_S = 24


def chord(seconds: float, *frequencies_hz: float, seed: int = 0) -> np.ndarray:
    """Tones that swell and fall, with a little noise: float32 (n,)."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * frequency * time_s) for frequency in frequencies_hz)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time_s)
    noise = np.random.default_rng(seed).standard_normal(len(time_s)) * 0.01
    return (0.2 * tones * swell + noise).astype(np.float32)


@pytest.fixture
def write_track():
    def write(path, *frequencies_hz, seconds=5.0):
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, chord(seconds, *(frequencies_hz or (440.0,))), RATE_HZ)
        return path

    return write


@pytest.fixture
def write_film():
    """A film whose shots are slow waves of different colours; ``None`` is a black shot."""

    def write(path, colours, *, shot_s=1.5, sound=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            container.metadata["title"] = "A Small Film"
            pictures = container.add_stream("mpeg4", rate=FRAMES_PER_S)
            pictures.width, pictures.height, pictures.pix_fmt, pictures.bit_rate = 160, 96, "yuv420p", 2_000_000
            voice = container.add_stream("aac", rate=RATE_HZ, layout="mono") if sound else None
            for number in range(int(len(colours) * shot_s * FRAMES_PER_S)):
                image = waves(colours[int(number / (shot_s * FRAMES_PER_S))], number)
                container.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(pictures.encode(None))
            if voice is not None:
                frame = av.AudioFrame.from_ndarray(chord(len(colours) * shot_s, 330, 500)[np.newaxis], "fltp", "mono")
                frame.sample_rate = RATE_HZ
                container.mux(voice.encode(frame))
                container.mux(voice.encode(None))
        return path

    return write


def waves(colour, number: int) -> np.ndarray:
    if colour is None:
        return np.zeros((96, 160, 3), np.uint8)
    bright = 0.65 + 0.35 * np.sin((np.arange(160) + number) * 2 * np.pi / 80)
    return (bright[np.newaxis, :, np.newaxis] * np.array(colour)).repeat(96, axis=0).astype(np.uint8)
