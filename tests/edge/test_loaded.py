"""What only loading touched is given back and comes again; what was changed stays."""

import ctypes
import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from edge import loaded
from edge.loaded import release_loaded
from edge.memory import measure

pytestmark = pytest.mark.skipif(not loaded.SMAPS.exists(), reason="the system shows no mappings")

SMAPS = """\
{clean:x}-{clean_end:x} r--p 00000000 fe:00 1                        /lib/clean.so
Rss:                  {kib} kB
Anonymous:             0 kB
{changed:x}-{changed_end:x} r--p 00000000 fe:00 2                        /lib/relocated (deleted).so
Rss:                  {kib} kB
Anonymous:             4 kB
{changed:x}-{changed_end:x} rw-p 00000000 fe:00 2                        /lib/writable.so
Rss:                  {kib} kB
Anonymous:             0 kB
{changed:x}-{changed_end:x} r--p 00000000 00:00 0                        [vvar]
Rss:                  {kib} kB
Anonymous:             0 kB
{changed:x}-{changed_end:x} r--s 00000000 fe:00 2                        /shared
Rss:                  {kib} kB
Anonymous:             0 kB
VmFlags: rd mr mw me
"""


def test_only_unchanged_private_pages_of_files_are_dropped(tmp_path, monkeypatch):
    """By the contents: dropping a page of the process's own memory makes it zero."""
    size = 1 << 20
    clean, changed = (mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(2))
    spans = {}
    for name, block in (("clean", clean), ("changed", changed)):
        block.write(b"\1" * size)
        spans[name] = ctypes.addressof(ctypes.c_char.from_buffer(block))
        spans[f"{name}_end"] = spans[name] + size
    (tmp_path / "smaps").write_text(SMAPS.format(**spans, kib=size >> 10))
    monkeypatch.setattr(loaded, "SMAPS", tmp_path / "smaps")
    assert release_loaded() == size
    assert clean[:] == b"\0" * size
    assert changed[:] == b"\1" * size


LIBRARIES = """
import hashlib, json, ssl
import numpy as np
from edge.loaded import release_loaded
from edge.memory import measure
values = np.arange(1000.0)
def work():
    return [hashlib.sha256(b"a").hexdigest(), json.dumps({"a": 1}), float(values @ values), np.sort(-values)[0]]
before, done, resident = measure(), work(), measure()["resident_bytes"]
released = release_loaded()
after = measure()
assert work() == done
print(released, resident - after["resident_bytes"], after["anonymous_bytes"] - before["anonymous_bytes"])
"""


def test_libraries_go_on_working_and_take_less():
    done = subprocess.run([sys.executable, "-c", LIBRARIES], capture_output=True, text=True, check=True)
    released, saved, grown = map(int, done.stdout.split())
    assert released > 8 << 20
    assert saved > 4 << 20
    assert grown < 2 << 20


def test_without_the_kernels_table_nothing_happens(monkeypatch):
    monkeypatch.setattr(loaded, "SMAPS", Path("/nowhere/smaps"))
    before = measure()["resident_bytes"]
    assert release_loaded() == 0
    assert measure()["resident_bytes"] >= before - (1 << 20)
