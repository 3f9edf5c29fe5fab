"""How long the int8 and the float32 model take on this machine, side by side, on one thread."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from export.quantize.quiet import quiet

REPEATS = 30
WARM_UP = 3


def compare_ms(runtime: str, int8_model: bytes, float_model: bytes, example: np.ndarray) -> dict[str, float]:
    """Median milliseconds of each, taken in turns so that other load meets both, and their ratio.

    ``example``: float32 (1, ...), what the float model takes.
    """
    make = {"litert": _litert, "onnx": _onnx}[runtime]
    with quiet():
        cases = {"int8": make(int8_model, np.zeros(example.shape, np.int8)), "float": make(float_model, example)}
        times: dict[str, list[float]] = {name: [] for name in cases}
        for repeat in range(WARM_UP + REPEATS):
            for name, run in cases.items():
                began_s = time.perf_counter()
                run()
                if repeat >= WARM_UP:
                    times[name].append(time.perf_counter() - began_s)
    int8_ms, float_ms = (1000 * median(times[name]) for name in ("int8", "float"))
    return {"int8_ms": round(int8_ms, 3), "float_ms": round(float_ms, 3), "ratio": round(int8_ms / float_ms, 3)}


def _litert(content: bytes, values: np.ndarray) -> Callable[[], Any]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    return interpreter.invoke


def _onnx(content: bytes, values: np.ndarray) -> Callable[[], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: values}
    return lambda: session.run(None, feed)
