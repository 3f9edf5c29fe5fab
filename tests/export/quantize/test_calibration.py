import numpy as np
import pytest

from edge.errors import ExportError, MediaError, UsageError
from export.frontend import batch_mfcc, mfcc_constants
from export.quantize.calibration import MOST_PER_FILE, ArrayReader, collect
from export.quantize.frontends import front_end, read_settings

soundfile = pytest.importorskip("soundfile")


def tone(seconds: float, pitch_hz: float) -> np.ndarray:
    time_s = np.arange(int(16000 * seconds)) / 16000
    noise = np.random.default_rng(int(pitch_hz)).normal(size=time_s.size)
    return (8000 * np.sin(2 * np.pi * pitch_hz * time_s) + 100 * noise).astype(np.int16)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    for index in range(5):
        soundfile.write(folder / f"{index}.wav", tone(2.5, 200 + 100 * index), 16000)
    return folder


def test_sound_is_what_the_device_makes_of_it(sounds):
    front = front_end("audio", {"frames": 100, "level_normalised": False})
    windows = front.reader.read(sounds / "1.wav")
    assert windows.shape == (2, 100, 20)
    wanted = batch_mfcc(tone(2.5, 300))[:200].reshape(2, 100, 20)
    np.testing.assert_allclose(windows, wanted, atol=2e-3)


def test_level_and_offsets_are_taken_out(sounds, tmp_path):
    np.savez(tmp_path / "s.npz", mean=np.full(20, 2.0, np.float32), std=np.full(20, 4.0, np.float32))
    plain = front_end("audio", {"frames": 100}).reader.read(sounds / "0.wav")
    scaled = front_end("audio", {"frames": 100, "standard": str(tmp_path / "s.npz")}).reader.read(sounds / "0.wav")
    np.testing.assert_allclose(scaled, (plain - 2) / 4, atol=1e-5)
    np.testing.assert_allclose(np.exp(plain[..., 0]).mean(axis=1), 1, rtol=1e-4)


def test_a_short_sound_is_repeated_to_a_window(sounds):
    assert front_end("audio", {"frames": 300}).reader.read(sounds / "0.wav").shape == (1, 300, 20)


def test_whole_files_are_kept_for_validation(sounds):
    split = collect(sounds, front_end("audio", {"frames": 100}).reader)
    assert (len(split.calibration), len(split.validation), split.files) == (8, 2, 5)
    wanted = front_end("audio", {"frames": 100}).reader.read(sounds / "2.wav")
    np.testing.assert_array_equal(split.validation, wanted)


def test_one_damaged_file_is_skipped_and_said(sounds, tmp_path):
    for path in sounds.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "0.wav").write_bytes(b"RIFF junk")
    split = collect(tmp_path, front_end("audio", {"frames": 100}).reader)
    assert len(split.skipped) == 1
    assert "0.wav" in split.skipped[0]


@pytest.mark.parametrize(("files", "said"), [
    (None, "there is no such folder"),
    ({}, "the folder is empty"),
    ({"a.txt": b"x"}, r"none of its 1 files is sound \(a\.txt"),
    ({"a.wav": b"RIFF", "b.wav": b""}, "none of its 2 files gave sound"),
])
def test_a_folder_of_no_use_is_refused(files, said, tmp_path):
    folder = tmp_path / "given"
    if files is not None:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    with pytest.raises(ExportError, match=said):
        collect(folder, front_end("audio", {}).reader)


def test_pictures_are_resized_and_normalised(tmp_path):
    cv2 = pytest.importorskip("cv2")
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :48] = (10, 20, 30)  # blue, green, red
    cv2.imwrite(str(tmp_path / "a.png"), image)
    front = front_end("video", {"height": 32, "width": 32, "mean": [0, 0, 0], "std": [1, 10, 1]})
    inputs = front.reader.read(tmp_path / "a.png")
    assert inputs.shape == (1, 32, 32, 3)
    assert inputs[0, 5, 5].tolist() == [30.0, 2.0, 10.0]
    assert inputs[0, 5, 30].tolist() == [0.0, 0.0, 0.0]


def test_arrays_are_taken_as_they_are(tmp_path):
    reader = ArrayReader((1, 4))
    np.save(tmp_path / "one.npy", np.arange(4))
    np.save(tmp_path / "many.npy", np.zeros((3, 4), np.float32))
    assert reader.read(tmp_path / "one.npy").tolist() == [[0, 1, 2, 3]]
    assert reader.read(tmp_path / "many.npy").shape == (3, 4)


@pytest.mark.parametrize(("content", "said"), [
    (np.zeros((3, 5)), "the model takes"), (np.array(["a"]), "not numbers"), (np.array([{}]), "not an array"),
])
def test_other_arrays_are_refused(content, said, tmp_path):
    np.save(tmp_path / "a.npy", content)
    with pytest.raises(MediaError, match=said):
        ArrayReader((1, 4)).read(tmp_path / "a.npy")


def test_one_file_is_divided_and_many_are_thinned(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(60, dtype=np.float32).reshape(60, 1))
    split = collect(tmp_path, ArrayReader((1, 1)))
    assert split.calibration.max() < split.validation.min()
    for name in "bcd":
        np.save(tmp_path / f"{name}.npy", np.zeros((100, 1), np.float32))
    assert len(collect(tmp_path, ArrayReader((1, 1))).calibration) == 3 * MOST_PER_FILE


def test_the_manifest_has_the_front_end(tmp_path):
    front = front_end("audio", {"frames": 49, "coefficients": 10, "level_normalised": False})
    assert front.input_shape == (1, 49, 10)
    assert front.settings["level_normalised"] is False
    assert "limit" not in front.settings
    assert front_end("audio", {"limit": 8}).settings["limit"] == 8
    np.testing.assert_array_equal(front.constants["window"], mfcc_constants().window)


def test_settings_come_from_a_file_and_from_pairs(tmp_path):
    (tmp_path / "f.toml").write_text("frames = 100\nfilters = 26\n")
    assert read_settings(tmp_path / "f.toml", ["frames = 50"]) == {"frames": 50, "filters": 26}


@pytest.mark.parametrize(("settings", "said"), [
    ({"frame": 3}, "no setting 'frame'"), ({"frames": "x"}, "must be of type int"), ({"frames": 0}, "above zero"),
    ({"level_normalised": 1}, "must be of type bool"), ({"standard": "none.npz"}, "not an .npz"),
])
def test_impossible_settings_are_named(settings, said):
    with pytest.raises(UsageError, match=said):
        front_end("audio", settings)


def test_settings_that_are_no_toml():
    with pytest.raises(UsageError, match="not TOML"):
        read_settings(None, ["frames: 3"])
