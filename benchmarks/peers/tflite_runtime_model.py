"""One inference of a .tflite file on tflite-runtime, again and again: ``FILE THREADS``."""

import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter

from benchmarks.peers.served import serve


def main(path: str, threads: str) -> None:
    interpreter = Interpreter(model_path=path, num_threads=int(threads))
    interpreter.allocate_tensors()
    taken = interpreter.get_input_details()[0]
    given = [output["index"] for output in interpreter.get_output_details()]
    stored = np.random.default_rng(0).integers(-128, 128, taken["shape"], dtype=np.int8)

    def work() -> None:
        interpreter.set_tensor(taken["index"], stored)
        interpreter.invoke()
        for index in given:
            interpreter.get_tensor(index)

    serve(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
