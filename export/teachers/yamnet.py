"""YAMNet (Plakal and Ellis, 2020): 521 kinds of sound of AudioSet, an aid on the host that is never shipped.

The package ``sead`` carries it as a quantised ONNX graph with its float weights beside; the rounding between the layers
is taken out, which gives the float network back. Front end as the model's own ``features.py``: magnitudes of 25 ms Hann
windows every 10 ms, 64 mels after HTK from 125 to 7,500 Hz, log(x + 0.001), 96 frames to a patch.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ExportError, ShapeError

RATE_HZ = 16_000
WINDOW_SAMPLES, HOP_SAMPLES, FFT_SIZE = 400, 160, 512
MELS, LOW_HZ, HIGH_HZ, LOG_OFFSET = 64, 125.0, 7500.0, 1e-3
FRAMES, FEATURES = 96, 1024
POOLED = "/model/Reshape_output_0"
SCORES = "class_scores_updated"
LEAST_SCORE = -80.0
"""Below, a probability is 0 and its exponential would be too large."""
ERRORS_ONLY = 3


class Yamnet:
    name = "yamnet"
    rate_hz = RATE_HZ
    window_samples = (FRAMES - 1) * HOP_SAMPLES + WINDOW_SAMPLES
    dimension = FEATURES
    licence = "none declared by the package: for use on the host, not to be committed or shipped"

    def __init__(self, model: Path, classes: Path):
        """Raises ExportError when they are not the package's model and its list of classes."""
        self._session = _session(model)
        with classes.open(encoding="utf-8", newline="") as file:
            self.class_names = tuple(row["display_name"] for row in csv.DictReader(file))
        self._filters, self._hann = filterbank(), np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)

    @classmethod
    def from_package(cls, root: Path) -> "Yamnet":
        """Open the unpacked package ``sead``."""
        folder = root / "sead" / "data"
        model = next(folder.glob("YamNet_w8a8.onnx/**/model.onnx"), folder / "model.onnx")
        return cls(model, folder / "yamnet_class_map.csv")

    def embed(self, windows: np.ndarray) -> np.ndarray:
        return self._run(windows)[0]

    def classes(self, windows: np.ndarray) -> np.ndarray:
        """Probability of each of ``class_names``: float32 (n, 521)."""
        return 1 / (1 + np.exp(-np.maximum(self._run(windows)[1], LEAST_SCORE)))

    def _run(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if windows.ndim != 2 or windows.shape[1] < self.window_samples:
            raise ShapeError(f"windows of shape {windows.shape}: {self.name} takes (n, {self.window_samples}) or more")
        scale = np.float32(1 / 32768 if windows.dtype == np.int16 else 1)
        found = [self._session.run([POOLED, SCORES], {"audio": self._patch(window * scale)})
                 for window in windows[:, : self.window_samples].astype(np.float32)]
        pooled, scores = zip(*found, strict=True) if found else ((), ())
        return (np.concatenate([np.empty((0, FEATURES), np.float32), *pooled]),
                np.concatenate([np.empty((0, len(self.class_names)), np.float32), *scores]))

    def _patch(self, sound: np.ndarray) -> np.ndarray:
        """Sound, float32 (15600,) -> log-mel (1, 1, 96, 64)."""
        frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::HOP_SAMPLES] * self._hann
        magnitudes = np.abs(np.fft.rfft(frames, FFT_SIZE)).astype(np.float32)
        return np.log(magnitudes @ self._filters.T + LOG_OFFSET)[np.newaxis, np.newaxis].astype(np.float32)


def filterbank() -> np.ndarray:
    """Triangles with a peak of 1, evenly spaced on HTK's mel scale: np.ndarray [shape=(64, 257), dtype=float32]."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    edges = np.linspace(low, high, MELS + 2)
    bins = 2595 * np.log10(1 + np.fft.rfftfreq(FFT_SIZE, 1 / RATE_HZ) / 700)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _session(path: Path) -> Any:
    import onnx
    import onnxruntime

    try:
        model = _in_float(onnx.load(str(path)))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY  # it would warn of each scale that is not used any more
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise classes of their own
        raise ExportError(f"{path}: not the YAMNet of the package sead: {error!s:.200}") from error


def _in_float(model: Any) -> Any:
    """The same graph without its rounding: each QuantizeLinear and DequantizeLinear hands its input on."""
    import onnx

    graph, stands_for = model.graph, dict[str, str]()
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            stands_for[node.output[0]] = stands_for.get(node.input[0], node.input[0])
    kept = [node for node in graph.node if node.op_type not in ("QuantizeLinear", "DequantizeLinear")]
    for node in kept:
        node.input[:] = [stands_for.get(name, name) for name in node.input]
    del graph.node[:], graph.output[:]
    graph.node.extend(kept)
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    graph.output.extend([onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                         for name in (POOLED, SCORES)])
    del graph.value_info[:]
    return model
