"""Profiles: the shipped ones load; anything else is one sentence that names file, key, value and fix."""

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge import firmware
from edge.errors import ProfileError

SETTINGS = {
    "name": '"mine"',
    "description": '"a box"',
    "memory.budget_mib": "80",
    "engine.runtime": '"litert"',
    "engine.threads": "1",
    "audio.enabled": "true",
    "audio.block_ms": "80",
    "audio.hop_s": "1.5",
    "video.enabled": "false",
    "video.frames_per_s": "0.5",
    "catalog.max_items": "1000",
    "catalog.candidates": "200",
    "context.seconds": "12.0",
}


@pytest.fixture
def load(tmp_path):
    """Load a profile with some settings changed; None leaves one out. Dotted keys are TOML as well."""
    path = tmp_path / "mine.toml"

    def load(**changes: str | None) -> firmware.FirmwareProfile:
        settings = SETTINGS | {key.replace("__", "."): value for key, value in changes.items()}
        path.write_text("".join(f"{key} = {value}\n" for key, value in settings.items() if value is not None))
        return firmware.load(path)

    return load


def leaves(cls: type, prefix: str = "") -> dict[str, dataclasses.Field]:
    found = {}
    for item in dataclasses.fields(cls):
        if item.default is not dataclasses.MISSING:  # may be left out, and has tests of its own
            continue
        if dataclasses.is_dataclass(item.type):
            found |= leaves(item.type, f"{item.name}.")
        else:
            found[prefix + item.name] = item
    return found


def test_the_five_devices_have_profiles_named_after_their_files():
    assert firmware.names() == [
        "amlogic-s905x-stb", "rpi-4-tv", "rpi-5-tv", "rpi-zero-2w-speaker", "workstation"]
    for name in firmware.names():
        assert firmware.load(name).name == name


def test_every_setting_of_these_tests_is_every_setting_there_is():
    assert set(SETTINGS) == set(leaves(firmware.FirmwareProfile))


def test_what_is_written_is_what_is_read(load):
    profile = load(audio__hop_s="2", memory__budget_mib="96")
    assert (profile.name, profile.engine.runtime, profile.video.enabled) == ("mine", "litert", False)
    assert profile.audio.hop_s == 2.0
    assert isinstance(profile.audio.hop_s, float)
    assert profile.memory.budget_bytes == 96 * 1024 * 1024


PROMISES = {"real_time_factor": "20", "list_p95_ms": "100", "start_ms": "2000", "pss_mib": "70.5"}


def test_promises_may_be_left_out_but_not_half_of_them(load):
    assert load().promises is None
    promised = {f"promises__{key}": value for key, value in PROMISES.items()}
    assert load(**promised).promises == firmware.Promises(20.0, 100.0, 2000.0, 70.5)
    for key in promised:
        name = key.replace("__", r"\.")
        with pytest.raises(ProfileError, match=rf"mine\.toml: {name} is missing"):
            load(**promised | {key: None})
        with pytest.raises(ProfileError, match=rf"mine\.toml: {name} = 0 must lie in"):
            load(**promised | {key: "0"})


def test_each_device_promises_less_memory_than_its_budget():
    for name in firmware.names():
        profile = firmware.load(name)
        assert profile.promises.pss_mib <= profile.memory.budget_mib


def test_a_profile_cannot_be_changed(load):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().memory.budget_mib = 1


@pytest.mark.parametrize("key", SETTINGS)
def test_a_missing_setting_is_named(load, key):
    with pytest.raises(ProfileError, match=rf"mine\.toml: ({key}|{key.partition('.')[0]}) is missing"):
        load(**{key.replace(".", "__"): None})


@pytest.mark.parametrize("key", ["budget", "memory__budget", "engine__Runtime", "'extra key'"])
def test_an_unknown_key_is_named_beside_the_known_ones(load, key):
    with pytest.raises(ProfileError, match=r"mine\.toml: unknown key .*; known: "):
        load(**{key: "1"})


