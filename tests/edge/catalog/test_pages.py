"""Pages that were read are given back, and read again as they were."""

from pathlib import Path

import numpy as np
import pytest

from edge.catalog.arrays import RowFile, open_array
from edge.errors import SnapshotError
from edge.pages import MAPS, release, release_arrays

pytestmark = pytest.mark.skipif(not MAPS.exists(), reason="the system shows no mappings")


def resident_kib(path: Path) -> int:
    """Of all mappings of a file, as the kernel counts them."""
    lines = Path("/proc/self/smaps").read_text(errors="replace").splitlines()
    found, counting = 0, False
    for line in lines:
        if "-" in line.split(" ", 1)[0] and not line.split(" ", 1)[0].endswith(":"):
            counting = line.endswith(str(path))
        elif counting and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "a b.npy", np.arange(1 << 20, dtype=np.int64).reshape(-1, 8))
    return tmp_path / "a b.npy"


def test_pages_are_given_back_and_come_again(path):
    array = open_array(path, np.int64, (1 << 17, 8))
    total = array.sum()
    assert resident_kib(path) > 8000
    assert release(path.parent) >= 8 << 20
    assert resident_kib(path) < 100
    assert array.sum() == total
    assert release(path.with_name("none"), path) >= 8 << 20
    assert resident_kib(path) < 100


def test_arrays_give_their_own_pages_back(path):
    array = open_array(path, np.int64, (1 << 17, 8))
    total = array.sum()
    release_arrays(array, array[:0])
    assert resident_kib(path) < 100
    assert array.sum() == total


def test_other_files_are_left_alone(path, tmp_path):
    array = open_array(path, np.int64, (1 << 17, 8))
    assert array.sum()
    assert release(tmp_path / "a") == 0
    assert release(tmp_path / "none") == 0
    assert resident_kib(path) > 8000


def test_rows_are_read_without_being_mapped(path):
    array = open_array(path, np.int64, (1 << 17, 8))
    file = RowFile(path, array)
    np.testing.assert_array_equal(file.read(1000, 1003), np.arange(8000, 8024).reshape(3, 8))
    assert resident_kib(path) < 100
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(SnapshotError, match="shorter than it was"):
        file.read((1 << 17) - 1, 1 << 17)
    file.close()


def test_a_snapshot_gives_its_pages_back(snapshot):
    snapshot.views["audio"].search(np.ones(16, np.float32), 3)
    snapshot.release()
    assert len(snapshot.views["audio"].search(np.ones(16, np.float32), 3)[0]) == 3
    assert snapshot.items.search("coffee", 1)
