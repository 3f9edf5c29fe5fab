"""Other libraries' MFCC of the same definition, for benchmarks/mfcc.py.

torchaudio is left out: its wheel wants PyTorch's CUDA build, gigabytes beside the CPU build that exporting needs.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.timing import Work
from edge.audio.constants import MfccConstants

REFERENCE = "kaldi-native-fbank, online, 80 ms"


def cut(samples: np.ndarray, block_samples: int) -> list[np.ndarray]:
    return np.split(samples, range(block_samples, len(samples), block_samples))


def _kaldi(constants: MfccConstants, samples: np.ndarray, *, block_ms: int) -> Work:
    import kaldi_native_fbank as knf

    filters, coefficients = constants.basis.shape
    options = knf.MfccOptions()
    options.frame_opts.samp_freq = constants.sample_rate_hz
    options.frame_opts.frame_length_ms = 1000 * constants.window_samples / constants.sample_rate_hz
    options.frame_opts.frame_shift_ms = 1000 * constants.hop_s
    options.frame_opts.preemph_coeff, options.frame_opts.window_type = constants.preemphasis, "hamming"
    options.frame_opts.dither, options.frame_opts.remove_dc_offset = 0, False
    options.mel_opts.num_bins, options.mel_opts.low_freq = filters, 0
    options.num_ceps, options.use_energy = coefficients, True
    blocks = cut(samples.astype(np.float32), block_ms * constants.sample_rate_hz // 1000)

    def work() -> None:
        online, taken = knf.OnlineMfcc(options), 0
        for block in [*blocks, None]:
            if block is None:
                online.input_finished()
            else:
                online.accept_waveform(constants.sample_rate_hz, block)
            while taken < online.num_frames_ready:
                online.get_frame(taken)
                taken += 1

    return work


def _python_speech_features(constants: MfccConstants, samples: np.ndarray) -> Work:
    import python_speech_features  # noqa: F401  # which batch_mfcc imports when it is called

    from export.frontend import batch_mfcc

    return lambda: batch_mfcc(samples)


def _librosa(constants: MfccConstants, samples: np.ndarray) -> Work:
    """As near to the definition as its options go: no pre-emphasis, no energy column, reflected edges."""
    from librosa.feature import mfcc

    filters, coefficients = constants.basis.shape
    floats = samples.astype(np.float32) / 32768
    return lambda: mfcc(y=floats, sr=constants.sample_rate_hz, n_mfcc=coefficients, n_mels=filters, htk=True,
                        n_fft=constants.fft_size, win_length=constants.window_samples,
                        hop_length=constants.hop_samples, window="hamming")


PEERS: dict[str, Callable[[MfccConstants, np.ndarray], Work]] = {
    REFERENCE: partial(_kaldi, block_ms=80),
    "kaldi-native-fbank, online, 10 ms": partial(_kaldi, block_ms=10),
    "python_speech_features, batch": _python_speech_features,
    "librosa, batch": _librosa,
}
