"""Folders of base models, as small as they can be."""

import json
import struct
from pathlib import Path

CARD = """---
license: apache-2.0
language: nl
tags: [tiny, test]
pipeline_tag: text-generation
library_name: transformers
---
# Tiny

A model for tests.
"""


def safetensors(values: int = 4, begins: float = 0.0) -> bytes:
    """A file in the format, with one tensor of so many numbers."""
    data = struct.pack(f"<{values}f", *(begins + one for one in range(values)))
    header = json.dumps({"weight": {"dtype": "F32", "shape": [values], "data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


def a_model(folder: Path, *, card: str = CARD, weights: bytes = b"", **more: bytes) -> Path:
    """The folder, with a card, a configuration, weights, and a file in a folder of its own."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    if card:
        (folder / "README.md").write_text(card, "utf-8")
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    (folder / "model.safetensors").write_bytes(weights or safetensors())
    (folder / "onnx" / "notes.txt").write_text("nothing")
    for name, content in more.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder
