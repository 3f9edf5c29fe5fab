import contextlib
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.constants import load_constants, load_standardisation
from edge.errors import BundleError
from export.frontend import npz_bytes, write_audio_frontend


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frontend")
    frontend = write_audio_frontend(folder, mean=np.zeros(20), std=np.ones(20))
    return folder / frontend["constants"], frontend


def load_both(path, frontend):
    load_constants(path, frontend)
    load_standardisation(path, frontend)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_give_only_bundle_errors(written, tmp_path_factory, data):
    path, frontend = written
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        # The headers of the archive and of its arrays lie at the ends; the middle is numbers.
        near = st.integers(0, 300) | st.integers(len(raw) - 600, len(raw) - 1) | st.integers(0, len(raw) - 1)
        raw[data.draw(near)] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)) | st.just(len(raw)))
    damaged = tmp_path_factory.mktemp("damaged") / "constants.npz"
    damaged.write_bytes(raw[:cut])
    with contextlib.suppress(BundleError):
        load_both(damaged, frontend)


@given(noise=st.binary(max_size=400))
@settings(max_examples=80, deadline=None)
def test_arbitrary_bytes_are_refused(written, tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "constants.npz"
    path.write_bytes(noise)
    with pytest.raises(BundleError):
        load_constants(path, written[1])


@given(key=st.sampled_from(["kind", "sample_rate_hz", "window_samples", "hop_samples", "fft_size", "filters",
                            "coefficients", "preemphasis"]), value=json_values)
@settings(max_examples=150, deadline=None)
def test_arbitrary_settings_give_only_bundle_errors(written, key, value):
    path, frontend = written
    with contextlib.suppress(BundleError):
        load_constants(path, {**frontend, key: value})


def member(name, payload, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(name, payload)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("content", "said"), [
    (b"", "not the front end's .npz"),
    (member("other.npy", b""), "There is no item named 'window.npy'"),
    (member("window.npy", b"\x93NUMPY\x01\x00"), "not the front end's .npz"),
    (member("window.npy", npy(np.ones(9000))), "compressed or larger than its shape"),
    (member("window.npy", npy(np.ones(399))), "must be float64"),
    (member("window.npy", npy(np.ones(400, ">f8"))), "must be float64"),
    (member("window.npy", npy(np.ones(400), version=(2, 0))), "version 1.0"),
    (member("window.npy", npy(np.ones(400), version=(1, 0)), zipfile.ZIP_DEFLATED), "compressed"),
    (member("window.npy", npy(np.ones(400), version=(1, 0))[:-4]), "not the front end's .npz"),
    (member("window.npy", npy(np.full(400, np.nan), version=(1, 0))), "not finite"),
    (member("window.npy", npy(np.array([print] * 400), version=(1, 0))), "object"),
    (b"\0" * (5 << 20), "larger than"),
], ids=range(12))
def test_each_defect_is_named(written, tmp_path, content, said):
    path = tmp_path / "constants.npz"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=said) as raised:
        load_constants(path, written[1])
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(written, tmp_path):
    with pytest.raises(BundleError, match=r"absent\.npz: cannot be read"):
        load_constants(tmp_path / "absent.npz", written[1])


def test_a_deviation_of_zero_is_refused(written, tmp_path):
    path = tmp_path / "constants.npz"
    with np.load(written[0]) as arrays:
        path.write_bytes(npz_bytes({**arrays, "std": np.zeros(20, np.float32)}))
    with pytest.raises(BundleError, match="above zero"):
        load_standardisation(path, written[1])
