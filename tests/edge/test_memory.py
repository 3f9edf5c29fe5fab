"""The plan adds up, holds in reality and says which key shrinks it; the meter reads /proc."""

import dataclasses
import mmap
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import firmware, memory
from edge.bundle import open_bundle
from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import unit
from edge.errors import BudgetError
from edge.firmware import MIB
from edge.memory import Meter, Plan, measure, measured, plan
from export.catalog.writer import ViewData, write_snapshot


@pytest.fixture(scope="module")
def bundle():
    return open_bundle()


@pytest.fixture(scope="module")
def snapshot():
    with open_snapshot() as snapshot:
        yield snapshot


def profile(name="rpi-4-tv", **changes):
    """A shipped profile with some settings changed: ``profile(memory__budget_mib=90)``."""
    loaded = firmware.load(name)
    for key, value in changes.items():
        section, _, setting = key.partition("__")
        part = dataclasses.replace(getattr(loaded, section), **{setting: value})
        loaded = dataclasses.replace(loaded, **{section: part})
    return loaded


@pytest.mark.parametrize("name", firmware.names())
def test_the_shipped_profiles_hold_the_shipped_bundle_and_catalogue(name, bundle, snapshot):
    planned = plan(firmware.load(name), bundle, snapshot)
    planned.check()
    assert planned.total_bytes == sum(planned.parts.values())
    assert planned.budget_bytes == firmware.load(name).memory.budget_mib * MIB


def test_a_sense_that_is_off_costs_nothing(bundle, snapshot):
    both = plan(profile(), bundle, snapshot).parts
    deaf = plan(profile(audio__enabled=False), bundle, snapshot).parts
    neither = plan(profile(audio__enabled=False, video__enabled=False), bundle, snapshot).parts
    assert set(both) - set(deaf) == {"audio_model", "audio_input"}
    assert set(deaf) - set(neither) == {"video_model", "video_input", "runtime"}


def test_a_model_costs_its_file_packed_again_and_its_activations(bundle, snapshot):
    parts = plan(profile(), bundle, snapshot, runtime="litert").parts
    file_bytes = bundle.model("video").file("litert").stat().st_size
    assert parts["video_model"] == 2 * file_bytes + 24 * 224 * 224 * 3


def test_the_runtime_asked_for_counts(bundle, snapshot):
    litert, onnx = (plan(profile(), bundle, snapshot, runtime=runtime).parts for runtime in ("litert", "onnx"))
    assert onnx["runtime"] - litert["runtime"] == 14 * MIB


def test_windows_that_are_read_by_the_list_cost_only_what_finds_them(bundle, tmp_path):
    """1,200 windows of 16 bytes, their labels and lists are read; the rest of the arrays is mapped."""
    items = [Item(row, f"track:{row}", "track", f"Title {row}") for row in range(60)]
    windows = unit(np.random.default_rng(0).standard_normal((60 * 20, 16)))
    view = ViewData("r@1", windows, np.repeat(np.arange(60), 20), windows=True)
    for name, ivf_from in (("indexed", 1000), ("exact", 5000)):
        write_snapshot(tmp_path / name, items, {"recording": view}, name=name, version="1", ivf_from=ivf_from)
        with open_snapshot(tmp_path / name) as opened:
            counted = plan(profile(), bundle, opened).parts["catalogue"] - 10 * MIB - 48 * 60
        arrays = {path.name: path.stat().st_size for path in (tmp_path / name).glob("*.npy")}
        read = {f"recording.{file}.npy" for file in ("vectors", "labels", "lists")} if name == "indexed" else set()
        assert counted == sum(size for file, size in arrays.items() if file not in read)


def test_a_plan_of_exactly_the_budget_passes_and_one_byte_more_does_not():
    at_most = profile(memory__budget_mib=80)
    Plan({"python": 50 * MIB, "catalogue": 30 * MIB}, at_most, 10).check()
    with pytest.raises(BudgetError, match=r"allows 80\.0 MiB: shrink catalogue .* memory\.budget_mib to 81"):
        Plan({"python": 50 * MIB, "catalogue": 30 * MIB + 1}, at_most, 10).check()


def refusal(parts_mib: dict[str, int], budget_mib: int, items: int = 1000) -> str:
    parts = {name: size * MIB for name, size in parts_mib.items()}
    with pytest.raises(BudgetError) as raised:
        Plan(parts, profile(memory__budget_mib=budget_mib), items).check()
    assert "\n" not in str(raised.value)
    return str(raised.value)


BOTH = {"python": 41, "http": 13, "runtime": 6, "catalogue": 25, "audio_model": 1, "audio_input": 7,
        "video_model": 11, "video_input": 57}


def test_the_runtime_is_changed_first():
    said = refusal(BOTH | {"runtime": 25}, 170)
    assert 'shrink runtime (25.0 MiB) by 10.0 MiB with engine.runtime = "litert"' in said
    assert "or raise memory.budget_mib to 180" in said
    assert "profile rpi-4-tv" in said


def test_then_the_catalogue_by_as_many_items_as_are_too_many():
    """25 MiB, 10 of them whatever is in it: 10 MiB over is two thirds of the items."""
    assert "shrink catalogue (25.0 MiB) by 10.0 MiB with catalog.max_items = 333" in refusal(BOTH, 151)


