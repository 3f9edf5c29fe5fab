"""The check that stands before runtimes that follow a file's offsets blindly."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.engine.flatbuffer import MAX_TABLES, MODEL, Indices, Malformed, Shape, Table, Tables, Text, _Walk, check_model


def test_whole_models_pass(models):
    for name in ("heads.tflite", "float.tflite"):
        check_model((models / name).read_bytes())


def test_cut_off_anywhere_is_malformed(models):
    content = (models / "heads.tflite").read_bytes()
    for size in range(len(content)):
        with pytest.raises(Malformed):
            check_model(content[:size])


@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer_or_malformed(content):
    with suppress(Malformed):
        check_model(content)


@given(st.data())
def test_altered_models_give_an_answer_or_malformed(models, data):
    content = bytearray((models / "heads.tflite").read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Malformed):
        check_model(bytes(content))


def test_weights_behind_the_flatbuffer_must_lie_in_the_file():
    """Buffer tables of large models hold a position and a size (fields 1 and 2) instead of the data."""
    buffer = MODEL.fields[4].of
    inside, outside = (_table({1: ("<Q", 8), 2: ("<Q", size_bytes)}) for size_bytes in (4, 1 << 62))
    _Walk(inside).follow(buffer, 0)
    with pytest.raises(Malformed, match="the data of a buffer"):
        _Walk(outside).follow(buffer, 0)


@pytest.mark.parametrize("sizes", [(1 << 30, 8), (-1, 4), (1 << 13, 1 << 14), (1,) * 9])
def test_a_shape_that_no_device_could_hold_is_malformed(sizes):
    content = struct.pack(f"<II{len(sizes)}i", 4, len(sizes), *sizes)
    with pytest.raises(Malformed, match="is not to be had"):
        _Walk(content).follow(Shape(), 0)


@pytest.mark.parametrize(("numbers", "needed", "passes"), [
    ((0, 1, -1), 2, True), ((0, -1), 2, False), ((-1, 1, 2), 2, False), ((3,), 2, True), ((), 2, True)])
def test_a_tensor_may_be_left_out_only_where_it_is_optional(numbers, needed, passes):
    content = struct.pack(f"<II{len(numbers)}i", 4, len(numbers), *numbers)
    if passes:
        _Walk(content).follow(Indices(needed), 0)
    else:
        with pytest.raises(Malformed, match="is left out"):
            _Walk(content).follow(Indices(needed), 0)


def test_a_model_without_its_graphs_is_malformed(models):
    """ai-edge-litert 2.3 takes it and dies. The layout's third field of the first table is what is zeroed."""
    content = bytearray((models / "heads.tflite").read_bytes())
    root = struct.unpack_from("<I", content, 0)[0]
    layout = root - struct.unpack_from("<i", content, root)[0]
    struct.pack_into("<H", content, layout + 4 + 2 * 2, 0)
    with pytest.raises(Malformed, match=r"Model at byte .* lacks its field 2"):
        check_model(bytes(content))


def test_a_vector_of_an_operators_options_must_lie_in_the_file(models):
    """tflite-runtime 2.14 dies of it. The model's first operator reshapes to (1, 24)."""
    content = bytearray((models / "heads.tflite").read_bytes())
    shape = content.index(struct.pack("<III", 2, 1, 24))
    pointers = [at for at in range(shape) if at + struct.unpack_from("<I", content, at)[0] == shape]
    assert len(pointers) == 1
    struct.pack_into("<i", content, pointers[0], -1)
    with pytest.raises(Malformed, match="ends after the file's"):
        check_model(bytes(content))


def test_a_text_needs_its_end():
    walk = _Walk(struct.pack("<II3sB", 4, 3, b"abc", 1))
    with pytest.raises(Malformed, match="has no end"):
        walk.follow(Text(), 0)


def test_one_table_listed_many_times_does_not_take_for_ever():
    count = MAX_TABLES + 1
    table_at = 8 + 4 * count
    offsets = b"".join(struct.pack("<I", table_at - (8 + 4 * index)) for index in range(count))
    table = struct.pack("<iHH", -4, 4, 4)
    with pytest.raises(Malformed, match="tables"):
        _Walk(struct.pack("<II", 4, count) + offsets + table).follow(Tables(Table("empty", {})), 0)


def _table(fields: dict[int, tuple[str, int]]) -> bytes:
    """A pointer at byte 0 to one table with inline fields, its layout in front of it."""
    body, offsets = b"", [0] * (max(fields) + 1)
    for number, (layout, value) in fields.items():
        offsets[number] = 4 + len(body)
        body += struct.pack(layout, value)
    layout = struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), 4 + len(body), *offsets)
    return struct.pack("<I", 4 + len(layout)) + layout + struct.pack("<i", len(layout)) + body
