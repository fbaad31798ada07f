"""Folders of base models, as small as they can be."""

import hashlib
import json
import struct
from pathlib import Path

from fabriek.kernel.callers import Caller
from fabriek.lab.base_models.models import ModelFile, Pushed, Revision
from fabriek.web.services import Services

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


def safetensors(values: int = 4, begins: float = 0.0, *, header_bytes: int = 0) -> bytes:
    """A file in the format, with one tensor of so many numbers; its header is filled up to so many bytes, as its makers do."""
    data = struct.pack(f"<{values}f", *(begins + one for one in range(values)))
    header = (
        json.dumps({"weight": {"dtype": "F32", "shape": [values], "data_offsets": [0, len(data)]}})
        .encode()
        .ljust(header_bytes)
    )
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


def a_base_model(
    services: Services, project: str, name: str, *, by: Caller, card: str = CARD, **more: bytes
) -> Revision:
    """A base model of that project (an id), with a card, weights, and what else is given: `parts__notes_txt` is parts/notes.txt."""
    contents = {"README.md": card.encode(), "model.safetensors": safetensors()}
    contents |= {path.replace("__", "/").replace("_", "."): content for path, content in more.items()}
    files = {path: ModelFile(path, hashlib.sha256(one).hexdigest(), len(one)) for path, one in contents.items()}
    pushed = Pushed(name, "main", "", "", allow_code=True, card=card, files=tuple(files.values()))
    for path, one in files.items():
        services.base_models.take(project, name, one.sha256, one.size, [contents[path]], allow_code=True, by=by)
    return services.base_models.push(project, pushed, by=by)[0]
