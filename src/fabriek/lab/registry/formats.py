"""What a model's files are, found by looking at them: data, which a reader only reads, or code, which runs when it is opened.

Nothing here is imported, loaded or run: only bytes are compared, a few of each file. What is called one thing and is another never passes for data.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Protocol

from fabriek.lab.registry.pickles import may_be_pickle

HEAD_BYTES = 65_536
HEADER_BYTES_MAX = 8 * 2**20
"""Of a safetensors file: a model with ten thousand tensors has one."""


class Mark(StrEnum):
    """How safe it is to open. DATA: nothing of it runs. UNKNOWN: nothing that we know. CODE: opening it runs what somebody wrote."""

    DATA = "data"
    UNKNOWN = "unknown"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Format:
    """`why`: one sentence where the mark is not `data`."""

    name: str
    mark: Mark
    why: str = ""


class Content(Protocol):
    """The bytes of one file, from wherever they are."""

    @property
    def size(self) -> int: ...

    def at(self, start: int, stop: int) -> bytes:
        """Those from start up to stop, as far as there are any."""


KINDS: dict[str, Format] = {
    "empty": Format("empty", Mark.DATA),
    "safetensors": Format("safetensors", Mark.DATA),
    "onnx": Format("ONNX", Mark.DATA),
    "gguf": Format("GGUF", Mark.DATA),
    "skops": Format("skops", Mark.DATA),
    "numpy": Format("NumPy", Mark.DATA),
    "catboost": Format("CatBoost", Mark.DATA),
    "tflite": Format("TensorFlow Lite", Mark.DATA),
    "parquet": Format("Parquet", Mark.DATA),
    "picture": Format("picture", Mark.DATA),
    "json": Format("JSON", Mark.DATA),
    "text": Format("text", Mark.DATA),
    "pickle": Format("pickle", Mark.CODE, "a pickle runs what it says when it is opened"),
    "pickle-compressed": Format("pickle, compressed", Mark.CODE, "a pickle runs what it says when it is opened"),
    "pickle-zip": Format("pickle in a zip", Mark.CODE, "it holds a pickle, which runs what it says when it is opened"),
    "numpy-objects": Format("NumPy objects", Mark.CODE, "arrays of objects are pickles"),
    "hdf5": Format("HDF5", Mark.CODE, "a Keras model in it may hold Python code"),
    "keras": Format("Keras", Mark.CODE, "its configuration names Python functions that are called"),
    "script": Format("script", Mark.CODE, "it is a program"),
    "program": Format("program", Mark.CODE, "it is a program"),
    "code-zip": Format("zip with code", Mark.CODE, "it holds a program"),
    "yaml-objects": Format("YAML objects", Mark.CODE, "it names Python objects that are made when it is read"),
    "zip": Format("zip", Mark.UNKNOWN, "an archive of no kind that we know"),
    "compressed": Format("compressed", Mark.UNKNOWN, "it is compressed, and was not looked into"),
    "tar": Format("tar", Mark.UNKNOWN, "it is an archive, and was not looked into"),
    "unknown": Format("unknown", Mark.UNKNOWN, "it is of no kind that we know"),
}
"""Every kind that `kind_of` answers."""

_CODE_NAMES = re.compile(
    r"(?i).*\.(py|pyc|pyo|pyd|pyx|ipynb|so|dll|dylib|exe|sh|bash|bat|ps1|r|rds|rdata|jl|js|mjs|lua|whl|egg|jar|class|wasm|pth|pkl|pickle|joblib|dill|cloudpickle"
    r"|keras|h5|hdf5)|saved_model\.pb(txt)?|keras_metadata\.pb"
)
"""Names that readers take for code, whatever is in them. A name only ever makes a mark worse."""

_EXPECTED = {".safetensors": "safetensors", ".onnx": "onnx", ".gguf": "gguf", ".skops": "skops", ".json": "json"}
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"CBM1", "catboost"),
    (4, b"TFL3", "tflite"),
    (0, b"PAR1", "parquet"),
    (0, b"\x89PNG\r\n\x1a\n", "picture"),
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ", "program"),
    (0, b"\xcf\xfa\xed\xfe", "program"),
    (0, b"\x00asm", "program"),
    (0, b"#!", "script"),
    (257, b"ustar", "tar"),
)
_COMPRESSED = (b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x5d\x00\x00")


def format_of(path: str, kind: str) -> Format:
    """What a file of this name and kind is held to be."""
    found = KINDS.get(kind, KINDS["unknown"])
    if found.mark is Mark.CODE:
        return found
    name = PurePosixPath(path).name
    if _CODE_NAMES.fullmatch(name):
        return Format(found.name, Mark.CODE, "by its name it is taken for a program, or for a model that holds one")
    expected = _EXPECTED.get(PurePosixPath(name).suffix.lower(), kind)
    if kind not in {expected, "empty"}:
        return Format(found.name, Mark.UNKNOWN, f"it is called {KINDS[expected].name}, and is not")
    return found


def worst(marks: Iterable[Mark]) -> Mark:
    """Of all files of a version. Of none nothing is known."""
    order = list(Mark)
    return max(marks, key=order.index, default=Mark.UNKNOWN)


def kind_of(content: Content, inside: Callable[[Content], str] | None = None) -> str:
    """What the bytes are; a key of KINDS. `inside` looks into a zip; without it a zip is a zip."""
    head = content.at(0, HEAD_BYTES)
    if not head:
        return "empty"
    whole = len(head) == content.size
    # Strict, and before pickle: the first two bytes of safetensors are a length, and may be any.
    if is_safetensors(content, head):
        return "safetensors"
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return inside(content) if inside else "zip"
    if found := _magic(head) or _compressed(head):
        return found
    if may_be_pickle(head, whole=whole):
        return "pickle"
    return "onnx" if is_onnx(content) else _text(head, whole=whole)


def _magic(head: bytes) -> str:
    if head[:4] == b"GGUF":
        return "gguf" if head[4:8] in {b"\x02\0\0\0", b"\x03\0\0\0"} else "unknown"
    if head[:6] == b"\x93NUMPY":
        return "numpy-objects" if has_objects(head) else "numpy"
    return next((kind for offset, magic, kind in _MAGIC if head[offset : offset + len(magic)] == magic), "")


def is_safetensors(content: Content, head: bytes) -> bool:
    """Eight bytes of length, a JSON header of that length, and tensors that fill the rest to the byte."""
    length = int.from_bytes(head[:8], "little")
    if len(head) < 10 or head[8:9] != b"{" or length > min(HEADER_BYTES_MAX, content.size - 8):
        return False
    try:
        header = json.loads(content.at(8, 8 + length))
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        return max(ends, default=0) == content.size - 8 - length
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return False


def has_objects(head: bytes) -> bool:
    """Whether the header of an .npy file names objects, which are pickled, or cannot be read."""
    found = re.search(rb"'descr'\s*:\s*(.{1,8192}?),\s*'fortran_order'", head[:HEAD_BYTES], re.DOTALL)
    return found is None or re.search(rb"['\"][|<>=]?O\d*['\"]", found[1]) is not None


_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Field → wire type of a ModelProto. Source: onnx/onnx.proto3."""
_ONNX_FIELDS_MAX = 1_000


