"""Memory by part adds up to the whole; the processor's share is what was used."""

import mmap
import time
from pathlib import Path

import pytest

from edge import usage
from edge.firmware import MIB
from edge.memory import measure
from edge.usage import CpuMeter, pss_by_part

SMAPS = """\
55d0c0000000-55d0c0001000 r--p 00000000 fe:00 123                        /usr/bin/python3.11
Size:                  4 kB
Pss:                   3 kB
Pss_Dirty:             1 kB
55d0c1000000-55d0c1100000 rw-p 00000000 00:00 0                          [heap]
Pss:                 100 kB
7f0000000000-7f0000001000 rw-p 00000000 00:00 0 
Pss:                  50 kB
7f0000002000-7f0000003000 r-xp 00000000 fe:00 7                          /x/site-packages/cv2/cv2 (deleted).so
Pss:                  20 kB
7f0000004000-7f0000005000 r--s 00000000 fe:00 8                          {folder}/audio.vectors.npy
Pss:                   7 kB
7f0000006000-7f0000007000 r--s 00000000 fe:00 8                          {folder}-other/numpy/core.so
Pss:                   5 kB
"""


def test_a_table_of_the_kernels_by_hand(tmp_path, monkeypatch):
    folder = tmp_path / "catalog"
    (tmp_path / "smaps").write_text(SMAPS.format(folder=folder))
    monkeypatch.setattr(usage, "SMAPS", tmp_path / "smaps")
    assert pss_by_part({"catalogue": folder}) == {
        "heap": 150 << 10, "opencv": 20 << 10, "catalogue": 7 << 10, "numpy": 5 << 10, "python": 3 << 10}


def test_without_the_kernels_table_it_is_empty(monkeypatch):
    monkeypatch.setattr(usage, "SMAPS", Path("/nowhere/smaps"))
    assert pss_by_part({}) == {}


def test_the_parts_add_up_to_the_whole():
    parts, whole = pss_by_part({}), measure()["pss_bytes"]
    assert sum(parts.values()) == pytest.approx(whole, rel=0.02)
    assert {"heap", "python"} <= parts.keys()


def test_a_mapped_file_counts_for_its_folder(tmp_path):
    (tmp_path / "large").write_bytes(b"\1" * (4 * MIB))
    with (tmp_path / "large").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert sum(mapped[:: 4096]) == MIB // 1024
        assert pss_by_part({"catalogue": tmp_path})["catalogue"] == 4 * MIB


def test_the_share_of_a_processor():
    meter = CpuMeter()
    began_s = time.process_time()
    while time.process_time() - began_s < 0.05:
        pass
    meter.look()
    assert meter.percent > 0
    time.sleep(0.1)
    meter.look()
    assert meter.percent < 50
