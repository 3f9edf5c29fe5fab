"""musicnn (Pons and Serra, ISMIR 2019), ported from its TensorFlow 1 checkpoints: package musicnn 0.1.0, ISC licence.

A front end of timbral filters (7 frames by 38 or 67 mels) and temporal filters (128, 64, 32 frames by 1 mel), three
residual convolutions, then mean and max over time: 753 features each. Those 1,506 numbers are the embedding; the
50 tags of the Million Song Dataset come from two dense layers on top. Layer by layer it is the package's models.py.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edge.errors import ExportError, ShapeError
from export.teachers.level import level_normalised
from export.teachers.mel import FFT_SIZE, HOP_SAMPLES, MELS, RATE_HZ, filterbank, log_mel
from export.teachers.tf_checkpoint import read_variables

FRAMES = 187
BATCH_WINDOWS = 1  # the maps of one window stay in the cache: three times faster than eight at once
BATCH_NORM_EPSILON = 1e-3
MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock",
    "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow",
    "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient",
    "acoustic", "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening",
    "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad",
    "House", "happy",
)  # fmt: skip
MTT_TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano", "ambient",
    "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing", "vocals", "no vocals",
    "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man",
    "classic", "choir", "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello",
    "no voice", "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip
TIMBRAL_MELS = (int(0.4 * MELS), int(0.7 * MELS))
TEMPORAL_FRAMES = (128, 64, 32)


def _batch_norm(channels: int) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(channels, eps=BATCH_NORM_EPSILON)


class _Timbral(nn.Module):
    """(n, 1, frames, mels) -> (n, channels, frames): the strongest place of each filter along the mels."""

    def __init__(self, channels: int, mels: int):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, (7, mels))
        self.norm = _batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return _strongest(F.pad(x, (0, 0, 3, 3)), self.conv, self.norm)


class _Temporal(nn.Module):
    """(n, 1, frames, mels) -> (n, channels, frames); TensorFlow's SAME pads an even kernel one more behind."""

    def __init__(self, channels: int, frames: int):
        super().__init__()
        self.padding = (0, 0, (frames - 1) // 2, frames // 2)
        self.conv = nn.Conv2d(1, channels, (frames, 1))
        self.norm = _batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return _strongest(F.pad(x, self.padding), self.conv, self.norm)


def _strongest(x: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm1d) -> Tensor:
    """Convolution, ReLU, normalisation, maximum over the mels.

    As a matrix product over patches, which is faster than a convolution of one channel. The
    normalisation rises or falls with its input, so the largest output is that of the largest or the smallest.
    """
    frames, mels = conv.kernel_size
    patches = x[:, 0].unfold(1, frames, 1).unfold(2, mels, 1).flatten(3)
    maps = F.linear(patches, conv.weight.flatten(1), conv.bias).relu()
    ends = (maps.amax(dim=2), maps.amin(dim=2))
    return torch.maximum(*(norm(end.transpose(1, 2)) for end in ends))


class _Middle(nn.Module):
    def __init__(self, channels_in: int, channels: int):
        super().__init__()
        self.conv = nn.Conv1d(channels_in, channels, 7, padding=3)
        self.norm = _batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x).relu())


