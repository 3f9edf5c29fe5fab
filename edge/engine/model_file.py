"""What can be said of a model file before a runtime parses it: is it there, and of which format is it?"""

import mmap
from pathlib import Path

from edge.errors import ModelFileError

TFLITE_MAGIC = b"TFL3"
"""A TFLite file's bytes 4 to 8 (its FlatBuffers identifier)."""
ONNX_START = b"\x08"
"""ONNX is a protobuf without a magic number; all exporters begin with field 1, the version of the format."""


def map_model(path: Path) -> mmap.mmap:
    """Map a model file read-only. Raises ModelFileError when it is missing, unreadable or empty."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelFileError(f"{path}: is empty; copy the bundle again") from error


def require_tflite(content: mmap.mmap, path: Path) -> None:
    if content[4:8] != TFLITE_MAGIC:
        fix = "it looks like ONNX: use the onnx engine" if content[:1] == ONNX_START else "copy the bundle again"
        raise ModelFileError(f"{path}: not a TFLite model (its bytes 4 to 8 are not TFL3); {fix}")


def require_onnx(content: mmap.mmap, path: Path) -> None:
    """Refuse what is TFLite, and ONNX that keeps its weights in other files."""
    if content[4:8] == TFLITE_MAGIC:
        raise ModelFileError(f"{path}: not an ONNX model but a TFLite one; use the litert engine")
    if content.find(EXTERNAL_DATA) >= 0:
        raise ModelFileError(f"{path}: keeps its weights in another file, which no hash covers; "
                             "export with external_data=False")


EXTERNAL_DATA = b"\x0a\x08location"
"""The key of an onnx.StringStringEntryProto that names a file of weights: field 1, 8 bytes, ``location``. A model that
holds these ten bytes by chance is refused as well."""
