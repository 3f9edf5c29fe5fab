import threading
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.ring import SampleRing


@given(size=st.integers(1, 20), steps=st.lists(st.integers(0, 30) | st.none(), max_size=40))
@settings(max_examples=200, deadline=None)
def test_behaves_as_a_queue_of_bounded_length(size, steps):
    """A number writes that many frames, None reads; the queue is the model."""
    ring, queue, number = SampleRing(size, 2), [], 0
    for step in steps:
        if step is None:
            np.testing.assert_array_equal(ring.take(), np.array(queue, np.int16).reshape(-1, 2))
            queue.clear()
            continue
        block = np.arange(2 * number, 2 * (number + step), dtype=np.int16).reshape(-1, 2)
        fits = min(step, size - len(queue))
        assert ring.write(block) == step - fits
        queue += block[:fits].tolist()
        number += step
        assert ring.waiting == len(queue)


def test_what_one_thread_writes_another_reads_in_order():
    ring, taken, total = SampleRing(300, 1), [], 30000

    def write():
        written = 0
        while written < total:
            count = min(1 + written % 71, total - written, 300 - ring.waiting)
            assert ring.write(np.arange(written, written + count, dtype=np.int16)[:, None]) == 0
            written += count

    writer = threading.Thread(target=write)
    writer.start()
    while sum(map(len, taken)) < total:
        assert ring.wait(10)
        taken.append(ring.take()[:, 0])
    writer.join()
    np.testing.assert_array_equal(np.concatenate(taken), np.arange(total, dtype=np.int16))


def test_a_reader_waits_no_longer_than_it_is_told():
    ring = SampleRing(10, 1)
    began_s = time.monotonic()
    assert not ring.wait(0.05)
    assert time.monotonic() - began_s >= 0.05


def test_a_bell_that_rang_before_is_heard_once():
    ring = SampleRing(10, 1)
    ring.ring_bell()
    ring.ring_bell()
    assert ring.wait(0)
    assert not ring.wait(0)
