"""What every inference runtime looks like from outside: int8 in, int8 out, one thread of control."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from edge.errors import EngineError, ModelFileError, ShapeError

EXPORT_AGAIN = "export the model with roomtone-export"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: real value = (stored - zero_point) * scale."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float
    zero_point: int


class Engine(ABC):
    """A loaded model. A context manager; ``close`` releases the runtime's memory.

    Inputs are copied into the runtime's own buffer and outputs out of it: bound buffers and views were measured and
    save nothing (they are within 2 % of a run of either default model), and a copy stays valid.
    """

    runtime: str
    """``litert`` or ``onnx``."""
    version: str
    """Package and version of the runtime, as ``ai-edge-litert 2.3.0``."""
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
    _closed = False

    def run(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        """One inference.

        Parameters
        ----------
        values : np.ndarray [shape=input.shape, dtype=int8]

        Returns
        -------
        tuple of np.ndarray [shape=output.shape, dtype=int8], one for each of ``outputs``
            Own copies, valid for ever.

        Raises ShapeError for another shape or dtype, EngineError when the runtime fails or the engine is closed.
        """
        shape, dtype = getattr(values, "shape", None), getattr(values, "dtype", type(values).__name__)
        if shape != self.input.shape or dtype != self.input.dtype:
            raise ShapeError(f"{self.input.name}: the model takes {self.input.dtype} {self.input.shape}, "
                             f"not {dtype} {shape}")
        if self._closed:
            raise EngineError(f"{self.input.name}: the engine was closed; open the model again")
        return self._run(values)

    def close(self) -> None:
        """Give the runtime's memory back. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._release()

    @abstractmethod
    def _run(self, values: np.ndarray) -> tuple[np.ndarray, ...]: ...

    @abstractmethod
    def _release(self) -> None: ...

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def require_int8(path: object, tensors: list[tuple[str, np.dtype]]) -> None:
    """Raises ModelFileError unless every (name, dtype) is int8."""
    for name, dtype in tensors:
        if dtype != np.int8:
            raise ModelFileError(f"{path}: {name} is {dtype}, not int8; {EXPORT_AGAIN}")


def require_usable(path: object, specs: tuple[TensorSpec, ...]) -> None:
    """Raises ModelFileError unless every tensor has a fixed shape, a scale and a zero point on the int8 grid."""
    for spec in specs:
        if not all(isinstance(size, int) and size > 0 for size in spec.shape):
            raise ModelFileError(f"{path}: {spec.name} has the changing shape {spec.shape}; export it with a fixed one")
        if not (math.isfinite(spec.scale) and spec.scale > 0):
            raise ModelFileError(f"{path}: {spec.name} has no quantisation scale above 0 but {spec.scale}; "
                                 f"{EXPORT_AGAIN}")
        if not -128 <= spec.zero_point <= 127:
            raise ModelFileError(f"{path}: {spec.name} has the zero point {spec.zero_point}, which is no int8; "
                                 f"{EXPORT_AGAIN}")
