"""Tracker music (MOD, XM, S3M, IT and kin) through the system's libopenmpt, called by its C interface."""

import ctypes
import ctypes.util
from pathlib import Path
from types import TracebackType

import numpy as np

from edge.errors import MediaError

SUFFIXES = frozenset({".mod", ".xm", ".s3m", ".it", ".mtm", ".stm"})
BLOCK_FRAMES = 1 << 16


def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("openmpt")
    if name is None:
        raise MediaError("tracker music needs libopenmpt: apt-get install libopenmpt0")
    library = ctypes.CDLL(name)
    library.openmpt_module_create_from_memory2.restype = ctypes.c_void_p
    library.openmpt_module_create_from_memory2.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, *[ctypes.c_void_p] * 7]
    library.openmpt_module_get_duration_seconds.restype = ctypes.c_double
    library.openmpt_module_get_duration_seconds.argtypes = [ctypes.c_void_p]
    library.openmpt_module_read_mono.restype = ctypes.c_size_t
    library.openmpt_module_read_mono.argtypes = [
        ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t, ctypes.c_void_p]
    library.openmpt_module_get_metadata.restype = ctypes.c_void_p
    library.openmpt_module_get_metadata.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.openmpt_free_string.argtypes = [ctypes.c_void_p]
    library.openmpt_module_destroy.argtypes = [ctypes.c_void_p]
    return library


class Module:
    """An open tracker module. ``with Module(path) as module: ...``. Raises MediaError for what is not one."""

    def __init__(self, path: Path):
        self._library = _library()
        data = path.read_bytes()
        self._handle = self._library.openmpt_module_create_from_memory2(
            data, len(data), *[None] * 7)
        if not self._handle:
            raise MediaError(f"{path}: not a tracker module that libopenmpt can read")

    def __enter__(self) -> "Module":
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._library.openmpt_module_destroy(self._handle)

    @property
    def duration_s(self) -> float:
        return self._library.openmpt_module_get_duration_seconds(self._handle)

    def metadata(self, key: str) -> str:
        """``title``, ``artist``, ``date``, ...; empty when the module does not say."""
        text = self._library.openmpt_module_get_metadata(self._handle, key.encode())
        try:
            return ctypes.string_at(text).decode("utf-8", "replace").strip()
        finally:
            self._library.openmpt_free_string(text)

    def read(self, sample_rate_hz: int, *, max_s: float) -> np.ndarray:
        """Play it once: np.ndarray [shape=(n,), dtype=int16], mono, at most ``max_s`` seconds."""
        blocks, wanted = [], int(max_s * sample_rate_hz)
        while wanted > 0:
            block = np.empty(min(BLOCK_FRAMES, wanted), np.int16)
            got = self._library.openmpt_module_read_mono(
                self._handle, sample_rate_hz, len(block), block.ctypes.data)
            blocks.append(block[:got])
            wanted = wanted - got if got else 0
        return np.concatenate(blocks) if blocks else np.empty(0, np.int16)
