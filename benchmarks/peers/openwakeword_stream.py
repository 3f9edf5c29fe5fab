"""openWakeWord listening with one model, its default framework; the models are those that pyopen-wakeword ships."""

import sys
from pathlib import Path

import numpy as np
import pyopen_wakeword
from openwakeword.model import Model

from benchmarks.peers.heard import hear

MODELS = Path(pyopen_wakeword.__file__).parent / "models"


def main() -> None:
    model = Model(wakeword_models=[str(MODELS / "alexa.tflite")], inference_framework="tflite",
                  melspec_model_path=str(MODELS / "melspectrogram.tflite"),
                  embedding_model_path=str(MODELS / "embedding_model.tflite"))
    hear(sys.argv[1], lambda samples: model.predict(np.frombuffer(samples, np.int16)))


if __name__ == "__main__":
    main()
