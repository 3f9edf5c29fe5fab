"""The table of an ablation, and the averaging that lets a short training be measured."""

import pytest
import torch

from export.training.ablation import CONDITIONS, Row, table
from export.training.student import EMA_DECAY, _average


def test_the_table_has_a_row_for_each_recipe():
    each = dict(zip(CONDITIONS, (0.25, 0.125), strict=True))
    lines = table([Row("all stages", 550, 0.7, each, each, 0.9)]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| all stages | 550 | 0.700 | 0.250 | 0.125 | 25.0% | 12.5% | 90.0% |"


def test_early_steps_are_soon_forgotten_and_late_ones_slowly():
    kept, counts = [torch.zeros(1)], [torch.tensor([1])]
    for step in range(200):
        _average(kept, [torch.ones(1)], step)
    assert float(kept[0]) > 0.999
    before = float(kept[0])
    _average(kept, [torch.zeros(1)], 100_000)
    assert float(kept[0]) == pytest.approx(before * EMA_DECAY)
    _average(counts, [torch.tensor([7])], 3)
    assert counts[0].item() == 7
