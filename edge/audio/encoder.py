"""Sound to embeddings: MFCC frames into windows, level and offsets taken out, int8, one inference per hop."""

import numpy as np

from edge.audio.constants import load_constants, load_standardisation
from edge.audio.level import SILENCE_LOG_ENERGY, is_silent, normalise_level
from edge.audio.mfcc import StreamingMfcc
from edge.audio.window import FrameWindow
from edge.bundle import Model
from edge.context import Embedding
from edge.engine.base import Engine
from edge.engine.quantization import quantize
from edge.errors import BundleError
from edge.manifest import Fields
from edge.views import EmbeddingReader

__all__ = ["SILENCE_LOG_ENERGY", "AudioEncoder"]


class AudioEncoder:
    """One embedding every ``hop_s`` seconds, of the last window of sound; none where the window is silent.

    Buffers are made once. A window's times count from the first sample after construction, reset or flush.
    """

    def __init__(self, model: Model, engine: Engine, *, hop_s: float):
        """Raises BundleError when the front end, the model and the engine's file do not fit together."""
        path = model.folder / Fields(model.frontend, f"{model.folder}: frontend", BundleError).text("constants")
        self._constants = load_constants(path, model.frontend)
        self._standard = load_standardisation(path, model.frontend)
        self._level_normalised = model.frontend.get("level_normalised") is True
        self._engine, self._reader = engine, EmbeddingReader(model, engine)
        self._mfcc = StreamingMfcc(self._constants)
        self._frames = _frames_per_window(model, self._constants.coefficients)
        self._window = FrameWindow(
            frames=self._frames,
            coefficients=self._constants.coefficients,
            hop_frames=max(1, round(hop_s / self._constants.hop_s)),
        )
        self._scaled = np.zeros(model.input_shape, np.float32)
        self._input = np.zeros(model.input_shape, np.int8)
        self.silent_windows = 0
        """Windows that were not encoded because there was nothing in them."""
        self.reset()

    @property
    def window_s(self) -> float:
        """Length of the sound that one embedding describes."""
        c = self._constants
        return (c.window_samples + (self._frames - 1) * c.hop_samples) / c.sample_rate_hz

    def reset(self) -> None:
        """Forget the sound so far; time starts at 0 again."""
        self._mfcc.reset()
        self._window.reset()
        self._heard_samples = 0
        self._any_window = False

    def push(self, samples: np.ndarray) -> list[Embedding]:
        """Feed samples [shape=(n,), dtype=int16], any n; get the embeddings of the windows that they complete."""
        self._heard_samples += samples.size
        return self._embed(self._mfcc.push(samples))

    def flush(self) -> list[Embedding]:
        """End the sound; time starts at 0 again.

        A sound shorter than one window is understood all the same: its frames are repeated from the first on
        until they fill a window, and the embedding ends where the sound ended. Of a longer sound, what came after
        its last whole window is left out.
        """
        embeddings = self._embed(self._mfcc.flush())
        if not self._any_window:
            window = self._window.repeated()
            if window is not None:
                embeddings = self._encode(window)
        self.reset()
        return embeddings

    def _embed(self, frames: np.ndarray) -> list[Embedding]:
        embeddings = []
        for window in self._window.feed(frames):
            self._any_window = True
            embeddings += self._encode(window)
        return embeddings

    def _encode(self, window: np.ndarray) -> list[Embedding]:
        """One embedding, or none when the window [shape=(frames, coefficients)] is silent."""
        if is_silent(window):
            self.silent_windows += 1
            return []
        self._scaled[0] = window
        if self._level_normalised:
            normalise_level(self._scaled)
        self._scaled -= self._standard.mean
        self._scaled /= self._standard.std
        quantize(self._scaled, self._engine.input, self._input)
        answers = self._engine.run(self._input)
        start_s = self._window.first_frame * self._constants.hop_s
        end_s = min(start_s + self.window_s, self._heard_samples / self._constants.sample_rate_hz)
        return [Embedding(modality="audio", start_s=start_s, end_s=end_s, vectors=self._reader.read(answers),
                          classes=self._reader.classes(answers))]


def _frames_per_window(model: Model, coefficients: int) -> int:
    if len(model.input_shape) != 3 or model.input_shape[::2] != (1, coefficients):
        raise BundleError(
            f"{model.folder}: the audio model takes {model.input_shape}, but its front end gives "
            f"(1, frames, {coefficients}); export the bundle again"
        )
    return model.input_shape[1]
