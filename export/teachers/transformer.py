"""Models of the transformers library as teachers: MiniLM, and CLIP and CLAP from a folder of one's own.

Nothing is downloaded: a model is a folder as ``save_pretrained`` writes it. Its weights are read as safetensors, so
that no pickle is opened and no code of the folder's runs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge.errors import ExportError, RuntimeMissingError, ShapeError

BATCH = 16
SOUND_RATE_HZ = 16_000
"""What sound is decoded at here; CLAP's own rate is made of it inside."""
UNKNOWN_LICENCE = "see the model's own card"


class TextEncoder:
    """A sentence embedding: the mean of the last layer over the tokens of the text."""

    def __init__(self, folder: Path, *, name: str, most_tokens: int, licence: str):
        """Raises RuntimeMissingError without transformers, ExportError when the folder holds no such model."""
        self.name, self.most_tokens, self.licence = name, most_tokens, licence
        self._model, self._tokenizer = _load(folder, "AutoModel"), _load(folder, "AutoTokenizer")
        self.dimension = int(self._model.config.hidden_size)

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> np.ndarray:
        batches = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
        return _joined([self._of(batch) for batch in batches], self.dimension)

    def _of(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = self._tokenizer(list(texts), padding=True, truncation=True, max_length=self.most_tokens,
                                 return_tensors="pt")
        kept = tokens["attention_mask"].unsqueeze(2).float()
        return (self._model(**tokens).last_hidden_state * kept).sum(1) / kept.sum(1)


class ClipPictures:
    """The pictures' side of a CLIP model."""

    def __init__(self, folder: Path):
        """Raises RuntimeMissingError without transformers, ExportError when the folder holds no CLIP model."""
        self.name, self.licence = f"clip:{folder.name}", UNKNOWN_LICENCE
        self._model, self._processor = _load(folder, "CLIPModel"), _load(folder, "CLIPImageProcessor")
        self.side_px = int(self._model.config.vision_config.image_size)
        self.dimension = int(self._model.config.projection_dim)

    @torch.no_grad()
    def embed(self, pictures: np.ndarray) -> np.ndarray:
        if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
            raise ShapeError(f"pictures of shape {pictures.shape} and {pictures.dtype}: {self.name} takes uint8 "
                             f"(n, {self.side_px}, {self.side_px}, 3)")
        parts = []
        for at in range(0, len(pictures), BATCH):
            pixels = self._processor(list(pictures[at : at + BATCH]), return_tensors="pt")
            parts.append(_features(self._model.get_image_features(**pixels)))
        return _joined(parts, self.dimension)


class ClipText:
    """The words' side of a CLIP or CLAP model, in the space of its pictures or sounds."""

    def __init__(self, folder: Path, *, kind: str):
        """``kind``: ``CLIPModel`` or ``ClapModel``. Raises as ClipPictures."""
        self.name, self.licence = f"{kind[:4].lower()}-text:{folder.name}", UNKNOWN_LICENCE
        self._model, self._tokenizer = _load(folder, kind), _load(folder, "AutoTokenizer")
        self.most_tokens = min(int(self._model.config.text_config.max_position_embeddings),
                               int(self._tokenizer.model_max_length))
        self.dimension = int(self._model.config.projection_dim)

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> np.ndarray:
        parts = []
        for at in range(0, len(texts), BATCH):
            tokens = self._tokenizer(list(texts[at : at + BATCH]), padding=True, truncation=True,
                                     max_length=self.most_tokens, return_tensors="pt")
            parts.append(_features(self._model.get_text_features(**tokens)))
        return _joined(parts, self.dimension)


class ClapSound:
    """The sounds' side of a CLAP model. Sound comes at 16 kHz and is brought to the model's own rate."""

    rate_hz = SOUND_RATE_HZ

    def __init__(self, folder: Path):
        """Raises RuntimeMissingError without transformers, ExportError when the folder holds no CLAP model."""
        self.name, self.licence = f"clap:{folder.name}", UNKNOWN_LICENCE
        self._model, self._extractor = _load(folder, "ClapModel"), _load(folder, "ClapFeatureExtractor")
        self._own_rate_hz = int(self._extractor.sampling_rate)
        self.window_samples = int(self._extractor.max_length_s * SOUND_RATE_HZ)
        self.dimension = int(self._model.config.projection_dim)

    @torch.no_grad()
    def embed(self, windows: np.ndarray) -> np.ndarray:
        import soxr

        if windows.ndim != 2 or windows.shape[1] < self.window_samples:
            raise ShapeError(f"windows of shape {windows.shape}: {self.name} takes (n, {self.window_samples}) or more")
        scale = np.float32(1 / 32768 if windows.dtype == np.int16 else 1)
        parts = []
        for window in windows[:, : self.window_samples]:
            sound = soxr.resample(window.astype(np.float32) * scale, SOUND_RATE_HZ, self._own_rate_hz)
            heard = self._extractor(sound, sampling_rate=self._own_rate_hz, return_tensors="pt")
            parts.append(_features(self._model.get_audio_features(**heard)))
        return _joined(parts, self.dimension)


def _load(folder: Path, kind: str) -> Any:
    """A model, tokenizer or processor of the transformers library, from a folder and from nowhere else."""
    try:
        import transformers
    except ImportError as error:
        raise RuntimeMissingError("transformers is not installed; run pip install 'roomtone[teachers]'") from error
    if not folder.is_dir():
        raise ExportError(f"{folder} is not a folder; give one that save_pretrained wrote")
    weights = {"use_safetensors": True} if kind.endswith("Model") else {}
    transformers.utils.logging.disable_progress_bar()
    try:
        loaded = getattr(transformers, kind).from_pretrained(str(folder), local_files_only=True, **weights)
    except Exception as error:  # the library raises whatever its parsers do
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExportError(f"{folder}: no {kind} can be read there: {said:.200}") from error
    return loaded.eval() if weights else loaded


def _features(found: Any) -> torch.Tensor:
    """Newer releases of the library wrap the projected features."""
    return found if isinstance(found, torch.Tensor) else found.pooler_output


def _joined(parts: list[torch.Tensor], dimension: int) -> np.ndarray:
    return torch.cat(parts).numpy().astype(np.float32) if parts else np.empty((0, dimension), np.float32)
