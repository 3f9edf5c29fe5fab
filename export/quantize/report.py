"""What an export found: as JSON, as a model card for the bundle, and (report_page.py) as an HTML page."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edge.bundle import Output
from export.quantize.fit import Fit
from export.quantize.losses import LayerLoss


@dataclass(frozen=True)
class Report:
    kind: str
    model: str
    layout: str
    """The layout that the model takes itself; the bundle's is NHWC for pictures."""
    other_layouts: tuple[str, ...]
    """Layouts that it also runs on: that ``layout`` is the one it was trained with was then a guess."""
    parity: dict[str, Any]
    """Per runtime and view, and the formats with each other, as in the manifest."""
    problems: tuple[str, ...]
    """What is below a threshold."""
    calibration_inputs: int
    float_layers: tuple[str, ...]
    """The layers at the start that were left in float."""
    sizes_bytes: dict[str, int]
    float_operations: dict[str, list[str]]
    """Per runtime, types of the operations that it computes in float."""
    latency: dict[str, dict[str, float]]
    """Per runtime, int8 and float milliseconds on the machine of the export. Not in the bundle: it varies."""
    layers: tuple[LayerLoss, ...]
    fit: Fit | None

    def document(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "model": self.model, "layout": self.layout,
            "other_layouts": list(self.other_layouts), "sizes_bytes": self.sizes_bytes,
            "parity": self.parity, "problems": list(self.problems), "latency": self.latency,
            "calibration_inputs": self.calibration_inputs, "float_layers": list(self.float_layers),
            "float_operations": self.float_operations, "profile": self.fit.document() if self.fit else None,
            "layers": [asdict(layer) for layer in self.layers],
        }

    def card(self, outputs: Sequence[Output], input_shape: tuple[int, ...], frontend: dict[str, Any]) -> str:
        """A model card in Markdown. The same export gives the same card: no dates, no timings."""
        rows = [f"| {runtime} | {view} | {found['cosine_mean']:.4f} | {found['cosine_p5']:.4f} | "
                f"{found['cosine_min']:.4f} | {found['neighbour_agreement']:.3f} |"
                for runtime in self.latency for view, found in self.parity[runtime].items()]
        sizes = ", ".join(f"{size:,} bytes as {suffix}" for suffix, size in self.sizes_bytes.items())
        return "\n".join([
            f"# {self.model}, the {self.kind} model", "",
            f"Int8 weights per channel, int8 activations, int8 input {input_shape} and outputs; {sizes}.",
            *[f"- output `{out.view}`: {out.dimension} values in the space `{out.space}`" for out in outputs],
            f"- layers left in float: {', '.join(self.float_layers) or 'none'}",
            f"- front end: `{json.dumps(frontend, sort_keys=True)}`", "",
            "## Agreement with the float model", "",
            f"On {self.parity['inputs']} inputs that calibration ({self.calibration_inputs} inputs) did not see.", "",
            "| runtime | view | cosine mean | p5 | min | same nearest neighbour |", "|---|---|---|---|---|---|",
            *rows, "",
        ])
