import numpy as np
import pytest

from export.frontend import mfcc_constants


@pytest.fixture(scope="session")
def constants():
    return mfcc_constants()


@pytest.fixture(scope="session")
def melody():
    """Three seconds, int16 at 16 kHz: decaying notes over quiet noise, with a digital silence between."""
    random = np.random.default_rng(7)
    time_s = np.arange(48000) / 16000
    signal = 40 * random.standard_normal(time_s.size)
    for start_s, pitch_hz in [(0.0, 220), (0.4, 277), (0.9, 330), (1.6, 110), (2.2, 880)]:
        since = np.clip(time_s - start_s, 0, None)
        for harmonic in range(1, 8):
            tone = np.sin(2 * np.pi * pitch_hz * harmonic * since)
            signal += 9000 / harmonic * np.exp(-4 * since) * tone * (since > 0)
    signal[20000:22000] = 0
    return np.clip(np.round(signal), -32768, 32767).astype(np.int16)
