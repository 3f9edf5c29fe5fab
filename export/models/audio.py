"""The student that hears: a depthwise-separable CNN over MFCC frames with four heads.

``audio`` lands in the teacher's space (what it sounds like); ``recording`` tells recordings apart (what it is);
``tags`` says how the teacher would tag it; ``kind`` whether it is speech, music or something else.
Convolutions run along time alone. They are written as two-dimensional ones of height 1, which both runtimes have
int8 kernels for. Depthwise-separable blocks: Howard et al., MobileNets, 2017; mean and max over time are joined
because the one keeps the texture and the other the events.
"""

import torch
from torch import Tensor, nn

FRAMES = 300
COEFFICIENTS = 20
DIMENSION = 64
TAGS = 50
KINDS = ("speech", "music", "other")
FEATURES = 544
STEM_CHANNELS = 128
BLOCKS = ((200, 2), (200, 1), (200, 1), (272, 1))
"""Channels and stride of each block."""
STEM_KERNEL, BLOCK_KERNEL = 5, 9


def _same(kernel: int) -> tuple[int, int]:
    return (0, kernel // 2)


class SeparableBlock(nn.Module):
    """Filter every channel along time, then mix the channels; adds its input where the shapes are equal."""

    def __init__(self, channels_in: int, channels_out: int, stride: int):
        super().__init__()
        self.depthwise = nn.Conv2d(channels_in, channels_in, (1, BLOCK_KERNEL), (1, stride), _same(BLOCK_KERNEL),
                                   groups=channels_in, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(channels_in)
        self.pointwise = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(channels_out)
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise_norm(self.depthwise(x)).relu()
        y = self.pointwise_norm(self.pointwise(y)).relu()
        return x + y if self.residual else y


class AudioStudent(nn.Module):
    """Standardised MFCC (n, 300, 20) to audio and recording (n, 64), not normalised, and the logits of tags (n, 50)
    and kind (n, 3).

    About 281,000 parameters and 14.5 million multiplications a window of three seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(COEFFICIENTS, STEM_CHANNELS, (1, STEM_KERNEL), (1, 2), _same(STEM_KERNEL), bias=False)
        self.stem_norm = nn.BatchNorm2d(STEM_CHANNELS)
        widths = [STEM_CHANNELS, *(channels for channels, _ in BLOCKS)]
        self.blocks = nn.Sequential(*(SeparableBlock(before, after, stride)
                                      for before, (after, stride) in zip(widths, BLOCKS, strict=False)))
        self.audio = nn.Linear(2 * widths[-1], DIMENSION)
        self.recording = nn.Linear(2 * widths[-1], DIMENSION)
        self.tags = nn.Linear(2 * widths[-1], TAGS)
        self.kind = nn.Linear(2 * widths[-1], len(KINDS))

    def features(self, mfcc: Tensor) -> Tensor:
        """Pooled features, (n, 544)."""
        x = mfcc.unsqueeze(1).permute(0, 3, 1, 2)
        x = self.blocks(self.stem_norm(self.stem(x)).relu())
        mean = x.mean((2, 3), keepdim=True).flatten(1)
        peak = x.amax((2, 3), keepdim=True).flatten(1)
        return torch.cat([mean, peak], dim=1)

    def forward(self, mfcc: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pooled = self.features(mfcc)
        return self.audio(pooled), self.recording(pooled), self.tags(pooled), self.kind(pooled)


def audio_student() -> AudioStudent:
    """Factory for ``roomtone-export model export.models.audio:audio_student --kind audio --weights FILE``."""
    return AudioStudent().eval()
