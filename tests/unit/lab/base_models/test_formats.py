"""What files of models are, by their names and their first bytes; none of them is ever loaded."""

import io
import pickle
import zipfile

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.base_models.formats import check_claim, kind_of, why_code
from tests.factories.base_models import safetensors


def test_first_bytes_tell_the_kind() -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert kind_of(pickle.dumps({"a": 1}, protocol)) == "pickle"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("archive/data.pkl", b"x")
    assert kind_of(archive.getvalue()) == "zip"
    assert kind_of(safetensors()) == "safetensors"
    assert kind_of(b"GGUF\x03\0\0\0") == "gguf"
    assert kind_of(b"\x7fELF\x02") == "program"
    for plain in (b"", b"{}", b"# Hello", b"\x08\x07\x12\x04", b"version https://git-lfs.github.com/spec/v1"):
        assert kind_of(plain) == ""


@pytest.mark.parametrize(
    "path",
    [
        "config.json",
        "model.safetensors",
        "tokenizer.model",
        "vocab.txt",
        "merges.txt",
        "model.onnx",
        "model.gguf",
        "x/y.npz",
        "README.md",
    ],
)
def test_data_is_not_marked(path: str) -> None:
    assert why_code(path) == ""
    assert why_code("x.npz", "zip") == ""


def test_a_name_must_not_lie() -> None:
    check_claim("model.safetensors", "safetensors")
    check_claim("config.json", "")
    for path, kind in (("a.safetensors", ""), ("A.SAFETENSORS", "pickle"), ("a.gguf", "zip")):
        with pytest.raises(InvalidInput):
            check_claim(path, kind)
