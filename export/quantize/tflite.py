"""A corrected float graph to a TFLite file, int8 throughout."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import fx

from edge.errors import ExportError
from export.quantize.quiet import first_line, quiet

SIGNATURE, INPUT_NAME = "serving_default", "args_0"


def to_tflite(graph: fx.GraphModule, calibration: np.ndarray) -> bytes:
    """Convert and quantise (static, per channel, ranges between the true extremes of the calibration).

    ``calibration``: float32 (n, ...) as the model takes it. Outputs keep the graph's order. Raises ExportError
    naming the operation that TFLite cannot express.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        with quiet():
            _convert(graph, calibration[:1], path)
            return _quantise(path, calibration)


def _convert(graph: fx.GraphModule, example: np.ndarray, path: Path) -> None:
    import litert_torch

    try:
        litert_torch.convert(graph, (torch.from_numpy(example),)).export(str(path))
    except Exception as error:  # the converter wraps whatever its many passes raise
        raise ExportError(f"cannot be expressed in TFLite: {first_line(error)}") from error


def _quantise(path: Path, calibration: np.ndarray) -> bytes:
    """ai-edge-quantizer's own calibration averages ranges and clips; ``min_max_update`` keeps the extremes."""
    from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    rules = recipe.static_wi8_ai8()
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(rules)
    ranges = calibrator.Calibrator(str(path), num_threads=1, qsv_update_func=qsv_utils.min_max_update)
    ranges.calibrate({SIGNATURE: [{INPUT_NAME: row[np.newaxis]} for row in calibration]}, manager)
    try:
        result = quantizer.Quantizer(str(path), rules).quantize(ranges.get_model_qsvs())
    except (ValueError, RuntimeError) as error:
        raise ExportError(f"TFLite cannot hold this model in int8: {first_line(error)}") from error
    return bytes(result.quantized_model)
