"""Model files and front-end constants, before and up to the moment when a runtime has loaded them."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from edge.audio.constants import load_constants, load_standardisation
from edge.bundle import open_bundle
from edge.engine.flatbuffer import Malformed, check_model
from edge.engine.model_file import map_model, require_onnx
from edge.engine.open import open_engine
from edge.errors import ModelFileError
from tests.faults.parsing.parser import Opened, Parser, file_of

MODELS = Path(__file__).resolve().parents[2] / "data" / "engine"


def _flatbuffer(folder: Path) -> Opened:
    """The check that stands between a TFLite file and the runtime."""
    def parse(_key: str, content: bytes) -> None:
        try:
            check_model(content)
        except Malformed as error:
            raise ModelFileError(str(error)) from error

    return [("", (MODELS / "heads.tflite").read_bytes())], parse


def _onnx_start(folder: Path) -> Opened:
    def look(path: Path) -> None:
        with map_model(path) as content:
            require_onnx(content, path)

    return [("", (MODELS / "heads.onnx").read_bytes())], file_of(folder, "a.onnx", look)


def _engine(runtime: str, name: str) -> Callable[[Path], Opened]:
    """Loaded by the runtime, not run: what keeps to the format but computes nonsense is for the hash to find."""
    def prepare(folder: Path) -> Opened:
        return [("", (MODELS / name).read_bytes())], file_of(
            folder, name, lambda path: open_engine(runtime, path).close())

    return prepare


def _constants(folder: Path) -> Opened:
    model = open_bundle().model("audio")
    seed = (model.folder / model.frontend["constants"]).read_bytes()
    assert zipfile.is_zipfile(model.folder / model.frontend["constants"])

    def look(path: Path) -> None:
        load_constants(path, model.frontend)
        load_standardisation(path, model.frontend)

    return [("", seed)], file_of(folder, "a.npz", look)


PARSERS = (
    Parser("tflite", 40, _flatbuffer), Parser("onnx", 10, _onnx_start), Parser("constants", 20, _constants),
    Parser("tflite-engine", 4, _engine("litert", "heads.tflite")),
    Parser("onnx-engine", 4, _engine("onnx", "heads.onnx")),
)
