"""What can be chosen about an export; every default is what the default bundle was made with."""

from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import UsageError
from edge.firmware import FirmwareProfile
from export.quantize.finetune import FineTuning
from export.quantize.onnx import ACTIVATION_TYPES
from export.quantize.parity import Thresholds

FORMATS = {"litert": "tflite", "onnx": "onnx"}
"""Runtime to file name suffix."""


@dataclass(frozen=True)
class Options:
    thresholds: Thresholds = field(default_factory=Thresholds)
    runtimes: tuple[str, ...] = ("litert", "onnx")
    most_float_prefix: int = 3
    """So many layers at the start may stay in float if int8 alone loses too much; the fewest that help are taken."""
    compensate: bool = True
    """Make later weights up for the rounding of earlier ones; without it they are rounded to nearest."""
    fine_tuning: FineTuning | None = None
    """Train the corrected model to lose less by being int8; no layer then stays in float."""
    checkpoint: Path | None = None
    """Where a fine-tuning that is stopped is taken up again."""
    onnx_activations: str = "uint8"
    classes: bool = False
    """The output is a classifier's: its best class is compared as well."""
    layout: str | None = None
    """The layout that the model takes, where it would run on several; found by trying otherwise."""
    profile: FirmwareProfile | None = None
    """Refuse a model that does not fit this device."""
    most_latency_ratio: float | None = None
    """Refuse an int8 model that takes more than this share of the float one's time here; None measures only."""

    def __post_init__(self) -> None:
        if not self.runtimes or any(runtime not in FORMATS for runtime in self.runtimes):
            raise UsageError(f"runtimes {self.runtimes} must be some of {', '.join(FORMATS)}")
        if self.onnx_activations not in ACTIVATION_TYPES:
            raise UsageError(f"onnx_activations {self.onnx_activations!r} must be {' or '.join(ACTIVATION_TYPES)}")
        if not 0 <= self.most_float_prefix <= 20:
            raise UsageError(f"most_float_prefix {self.most_float_prefix} must lie in 0 to 20")
