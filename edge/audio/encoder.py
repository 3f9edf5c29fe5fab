"""Sound to embeddings: MFCC frames into windows, level and offsets taken out, int8, one inference per hop."""

import numpy as np

from edge.audio.constants import load_constants, load_standardisation
from edge.audio.level import log_mean_energy, normalise_level
from edge.audio.mfcc import StreamingMfcc
from edge.bundle import Model
from edge.context import Embedding, unit
from edge.engine.base import Engine
from edge.engine.quantization import dequantize, quantize
from edge.errors import BundleError
from edge.manifest import Fields

SILENCE_RMS = 3.3
SILENCE_LOG_ENERGY = float(np.log(80 * SILENCE_RMS**2))
"""A window of less energy is silence and is not understood: white noise at -80 dBFS, whose 400 samples under a
Hamming window have 80 times its variance as one-sided spectral energy."""


class AudioEncoder:
    """One embedding every ``hop_s`` from the last window of sound. Buffers are made once."""

    def __init__(self, model: Model, engine: Engine, *, hop_s: float):
        """Raises BundleError when the model's front end and input do not fit together."""
        path = model.folder / Fields(model.frontend, f"{model.folder}: frontend", BundleError).text("constants")
        constants = load_constants(path, model.frontend)
        self._mfcc, self._rate_hz = StreamingMfcc(constants), constants.sample_rate_hz
        self._frame_samples, self._hop_samples = constants.window_samples, constants.hop_samples
        self._frames, coefficients = _window_shape(model, constants.basis.shape[1])
        self._hop_frames = max(1, round(hop_s * self._rate_hz / self._hop_samples))
        self._standard = load_standardisation(path, model.frontend)
        self._level_normalised = bool(model.frontend.get("level_normalised"))
        self._engine, self._views = engine, [output.view for output in model.outputs]
        self._window = np.zeros((self._frames, coefficients), np.float32)
        self._scaled = np.zeros_like(self._window)
        self._input = np.zeros(engine.input.shape, np.int8)
        self.silent_windows = 0
        """Windows that were skipped because there was nothing in them."""
        self.reset()

    @property
    def window_s(self) -> float:
        """Length of the sound that one embedding describes."""
        return (self._frame_samples + (self._frames - 1) * self._hop_samples) / self._rate_hz

    def reset(self) -> None:
        """Forget the sound so far; time starts at 0 again."""
        self._mfcc.reset()
        self._filled = self._first_frame = self._unwanted = 0
        self._encoded = False

    def push(self, samples: np.ndarray) -> list[Embedding]:
        """Feed int16 samples (n,); get the embeddings of the windows that they complete."""
        return self._take(self._mfcc.push(samples))

    def flush(self) -> list[Embedding]:
        """End the sound. If it was shorter than a window, its frames are repeated until they fill one.

        A sound of at least one window has been understood already; its rest, shorter than a hop, is left out.
        """
        embeddings = self._take(self._mfcc.flush())
        if not embeddings and not self._encoded and self._filled:
            heard_s = (self._frame_samples + (self._filled - 1) * self._hop_samples) / self._rate_hz
            self._window[:] = np.resize(self._window[: self._filled], self._window.shape)
            embeddings = self._encode(end_s=heard_s)
        self.reset()
        return embeddings

    def _take(self, frames: np.ndarray) -> list[Embedding]:
        """Fill the window; at each full one, encode and move on by a hop."""
        embeddings = []
        while len(frames):
            frames = frames[self._skip(len(frames)) :]
            count = min(len(frames), self._frames - self._filled)
            self._window[self._filled : self._filled + count] = frames[:count]
            self._filled += count
            frames = frames[count:]
            if self._filled == self._frames:
                embeddings += self._encode()
                self._advance()
        return embeddings

    def _advance(self) -> None:
        kept = max(0, self._frames - self._hop_frames)
        self._window[:kept] = self._window[self._frames - kept :]
        self._filled = kept
        self._unwanted = max(0, self._hop_frames - self._frames)
        self._first_frame += self._hop_frames
        self._encoded = True

    def _skip(self, available: int) -> int:
        """How many of the frames that came lie between two windows, when the hop is longer than a window."""
        skipped = min(self._unwanted, available)
        self._unwanted -= skipped
        return skipped

    def _encode(self, end_s: float | None = None) -> list[Embedding]:
        if log_mean_energy(self._window) < SILENCE_LOG_ENERGY:
            self.silent_windows += 1
            return []
        self._scaled[:] = self._window
        if self._level_normalised:
            normalise_level(self._scaled)
        self._scaled -= self._standard.mean
        self._scaled /= self._standard.std
        quantize(self._scaled[np.newaxis], self._engine.input, self._input)
        outputs = zip(self._views, self._engine.run(self._input), self._engine.outputs, strict=True)
        start_s = self._first_frame * self._hop_samples / self._rate_hz
        return [Embedding(
            modality="audio", start_s=start_s, end_s=start_s + self.window_s if end_s is None else end_s,
            vectors={view: unit(dequantize(stored, spec)[0]) for view, stored, spec in outputs})]


def _window_shape(model: Model, coefficients: int) -> tuple[int, int]:
    if len(model.input_shape) != 3 or model.input_shape[0] != 1 or model.input_shape[2] != coefficients:
        raise BundleError(f"{model.folder}: the audio model takes {model.input_shape}, "
                          f"its front end gives (1, frames, {coefficients})")
    return model.input_shape[1], coefficients
