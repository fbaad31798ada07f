"""Files as models are kept in, made by hand or by the libraries that write them; and pickles that would show that they ran."""

import io
import json
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Held:
    """Bytes as the registry looks at them."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def at(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]


class Trap:
    """Whoever unpickles it makes this file."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.sprung), "w")


def trapped(sprung: Path, protocol: int = 4) -> bytes:
    return pickle.dumps(Trap(sprung), protocol)


def safetensors(values: bytes = b"\0" * 8, **metadata: str) -> bytes:
    header = json.dumps(
        {"__metadata__": metadata, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, len(values)]}}
    )
    return struct.pack("<Q", len(header)) + header.encode() + values


def onnx() -> bytes:
    """A ModelProto: IR version 8, a producer, an empty graph with a name, and an operator set."""
    graph = b"\x12\x05graph"
    return b"\x08\x08" + b"\x12\x04mine" + b"\x3a" + bytes([len(graph)]) + graph + b"\x42\x02\x10\x11"


def zipped(**members: bytes) -> bytes:
    """`a__b` is `a.b`, `a___b` is `a/b`."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("___", "/").replace("__", "."), content)
    return held.getvalue()
