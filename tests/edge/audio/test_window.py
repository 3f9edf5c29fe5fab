import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.window import FrameWindow


@given(
    total=st.integers(0, 120),
    frames=st.integers(1, 12),
    hop=st.integers(1, 30),
    cuts=st.lists(st.integers(0, 120), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_windows_are_slices_of_the_whole(total, frames, hop, cuts):
    signal = np.arange(total * 2, dtype=np.float32).reshape(total, 2)
    window = FrameWindow(frames=frames, coefficients=2, hop_frames=hop)
    found = [(window.first_frame, one.copy()) for part in np.split(signal, sorted(cuts)) for one in window.feed(part)]
    starts = range(0, total - frames + 1, hop)
    assert [first for first, _ in found] == list(starts)
    for start, (_, one) in zip(starts, found, strict=True):
        np.testing.assert_array_equal(one, signal[start : start + frames])


def test_repeated_by_hand():
    window = FrameWindow(frames=5, coefficients=1, hop_frames=5)
    assert window.repeated() is None
    assert not list(window.feed(np.float32([[1], [2]])))
    assert window.repeated().ravel().tolist() == [1, 2, 1, 2, 1]
    window.reset()
    assert window.repeated() is None