@pytest.mark.parametrize("key", [key for key, item in leaves(firmware.FirmwareProfile).items()
                                 if "range" in item.metadata])
def test_numbers_must_lie_in_their_range(load, key):
    low, high = leaves(firmware.FirmwareProfile)[key].metadata["range"]
    keyword = key.replace(".", "__")
    for inside in (low, high):
        load(**{keyword: str(inside)})
    whole = leaves(firmware.FirmwareProfile)[key].type is int
    outside = (low - 1, high + 1, -(10**300)) if whole else (low - 1e-3, high + 1, "nan", "inf", "-inf", 10**400)
    for value in outside:
        with pytest.raises(ProfileError, match=rf"mine\.toml: {key} = .* must lie in {low} to {high}"):
            load(**{keyword: str(value)})


@pytest.mark.parametrize(("key", "value", "kind"), [
    ("memory__budget_mib", "80.5", "int"), ("memory__budget_mib", '"80"', "int"), ("memory__budget_mib", "true", "int"),
    ("audio__enabled", "1", "bool"), ("audio__enabled", '"yes"', "bool"), ("audio__hop_s", "false", "float"),
    ("engine__runtime", "1", "str"), ("name", "[1]", "str"), ("context__seconds", "2026-01-01", "float"),
])
def test_a_value_of_another_type_is_named_with_the_right_one(load, key, value, kind):
    with pytest.raises(ProfileError, match=rf"{key.replace('__', '.')} = .* must be of type {kind}"):
        load(**{key: value})


def test_an_unknown_runtime_is_told_which_there_are(load):
    with pytest.raises(ProfileError, match=r"engine\.runtime = 'tensorrt' must be 'litert' or 'onnx'"):
        load(engine__runtime='"tensorrt"')


def test_a_section_that_is_no_table(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "a"\ndescription = "b"\nmemory = 3\nengine = 1\naudio = 1\nvideo = 1\ncatalog = 1\n'
                    "context = 1\n")
    with pytest.raises(ProfileError, match=r"\[memory\] must be a table of settings, not 3"):
        firmware.load(path)


@pytest.mark.parametrize("name", [
    "rpi-3", "", "../firmware_profiles/workstation", "a" * 5000, "a\0b", "workstation.toml"])
def test_an_unknown_name_is_told_which_there_are(name):
    with pytest.raises(ProfileError, match=r"give a \.toml file or one of amlogic-s905x-stb, "):
        firmware.load(name)


def test_a_folder_and_a_missing_file_are_no_profiles(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    for path in (tmp_path / "folder.toml", tmp_path / "none.toml", tmp_path / ("a" * 300 + ".toml")):
        with pytest.raises(ProfileError, match="no profile"):
            firmware.load(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"# \n" * 100_000)
    with pytest.raises(ProfileError, match="larger than"):
        firmware.load(path)


@given(st.binary(max_size=300))
@example(b"x = " + b"[" * 20_000)
@example(b"memory.budget_mib = " + b"9" * 5000)
@example(b"\xff\xfe")
@example(b"x = 1\nx = 2")
def test_any_bytes_give_a_profile_error_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("profiles") / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ProfileError) as raised:
        firmware.load(path)
    assert len(str(raised.value)) < 600
    assert "\n" not in str(raised.value)


@given(st.sampled_from(sorted(SETTINGS)), st.sampled_from(
    ["1", "-1", "0", "1e400", "nan", "inf", "true", '""', '"' + "x" * 9000 + '"', "[]", "{}", "[1, 2]", "0x10",
     "1979-05-27", "07:32:00"]))
def test_any_value_anywhere_loads_or_is_a_profile_error(tmp_path_factory, key, value):
    path = tmp_path_factory.mktemp("profiles") / "mine.toml"
    path.write_text("".join(f"{name} = {value if name == key else text}\n" for name, text in SETTINGS.items()))
    said = ""
    try:
        firmware.load(path)
    except ProfileError as error:
        said = str(error)
    assert len(said) < 600
