"""A microphone through PortAudio (sounddevice, libportaudio2).

PortAudio's thread copies what arrives into a ring and does nothing else; ``read`` takes it out on the caller's
thread. Health is frames that arrived: PortAudio calls a stream active whose card was pulled out.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from edge.audio.blocks import BlockCutter
from edge.audio.devices import find_microphone, formats, portaudio, quiet_stderr, refresh
from edge.audio.resampling import FULL_SCALE, MonoResampler
from edge.audio.ring import SampleRing
from edge.audio.source import AudioBlock
from edge.errors import MediaError

RING_S = 4.0
"""How much sound waits for a reader that is late; what comes then is lost and counted."""
DEAF_S = 1.5
"""No frame for so long means that the microphone is gone; known to all within 2 s then."""
GAP_S = 0.5
"""Frames that come later than this after the last ones are counted as a gap."""

LATENCY_S = 0.2
"""How much sound the device holds for PortAudio's thread, which takes out a quarter at a time. PortAudio's own choice
for a card, 35 ms, loses sound whenever a small processor is busy, and wakes it 115 times a second."""

T = TypeVar("T")


class Microphone:
    """Captures at the wanted rate, or at the device's own rate and resamples."""

    def __init__(self, name: str | None, *, sample_rate_hz: int, block_samples: int):
        """``name`` is a device's name or a part of it; None takes the default.

        Raises MediaError when there is no such microphone (listing those that there are) or when it cannot be
        opened, RuntimeMissingError when PortAudio is not installed.
        """
        self._rate_hz = sample_rate_hz
        self._blocks = BlockCutter(block_samples, sample_rate_hz)
        self.frames_received = 0
        """Samples per channel that arrived so far, at ``capture_rate_hz``."""
        self.last_block_monotonic_s = time.monotonic()
        """When frames last arrived (before the first: when it was opened)."""
        self.overflows = 0
        """How often PortAudio or the ring had to drop sound."""
        self.gaps = 0
        """How often frames stayed away for GAP_S and then came again."""
        self._closed = False
        self._portaudio = portaudio()
        self._stream = _again_when_stale(self._portaudio, lambda: self._open(name))

    def _open(self, name: str | None) -> Any:
        device = find_microphone(self._portaudio, name)
        self.description = f"microphone {device['name']}"
        refused: Exception | None = None
        for rate_hz, channels in formats(device, self._rate_hz):
            try:
                return self._start(device["index"], rate_hz, channels)
            except self._portaudio.PortAudioError as error:
                refused = error
        raise MediaError(
            f"{self.description} cannot be opened: {refused}; plug it in again, or stop what else uses it"
        )

    def _start(self, index: int, rate_hz: int, channels: int) -> Any:
        with quiet_stderr():
            stream = self._portaudio.InputStream(
                device=index, samplerate=rate_hz, channels=channels, dtype="int16", latency=LATENCY_S,
                callback=self._arrived, finished_callback=self._lost,
            )
        self._finished = False
        self.capture_rate_hz = rate_hz
        self._ring = SampleRing(round(RING_S * rate_hz), channels)
        unchanged = (rate_hz, channels) == (self._rate_hz, 1)
        self._resampler = None if unchanged else MonoResampler(rate_hz, self._rate_hz)
        try:
            stream.start()
        except self._portaudio.PortAudioError:
            stream.close(ignore_errors=True)
            raise
        return stream

    def _arrived(self, block: np.ndarray, frames: int, _time: Any, status: Any) -> None:
        """On PortAudio's thread: [shape=(frames, channels), dtype=int16]."""
        now_s = time.monotonic()
        self.gaps += self.frames_received > 0 and now_s - self.last_block_monotonic_s > GAP_S
        self.last_block_monotonic_s = now_s
        self.frames_received += frames
        self.overflows += (self._ring.write(block) > 0) or status.input_overflow

    def _lost(self) -> None:
        """On PortAudio's thread: there will be no more frames."""
        self._finished = True
        self._ring.ring_bell()

    def read(self) -> AudioBlock | None:
        """The next block; None once closed. Raises MediaError when no frame arrived for DEAF_S, or ever will."""
        while not self._blocks.full:
            if self._closed:
                return None
            self._wait()
            self._blocks.put(self._mono(self._ring.take()))
        return self._blocks.take()

    def _wait(self) -> None:
        deadline_s = time.monotonic() + DEAF_S
        while not self._ring.waiting:
            if self._finished:
                raise MediaError(f"{self.description} was lost; plug it in, or start the sound server again")
            if not self._ring.wait(max(0.0, deadline_s - time.monotonic())):
                raise MediaError(f"{self.description} has delivered nothing for {DEAF_S:g} s; is it plugged in?")

    def _mono(self, frames: np.ndarray) -> np.ndarray:
        if self._resampler is None:
            return frames[:, 0]
        return self._resampler.push(frames / np.float32(FULL_SCALE))

    def close(self) -> None:
        # abort, not stop: a card that was pulled out never finishes what it had begun.
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)
        self._closed = True

    def __enter__(self) -> "Microphone":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _again_when_stale(portaudio: Any, attempt: Callable[[], T]) -> T:
    """A device that came or went since PortAudio made its list is not found: have the list made anew, once."""
    try:
        return attempt()
    except MediaError:
        refresh(portaudio)
        return attempt()
