"""pymicro-wakeword listening with one model: a microcontroller's features and a streaming int8 model."""

import sys

from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from benchmarks.peers.heard import hear


def main() -> None:
    word, features = MicroWakeWord.from_builtin(Model.ALEXA), MicroWakeWordFeatures()

    def take(samples: bytes) -> None:
        for frame in features.process_streaming(samples):
            word.process_streaming(frame)

    hear(sys.argv[1], take)


if __name__ == "__main__":
    main()
