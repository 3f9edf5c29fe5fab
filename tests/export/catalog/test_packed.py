"""Results as bytes: back as they were, and nothing but a ValueError from bytes of any other kind."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.catalog.packed import Understood, pack, unpack

ITEMS = [
    Understood({"item": "a\udcff", "year": None, "duration_s": 1.5}, {"audio": np.arange(8, dtype=np.int8)[None]}),
    Understood({"item": "שלום"}, {"recording": np.full((3, 4), -7, np.int8), "video": np.zeros((1, 2), np.int8)}),
]


def test_items_come_back():
    for before, after in zip(ITEMS, unpack(pack(ITEMS)), strict=True):
        assert before.fields == after.fields
        assert before.vectors.keys() == after.vectors.keys()
        for view, vectors in before.vectors.items():
            np.testing.assert_array_equal(after.vectors[view], vectors)
    assert unpack(pack([])) == []


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(content):
    with pytest.raises(ValueError, match="not a packed result"):
        unpack(content)


@given(st.integers(0, len(pack(ITEMS)) - 1), st.integers(1, 255))
def test_damaged_bytes_are_refused_or_read(at, flip):
    content = bytearray(pack(ITEMS))
    content[at] ^= flip
    with contextlib.suppress(ValueError):
        unpack(bytes(content))


@given(st.integers(0, len(pack(ITEMS)) - 1))
def test_cut_bytes_are_refused(length):
    with pytest.raises(ValueError, match="not a packed result"):
        unpack(pack(ITEMS)[:length])
