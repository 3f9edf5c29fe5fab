"""Models that are not Roomtone's, with weights from a seed: the exporter must take whatever an engineer brings."""

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet8(nn.Module):
    """MLPerf Tiny's image classifier: 32 x 32 pictures, three stacks of 16, 32, 64 channels, 10 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.stacks = nn.Sequential(ResidualBlock(16, 16, 1), ResidualBlock(16, 32, 2), ResidualBlock(32, 64, 2))
        self.classes = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(nn.functional.avg_pool2d(self.stacks(self.stem(x)), 8).flatten(1))


class DsCnn(nn.Module):
    """MLPerf Tiny's keyword spotter: 49 frames of 10 MFCC as (1, 1, 49, 10), 64 channels, 12 classes."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [nn.Conv2d(1, 64, (10, 4), (2, 2), (5, 1), bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        for _ in range(4):
            blocks += [nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                       nn.Conv2d(64, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        self.features = nn.Sequential(*blocks, nn.Dropout(0.2))
        self.classes = nn.Linear(64, 12)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(nn.functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int = 4):
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(
            nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


class MobileNet(nn.Module):
    """In the manner of MobileNetV2, taking NHWC pictures as a TensorFlow port would; 32-d embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(), InvertedResidual(16, 24, 2),
            InvertedResidual(24, 24, 1), InvertedResidual(24, 40, 2), nn.Conv2d(40, 96, 1), nn.ReLU6())
        self.embedding = nn.Linear(96, 32)

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x.permute(0, 3, 1, 2))
        return self.embedding(y.mean((2, 3)))


class TemporalCnn(nn.Module):
    """Dilated one-dimensional convolutions over (1, coefficients, frames), norm before the layer, two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(10)
        self.layers = nn.ModuleList(
            nn.Conv1d(inputs, 32, 3, padding=dilation, dilation=dilation)
            for inputs, dilation in ((10, 1), (32, 2), (32, 4)))
        self.first, self.second = nn.Linear(32, 24), nn.Linear(32, 16)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(x)
        for index, layer in enumerate(self.layers):
            y = torch.relu(layer(x))
            x = y if index == 0 else x + y
        pooled = x.mean(2)
        return self.first(pooled), self.second(pooled)


class Branching(nn.Module):
    """Control flow that depends on the values."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x


class Spectral(nn.Module):
    """An operation that neither format has."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.special.bessel_j0(x)


class Around(nn.Module):
    """A part inside an otherwise ordinary model of (1, 3, 32, 32) pictures."""

    def __init__(self, part: nn.Module):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.part = part
        self.embedding = nn.Linear(8, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.embedding(self.part(torch.relu(self.conv(x))).mean((2, 3)))


def settled(model: nn.Module, inputs: Tensor, seed: int = 0) -> nn.Module:
    """Batch norms that have seen data, all other weights from a seed; in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * (2 / fan_in) ** 0.5)
            elif name.endswith("bias"):
                parameter.zero_()
        model.train()
        for _ in range(8):
            model(inputs)
    return model.eval()


def resnet8() -> nn.Module:
    return ResNet8().eval()


def branching() -> nn.Module:
    return Around(Branching()).eval()


def poisoned() -> nn.Module:
    model = Around(nn.Identity())
    with torch.no_grad():
        model.conv.weight[0, 0, 0, 0] = float("nan")
    return model


def not_a_model() -> dict:
    return {}


def failing() -> nn.Module:
    raise KeyError("no such size")
