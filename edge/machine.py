"""Whether Roomtone can run on this machine at all: asked before anything that a 32-bit system lacks is imported."""

import platform
import struct

from edge.errors import RoomtoneError

POINTER_BITS = struct.calcsize("P") * 8
"""Of this Python: a 32-bit system may run on a 64-bit kernel, whose name platform.machine() gives."""


def require_64_bit() -> None:
    """Raises RoomtoneError on a 32-bit system."""
    if POINTER_BITS < 64:
        raise RoomtoneError(
            f"this is a {POINTER_BITS}-bit system ({platform.machine()}), for which numpy, LiteRT and onnxruntime are "
            "not made; install a 64-bit one (for a Raspberry Pi 3 or later: Raspberry Pi OS, 64-bit)")
