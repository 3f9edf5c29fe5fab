"""pyopen-wakeword listening with one model: openWakeWord's models over TensorFlow Lite's C library."""

import sys

from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

from benchmarks.peers.heard import hear


def main() -> None:
    word, features = OpenWakeWord.from_builtin(Model.ALEXA), OpenWakeWordFeatures.from_builtin()

    def take(samples: bytes) -> None:
        for frames in features.process_streaming(samples):
            for _ in word.process_streaming(frames):
                pass

    hear(sys.argv[1], take)


if __name__ == "__main__":
    main()