def is_onnx(content: Content) -> bool:
    """Whether the fields of the outermost message are those of a model with a graph, and end where the file ends."""
    at, seen = 0, set[int]()
    for _ in range(_ONNX_FIELDS_MAX):
        if at == content.size:
            return {1, 7} <= seen
        piece = content.at(at, at + 20)
        key, used = _varint(piece)
        number, wire = key >> 3, key & 7
        if not used or _ONNX_FIELDS.get(number) != wire:
            return False
        value, more = _varint(piece[used:])
        if not more:
            return False
        seen.add(number)
        at += used + more + (value if wire == 2 else 0)
        if at > content.size:
            return False
    return False


def _varint(raw: bytes) -> tuple[int, int]:
    """The number and how many bytes it took; (0, 0) where there is none."""
    value = 0
    for place, byte in enumerate(raw[:10]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, place + 1
    return 0, 0


def _compressed(head: bytes) -> str:
    """As joblib compresses pickles, with zlib or gzip: those are begun, and no more than a head's worth comes out. Empty for what is not."""
    if head[:2] == b"\x1f\x8b" or (head[:1] == b"\x78" and int.from_bytes(head[:2]) % 31 == 0):
        try:
            inner = zlib.decompressobj(wbits=47).decompress(head, HEAD_BYTES)
        except zlib.error:
            return "" if head[:1] == b"\x78" else "compressed"
        return "pickle-compressed" if may_be_pickle(inner, whole=False) else "compressed"
    return "compressed" if head.startswith(_COMPRESSED) else ""


def _text(head: bytes, *, whole: bool) -> str:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.start < len(head) - 4:  # else a letter was cut in two
            return "unknown"
        text = head[: error.start].decode("utf-8")
    if any(ord(char) < 32 and char not in "\t\n\r\f\x1b" for char in text):
        return "unknown"
    if "!!python/" in text:
        return "yaml-objects"
    return "json" if _is_json(text, whole=whole) else "text"


def _is_json(text: str, *, whole: bool) -> bool:
    """By its first letter where only the beginning is there."""
    if not whole:
        return text.lstrip()[:1] in {"{", "["}
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