def test_then_sight_and_then_hearing():
    assert "shrink video_input (57.0 MiB) by 61.0 MiB with video.enabled = false" in refusal(BOTH, 100)
    deaf = {"python": 36, "http": 13, "runtime": 6, "catalogue": 11, "audio_model": 1, "audio_input": 7}
    assert "shrink audio_input (7.0 MiB) by 4.0 MiB with audio.enabled = false" in refusal(deaf, 70)


def test_where_nothing_is_enough_the_largest_saving_is_named():
    assert "shrink video_input (57.0 MiB) by 68.0 MiB with video.enabled = false" in refusal(BOTH, 40)


@given(st.dictionaries(st.sampled_from(sorted(BOTH)), st.integers(0, 300)), st.integers(32, 400))
def test_any_plan_passes_or_is_refused_in_one_sentence(sizes, budget_mib):
    parts = {name: size * MIB for name, size in (BOTH | sizes).items()}
    planned = Plan(parts, profile(memory__budget_mib=budget_mib), 1000)
    if planned.total_bytes <= planned.budget_bytes:
        planned.check()
    else:
        with pytest.raises(BudgetError, match=r"shrink \w+ .* with .* = .*, or raise memory\.budget_mib to \d+$"):
            planned.check()


def test_a_catalogue_of_more_items_than_the_profile_allows(bundle, snapshot):
    with pytest.raises(BudgetError, match=rf"has {len(snapshot.items)} items .* catalog\.max_items = 3: "):
        plan(profile(catalog__max_items=3), bundle, snapshot).check()


def test_what_is_measured_grows_with_what_is_touched_and_shrinks_again():
    before = measure()
    with mmap.mmap(-1, 32 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as block:
        block.write(b"\1" * (32 * MIB))
        during = measure()
    after = measure()
    for key in ("pss_bytes", "resident_bytes", "anonymous_bytes"):
        assert 31 * MIB <= during[key] - before[key] <= 80 * MIB
        assert during[key] - after[key] >= 24 * MIB
    assert after["peak_bytes"] >= during["resident_bytes"] - MIB  # the kernel counts a peak now and then, per core
    assert 0 < after["anonymous_bytes"] <= after["pss_bytes"] <= after["resident_bytes"]


def test_another_process_is_measured_by_its_folder():
    program = "print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as process:
        process.stdout.readline()
        seen = measured(Path(f"/proc/{process.pid}"))
        assert 0 < seen["pss_bytes"] <= seen["resident_bytes"] <= seen["peak_bytes"]
        process.communicate(b"\n")
    assert set(measured(Path("/proc/nobody")).values()) == {0}


def test_without_the_kernels_rollup_the_resident_size_stands_in(tmp_path):
    (tmp_path / "status").write_text("Name:\tx\nVmHWM:\t  90 kB\nVmRSS:\t  80 kB\nRssAnon:\t  30 kB\nThreads:\t1\n")
    assert measured(tmp_path) == {
        "pss_bytes": 80 << 10, "anonymous_bytes": 30 << 10, "resident_bytes": 80 << 10, "peak_bytes": 90 << 10}


def test_the_meter_reports_both_sides(bundle, snapshot):
    planned = plan(profile(), bundle, snapshot)
    report = Meter(planned).report()
    assert report["plan_bytes"] == planned.parts
    assert report["budget_bytes"] == 160 * MIB
    assert set(report) == {"plan_bytes", "budget_bytes", "pss_by_part_bytes", *measure()}
    assert sum(report["pss_by_part_bytes"].values()) == pytest.approx(report["pss_bytes"], rel=0.05)


PROCESS = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
import numpy as np
from edge import firmware, memory
from edge.audio.encoder import AudioEncoder
from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.context import ContextBuilder
import edge.daemon.api, edge.daemon.service
from edge.engine.open import open_engine
from edge.loaded import release_loaded
from edge.recommend.history import History
from edge.recommend.recommender import Recommender

bundle = open_bundle()
with TemporaryDirectory() as state, open_snapshot() as snapshot, History(Path(state) / "history.db") as history:
    recommender, builder = Recommender(snapshot, history), ContextBuilder(seconds=12.0)
    model = bundle.model("audio")
    with open_engine("litert", model.file("litert")) as engine:
        encoder = AudioEncoder(model, engine, hop_s=1.5)
        release_loaded()
        noise = (np.arange(160_000, dtype=np.uint32) * 2654435761 >> 20).astype(np.int16) - 2048
        for embedding in encoder.push(noise[:80_000]) + encoder.push(noise[80_000:]):
            builder.add(embedding)
        recommender.now_playing(builder.context())
        recommender.recommend(builder.context(), user="household")
        print(memory.measure()["resident_bytes"])
"""


def test_a_speaker_put_together_stays_within_its_plan(bundle, snapshot):
    """Everything but the microphone, which this machine may lack; benchmarks/memory.py watches a whole daemon."""
    pytest.importorskip("ai_edge_litert")
    planned = plan(firmware.load("rpi-zero-2w-speaker"), bundle, snapshot)
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True)
    resident = int(done.stdout)
    allowed = planned.total_bytes - memory.MICROPHONE_BYTES
    assert 0.6 * allowed < resident < allowed + 8 * MIB  # compiling modules at a first start takes 5 MiB
