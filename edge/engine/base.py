"""What every inference runtime looks like from outside: int8 in, int8 out, one thread of control."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from edge.errors import ModelFileError, ShapeError


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: real value = (stored - zero_point) * scale."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float
    zero_point: int


class Engine(ABC):
    """A loaded model. A context manager; ``close`` releases the runtime's memory."""

    runtime: str
    """``litert`` or ``onnx``."""
    version: str
    """Package and version of the runtime, as ``ai-edge-litert 2.3.0``."""
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]

    def run(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        """One inference.

        Parameters
        ----------
        values : np.ndarray [shape=input.shape, dtype=int8]

        Returns
        -------
        tuple of np.ndarray [shape=output.shape, dtype=int8], one for each of ``outputs``
            Own copies, valid for ever.

        Raises ShapeError for another shape or dtype, EngineError when the runtime fails.
        """
        if values.shape != self.input.shape or values.dtype != self.input.dtype:
            raise ShapeError(f"{self.input.name}: the model takes {self.input.dtype} {self.input.shape}, "
                             f"not {values.dtype} {values.shape}")
        return self._run(values)

    @abstractmethod
    def _run(self, values: np.ndarray) -> tuple[np.ndarray, ...]: ...

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def require_int8(path: object, specs: tuple[TensorSpec, ...]) -> None:
    """Raises ModelFileError unless every input and output is int8 with a scale and a fixed shape."""
    for spec in specs:
        if spec.dtype != np.int8:
            raise ModelFileError(f"{path}: {spec.name} is {spec.dtype}, not int8; "
                                 "export the model with roomtone-export")
        if not spec.scale > 0:
            raise ModelFileError(f"{path}: {spec.name} has no quantisation scale; export the model with "
                                 "roomtone-export")
        if not all(isinstance(size, int) and size > 0 for size in spec.shape):
            raise ModelFileError(f"{path}: {spec.name} has the changing shape {spec.shape}; export it with a fixed one")
