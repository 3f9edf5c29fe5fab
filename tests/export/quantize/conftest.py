import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


def smooth(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random inputs that vary slowly along all but the first axis, as pictures and cepstra do; float32."""
    noise = np.random.default_rng(seed).normal(size=shape)
    for axis in range(1, len(shape) - 1):
        noise = noise + np.roll(noise, 1, axis) + np.roll(noise, 2, axis) + np.roll(noise, 3, axis)
    level = np.random.default_rng(seed + 1).normal(size=(shape[0], *[1] * (len(shape) - 2), shape[-1]))
    return (noise / noise.std() + level).astype(np.float32)


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """(64, 32, 32, 3), NHWC."""
    return smooth((64, 32, 32, 3), 1)


@pytest.fixture(scope="session")
def cepstra() -> np.ndarray:
    """(64, 49, 10)."""
    return smooth((64, 49, 10), 2)
