"""A microphone through PortAudio (sounddevice, libportaudio2).

PortAudio's thread copies what arrives into a ring of fixed size and does nothing else; ``read`` takes it out on the
caller's thread. Health is frames that arrived: a stream that is "active" and delivers nothing has failed.
"""

import threading
import time
from typing import Any

import numpy as np

from edge.audio.resampling import FULL_SCALE, MonoResampler
from edge.audio.source import AudioBlock
from edge.errors import MediaError, RuntimeMissingError

RING_S = 2.0
"""How much sound waits for a reader that is late; what comes then is lost and counted."""
SILENT_S = 2.0
"""Nothing for so long means that the microphone is gone."""


class Microphone:
    """Captures at the wanted rate, or at the device's own and resamples."""

    def __init__(self, name: str | None, *, sample_rate_hz: int, block_samples: int):
        """``name`` is part of a device's name; None takes the default. Raises MediaError listing what there is."""
        self._sd = _sounddevice()
        device = _find(self._sd, name)
        self.description = f"microphone {device['name']}"
        self._rate_hz, self._block_samples = sample_rate_hz, block_samples
        self.overflows = 0
        """How often PortAudio or this ring lost sound."""
        self.frames_received = 0
        """Samples per channel that arrived so far, at the device's rate."""
        self.last_block_monotonic_s = time.monotonic()
        self._arrived = threading.Condition()
        self._given = 0
        self._waiting = np.empty(0, np.int16)
        self._stream = self._open(device)

    def _open(self, device: dict[str, Any]) -> Any:
        for rate_hz in dict.fromkeys((self._rate_hz, int(device["default_samplerate"]))):
            try:
                stream = self._sd.InputStream(
                    device=device["index"], samplerate=rate_hz, channels=1, dtype="int16",
                    blocksize=0, callback=self._on_block, latency="high")
                break
            except self._sd.PortAudioError as error:
                refused = error
        else:
            raise MediaError(f"{self.description} cannot be opened: {refused}; is another program using it?")
        self._capture_hz = rate_hz
        self._ring = np.zeros(int(RING_S * rate_hz), np.int16)
        self._ring_start = self._ring_filled = 0
        self._resampler = MonoResampler(rate_hz, self._rate_hz) if rate_hz != self._rate_hz else None
        try:
            stream.start()
        except self._sd.PortAudioError as error:
            stream.close()
            raise MediaError(f"{self.description} cannot be started: {error}") from error
        return stream

    def _on_block(self, block: np.ndarray, frames: int, _time: Any, status: Any) -> None:
        """On PortAudio's thread."""
        with self._arrived:
            free = len(self._ring) - self._ring_filled
            self.overflows += bool(status.input_overflow) + (frames > free)
            self._put(block[:free, 0])
            self.frames_received += frames
            self.last_block_monotonic_s = time.monotonic()
            self._arrived.notify()

    def _put(self, samples: np.ndarray) -> None:
        start = (self._ring_start + self._ring_filled) % len(self._ring)
        head = min(len(samples), len(self._ring) - start)
        self._ring[start : start + head] = samples[:head]
        self._ring[: len(samples) - head] = samples[head:]
        self._ring_filled += len(samples)

    def _take(self) -> np.ndarray:
        """Everything that waits in the ring, copied."""
        end = self._ring_start + self._ring_filled
        taken = np.concatenate((self._ring[self._ring_start : end], self._ring[: max(0, end - len(self._ring))]))
        self._ring_start = end % len(self._ring)
        self._ring_filled = 0
        return taken

    def read(self) -> AudioBlock | None:
        """The next block. Raises MediaError when nothing arrived for SILENT_S."""
        while len(self._waiting) < self._block_samples:
            with self._arrived:
                if not self._arrived.wait_for(lambda: self._ring_filled > 0, timeout=SILENT_S):
                    raise MediaError(f"{self.description} has delivered nothing for {SILENT_S:g} s; is it plugged in?")
                taken = self._take()
            self._waiting = np.concatenate((self._waiting, self._at_rate(taken)))
        samples, self._waiting = np.split(self._waiting, [self._block_samples])
        start_s = self._given / self._rate_hz
        self._given += len(samples)
        return AudioBlock(samples, start_s)

    def _at_rate(self, samples: np.ndarray) -> np.ndarray:
        if self._resampler is None:
            return samples
        return self._resampler.push((samples / np.float32(FULL_SCALE)).astype(np.float32)[:, None])

    def close(self) -> None:
        """abort, not stop: a card that was pulled out never finishes what it had begun."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def __enter__(self) -> "Microphone":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise RuntimeMissingError("sounddevice is not installed; pip install 'roomtone[speaker]'") from error
    except OSError as error:
        raise RuntimeMissingError("PortAudio is not installed; apt-get install libportaudio2") from error
    return sounddevice


def _find(sd: Any, name: str | None) -> dict[str, Any]:
    """The input device; PortAudio's list is made anew, since it never notices what was plugged in later."""
    sd._terminate()
    sd._initialize()
    inputs = [device for device in sd.query_devices() if device["max_input_channels"] > 0]
    if not inputs:
        raise MediaError("no microphone found; plug one in and look at arecord -l")
    if name is None:
        default = sd.default.device[0]
        return next((device for device in inputs if device["index"] == default), inputs[0])
    for device in inputs:
        if name.casefold() in device["name"].casefold():
            return device
    raise MediaError(f"no microphone named {name!r}; there are: {', '.join(device['name'] for device in inputs)}")