class MusicnnNet(nn.Module):
    """Log-mel (n, frames, 96) -> pools (n, 2 x features), interleaved max, mean; and tag logits (n, 50)."""

    def __init__(self, *, timbral: int = 204, temporal: int = 51, middle: int = 64, dense: int = 200):
        super().__init__()
        self.norm = nn.BatchNorm2d(1, eps=BATCH_NORM_EPSILON)
        self.front = nn.ModuleList(
            [_Timbral(timbral, mels) for mels in TIMBRAL_MELS]
            + [_Temporal(temporal, frames) for frames in TEMPORAL_FRAMES])
        joined = 2 * timbral + 3 * temporal
        self.middle = nn.ModuleList([_Middle(joined, middle), _Middle(middle, middle), _Middle(middle, middle)])
        self.features = 2 * (joined + 3 * middle)
        self.pool_norm = _batch_norm(self.features)
        self.dense, self.dense_norm = nn.Linear(self.features, dense), _batch_norm(dense)
        self.tags = nn.Linear(dense, len(MSD_TAGS))

    def forward(self, log_mels: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(log_mels.unsqueeze(1))
        front = torch.cat([block(x) for block in self.front], dim=1)
        first = self.middle[0](front)
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        maps = torch.cat([front, first, second, third], dim=1)
        pools = torch.stack([maps.amax(dim=2), maps.mean(dim=2)], dim=2).flatten(1)
        return pools, self.tagged(pools)

    def tagged(self, pools: Tensor) -> Tensor:
        """Pools (n, 2 x features) -> tag logits (n, 50)."""
        logits: Tensor = self.tags(self.dense_norm(self.dense(self.pool_norm(pools)).relu()))
        return logits


def load_net(checkpoint: Path) -> MusicnnNet:
    """Fill the network from a checkpoint folder. Raises ExportError when a variable is missing or misshapen."""
    variables = read_variables(checkpoint)
    net = MusicnnNet()
    convolutions: list[Any] = [*(block.conv for block in net.front), *(block.conv for block in net.middle)]
    norms: list[Any] = [net.norm, *(block.norm for block in net.front), *(block.norm for block in net.middle),
             net.pool_norm, net.dense_norm]
    try:
        for number, layer in enumerate(convolutions):
            _fill(layer, variables, _numbered("conv2d", number))
        for number, layer in enumerate(norms):
            _fill_norm(layer, variables, _numbered("batch_normalization", number))
        for number, layer in enumerate((net.dense, net.tags)):
            _fill(layer, variables, _numbered("dense", number))
    except (KeyError, RuntimeError) as error:
        raise ExportError(f"{checkpoint}: not a musicnn checkpoint: {error}") from error
    return net.eval()


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _fill(layer: nn.Module, variables: dict[str, np.ndarray], name: str) -> None:
    """Kernels are (frames, mels, 1, out) or (in, out) in TensorFlow, (out, ...) in torch.

    The middle convolutions run over frames by channels there, and become one-dimensional here.
    """
    kernel = torch.from_numpy(variables[f"{name}/kernel"].copy())
    if isinstance(layer, nn.Conv1d):
        kernel = kernel.squeeze(2).permute(2, 1, 0)
    elif isinstance(layer, nn.Conv2d):
        kernel = kernel.permute(3, 2, 0, 1)
    else:
        kernel = kernel.T
    layer.load_state_dict({"weight": kernel, "bias": torch.from_numpy(variables[f"{name}/bias"].copy())})


def _fill_norm(layer: nn.Module, variables: dict[str, np.ndarray], name: str) -> None:
    parts = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    state = {own: torch.from_numpy(variables[f"{name}/{theirs}"].copy()) for own, theirs in parts.items()}
    layer.load_state_dict({**state, "num_batches_tracked": torch.tensor(0)})


@dataclass(frozen=True)
class Variant:
    """One of the package's two checkpoints: what it was trained on, and the names of its tags."""

    name: str
    folder: str
    tags: tuple[str, ...]


MSD = Variant("musicnn-msd", "MSD_musicnn", MSD_TAGS)
MTT = Variant("musicnn-mtt", "MTT_musicnn", MTT_TAGS)


class Musicnn:
    """The teacher of the ``audio`` view (teachers/base.py). Every window is brought to one level first."""

    rate_hz = RATE_HZ
    window_samples = (FRAMES - 1) * HOP_SAMPLES + FFT_SIZE
    licence = "ISC"

    def __init__(self, net: MusicnnNet, variant: Variant = MSD):
        self.name, self.tag_names = variant.name, variant.tags
        self._net, self._filters = net, torch.from_numpy(filterbank())
        self.dimension = net.features

    @classmethod
    def from_package(cls, root: Path, variant: Variant = MSD) -> "Musicnn":
        """Open a checkpoint of the unpacked ``musicnn`` package."""
        return cls(load_net(root / "musicnn" / variant.folder), variant)

    def embed(self, windows: np.ndarray) -> np.ndarray:
        return self._run(windows)[0]

    def tags(self, windows: np.ndarray) -> np.ndarray:
        """Probability of each of ``tag_names``: np.ndarray [shape=(n, 50), dtype=float32]."""
        logits = self._run(windows)[1]
        return 1 / (1 + np.exp(-logits))

    @torch.no_grad()
    def tags_of(self, embeddings: np.ndarray) -> np.ndarray:
        """The same from what ``embed`` gave: (n, 1506) -> (n, 50)."""
        if not len(embeddings):
            return np.empty((0, len(self.tag_names)), np.float32)
        return self._net.tagged(torch.from_numpy(np.array(embeddings, np.float32))).sigmoid().numpy()

    @torch.no_grad()
    def _run(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if windows.ndim != 2 or windows.shape[1] < self.window_samples:
            raise ShapeError(f"windows of shape {windows.shape}: {self.name} takes (n, {self.window_samples}) or more")
        sound = torch.from_numpy(level_normalised(windows[:, : self.window_samples]))
        parts = [self._net(log_mel(part, self._filters)) for part in sound.split(BATCH_WINDOWS)]
        if not parts:
            return np.empty((0, self.dimension), np.float32), np.empty((0, len(self.tag_names)), np.float32)
        pools, logits = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        return pools, logits
