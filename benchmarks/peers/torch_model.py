"""One inference of a float32 model in PyTorch's eager mode, again and again: ``audio|video THREADS``."""

import sys

import torch

from benchmarks.float_models import float_model
from benchmarks.peers.served import serve


def main(kind: str, threads: str) -> None:
    torch.set_num_threads(int(threads))
    model, example = float_model(kind)
    example = torch.randn_like(example)
    with torch.inference_mode():
        serve(lambda: model(example))


if __name__ == "__main__":
    main(*sys.argv[1:])
