"""A device's process put together step by step, to see what each part takes: ``python -m benchmarks.stages COUNT``.

Each step does what the daemon does with a part and keeps it. After the first COUNT steps the pages that only loading
touched are given back, as the daemon gives them back before it is ready, and each part is used once more; then the
memory of the process is printed as JSON. The steps are named after the parts of the plan (edge/memory.py).
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge import firmware
from edge.errors import RoomtoneError
from edge.loaded import release_loaded

NOISE_S = 8
WINDOWS = 24
"""How many windows a context of twelve seconds holds at most."""


Use = Callable[[], object]
"""Does again what a part does all the time."""


@dataclass
class Device:
    """What the steps hand to each other."""

    profile: firmware.FirmwareProfile
    catalog: Path
    film: Path
    stack: ExitStack
    kept: dict[str, Any] = field(default_factory=dict)


def python(device: Device) -> None:
    import numpy as np

    from edge.bundle import open_bundle

    device.kept["bundle"] = open_bundle()
    # Not from numpy.random, which a device does not import and which takes 5 MB.
    device.kept["noise"] = (np.arange(NOISE_S * 16000, dtype=np.uint32) * 2654435761 >> 20).astype(np.int16) - 2048


def http(device: Device) -> None:
    import edge.daemon.api
    import edge.daemon.service

    device.kept["http"] = edge.daemon.api, edge.daemon.service


def catalogue(device: Device) -> Use:
    """A list and a recognition from what is in the catalogue itself, the widest that a context can be."""
    import numpy as np

    from edge.catalog.snapshot import open_snapshot
    from edge.context import Context
    from edge.recommend.history import History
    from edge.recommend.recommender import Recommender

    state = device.stack.enter_context(tempfile.TemporaryDirectory())
    snapshot = device.stack.enter_context(open_snapshot(device.catalog))
    history = device.stack.enter_context(History(Path(state) / "history.db"))
    recommender = Recommender(snapshot, history, candidates=device.profile.catalog.candidates)
    dimensions = {name: view.dimension for name, view in snapshot.views.items()}
    if snapshot.recordings:
        dimensions[snapshot.recordings.name] = snapshot.recordings.dimension
    vectors = {name: np.full(dimension, 0.125, np.float32) for name, dimension in dimensions.items()}
    context = Context(vectors, {name: np.stack([vector] * WINDOWS) for name, vector in vectors.items()}, seconds=12.0)

    def use() -> None:
        recommender.now_playing(context)
        recommender.recommend(context, user="household")

    use()
    device.kept["catalogue"] = recommender, snapshot
    return use


def runtime(device: Device) -> None:
    from edge.engine import onnx, tflite

    (tflite if device.profile.engine.runtime == "litert" else onnx).find_runtime()


def audio_model(device: Device) -> Use:
    return _open_model(device, "audio")


def video_model(device: Device) -> Use:
    return _open_model(device, "video")


def _open_model(device: Device, kind: str) -> Use:
    import numpy as np

    from edge.engine.open import open_engine

    settings = device.profile.engine
    path = device.kept["bundle"].model(kind).file(settings.runtime)
    engine = device.stack.enter_context(open_engine(settings.runtime, path, threads=settings.threads))
    device.kept[kind] = engine
    nothing = np.zeros(engine.input.shape, np.int8)
    engine.run(nothing)
    return lambda: engine.run(nothing)


def audio_input(device: Device) -> Use:
    import numpy as np

    from edge.audio.encoder import AudioEncoder

    encoder = AudioEncoder(device.kept["bundle"].model("audio"), device.kept["audio"], hop_s=device.profile.audio.hop_s)

    def use() -> None:
        for block in np.split(device.kept["noise"], NOISE_S * 10):
            encoder.push(block)

    use()
    return use


def microphone(device: Device) -> None:
    """The microphone's library, started; there may be no microphone."""
    from edge.audio import devices

    device.kept["portaudio"] = devices.portaudio()
    device.kept["microphones"] = devices.microphones(device.kept["portaudio"])


def video_input(device: Device) -> Use:
    from edge.video.encoder import VideoEncoder
    from edge.video.source import open_video

    encoder = VideoEncoder(device.kept["bundle"].model("video"), device.kept["video"])

    def watch() -> Any:
        film = open_video(f"file:{device.film}", frames_per_s=device.profile.video.frames_per_s)
        while (frame := film.read()) is not None:
            encoder.encode(frame)
        return film

    watch().close()
    return lambda: device.stack.enter_context(watch())


STEPS: dict[str, Callable[[Device], Use | None]] = {
    step.__name__: step
    for step in (python, http, catalogue, runtime, audio_model, audio_input, microphone, video_model, video_input)
}


def steps(profile: firmware.FirmwareProfile) -> list[str]:
    """The steps that a profile takes."""
    unused = [sense for sense in ("audio", "video") if not getattr(profile, sense).enabled]
    return [name for name in STEPS if name.partition("_")[0] not in unused]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--catalog", type=Path, required=True)
    parser.add_argument("--film", type=Path, required=True)
    args = parser.parse_args()
    profile = firmware.load(args.profile)
    with ExitStack() as stack:
        device = Device(profile, args.catalog, args.film, stack)
        uses = []
        for name in steps(profile)[: args.count]:
            try:
                uses.append(STEPS[name](device))
            except (RoomtoneError, ImportError, OSError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
        from edge.memory import measure

        release_loaded()
        for use in uses:
            if use is not None:
                use()
        print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
